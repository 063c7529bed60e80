"""States: which follows which and by whom, what each lets be seen, who is told, and how it was at a time."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.model.state import State
from exchange.obligations.transitions import FOLLOWS, By, Role, StateError, check_transition
from exchange.store.engine import read
from exchange.store.states import find_owned, state_at
from tests.obligations.five_members import DAY, NOW, PLAIN, SECOND, Members, indicator

A, D, S, R, E, H = State.ACTIVE, State.DISPUTED, State.RESTRICTED, State.REVOKED, State.ERASED, State.HELD
OFFICER = {  # from: to
    A: {D, S, R, E, H},
    D: {A, S, R, E, H},
    S: {A, D, R, E},
    H: {A, D, S, R, E},
    R: {E},
    E: set(),
}
OWN = {  # what a producer may do with an object in a state that it set itself
    A: {S, R, E}, D: {A, S, R, E}, S: {A, R, E}, H: {A, S, R, E}, R: {E}, E: set(),
}  # fmt: skip
OTHERS = {A: {S, R, E}, D: {R, E}, S: {R, E}, H: {R, E}, R: {E}, E: set()}  # ... that somebody else set


def _allowed(before: State, to: State, role: Role, set_by: Role | None) -> bool:
    try:
        check_transition("indicator--x", before, to, By("org", role, "key"), set_by)
    except StateError:
        return False
    return True


@pytest.mark.parametrize(("before", "to"), list(product(State, State)))
def test_which_state_follows_which(before: State, to: State) -> None:
    for role in ("officer", "case"):
        assert _allowed(before, to, role, "officer") == (to in OFFICER[before])
    assert _allowed(before, to, "producer", "producer") == (to in OWN[before])
    assert _allowed(before, to, "producer", "officer") == (to in OTHERS[before])
    assert _allowed(before, to, "producer", "case") == (to in OTHERS[before])


@given(st.lists(st.sampled_from(State), max_size=12))
def test_no_way_leads_back_from_revoked_or_erased(steps: list[State]) -> None:
    state, seen = State.ACTIVE, set()
    for step in steps:
        if step in FOLLOWS[state]:
            state = step
        seen.add(state)
        if State.ERASED in seen:
            assert state == State.ERASED
        elif State.REVOKED in seen:
            assert state == State.REVOKED


TOLD = [  # to, then to: kinds and obligations in the recipient's mailbox
    ([D], [("dispute", "no-automated-action")]),
    ([D, A], [("dispute", "no-automated-action"), ("dispute", "use-again")]),
    ([S], [("restriction", "stop-using")]),
    ([S, A], [("restriction", "stop-using"), ("restriction", "use-again")]),
    ([S, D], [("restriction", "stop-using"), ("dispute", "no-automated-action")]),
    ([R], [("revocation", "stop-using")]),
    ([E], [("erasure", "delete")]),
    ([R, E], [("revocation", "stop-using"), ("erasure", "delete")]),
    ([H], []),
    ([H, A], []),
]


@pytest.mark.parametrize(("steps", "expected"), TOLD, ids=str)
def test_every_recipient_is_told_and_nobody_else(
    members: Members, steps: list[State], expected: list[tuple[str, str]]
) -> None:
    one = indicator()
    members.push("alpha", one)
    members.receive("alpha", one["id"])
    members.receive("beta", one["id"])
    members.receive("gamma", one["id"])
    for step in steps:
        members.now += 1
        members.change(one["id"], step, role="officer")
    for org in ("beta", "gamma"):
        notes = [next(iter(note["extensions"].values())) for note in members.mailbox(org)]
        assert [(said["kind"], said["obligation"]) for said in notes] == expected
        assert all(said["objects"] == [{"id": one["id"], "versions": [one["modified"]]}] for said in notes)
        assert all(("deadline" in said) == (said["obligation"] != "use-again") for said in notes)
    told = [next(iter(note["extensions"].values())) for note in members.mailbox("alpha")]
    assert [(said["kind"], said["obligation"]) for said in told] == [
        (kind, "use-again" if ask == "use-again" else "know") for kind, ask in expected
    ]  # its contributor hears what others did to it, and owes nothing
    assert all("deadline" not in said for said in told)
    for org in ("delta", "office"):
        assert members.mailbox(org) == []


SEEN = [(A, True, True), (D, True, True), (S, False, True), (H, False, True), (R, False, True), (E, False, False)]


@pytest.mark.parametrize(("state", "others", "own"), SEEN)
def test_who_sees_an_object_in_a_state(members: Members, state: State, others: bool, own: bool) -> None:
    versions = [indicator(id="indicator--7c3f1d1e-8a2b-4c5d-9e6f-0a1b2c3d4e5f", modified=f"2026-11-0{n}T00:00:00.000Z")
                for n in (1, 2)]  # fmt: skip
    members.push("alpha", *versions)
    if state != State.ACTIVE:
        members.change(versions[0]["id"], state, role="officer")
    flags = [note for note in members.sees("gamma") if note["type"] == "note"]
    assert [note for note in members.sees("gamma") if note not in flags] == (versions if others else [])
    assert [note for note in members.sees("alpha") if note not in flags] == (versions if own else [])
    assert [note["labels"] for note in flags] == ([["disputed"]] if state == State.DISPUTED else [])  # P19


@pytest.mark.parametrize(("state", "later"), [
    (A, "added"), (D, "added"), (S, "added"), (H, "added"), (R, "revoked-permanently"), (E, "revoked-permanently"),
])  # fmt: skip
def test_a_later_version_is_in_the_state_of_the_former(members: Members, state: State, later: str) -> None:
    one = indicator()
    members.push("alpha", one)
    if state != State.ACTIVE:
        members.change(one["id"], state, role="officer")
    (fate, code), = members.push("alpha", one | {"modified": "2026-11-02T00:00:00.000Z"})
    assert later in (fate, code)
    if fate == "added":
        assert bool(members.sees("beta")) == (state <= State.DISPUTED)


def test_a_producer_does_not_end_what_the_officer_restricted(members: Members) -> None:
    one = indicator()
    members.push("alpha", one)
    members.change(one["id"], S)
    members.change(one["id"], A)
    members.change(one["id"], S, role="officer")
    with pytest.raises(StateError, match="by somebody else"):
        members.change(one["id"], A)
    assert members.sees("beta") == []


def test_an_object_in_two_collections_changes_in_both_with_one_notice(members: Members) -> None:
    one = indicator()
    for collection in (PLAIN, SECOND):
        members.push("alpha", one, collection=collection)
        members.receive("beta", one["id"], collection=collection)
    members.change(one["id"], S)
    assert members.sees("beta") == members.sees("beta", collection=SECOND) == []
    assert len(members.mailbox("beta")) == 1


def test_another_contributors_object_of_the_same_id_stays(members: Members) -> None:
    one = {"type": "domain-name", "spec_version": "2.1", "value": "a.example",
           "id": "domain-name--b4bb4b4a-1f0b-5d3e-9d1c-3a5f2a1f9e11"}  # fmt: skip
    members.push("alpha", one)
    members.push("beta", one)
    members.change(one["id"], E)
    assert members.sees("alpha") == members.sees("delta") == [one]


def test_who_was_shown_a_derived_form_is_told_of_the_id_that_it_knows(members: Members) -> None:
    one, derived = indicator(), "indicator--0d9a0f53-7c53-5b7a-8f5e-3a1c2b4d5e6f"
    members.push("alpha", one)
    assert members.sees("beta") == [one]  # in full
    for org in ("beta", "gamma"):
        members.receive(org, one["id"])
    with read(members.exchange.engine) as connection:
        number = find_owned(connection, one["id"])[0].versions[0].number
    members.exchange.ledger.register([(derived, number)])
    members.change(one["id"], E)
    told = {org: {ref for note in members.mailbox(org) for ref in note["object_refs"]} for org in ("beta", "gamma")}
    assert told == {"beta": {one["id"], derived}, "gamma": {derived}}


def test_the_state_at_a_time_is_known(members: Members) -> None:
    one = indicator()
    members.push("alpha", one)
    for day, step in enumerate((D, A, S, R), 1):
        members.now = NOW + day * DAY
        members.change(one["id"], step, role="officer")
    with read(members.exchange.engine) as connection:
        owned = find_owned(connection, one["id"])[0]
        seen = [state_at(connection, feed=owned.feed, contributor=owned.contributor, stix_id=one["id"],
                         at=NOW + day * DAY) for day in range(5)]  # fmt: skip
    assert seen == [A, D, A, S, R]


def test_what_is_shown_tells_the_history(members: Members) -> None:
    one = indicator()
    members.push("alpha", one)
    members.change(one["id"], D, role="officer")
    shown: dict[str, Any] = members.desk.show(one["id"], None, members.now)[0]
    assert (shown["state"], shown["contributor"], shown["legal_hold"]) == ("disputed", "org-alpha", False)
    assert [(c["from"], c["to"], c["role"]) for c in shown["changes"]] == [("active", "disputed", "officer")]
