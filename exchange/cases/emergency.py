"""The crisis lane (R28): declared by named people for a time, ends by itself, reviewed by somebody else. Pure.

While it lasts checks are shorter, never fewer: the same steps, the same log. A review afterwards can't be skipped:
until a person who took no part has done it, none of the same people declares or joins another emergency.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from exchange.errors import ForbiddenError, UnprocessableError

HOUR = 3_600_000_000
EVERYTHING = "*"
"""The scope of an emergency that holds in every collection."""


@dataclass(frozen=True)
class Emergency:
    """A declared emergency, [since, until) in microseconds."""

    id: str
    declared_at: int
    org: str
    declared_by: str
    people: frozenset[str]
    """Everybody who works in it, who declared it among them."""
    since: int
    until: int
    reason: str
    collections: frozenset[str]
    """Ids of collections, or ``*``."""
    ended_at: int | None = None
    """When somebody ended it early."""
    reviewed_at: int | None = None
    reviewer: str | None = None
    findings: str = ""

    @property
    def end(self) -> int:
        """When it ends, or ended."""
        return self.until if self.ended_at is None else min(self.until, self.ended_at)

    def holds(self, now: int, collection: str) -> bool:
        """Whether it is in force in a collection."""
        return self.since <= now < self.end and bool(self.collections & {collection, EVERYTHING})

    def review_due(self, review_hours: int) -> int:
        """Until when it should have been reviewed."""
        return self.end + review_hours * HOUR

    def status(self, now: int, review_hours: int) -> str:
        """planned, in-force, awaiting-review, overdue or reviewed."""
        if self.reviewed_at is not None:
            return "reviewed"
        if now < self.end:
            return "in-force" if now >= self.since else "planned"
        return "overdue" if now >= self.review_due(review_hours) else "awaiting-review"


def declare(new: Emergency, known: Iterable[Emergency], longest_hours: int) -> Emergency:
    """The emergency as it is declared.

    Raises UnprocessableError where its times, reason or scope are missing or too wide, ForbiddenError where one of its
    people took part in an emergency that nobody reviewed yet.
    """
    if new.until <= new.since or new.until <= new.declared_at:
        raise UnprocessableError("An emergency ends after it begins, and in the future.", code="emergency-times")
    if new.until - new.since > longest_hours * HOUR:
        raise UnprocessableError(f"An emergency lasts at most {longest_hours} hours.", code="emergency-times",
                                 fix="Declare a shorter one; after its review it can be declared again.")
    if not new.reason.strip():
        raise UnprocessableError("An emergency needs a reason.", code="emergency-reason")
    if not new.collections:
        raise UnprocessableError("An emergency needs a scope.", fix="Name its collections, or * for all.",
                                 code="emergency-scope")
    for other in known:
        same = sorted(new.people & other.people)
        if same and other.reviewed_at is None:
            raise ForbiddenError(
                f"{same[0]} took part in the emergency {other.id}, which nobody has reviewed yet.",
                code="emergency-unreviewed", fix="Have it reviewed by a person who took no part in it.")
    return new


def end(emergency: Emergency, now: int) -> Emergency:
    """Ended early. Raises UnprocessableError where it has ended."""
    if now >= emergency.end:
        raise UnprocessableError("The emergency has ended already.", code="illegal-step")
    return replace(emergency, ended_at=now)


def review(emergency: Emergency, person: str | None, findings: str, now: int) -> Emergency:
    """Reviewed by a named person who took no part.

    Raises ForbiddenError for one who did, UnprocessableError where it goes on, was reviewed or nothing was found.
    """
    if person is None or person in emergency.people:
        raise ForbiddenError("An emergency is reviewed by a named person who took no part in it.",
                             code="not-your-step")
    if emergency.reviewed_at is not None:
        raise UnprocessableError("The emergency was reviewed already.", code="illegal-step")
    if now < emergency.end:
        raise UnprocessableError("An emergency is reviewed after its end.", code="illegal-step",
                                 fix="End it first, if it is over.")
    if not findings.strip():
        raise UnprocessableError("A review says what it found.", code="emergency-findings")
    return replace(emergency, reviewed_at=now, reviewer=person, findings=findings)


def in_force(emergencies: Iterable[Emergency], collection: str, now: int) -> Emergency | None:
    """The emergency that holds in a collection now; of several the one that was declared first."""
    holding = [one for one in emergencies if one.holds(now, collection)]
    return min(holding, key=lambda one: (one.declared_at, one.id), default=None)
