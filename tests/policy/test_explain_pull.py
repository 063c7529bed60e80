"""An explanation decides as the server's quick decision does, and each change that it proposes really helps."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.model.party import Agreement, Credential, Membership, Organisation
from exchange.model.state import State
from exchange.model.terms import Audience, Basis, Life, Markings, PersonalData, Terms
from exchange.policy.decide import decide
from exchange.policy.explain import Explanation, Standing, explain
from exchange.policy.label import label_facts, profile_facts, release
from exchange.policy.packs import load
from exchange.policy.remedy import changed
from exchange.stix.timestamp import microseconds

AT = "2026-11-01T00:00:00Z"
NOW = microseconds(AT)
DAY = 86_400_000_000
level = st.sampled_from(["TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED"])
names = st.lists(st.sampled_from(["org-south", "org-north", "org-x"]), max_size=2, unique=True).map(tuple)
groups = st.lists(st.sampled_from(["circle", "inner"]), max_size=2, unique=True).map(tuple)
words = st.lists(st.sampled_from(["cib-detection", "account-integrity", "research"]), unique=True).map(tuple)
TERMS = st.builds(
    Terms, markings=st.builds(Markings, tlp=level.map(lambda one: (one,))),
    audience=st.builds(Audience, sharing_groups=groups, named_orgs=names, exclude_orgs=names,
                       named_persons=st.sampled_from([(), ("anne",)]),
                       kinds_allowed=st.sampled_from([None, (), ("ai-lab",)])),
    basis=st.builds(Basis, legal_basis=st.sampled_from([(), ("A6-1-f",)]), purposes=words,
                    refs=st.sampled_from([{}, {"lia": "L"}]), notice=st.just("public-notice")),
    data=st.builds(PersonalData, personal=st.sampled_from(["yes", "no"]), categories=st.just(())),
    life=st.just(Life("2027-01-01T00:00:00Z")), regime=st.just("EU-GDPR"),
    requires_agreements=st.sampled_from([(), ({"id": "base", "min_version": 2},)]),
)
READERS = st.builds(
    Organisation, id=st.just("org-south"), name=st.just("S"), kind=st.sampled_from(["platform", "ai-lab"]),
    jurisdiction=st.just("US"), jurisdiction_class=st.sampled_from(["EEA", "third"]), clearance=level,
    memberships=groups.map(lambda found: tuple(Membership(one) for one in found)),
    agreements=words.map(lambda found: (Agreement("base", purposes=found),)), controller_arrangement=st.just("a"),
)
purpose = st.sampled_from(["cib-detection", "account-integrity", None])


def ask(terms: Terms, reader: Organisation, wanted: str | None, standing: Standing, owner: str = "org-north",
        at: int = NOW) -> tuple[Explanation, str, str]:
    packs = load()
    label = label_facts(terms, owner=owner, community="circle").text
    profile = profile_facts(reader, Credential("k", reader.id, ""), purpose=wanted, at=AT, packs=packs).text
    return explain(label, profile, packs, at, standing), label, profile


@settings(max_examples=150, deadline=None)
@given(TERMS, READERS, purpose, st.sampled_from(["org-north", "org-south"]))
def test_an_explanation_decides_as_the_server_does(
    terms: Terms, reader: Organisation, wanted: str | None, owner: str
) -> None:
    explained, label, profile = ask(terms, reader, wanted, Standing(visible_until=NOW + DAY), owner)
    word, withheld = release(profile, label, load())
    assert (explained.decision.decision, explained.decision.redact) == (word, withheld)
    denies = [reason for reason in explained.decision.explain if reason.finding.outcome == "deny"]
    assert bool(denies) == (word == "deny")


@settings(max_examples=100, deadline=None)
@given(TERMS, READERS, purpose)
def test_what_would_have_to_change_helps_and_nothing_less_does(
    terms: Terms, reader: Organisation, wanted: str | None
) -> None:
    explained, _, _ = ask(terms, reader, wanted, Standing(visible_until=NOW + DAY))
    for changes in explained.changes:
        facts: Any = explained.facts
        for change in changes:
            assert decide(facts, load()).decision == "deny"
            facts = changed(facts, change)
        assert decide(facts, load()).decision != "deny"
        for place, left_out in enumerate(changes):
            if any(later.path == left_out.path for later in changes[place + 1 :]):
                continue  # a later change of the same fact states it whole, with this one
            fewer: Any = explained.facts
            for change in changes:
                fewer = fewer if change is left_out else changed(fewer, change)
            assert decide(fewer, load()).decision == "deny" or len(changes) == 1


OPEN = Terms(
    markings=Markings(tlp=("TLP:GREEN",)), basis=Basis(purposes=("cib-detection",)), data=PersonalData("no"),
    life=Life("2027-01-01T00:00:00Z"), regime="EU-GDPR",
)
MEMBER = Organisation(
    id="org-south", name="S", kind="platform", jurisdiction="FR", jurisdiction_class="EEA", clearance="TLP:RED",
    memberships=(Membership("circle"),), agreements=(Agreement("base", purposes=("cib-detection",)),),
    controller_arrangement="a",
)
STANDINGS = [
    # standing, whether another member sees it, its owner, and the codes that deny
    (Standing(visible_until=NOW + 1), "granted", "granted", set()),
    (Standing(visible_until=NOW), "denied", "denied", {"retention-expired"}),
    (Standing(visible_from=NOW, visible_until=NOW + DAY), "granted", "granted", set()),
    (Standing(visible_from=NOW + 1, visible_until=NOW + DAY), "denied", "denied", {"embargo"}),
    (Standing(State.DISPUTED, visible_until=NOW + DAY), "granted", "granted", set()),
    (Standing(State.RESTRICTED, visible_until=NOW + DAY), "denied", "granted", {"processing-restricted"}),
    (Standing(State.HELD, visible_until=NOW + DAY), "denied", "granted", {"processing-restricted"}),
    (Standing(State.REVOKED, visible_until=NOW + DAY), "denied", "granted", {"revoked"}),
    (Standing(State.REVOKED, visible_until=NOW + DAY, received_before=True), "redacted", "granted", set()),
    (Standing(State.ERASED, visible_until=NOW + DAY), "denied", "denied", {"erased"}),
]


@pytest.mark.parametrize(("standing", "for_another", "for_owner", "codes"), STANDINGS)
def test_states_and_dates_are_those_of_the_store(
    standing: Standing, for_another: str, for_owner: str, codes: set[str]
) -> None:
    explained, _, _ = ask(OPEN, MEMBER, "cib-detection", standing)
    assert explained.outcome == for_another
    denied = {r.finding.code for r in explained.decision.explain if r.finding.outcome == "deny"}
    assert denied == codes
    own, _, _ = ask(OPEN, MEMBER, "cib-detection", standing, owner="org-south")
    assert own.outcome == for_owner


def test_what_held_for_review_says_so() -> None:
    explained, _, _ = ask(OPEN, MEMBER, "cib-detection", Standing(State.HELD, visible_until=NOW + DAY))
    (reason,) = [r for r in explained.decision.explain if r.finding.outcome == "deny"]
    assert reason.rule == "R29"
    assert "review" in reason.finding.found


def test_what_passed_names_rules_citations_and_the_facts_found() -> None:
    explained, _, _ = ask(OPEN, MEMBER, "cib-detection", Standing(visible_until=NOW + DAY))
    assert not explained.decision.explain
    rows = {row["title"]: row for row in explained.passed}
    assert all(row["rule"] and row["citation"] for row in rows.values())
    assert any("request.purpose" in row["found"] for row in rows.values())
    assert any(row["rule"] == "P5" and row["found"] for row in rows.values())
