"""What was taken back after a backup is taken back again: nobody sees or may do more than before the restore.

Only ever the narrower way: what was lifted or given anew after the backup has to be done again by hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from exchange.errors import ExchangeError
from exchange.model.party import Directory
from exchange.model.state import State
from exchange.obligations.taken_back import ACTIVE, TakenBack, rights_of
from exchange.obligations.transitions import FOLLOWS, By, Role
from exchange.policy import tlp
from exchange.store import states as stored
from exchange.store.directory import load_directory
from exchange.store.directory_changes import apply, lock_directory
from exchange.store.emergencies import change_emergency, list_emergencies, lock_emergencies
from exchange.store.engine import read, write
from exchange.store.events import record
from exchange.store.holds import holds_on
from exchange.store.objects import Versions
from exchange.store.pushes import withdraw
from exchange.wiring import Exchange

_AGAIN = "It was so before; a backup of earlier had undone it."
_STRICTER = "Its contributor put it under stricter markings after the backup, and has to push that version again."
_BY = By("cib-exchange", "officer", "restore")
_NARROWER = (State.DISPUTED, State.HELD, State.RESTRICTED, State.REVOKED)
_ENDS: Mapping[str, Mapping[str, Any]] = {
    "credential": {"revoked": True}, "organisation": {"active": False},
    "agreement": {"status": "ended"}, "membership": {"status": "ended"},
}
_KEYS = {"credential": ("id",), "organisation": ("id",), "agreement": ("org", "id"), "membership": ("org", "group"),
         "collection": ("id",)}
_EXTENTS: Mapping[str, str] = {
    "clearance": "organisation", "purposes": "agreement", "scopes": "credential", "readers": "collection",
}
"""How far a right goes, and what it is a right of."""
_OLDEST_STATES = ("suspended", "ended")
_Object = tuple[str, str, str]
"""Contributor, collection, id."""


@dataclass
class Narrowed:
    """How much of each kind was taken back again, and what only a person can do, a sentence each."""

    counts: Counter[str] = field(default_factory=Counter)
    by_hand: list[str] = field(default_factory=list)


def hold_again(exchange: Exchange, taken: Iterable[TakenBack], now: int) -> int:
    """Begin legal holds again, before anything is erased; gives how many."""
    held: dict[tuple[str, str], int | None] = {}
    for one in taken:
        if one.kind == "hold":
            held[one.said["org"], one.said["id"]] = one.said["until"]
        elif one.kind == "released":
            held.pop((one.said["org"], one.said["id"]), None)
    count = 0
    for (org, stix_id), until in held.items():
        with read(exchange.engine) as connection:
            there = stored.find_owned(connection, stix_id, org=org)
            known = holds_on(connection, stix_id=stix_id, now=now, org=org)
        if there and not known and (until is None or until > now):
            exchange.obligations.hold(stix_id, org, reason=_AGAIN, by=_BY, now=now, until=until)
            count += 1
    return count


def take_back_again(exchange: Exchange, taken: Sequence[TakenBack], now: int) -> Narrowed:
    """Everything on the list but erasures and holds; each step is a transaction and does nothing the second time."""
    done = Narrowed()
    for one in taken:
        if one.kind in ("withdrawn", "recalled"):
            done.counts[one.kind] += _versions_again(exchange, one, now)
    for thing, (to, by, reason) in _states(taken).items():
        done.counts[to.name.lower()] += _state_again(exchange, thing, to, by, reason, now)
    with write(exchange.engine) as connection:
        lock_directory(connection)
        directory = load_directory(connection)
        for what, rows in _ended(taken, directory).items():
            table = _EXTENTS.get(what, what)
            apply(connection, {table: {key: dict(zip(_KEYS[table], key, strict=True)) | row
                                       for key, row in rows.items()}}, clock=lambda: now)
            done.counts[what] += len(rows)
    done.counts["emergency"] += _emergencies_again(exchange, taken, now)
    _policy_again(exchange, taken, done, now)
    unknown = {one.kind for one in taken} - {"state", "stricter", "withdrawn", "recalled", "hold", "released", "right",
                                             "emergency", "policy"}
    done.by_hand += [f"A newer release noted {kind!r}: this one can't take it back again." for kind in sorted(unknown)]
    done.counts = +done.counts
    return done


def _states(taken: Iterable[TakenBack]) -> dict[_Object, tuple[State, By, str]]:
    """The last state of each object, where it is narrower than active; restricted where its markings are lost."""
    last: dict[_Object, tuple[State, By, str]] = {}
    stricter: dict[_Object, tuple[State, By, str]] = {}
    for one in taken:
        if one.kind == "state":
            role: Role = one.said["role"] if one.said["role"] in ("producer", "case") else "officer"
            last[_object(one)] = State[str(one.said["to"]).upper()], By(one.said["by"], role, "restore"), _AGAIN
        elif one.kind == "stricter":
            by = By(one.said["org"], "producer", "restore")
            stricter[_object(one)] = State.RESTRICTED, by, _STRICTER
    narrower = {thing: one for thing, one in last.items() if one[0] in _NARROWER}
    return {**narrower, **{thing: one for thing, one in stricter.items()
                           if thing not in narrower or narrower[thing][0] in (State.DISPUTED, State.HELD)}}


def _object(one: TakenBack) -> _Object:
    return one.said["org"], one.said["collection"], one.said["id"]


def _state_again(exchange: Exchange, thing: _Object, to: State, by: By, reason: str, now: int) -> int:
    org, collection, stix_id = thing
    with read(exchange.engine) as connection:
        found = stored.find_owned(connection, stix_id, org=org, collection=collection)
    if not found or to not in FOLLOWS[found[0].state]:
        return 0
    if found[0].state != State.ACTIVE:
        by = _BY  # what somebody else set in the backup a producer doesn't change
    exchange.obligations.change(stix_id, org, to, reason=reason, by=by, now=now, collection=collection)
    return 1


def _versions_again(exchange: Exchange, one: TakenBack, now: int) -> int:
    """Delete, or revoke, the versions that were; gives the number of objects that had any (0 or 1)."""
    org, collection, stix_id = _object(one)
    names = set(map(str, one.said["versions"]))
    with write(exchange.engine) as connection:
        for owned in stored.find_owned(connection, stix_id, org=org, collection=collection):
            if one.kind == "recalled":
                hit = [v for v in owned.versions if v.version in names and v.state not in (State.REVOKED, State.ERASED)]
                if not hit:
                    return 0
                stored.add_change(connection, owned, at=now, before=owned.state, after=State.REVOKED,
                                  by=(_BY.org, _BY.role, _BY.key), reason=_AGAIN, citation="")
                stored.set_state(connection, hit, State.REVOKED)
                gone = [version.version for version in hit]
            else:
                wanted = Versions(frozenset({"all"}) if "" in names else frozenset(), tuple(names - {""}))
                gone = withdraw(connection, feed=owned.feed, contributor=owned.contributor, stix_id=stix_id,
                                versions=wanted, spec_versions=None, at=now)
            if gone:
                record(connection, at=now, kind="withdraw", org=org, detail={
                    "collection": collection, "credential": _BY.key, "id": stix_id, "versions": gone})
                exchange.cases.withdrawn(connection, org, stix_id, now)
                return 1
    return 0


def _ended(taken: Iterable[TakenBack], directory: Directory) -> dict[str, dict[tuple[str, ...], dict[str, Any]]]:
    """Kind of right to what is to be narrower than the backup has it: columns by the key."""
    last = {(str(one.said["what"]), tuple(map(str, one.said["key"]))): one.said for one in taken if one.kind == "right"}
    present = rights_of(directory)
    found: dict[str, dict[tuple[str, ...], dict[str, Any]]] = {}
    for (what, key), said in last.items():
        has = present.get((what, key))
        row = None if has is None else _narrowed_row(what, said, has) if what in _ENDS else _narrowed_extent(said, has)
        if row:
            found.setdefault(what, {})[key] = row
    return found


def _narrowed_extent(said: Mapping[str, Any], has: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that are to change: a lower clearance, fewer purposes, scopes, readers or writers; the last purpose
    of a key, which has one."""
    row: dict[str, Any] = {}
    for name in said.keys() & has.keys() - {"status"}:
        if name == "clearance":
            less: Any = min(said[name], has[name], key=lambda level: tlp.TLP2.get(level, tlp.CLEAR))
        elif name == "purpose":
            less = said[name]
        else:
            less = fewer(said[name], has[name])
        if less != has[name]:
            row[name] = less
    return row


def fewer(said: Sequence[str], has: Sequence[str]) -> list[str]:
    """Who is named by both lists of organisations and groups (``*``: everybody), sorted: never more than ``has``."""
    if "*" in said:
        return sorted(has)
    return sorted(said if "*" in has else set(said) & set(has))


def _narrowed_row(what: str, said: Mapping[str, Any], has: Mapping[str, Any]) -> dict[str, Any]:
    """The columns that are to change; a key that is proven by something else since is another's, or was replaced."""
    if has["status"] != ACTIVE:
        return {}
    if said["status"] != ACTIVE or said.get("proof") != has.get("proof"):
        ended = dict(_ENDS[what])
        if "status" in ended and said["status"] in _OLDEST_STATES:
            ended["status"] = said["status"]
        return ended
    until = said.get("until")
    return {"until": until} if until is not None and (has["until"] is None or until < has["until"]) else {}


def _emergencies_again(exchange: Exchange, taken: Iterable[TakenBack], now: int) -> int:
    """End emergencies again that were ended before their time; gives how many."""
    ended = {str(one.said["id"]) for one in taken if one.kind == "emergency"}
    with write(exchange.engine) as connection:
        lock_emergencies(connection)
        again = [row for row in list_emergencies(connection)
                 if row["id"] in ended and row["ended_at"] is None and row["until"] > now]
        for row in again:
            change_emergency(connection, row["id"], {"ended_at": now})
            record(connection, at=now, kind="emergency", org=_BY.org, detail={"emergency": row["id"], "step": "end"})
    return len(again)


def _policy_again(exchange: Exchange, taken: Iterable[TakenBack], done: Narrowed, now: int) -> None:
    """Let the version decide that decided last, where the backup or the folder of packs has its texts."""
    decided = next((str(one.said["version"]) for one in reversed(list(taken)) if one.kind == "policy"), None)
    try:
        present = exchange.packs.digest
        if decided is None or decided == present:
            return
        if exchange.policy.resume(decided, now, _BY.org, _AGAIN):
            done.counts["policy"] += 1
            return
    except ExchangeError as unreadable:
        done.by_hand.append(f"The policy in force can't be read: {unreadable}")
        return
    done.by_hand.append(
        f"Policy version {decided[:12]} was in force, and the backup has {present[:12]} alone: propose it and"
        " activate it again (cibx policy) before the server is started.")
