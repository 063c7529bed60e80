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
from exchange.model.policy_version import Step
from exchange.obligations import taken_back
from exchange.policy.version import same_person
from exchange.stix.timestamp import from_microseconds
from exchange.store import emergencies as rows
from exchange.store.engine import read, write
from exchange.store.events import record
from exchange.store.versions import load_steps

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
            steps = _policy_steps(connection, made)
        return self._shown(made, now, steps)

    def end(self, actor: Actor, emergency: str, now: int) -> dict[str, Any]:
        """End an emergency before its time. Raises ForbiddenError, NotFoundError, UnprocessableError."""
        _named(actor)
        with write(self._office.engine) as connection:
            rows.lock_emergencies(connection)
            after = rules.end(_find(connection, emergency), now)
            rows.change_emergency(connection, emergency, {"ended_at": now})
            self._office.means().note(connection, taken_back.emergency(now, emergency))
            steps = _policy_steps(connection, after)
            record(connection, at=now, kind="emergency", org=actor.org, detail={"emergency": emergency, "step": "end"})
        return self._shown(after, now, steps)

    def review(self, actor: Actor, emergency: str, findings: str, now: int) -> dict[str, Any]:
        """Review an emergency that is over. Raises ForbiddenError, NotFoundError, UnprocessableError."""
        if actor.scopes.isdisjoint({"review", "audit", SCOPE}):
            raise ForbiddenError("An emergency is reviewed with the scope 'review', 'audit' or 'emergency'.")
        with write(self._office.engine) as connection:
            rows.lock_emergencies(connection)
            after = rules.review(_find(connection, emergency), actor.person, findings, now)
            steps = _policy_steps(connection, after)
            if any(same_person(step.by, str(actor.person)) for step in steps):
                raise ForbiddenError("You took a step of the sharing policy while the emergency was in force.",
                                     code="not-your-step", fix="Have it reviewed by a person who took no part in it.")
            rows.change_emergency(connection, emergency, {
                "reviewed_at": now, "reviewer": after.reviewer, "findings": findings})
            record(connection, at=now, kind="emergency", org=actor.org,
                   detail={"emergency": emergency, "step": "review"})
        return self._shown(after, now, steps)

    def list(self, actor: Actor, now: int) -> list[dict[str, Any]]:
        """Every emergency, newest first, with its status. Raises ForbiddenError."""
        if actor.scopes.isdisjoint(_READERS):
            raise ForbiddenError(f"Emergencies are shown to credentials with a scope of {', '.join(sorted(_READERS))}.")
        with read(self._office.engine) as connection:
            known = list(map(_read, rows.list_emergencies(connection)))
            return [self._shown(one, now, _policy_steps(connection, one)) for one in known]

    def _shown(self, emergency: Emergency, now: int, steps: Sequence[Step]) -> dict[str, Any]:
        hours = self._office.parameters["emergency-review-hours", now]
        return {
            "id": emergency.id, "status": emergency.status(now, hours), "declared_by": emergency.declared_by,
            "org": emergency.org, "people": sorted(emergency.people), "since": from_microseconds(emergency.since),
            "until": from_microseconds(emergency.end), "reason": emergency.reason,
            "collections": sorted(emergency.collections), "review_due": from_microseconds(emergency.review_due(hours)),
            "reviewer": emergency.reviewer, "findings": emergency.findings,
            "policy_steps": [{"version": step.digest, "stage": step.stage.value, "at": from_microseconds(step.at),
                              "by": step.by, "why": step.why} for step in steps],
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


def _policy_steps(connection: Any, emergency: Emergency) -> list[Step]:
    """Steps of policy versions while it was in force everywhere: their shadow period was the shorter one (R23)."""
    if rules.EVERYTHING not in emergency.collections:
        return []
    return [step for step in load_steps(connection).steps if emergency.since <= step.at < emergency.end]


def _read(row: Mapping[str, Any]) -> Emergency:
    return Emergency(**{**row, "people": frozenset(row["people"]), "collections": frozenset(row["collections"])})
