"""Legal holds (P17): they keep a sealed copy, block deletion by the producer, and never release anything."""

from __future__ import annotations

from typing import Any

from exchange.errors import ForbiddenError
from exchange.obligations.means import Means
from exchange.obligations.transitions import By, StateError
from exchange.store import holds as stored
from exchange.store.erasures import bodies_of
from exchange.store.events import record
from exchange.store.states import Owned, find_owned

LEGAL_HOLD = "legal-hold"


def hold(
    connection: Any, means: Means, stix_id: str, org: str, *, reason: str, by: By, now: int, until: int | None = None
) -> int:
    """Hold an organisation's object in every collection and seal a copy of each version; gives the hold's number.

    ``until`` in microseconds, None: until it is released. Raises StateError where there is nothing to hold.
    """
    found = find_owned(connection, stix_id, org=org)
    if not found:
        raise StateError(f"{org} has shared no object {stix_id[:200]!r} here.", fix="Check the id and who gave it.")
    if until is not None and until <= now:
        raise StateError("The hold would end before it begins.", fix="Give a later time.")
    number = stored.add_hold(connection, contributor=found[0].contributor, stix_id=stix_id, since=now, until=until,
                             by_org=by.org, by_key=by.key, reason=reason)
    copies = sum(_seal(connection, means, owned, number) for owned in found)
    record(connection, at=now, kind="hold", org=org, detail={
        "id": stix_id, "hold": number, "step": "begins", "by": by.org, "key": by.key, "copies": copies,
    })
    return number


def release(connection: Any, stix_id: str, org: str, *, by: By, now: int) -> int:
    """End every hold on an organisation's object; gives how many. Raises StateError where there is none."""
    found = stored.holds_on(connection, stix_id=stix_id, now=now, org=org)
    if not found:
        raise StateError(f"There is no legal hold on {stix_id[:200]} of {org}.")
    for row in found:
        end(connection, row["number"], stix_id, org, by=by, now=now)
    return len(found)


def end(connection: Any, number: int, stix_id: str, org: str, *, by: By, now: int) -> None:
    """End one hold: its sealed copies are overwritten."""
    stored.release(connection, number, now)
    record(connection, at=now, kind="hold", org=org, detail={
        "id": stix_id, "hold": number, "step": "ends", "by": by.org, "key": by.key,
    })


def refuse_held(connection: Any, stix_id: str, org: str, now: int) -> None:
    """Raise ForbiddenError with the code ``legal-hold`` where an organisation's object may not be deleted."""
    if stored.holds_on(connection, stix_id=stix_id, now=now, org=org):
        raise ForbiddenError(
            "The object is under a legal hold and can't be deleted now.", why="GDPR Art. 17(3)(e), 18(1)(c).",
            fix="Restrict or erase it: then it is shared no more, and only the sealed copy is kept.", code=LEGAL_HOLD)


def seal_before_erasure(connection: Any, means: Means, owned: Owned, now: int) -> bool:
    """Seal what a hold didn't seal yet; False where nothing holds the object."""
    found = stored.holds_on(connection, stix_id=owned.stix_id, now=now, org=owned.org)
    for row in found:
        _seal(connection, means, owned, row["number"])
    return bool(found)


def _seal(connection: Any, means: Means, owned: Owned, number: int) -> int:
    contents = bodies_of(connection, owned.versions)
    if not contents:
        return 0
    seal = means.seal()
    copies = [(version, seal.close(body, f"{owned.stix_id} {version.version}")) for version, body in contents]
    stored.add_sealed(connection, number, copies, seal.fingerprint)
    return len(copies)
