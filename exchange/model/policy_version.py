"""Versions of the sharing policy: which stage each is in, since when, and who took it there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Stage(StrEnum):
    """How far a version has come."""

    DRAFT = "draft"
    SHADOW = "shadow"
    """Its differences are counted; it decides nothing."""
    CANARY = "canary"
    """It decides for some organisations."""
    ACTIVE = "active"
    RETIRED = "retired"


@dataclass(frozen=True)
class Step:
    """One version was taken to one stage."""

    digest: str
    """The version: hex SHA-256 of its packs."""
    stage: Stage
    at: int
    """Microseconds since the epoch."""
    by: str
    """The person who did it."""
    why: str
    organisations: tuple[str, ...] = ()
    """Of a canary: for whom it decides."""


@dataclass(frozen=True)
class Steps:
    """Every step of every version, in order."""

    steps: tuple[Step, ...] = ()

    def until(self, at: int) -> Steps:
        """What had happened at a time (that moment included)."""
        return Steps(tuple(step for step in self.steps if step.at <= at))

    def latest(self, digest: str) -> Step | None:
        """The step that a version is at; None: there is no such version."""
        return next((step for step in reversed(self.steps) if step.digest == digest), None)

    def at_stage(self, stage: Stage) -> Step | None:
        """The newest step of a version that is at that stage now."""
        return next((step for step in reversed(self.steps) if step.stage is stage
                     and self.latest(step.digest) is step), None)

    def for_organisation(self, org: str) -> str | None:
        """The version that decides for an organisation: the canary where it is one of its organisations."""
        canary, active = self.at_stage(Stage.CANARY), self.at_stage(Stage.ACTIVE)
        if canary is not None and org in canary.organisations:
            return canary.digest
        return None if active is None else active.digest

    def since_draft(self, digest: str) -> Iterator[Step]:
        """A version's steps since it was last proposed, that one first."""
        mine = [step for step in self.steps if step.digest == digest]
        first = max((place for place, step in enumerate(mine) if step.stage is Stage.DRAFT), default=0)
        yield from mine[first:]

    def digests(self) -> list[str]:
        """Every version, the one proposed first first."""
        return list(dict.fromkeys(step.digest for step in self.steps))
