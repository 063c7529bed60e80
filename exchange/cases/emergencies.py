"""Emergencies as they are declared, ended and reviewed in one exchange; the rules are ``emergency.py`` (R28)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from exchange.cases import emergency as rules
from exchange.cases.contest import Actor
from exchange.cases.emergency import Emergency
from exchange.cases.office import Office
from exchange.errors import ForbiddenError, NotFoundError
from exchange.obligations import taken_back
from exchange.stix.timestamp import from_microseconds
from exchange.store import emergencies as rows
from exchange.store.engine import read, write
from exchange.store.events import record

SCOPE = "emergency"
_READERS = frozenset({SCOPE, "operate", "audit", "review"})
"""Scopes of who may know of emergencies."""


def emergency_in(connection: Any, collection: str, now: int) -> Emergency | None:
    """The emergency that is in force in a collection (its id)."""
    return rules.in_force(map(_read, rows.list_emergencies(connection)), collection, now)


class Emergencies:
    """Every emergency of one exchange."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def declare(self, actor: Actor, *, people: Sequence[str], since: int, until: int, reason: str,
                collections: Sequence[str], now: int) -> dict[str, Any]:
        """Declare an emergency; who declares it takes part in it. Raises ForbiddenError, UnprocessableError,
        NotFoundError for a collection that isn't there."""
        person = _named(actor)
        known = self._office.directory().collections
        for collection in collections:
            if collection != rules.EVERYTHING and collection not in known:
                raise NotFoundError(f"There is no collection {collection[:60]!r}.")
        made = Emergency(
            id=f"emergency--{uuid4()}", declared_at=now, org=actor.org, declared_by=person,
            people=frozenset({person, *people}), since=since, until=until, reason=reason,
            collections=frozenset(collections),
        )
        with write(self._office.engine) as connection:
            rows.lock_emergencies(connection)
            longest = self._office.parameters["emergency-longest-hours", now]
            rules.declare(made, map(_read, rows.list_emergencies(connection)), longest)
            rows.add_emergency(connection, {
                "id": made.id, "declared_at": now, "org": actor.org, "declared_by": person,
                "people": sorted(made.people), "since": since, "until": until, "reason": reason,
                "collections": sorted(made.collections), "findings": "",
            })
            record(connection, at=now, kind="emergency", org=actor.org, detail={
                "emergency": made.id, "step": "declare", "since": from_microseconds(since),
                "until": from_microseconds(until), "collections": sorted(made.collections),
                "people": len(made.people),
            })
        return self._shown(made, now)

    def end(self, actor: Actor, emergency: str, now: int) -> dict[str, Any]:
        """End an emergency before its time. Raises ForbiddenError, NotFoundError, UnprocessableError."""
        _named(actor)
        with write(self._office.engine) as connection:
            rows.lock_emergencies(connection)
            after = rules.end(_find(connection, emergency), now)
            rows.change_emergency(connection, emergency, {"ended_at": now})
            self._office.means().note(connection, taken_back.emergency(now, emergency))
            record(connection, at=now, kind="emergency", org=actor.org, detail={"emergency": emergency, "step": "end"})
        return self._shown(after, now)

    def review(self, actor: Actor, emergency: str, findings: str, now: int) -> dict[str, Any]:
        """Review an emergency that is over. Raises ForbiddenError, NotFoundError, UnprocessableError."""
        if actor.scopes.isdisjoint({"review", "audit", SCOPE}):
            raise ForbiddenError("An emergency is reviewed with the scope 'review', 'audit' or 'emergency'.")
        with write(self._office.engine) as connection:
            rows.lock_emergencies(connection)
            after = rules.review(_find(connection, emergency), actor.person, findings, now)
            rows.change_emergency(connection, emergency, {
                "reviewed_at": now, "reviewer": after.reviewer, "findings": findings})
            record(connection, at=now, kind="emergency", org=actor.org,
                   detail={"emergency": emergency, "step": "review"})
        return self._shown(after, now)

    def list(self, actor: Actor, now: int) -> list[dict[str, Any]]:
        """Every emergency, newest first, with its status. Raises ForbiddenError."""
        if actor.scopes.isdisjoint(_READERS):
            raise ForbiddenError(f"Emergencies are shown to credentials with a scope of {', '.join(sorted(_READERS))}.")
        with read(self._office.engine) as connection:
            return [self._shown(_read(row), now) for row in rows.list_emergencies(connection)]

    def _shown(self, emergency: Emergency, now: int) -> dict[str, Any]:
        hours = self._office.parameters["emergency-review-hours", now]
        return {
            "id": emergency.id, "status": emergency.status(now, hours), "declared_by": emergency.declared_by,
            "org": emergency.org, "people": sorted(emergency.people), "since": from_microseconds(emergency.since),
            "until": from_microseconds(emergency.end), "reason": emergency.reason,
            "collections": sorted(emergency.collections), "review_due": from_microseconds(emergency.review_due(hours)),
            "reviewer": emergency.reviewer, "findings": emergency.findings,
        }


def _named(actor: Actor) -> str:
    if SCOPE not in actor.scopes or not actor.person:
        raise ForbiddenError("Emergencies are declared and ended by named people with the scope 'emergency'.",
                             fix="Use a personal credential that has it.")
    return actor.person


def _find(connection: Any, emergency: str) -> Emergency:
    for row in rows.list_emergencies(connection):
        if row["id"] == emergency:
            return _read(row)
    raise NotFoundError("There is no such emergency.")


def _read(row: Mapping[str, Any]) -> Emergency:
    return Emergency(**{**row, "people": frozenset(row["people"]), "collections": frozenset(row["collections"])})
