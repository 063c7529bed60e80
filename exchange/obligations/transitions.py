"""Which state may follow which, and who may bring it about: the table of P15, P17 and P18."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from exchange.errors import ExchangeError
from exchange.model.state import State

Role = Literal["producer", "officer", "case"]
"""The contributor's own organisation; the data-protection officer or operator; the outcome of a case."""
_SHOWN: Mapping[State, str] = {
    State.ACTIVE: "active", State.DISPUTED: "disputed", State.RESTRICTED: "restricted", State.REVOKED: "revoked",
    State.ERASED: "erased", State.HELD: "held for review",
}
_ANY = frozenset(State)
FOLLOWS: Mapping[State, frozenset[State]] = {
    State.ACTIVE: _ANY - {State.ACTIVE},
    State.DISPUTED: _ANY - {State.DISPUTED},
    State.RESTRICTED: _ANY - {State.RESTRICTED, State.HELD},
    State.HELD: _ANY - {State.HELD},
    State.REVOKED: frozenset({State.ERASED}),
    State.ERASED: frozenset(),
}
"""A revocation is for ever (STIX 2.1, 3.6.3), and nothing follows an erasure."""
_OF_PRODUCERS = frozenset({State.ACTIVE, State.RESTRICTED, State.REVOKED, State.ERASED})


class StateError(ExchangeError):
    """A state can't be changed so."""

    status = 409
    code = "state"
    exit_code = 2


@dataclass(frozen=True)
class By:
    """Who changes a state: organisation, role, and the key id (or, on the server's machine, the person)."""

    org: str
    role: Role
    key: str


def state_word(state: State) -> str:
    """The state for people."""
    return _SHOWN[state]


def check_transition(stix_id: str, before: State, to: State, by: By, set_by: Role | None) -> None:
    """Raise StateError unless ``by`` may bring an object from one state to another.

    ``set_by`` is the role that brought it into its present state: a producer lifts only what it did itself.
    """
    if to == before:
        raise StateError(f"{stix_id} is {state_word(before)} already.")
    if to not in FOLLOWS[before]:
        raise StateError(
            f"{stix_id} is {state_word(before)} and can't become {state_word(to)}.",
            why="A revocation is for ever." if before == State.REVOKED else "",
            fix="Share what is new under an id of its own." if before in {State.REVOKED, State.ERASED} else "",
        )
    if by.role != "producer" or to in {State.REVOKED, State.ERASED}:
        return
    if to not in _OF_PRODUCERS:
        raise StateError(f"A producer doesn't make its own object {state_word(to)}.",
                         fix="Contest it, or ask the data-protection officer of the exchange.")
    if before != State.ACTIVE and set_by != "producer":
        raise StateError(
            f"{stix_id} was made {state_word(before)} by somebody else, and that doesn't end by its producer's word.",
            fix="Answer the contest, or ask the data-protection officer of the exchange.",
        )
