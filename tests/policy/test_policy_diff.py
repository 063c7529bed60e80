"""A diff over labels and profiles finds exactly what deciding every pair finds, for any change of packs or members."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.model.party import Agreement, Credential, Membership, Organisation
from exchange.model.terms import Audience, Basis, Life, Markings, PersonalData, Terms
from exchange.policy.diff import Recipient, Side, changed_words, compare, widened_cases
from exchange.policy.label import label_facts, profile_facts, release
from exchange.policy.packs import Packs, load
from exchange.policy.packtext import packs_of, texts_of

AT = "2026-11-01T00:00:00Z"
ORGS = ("org-a", "org-b", "org-c", "org-d")
GROUPS = ("circle", "inner")
PURPOSES = ("cib-detection", "account-integrity", "research")
RANK = {"deny": 0, "redact": 1, "allow": 2}


def packs_with(*changes: tuple[str, str, str]) -> Packs:
    texts = texts_of()
    for file, old, new in changes:
        assert old in texts[file], (file, old)
        texts[file] = texts[file].replace(old, new)
    return packs_of(texts)


SHIPPED = load()
CHANGED = {
    "nothing": SHIPPED,
    "only a comment": packs_with(("tlp.toml", "[pack]", "# other words\n[pack]")),
    "more evidence": packs_with(("lawful_bases/eu_gdpr.toml", 'evidence = ["lia"]', 'evidence = ["lia", "consent"]')),
    "another room": packs_with(("versions.toml", "days = 7", "days = 8")),
    "a regime": packs_with(("lawful_bases/eu_gdpr.toml", "special_conditions_apply = true",
                            "special_conditions_apply = false")),
    "direct identifiers": packs_with(("personal_data.toml", "direct = true", "direct = false")),
}

level = st.sampled_from(["TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED"])
some_orgs = st.lists(st.sampled_from(ORGS), max_size=2, unique=True).map(tuple)
some_groups = st.lists(st.sampled_from(GROUPS), max_size=2, unique=True).map(tuple)
terms = st.builds(
    Terms,
    markings=st.builds(Markings, tlp=level.map(lambda one: (one,))),
    audience=st.builds(Audience, sharing_groups=some_groups, named_orgs=some_orgs, exclude_orgs=some_orgs,
                       kinds_denied=st.sampled_from([(), ("researcher",)])),
    basis=st.builds(
        Basis, legal_basis=st.sampled_from([(), ("A6-1-f",), ("A6-1-a",), ("UK-A6-1-f",), ("A6-1-a", "A6-1-f")]),
        special_basis=st.sampled_from([(), ("A9-2-e",)]),
        purposes=st.lists(st.sampled_from(PURPOSES), min_size=1, unique=True).map(tuple),
        refs=st.sampled_from([{}, {"lia": "LIA-1"}, {"lia": "LIA-1", "public_evidence": "e", "consent": "C-1"}]),
        notice=st.just("public-notice"), research_compatible=st.booleans(),
    ),
    data=st.builds(PersonalData, personal=st.sampled_from(["yes", "no", "unknown"]),
                   categories=st.sampled_from([(), ("Username",), ("IPAddress",)])),
    life=st.just(Life("2027-01-01T00:00:00Z")),
    regime=st.sampled_from(["EU-GDPR", "UK-GDPR", None]),
)
labels = st.lists(st.tuples(terms, st.sampled_from(ORGS)), min_size=1, max_size=5).map(
    lambda rows: [label_facts(one, owner=owner, community="circle").text for one, owner in rows])
organisations = st.builds(
    Organisation, id=st.sampled_from(ORGS), name=st.just("X"), kind=st.sampled_from(["platform", "researcher"]),
    jurisdiction=st.just("FR"), jurisdiction_class=st.sampled_from(["EEA", "UK", "third"]), clearance=level,
    memberships=some_groups.map(lambda names: tuple(Membership(name) for name in names)),
    agreements=st.lists(st.sampled_from(PURPOSES), unique=True).map(
        lambda words: (Agreement("base", purposes=tuple(words)),)),
    controller_arrangement=st.just("a"), client_of=st.sampled_from([(), ("org-c",)]),
    facts=st.sampled_from([{}, {"research_safeguards": "plan"}, {"transfer": [{"id": "A46-2-c", "tia": "T"}]}]),
)
purposes = st.lists(st.sampled_from(PURPOSES), min_size=1, max_size=2, unique=True)


def side(organisation: Organisation, wanted: list[str], packs: Packs) -> Side:
    key = Credential("k", organisation.id, "")
    return Side(tuple(profile_facts(organisation, key, purpose=one, at=AT, packs=packs).text for one in wanted), packs)


def brute(one: Side, label: str) -> tuple[Any, ...]:
    """The most that any profile gets, pair by pair."""
    found = [release(profile, label, one.packs) for profile in one.profiles]
    best = max((RANK[word] for word, _ in found), default=0)
    return next(((word, withheld) for word, withheld in found if RANK[word] == best), ("deny", ()))


@pytest.mark.parametrize("name", CHANGED)
@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(organisations, organisations, purposes), min_size=1, max_size=4), labels)
def test_a_diff_is_what_deciding_every_pair_says(
    name: str, pairs: list[tuple[Organisation, Organisation, list[str]]], given_labels: list[str]
) -> None:
    after = CHANGED[name]
    recipients = []
    for number, (old, new, wanted) in enumerate(pairs):
        then = old if number % 2 else replace(new, id=old.id)
        recipients.append(Recipient(old.id, side(old, wanted, SHIPPED), side(then, wanted, after)))
    found = {(id(one), d.label): ((d.before, d.withheld[0]), (d.after, d.withheld[1]))
             for one in recipients for d in compare(given_labels, [one])}
    together = [(d.org, d.label, d.before, d.after) for d in compare(given_labels, recipients)]
    expected = {}
    for one in recipients:
        for number, label in enumerate(given_labels):
            before, later = brute(one.before, label), brute(one.after, label)
            if before != later:
                expected[id(one), number] = (before, later)
    assert found == expected
    assert sorted(together) == sorted(
        (one.org, number, *(words[0] for words in expected[id(one), number]))
        for one in recipients for number in range(len(given_labels)) if (id(one), number) in expected)


@settings(max_examples=60, deadline=None)
@given(organisations, purposes, labels)
def test_each_difference_has_a_reason(one: Organisation, wanted: list[str], given_labels: list[str]) -> None:
    after = CHANGED["more evidence"]
    for found in compare(given_labels, [Recipient(one.id, side(one, wanted, SHIPPED), side(one, wanted, after))]):
        assert found.sign == -1
        assert "consent-record-missing" in found.reasons


def test_which_words_changed() -> None:
    assert changed_words(SHIPPED, SHIPPED) == frozenset()
    assert changed_words(SHIPPED, CHANGED["another room"]) == frozenset()
    assert "a6-1-f" in (changed_words(SHIPPED, CHANGED["more evidence"]) or ())
    assert "eu-gdpr" in (changed_words(SHIPPED, CHANGED["a regime"]) or ())
    everything = packs_with(("programme.toml", "[pack]", "[pack]"))
    assert changed_words(SHIPPED, everything) == frozenset()


def test_cases_that_are_no_longer_denied_show_a_widening_where_nothing_is_stored() -> None:
    narrow = CHANGED["more evidence"]
    assert widened_cases(narrow, SHIPPED)
    assert widened_cases(SHIPPED, narrow) == []
    assert widened_cases(SHIPPED, CHANGED["only a comment"]) == []
