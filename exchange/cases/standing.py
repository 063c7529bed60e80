"""How far an object may be relied on: its stage, by how many independent and reliable members report it. Pure.

An object of one contributor alone is never more than ``observe`` (R29). Nothing here removes anything: a stage
says how much stands behind an object, and each member decides for itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from exchange.model.state import State


class Standing(StrEnum):
    """The stages of operations.md, weakest first; disputed and retracted stand apart."""

    QUARANTINED = "quarantined"
    OBSERVE = "observe"
    REVIEW = "review"
    FRICTION = "friction"
    CONFIRMED = "confirmed"
    DISPUTED = "disputed"
    RETRACTED = "retracted"


@dataclass(frozen=True)
class Report:
    """One organisation's report of the value that an object is about."""

    org: str
    group: str
    """Its ownership group."""
    at: int
    """Microseconds."""
    copied: bool = False
    """Its author had pulled another's report of the value before: it adds none."""
    authority: bool = False
    """A public authority gives tips only: never part of a quorum."""
    new: bool = False
    """A new member: capped at observe."""
    reliability: float = 0.0
    """Lower quantile of its posterior, 0-1."""


@dataclass(frozen=True)
class Thresholds:
    """Numbers of independent organisations, and the reliability that friction asks of each."""

    review: int
    friction: int
    reliability: float


@dataclass(frozen=True)
class Weighed:
    """How the reports of a value count."""

    stage: Standing
    independent: int
    """Ownership groups that reported it on their own, public authorities apart."""
    tips: int
    """Groups of public authorities that reported it: shown, never counted."""

    @property
    def single_source(self) -> bool:
        """One contributor stands behind it, or none that counts."""
        return self.independent < 2


def weigh(reports: Iterable[Report], state: State, thresholds: Thresholds, *, upheld: bool = False) -> Weighed:
    """The stage of an object in ``state`` that these organisations report; ``upheld``: a reviewer let it stand."""
    known = list(reports)
    own = [report for report in known if not report.copied and not report.authority]
    groups = {report.group for report in own}
    tips = {report.group for report in known if report.authority} - groups
    established = {report.group for report in own if not report.new}
    reliable = {report.group for report in own if not report.new and report.reliability >= thresholds.reliability}
    stage = _by_state(state) or _by_reports(len(established), len(reliable), thresholds, upheld)
    return Weighed(stage, len(groups), len(tips))


def _by_state(state: State) -> Standing | None:
    if state is State.HELD:
        return Standing.QUARANTINED
    if state is State.DISPUTED:
        return Standing.DISPUTED
    if state in (State.RESTRICTED, State.REVOKED, State.ERASED):
        return Standing.RETRACTED if state is not State.RESTRICTED else Standing.QUARANTINED
    return None


def _by_reports(established: int, reliable: int, thresholds: Thresholds, upheld: bool) -> Standing:
    if established < max(2, thresholds.review):  # whatever a pack says: one alone is only observed
        return Standing.OBSERVE
    if upheld:
        return Standing.CONFIRMED
    return Standing.FRICTION if reliable >= max(2, thresholds.friction) else Standing.REVIEW
