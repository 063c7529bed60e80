"""What objects say of others, and how many independent members it takes."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.cases.dispute import Voice, heard, is_confirmed, is_disputed
from exchange.cases.ownership import is_public_authority, ownership_groups
from exchange.model.party import Organisation
from exchange.stix.statement import Statement, statement

A, B = "indicator--a", "indicator--b"


@pytest.mark.parametrize(("obj", "word", "about"), [
    ({"type": "opinion", "opinion": "strongly-disagree", "object_refs": [A, B]}, "dispute", (A, B)),
    ({"type": "opinion", "opinion": "disagree", "object_refs": [A]}, "dispute", (A,)),
    ({"type": "opinion", "opinion": "neutral", "object_refs": [A]}, "none", (A,)),
    ({"type": "opinion", "opinion": "agree", "object_refs": [A]}, "back", (A,)),
    ({"type": "opinion", "opinion": "strongly-agree", "object_refs": [A]}, "back", (A,)),
    ({"type": "opinion", "opinion": "disagree", "object_refs": [A], "revoked": True}, "none", (A,)),
    ({"type": "sighting", "sighting_of_ref": A, "count": 3}, "back", (A,)),
    ({"type": "sighting", "sighting_of_ref": A}, "back", (A,)),
    ({"type": "sighting", "sighting_of_ref": A, "count": 0}, "none", (A,)),
    ({"type": "sighting", "sighting_of_ref": A, "count": 3, "labels": ["false-positive"]}, "dispute", (A,)),
    ({"type": "note", "object_refs": [B], "labels": ["false-positive"]}, "dispute", (B,)),
    ({"type": "note", "object_refs": [B], "labels": ["other"]}, "none", (B,)),
    ({"type": "indicator", "labels": ["false-positive"]}, "none", ()),
])  # fmt: skip
def test_what_an_object_says_of_others(obj: dict[str, Any], word: str, about: tuple[str, ...]) -> None:
    assert statement(obj) == Statement(word, about)  # type: ignore[arg-type]


@pytest.mark.parametrize(("voices", "disputed"), [
    ((), False),
    ((Voice("b"),), False),
    ((Voice("b"), Voice("c")), True),
    ((Voice("b"), Voice("b")), False),                              # one ownership group, two organisations
    ((Voice("b"), Voice("p")), False),                              # the producer's own group
    ((Voice("b"), Voice("g", authority=True)), False),              # a public authority gives tips only
    ((Voice("b", affected=True),), True),
    ((Voice("p", affected=True),), False),
    ((Voice("g", authority=True, affected=True),), False),
])  # fmt: skip
def test_when_an_object_is_disputed(voices: tuple[Voice, ...], disputed: bool) -> None:
    assert is_disputed(voices, "p", 2) is disputed


voices_of = st.builds(Voice, group=st.sampled_from("pbcd"), authority=st.booleans(), affected=st.booleans())


@given(st.lists(voices_of, max_size=4), st.integers(1, 4))
def test_order_and_repetition_of_disputes_do_not_matter(voices: list[Voice], needed: int) -> None:
    expected = is_disputed(voices, "p", needed)
    assert all(is_disputed(order, "p", needed) is expected for order in permutations(voices))
    assert is_disputed([*voices, *voices], "p", needed) is expected


@given(st.lists(voices_of, max_size=5), voices_of, st.integers(1, 4))
def test_a_further_dispute_never_lifts_one(voices: list[Voice], further: Voice, needed: int) -> None:
    assert is_disputed([*voices, further], "p", needed) >= is_disputed(voices, "p", needed)


@given(st.lists(voices_of, max_size=6))
def test_no_public_authority_and_no_producer_is_counted(voices: list[Voice]) -> None:
    counted = heard(voices, "p")
    assert "p" not in counted
    assert counted <= {voice.group for voice in voices if not voice.authority}
    assert is_confirmed(voices, "p", len(counted) + 1) is False


def organisation(org: str, *, client_of: tuple[str, ...] = (), kind: str = "platform", **facts: Any) -> Organisation:
    return Organisation(id=org, name=org, kind=kind, jurisdiction="IE", client_of=client_of, facts=facts)


def test_organisations_that_belong_together_are_one_group() -> None:
    groups = ownership_groups([
        organisation("a", ownership_group="holding"), organisation("b", ownership_group="holding"),
        organisation("c", client_of=("b",)), organisation("d", client_of=("agency",)),
        organisation("e", client_of=("agency",)), organisation("f"),
    ])
    assert groups == {"a": "a", "b": "a", "c": "a", "d": "d", "e": "d", "f": "f"}


@given(st.permutations([organisation("a", ownership_group="x"), organisation("b", client_of=("c",)),
                        organisation("c", ownership_group="x"), organisation("d")]))
def test_the_order_of_members_does_not_change_their_groups(members: list[Organisation]) -> None:
    assert ownership_groups(members) == {"a": "a", "b": "a", "c": "a", "d": "d"}


@pytest.mark.parametrize(("org", "authority"), [
    (organisation("a"), False), (organisation("a", kind="government"), True), (organisation("a", kind="regulator"), True),
    (organisation("a", public_authority=True), True), (organisation("a", government=True), True),
])
def test_who_is_a_public_authority(org: Organisation, authority: bool) -> None:
    assert is_public_authority(org) is authority
