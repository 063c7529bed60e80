"""Labels, profiles and grants decide as the decision does; what changes with time is outside of both."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.model.party import Agreement, Credential, Membership, Organisation
from exchange.model.terms import Audience, Basis, Life, Markings, PersonalData, Terms
from exchange.policy.decide import decide
from exchange.policy.label import (
    actor_facts,
    granted,
    label_facts,
    next_change,
    object_facts,
    profile_facts,
    release,
    window,
)
from exchange.policy.packs import load
from exchange.stix.timestamp import microseconds

AT = "2026-03-01T09:00:00Z"
TERMS = Terms(
    markings=Markings(tlp=("TLP:GREEN",)),
    basis=Basis(legal_basis=("A6-1-f",), purposes=("cib-detection",), refs={"lia": "lia-1"}),
    data=PersonalData(personal="yes", categories=("Username",)),
    life=Life(retention_until="2026-09-01T00:00:00Z"),
    regime="EU-GDPR",
)
READER = Organisation(
    id="org-south", name="South", kind="platform", jurisdiction="FR", jurisdiction_class="EEA", clearance="TLP:RED",
    controller_arrangement="art26",
    memberships=(Membership("circle", since="2025-06-01T00:00:00Z", until="2026-06-01T00:00:00Z"),),
    agreements=(Agreement("base", until="2026-05-01T00:00:00Z", purposes=("cib-detection",)),),
)
KEY = Credential(id="key-1", org="org-south", digest="", purpose="cib-detection")


def label(terms: Terms = TERMS, **more: Any) -> str:
    return label_facts(terms, owner="org-north", community="circle", **more).text


def profile(organisation: Organisation = READER, at: str = AT, key: Credential = KEY, **more: Any) -> str:
    return profile_facts(organisation, key, purpose=key.purpose, at=at, packs=load(), **more).text


def test_a_member_is_granted() -> None:
    assert granted(profile(), label(), load())


@pytest.mark.parametrize("at", ["2025-05-31T00:00:00Z", "2026-06-01T00:00:00Z", "2026-05-01T00:00:00Z"])
def test_outside_membership_or_agreement_nothing_is_granted(at: str) -> None:
    assert not granted(profile(at=at), label(), load())


@pytest.mark.parametrize("terms", [
    replace(TERMS, markings=Markings()),
    replace(TERMS, markings=Markings(tlp=("TLP:GREEN",), unresolved=("marking-definition--x",))),
    replace(TERMS, markings=Markings(tlp=("TLP:AMBER",))),
    replace(TERMS, audience=Audience(kinds_allowed=())),
    replace(TERMS, audience=Audience(exclude_orgs=("org-south",))),
    replace(TERMS, life=Life()),
    replace(TERMS, basis=replace(TERMS.basis, refs={})),
    replace(TERMS, regime=None),
    replace(TERMS, requires_agreements=({"id": "base", "min_version": 2},)),
    replace(TERMS, markings=Markings(tlp=("TLP:GREEN",), granular=({"selector": "name", "tlp": "TLP:RED"},))),
    replace(TERMS, markings=Markings(tlp=("TLP:GREEN",), granular=({"selector": "name", "groups": []},))),
], ids=["no level", "unresolved", "AMBER", "no kind", "excluded", "no retention", "no evidence", "no regime",
        "agreement", "a part is withheld", "a part is nobody's"])
def test_what_is_not_allowed_in_full_is_not_granted(terms: Terms) -> None:
    assert not granted(profile(), label(terms), load())


def test_research_is_not_granted_until_it_can_be_redacted() -> None:
    key = replace(KEY, purpose="research")
    reader = replace(READER, facts={"research_safeguards": "plan"},
                     agreements=(Agreement("base", purposes=("research",)),))
    open_terms = replace(TERMS, basis=replace(TERMS.basis, research_compatible=True))
    assert not granted(profile(reader, key=key), label(open_terms), load())
    harmless = replace(open_terms, data=PersonalData("yes", ("IPAddress",)))
    assert granted(profile(reader, key=key), label(harmless), load())


def test_visible_categories_count_whatever_was_declared() -> None:
    terms = replace(TERMS, data=PersonalData("no"), basis=Basis(purposes=("cib-detection",)))
    assert granted(profile(), label(terms), load())
    assert not granted(profile(), label(terms, categories=["Username"]), load())


def test_red_is_granted_to_the_named_person_only() -> None:
    terms = replace(TERMS, markings=Markings(tlp=("TLP:RED",)), audience=Audience(named_persons=("anne",)))
    assert granted(profile(key=replace(KEY, person="anne")), label(terms), load())
    assert not granted(profile(key=replace(KEY, person="ben")), label(terms), load())
    assert not granted(profile(), label(terms), load())


def test_an_organisation_that_was_put_out_is_granted_nothing() -> None:
    assert not granted(profile(replace(READER, active=False)), label(), load())


def test_unreadable_facts_grant_nothing() -> None:
    odd = replace(READER, facts={"favourite_colour": "red"})
    assert not granted(profile(odd), label(), load())


def test_times_are_not_in_the_label() -> None:
    dated = replace(TERMS, life=Life(retention_until="2026-10-01T00:00:00Z", not_before="2026-05-01T00:00:00Z"))
    assert label(dated) == label()
    policy = {"iep_version": 2.0, "tlp": "GREEN"}
    marked = replace(TERMS, markings=Markings(tlp=("TLP:GREEN",), iep=(policy,)))
    lapsing = replace(TERMS, markings=Markings(tlp=("TLP:GREEN",), iep=({**policy, "end_date": AT},)))
    assert label(marked) == label(lapsing)


def test_order_and_repetition_give_one_label() -> None:
    one = replace(TERMS, audience=Audience(sharing_groups=("a", "b"), named_orgs=("x",)))
    two = replace(TERMS, audience=Audience(sharing_groups=("b", "a", "b"), named_orgs=("x",)))
    assert label(one) == label(two)


def test_a_profile_is_the_same_at_any_time_without_a_change() -> None:
    assert profile(at="2026-03-01T00:00:00Z") == profile(at="2026-04-01T00:00:00Z")
    assert profile(at="2026-04-30T23:59:59Z") != profile(at="2026-05-01T00:00:00Z")


WINDOWS = [
    (Life(), (), None, None),
    (Life(retention_until="2026-09-01T00:00:00Z"), (), None, "2026-09-01T00:00:00Z"),
    (Life(not_before="2026-02-01T00:00:00Z"), (), "2026-02-01T00:00:00Z", None),
    (Life("2026-09-01T00:00:00Z", "2026-02-01T00:00:00Z"),
     ({"start_date": "2026-03-01T00:00:00Z", "end_date": "2026-08-01T00:00:00Z"},
      {"end_date": "2026-07-01T00:00:00Z"}),
     "2026-03-01T00:00:00Z", "2026-07-01T00:00:00Z"),
    (Life(), ({"start_date": "2026-03-01", "end_date": None},), "2026-03-01T00:00:00Z", None),
]


@pytest.mark.parametrize(("life", "policies", "first", "last"), WINDOWS)
def test_the_window_is_where_all_limits_meet(
    life: Life, policies: tuple[dict[str, Any], ...], first: str | None, last: str | None
) -> None:
    terms = replace(TERMS, life=life, markings=Markings(tlp=("TLP:GREEN",), iep=policies))
    expected = tuple(None if text is None else microseconds(text) for text in (first, last))
    assert expected == window(terms)


CHANGES = [
    ("2025-01-01T00:00:00Z", "2025-06-01T00:00:00.000000Z"), (AT, "2026-05-01T00:00:00.000000Z"),
    ("2026-05-01T00:00:00Z", "2026-06-01T00:00:00.000000Z"), ("2026-06-01T00:00:00Z", None),
]


@pytest.mark.parametrize(("at", "expected"), CHANGES)
def test_the_next_change_is_the_first_date_after_now(at: str, expected: str | None) -> None:
    assert next_change(READER, at) == expected


def test_a_credential_and_a_transfer_change_the_profile_too() -> None:
    key = replace(KEY, until="2026-03-02T00:00:00Z")
    assert next_change(READER, AT, key) == "2026-03-02T00:00:00.000000Z"
    certified = replace(READER, facts={"transfer": [{"id": "A45-3", "until": "2026-03-03T00:00:00Z"}]})
    assert next_change(certified, AT) == "2026-03-03T00:00:00.000000Z"


def test_a_word_that_begins_to_be_valid_changes_the_profile() -> None:
    before, day = "2026-02-04T23:59:59Z", "2026-02-05T00:00:00.000000Z"
    member = replace(READER, memberships=(Membership("circle"),), agreements=(Agreement("base"),))
    assert next_change(member, before, KEY, load()) == day
    assert next_change(member, before, KEY) is None
    assert profile(member, before) != profile(member, day)
    recognised = replace(TERMS, regime="UK-GDPR", basis=replace(
        TERMS.basis, legal_basis=("UK-A6-1-ea",), refs={"annex1_condition": "5"}))
    known = replace(member, agreements=(Agreement("base", purposes=("cib-detection",)),))
    assert not granted(profile(known, before), label(recognised), load())
    assert granted(profile(known, day), label(recognised), load())


_LEVELS = st.lists(st.sampled_from(["TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:RED"]), max_size=2)
_TERMS = st.builds(
    lambda tlp, groups, excluded, personal, purposes: replace(
        TERMS, markings=Markings(tlp=tuple(tlp)),
        audience=Audience(sharing_groups=tuple(groups), exclude_orgs=tuple(excluded)),
        data=PersonalData(personal), basis=replace(TERMS.basis, purposes=tuple(purposes))),
    _LEVELS, st.lists(st.sampled_from(["circle", "g7"]), max_size=2), st.lists(st.just("org-south"), max_size=1),
    st.sampled_from(["yes", "no", "unknown"]), st.lists(st.sampled_from(["cib-detection", "research"]), max_size=2))
_READERS = st.builds(
    lambda groups, clearance, where, org: replace(
        READER, id=org, memberships=tuple(Membership(group) for group in groups), clearance=clearance,
        jurisdiction_class=where),
    st.lists(st.sampled_from(["circle", "g7"]), max_size=2), st.sampled_from(["TLP:CLEAR", "TLP:AMBER", "TLP:RED"]),
    st.sampled_from(["EEA", "third"]), st.sampled_from(["org-south", "org-north"]))


@given(_TERMS, _READERS)
@settings(max_examples=300, deadline=None)
def test_a_grant_is_the_decision_on_the_unfolded_facts(terms: Terms, reader: Organisation) -> None:
    facts = {
        "at": AT, "action": "pull", "actor": actor_facts(reader, AT),
        "object": object_facts(terms, owner="org-north", community="circle"),
        "request": {"purpose": KEY.purpose, "channel": {"encrypted": True}, "mode": "feed",
                    "principal": {"kind": "service"}},
    }
    assert granted(profile(reader), label(terms), load()) == (decide(facts, load()).decision == "allow")


def test_release_tells_what_is_withheld() -> None:
    marked = replace(TERMS, markings=Markings(tlp=("TLP:GREEN",), granular=({"selector": "name", "tlp": "TLP:RED"},)))
    assert release(profile(), label(), load()) == ("allow", ())
    assert release(profile(), label(marked), load()) == ("redact", ("name",))
    assert release(profile(), label(replace(TERMS, markings=Markings())), load()) == ("deny", ())
