"""Changing the state of an object: every version at once, with its time, and a notice to each who received it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from exchange.model.state import State
from exchange.obligations import holds, taken_back
from exchange.obligations.erasure_list import Erased
from exchange.obligations.means import Means
from exchange.obligations.notice import Affected, Kind, Notice, Obligation
from exchange.obligations.send import send
from exchange.obligations.transitions import By, Role, StateError, check_transition, state_word
from exchange.store import states as stored
from exchange.store.erasures import bodies_of, wipe_erased
from exchange.store.events import record
from exchange.store.pushes import lock_feed
from exchange.store.states import Owned

_TOLD: Mapping[tuple[State | None, State], tuple[Kind, Obligation | None]] = {
    (None, State.DISPUTED): ("dispute", None),
    (None, State.RESTRICTED): ("restriction", None),
    (None, State.REVOKED): ("revocation", None),
    (None, State.ERASED): ("erasure", None),
    (State.DISPUTED, State.ACTIVE): ("dispute", "use-again"),
    (State.RESTRICTED, State.ACTIVE): ("restriction", "use-again"),
    (State.RESTRICTED, State.DISPUTED): ("dispute", "no-automated-action"),
}
"""(before, after) to the kind of notice and what it asks (None: what the pack says); what isn't here tells nobody."""


@dataclass(frozen=True)
class Changed:
    """What became of one contributor's object."""

    stix_id: str
    org: str
    before: State
    after: State
    reference: str
    """What the notices and the log call the change."""
    notices: tuple[Notice, ...]
    sealed: bool = False
    """It was erased under a legal hold: a sealed copy is kept apart from sharing."""

    @property
    def number(self) -> int:
        """The number of its first row among the changes of states."""
        return int(self.reference.rpartition(":")[2])


def change_state(
    connection: Any, means: Means, stix_id: str, org: str, to: State, *, reason: str, by: By, now: int,
    collection: str | None = None, citation: str = "",
) -> Changed:
    """Change the state of every version of an organisation's object, in the caller's write transaction.

    In every collection, or in the one named (its id). Those who received a version get a notice; the contributor
    gets one where somebody else acts. After the commit of an erasure ``rescan`` finds deliveries that were
    under way. Raises StateError where the change isn't allowed, and where there is no such object.
    """
    found = _locked(connection, stix_id, org, collection, to)
    if not found:
        raise StateError(f"{org} has shared no object {stix_id[:200]!r} here.", fix="Check the id and who gave it.")
    open_ones = [owned for owned in found if _state(connection, owned, now) != to] or found
    numbers: list[int] = []
    sealed = False
    before = _state(connection, open_ones[0], now)
    for owned in open_ones:
        was = _state(connection, owned, now)
        check_transition(stix_id, was, to, by, _set_by(connection, owned))
        numbers.append(stored.add_change(
            connection, owned, at=now, before=was, after=to, by=(by.org, by.role, by.key), reason=reason,
            citation=citation))
        if to == State.ERASED:
            sealed |= holds.seal_before_erasure(connection, means, owned, now)
            means.note(connection, _erased(connection, owned, now))
            wipe_erased(connection, owned, numbers[-1], now)
        else:
            means.note(connection, taken_back.state(now, org, owned.collection, stix_id, to, (by.org, by.role)))
        stored.set_state(connection, owned.versions, to)
    reference = f"state-change:{numbers[0]}"
    notices = _notices(connection, means, open_ones, before, to, reason=reason, citation=citation,
                       reference=reference, now=now)
    told = send(connection, notices, now)
    if by.role != "producer":
        send(connection, _for_contributor(means, stix_id, org, before, to, reason=reason, citation=citation,
                                          reference=reference, now=now), now)
    record(connection, at=now, kind="state", org=org, detail={
        "id": stix_id, "collections": [owned.collection for owned in open_ones], "from": state_word(before),
        "to": state_word(to), "by": by.org, "role": by.role, "key": by.key, "reference": reference,
        "notices": [notice.id for notice in told], "sealed": sealed,
    })
    return Changed(stix_id, org, before, to, reference, tuple(told), sealed)


def _erased(connection: Any, owned: Owned, now: int) -> Erased:
    digests = tuple(sha256(body).hexdigest() for _, body in bodies_of(connection, owned.versions))
    return Erased(owned.org, owned.collection, owned.stix_id, digests, now)


def notices_of_change(
    connection: Any, means: Means, rows: Sequence[Mapping[str, Any]], now: int
) -> list[Notice]:
    """The notices that a change noted earlier (rows of ``state_change``) asks for, whoever received it until now."""
    first = rows[0]
    found = [owned for owned in stored.find_owned(connection, first["stix_id"])
             if (owned.feed, owned.contributor) in {(row["feed"], row["contributor"]) for row in rows}]
    if not found:
        return []
    return _notices(connection, means, found, State(first["before"]), State(first["after"]), reason=first["reason"],
                    citation=first["citation"], reference=f"state-change:{first['number']}", now=now)


def affected_of(
    connection: Any, means: Means, owned: Iterable[Owned], *, withdrawn: bool = False
) -> dict[str, tuple[Affected, ...]]:
    """Organisation to what it received of an object: every recipient but the contributor itself."""
    received: dict[str, dict[str, dict[str, None]]] = {}
    for one in owned:
        versions = {version.seq: version.version for version in one.versions}
        known = {version.number: version.label for version in one.versions}
        for row in stored.withdrawn_of(connection, one.stix_id, one.org) if withdrawn else ():
            if row["feed"] == one.feed:
                versions[row["seq"]] = row["version"]
                known |= {} if row["label"] is None else {row["object"]: row["label"]}
        for receipt in means.recipients(connection, one.feed, list(versions)):
            if receipt.org != one.org:
                received.setdefault(receipt.org, {}).setdefault(one.stix_id, {})[versions[receipt.seq]] = None
        _name_forms(connection, means, one.stix_id, known, received)
    return {
        org: tuple(Affected(stix_id, tuple(sorted(versions))) for stix_id, versions in things.items())
        for org, things in sorted(received.items())
    }


def _name_forms(
    connection: Any, means: Means, stix_id: str, known: Mapping[int, int],
    received: dict[str, dict[str, dict[str, None]]],
) -> None:
    """Who was shown the object with parts left out knows it by other ids, and isn't told the original's (P21).

    ``known``: numbers of its rows, also of deleted ones, to their labels.
    """
    forms = means.forms(list(known))
    derived = sorted({form for ids in forms.values() for form in ids})
    if not derived:
        return
    whole = stored.orgs_granted_whole(connection, set(known.values()))
    for org, things in received.items():
        if stix_id not in things:
            continue
        things |= {form: {} for form in derived}
        if org not in whole:
            del things[stix_id]


def _notices(
    connection: Any, means: Means, owned: Sequence[Owned], before: State, to: State, *, reason: str, citation: str,
    reference: str, now: int,
) -> list[Notice]:
    told = _TOLD.get((before, to)) or _TOLD.get((None, to))
    if told is None:
        return []
    kind, obligation = told
    affected = affected_of(connection, means, owned, withdrawn=to == State.ERASED)
    return [
        means.duties.notice(kind, org, things, reason=reason, reference=reference, now=now, obligation=obligation,
                            citation=citation)
        for org, things in affected.items()
    ]


def _for_contributor(
    means: Means, stix_id: str, org: str, before: State, to: State, *, reason: str, citation: str, reference: str,
    now: int,
) -> list[Notice]:
    """Who shared an object hears what others did to it: it may answer or contest that."""
    told = _TOLD.get((before, to)) or _TOLD.get((None, to))
    if told is None:
        return []
    return [means.duties.notice(told[0], org, [Affected(stix_id)], reason=reason, reference=reference, now=now,
                                obligation="use-again" if told[1] == "use-again" else "know", citation=citation)]


def _locked(connection: Any, stix_id: str, org: str, collection: str | None, to: State) -> list[Owned]:
    """The object's rows, after the turn of each of its collections was waited for; what was deleted can be erased."""
    feeds = {owned.feed for owned in stored.find_owned(connection, stix_id, org=org, collection=collection)}
    for feed in sorted(feeds):
        lock_feed(connection, feed)
    found = stored.find_owned(connection, stix_id, org=org, collection=collection)
    if to == State.ERASED:
        there = {owned.feed for owned in found}
        for row in stored.withdrawn_of(connection, stix_id, org):
            if row["feed"] not in there and collection in (None, row["collection"]):
                there.add(row["feed"])
                found.append(Owned(row["feed"], row["collection"], row["contributor"], org, stix_id, ()))
    return found


def _state(connection: Any, owned: Owned, now: int) -> State:
    if owned.versions:
        return owned.state
    return stored.state_at(connection, feed=owned.feed, contributor=owned.contributor, stix_id=owned.stix_id, at=now)


def _set_by(connection: Any, owned: Owned) -> Role | None:
    changes = stored.changes_of(connection, owned)
    role: Role | None = changes[-1]["by_role"] if changes else None
    return role
