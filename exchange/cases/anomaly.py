"""When a contributor's volume or overturn rate has jumped so far that its new objects wait for a person. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from exchange.cases.posterior import Verdict

_DAY = 86_400_000_000


@dataclass(frozen=True)
class VolumeLimits:
    """From when on a day's volume is unusual."""

    history_days: int
    times_usual: int
    per_day: int


@dataclass(frozen=True)
class OverturnLimits:
    """From when on the overturn rate within the last days is unusual."""

    days: int
    fewest: int
    """So many overturned objects, at least."""
    times_usual: int
    percent: int


def limit_of_day(history: Sequence[int], limits: VolumeLimits) -> int | None:
    """The number of objects in one day above which a contributor is held; None: it has too little history.

    ``history`` holds the number of objects of each earlier day on which it gave any.
    """
    if len(history) < limits.history_days:
        return None
    return max(limits.per_day, limits.times_usual * max(history))


def overturns_jumped(verdicts: Sequence[Verdict], now: int, limits: OverturnLimits) -> bool:
    """Whether the overturned share of what was judged within the last days is many times that of before."""
    since = now - limits.days * _DAY
    recent = [verdict for verdict in verdicts if verdict.at >= since]
    before = [verdict for verdict in verdicts if verdict.at < since]
    overturned = sum(not verdict.confirmed for verdict in recent)
    if overturned < limits.fewest or overturned * 100 < limits.percent * len(recent):
        return False
    # One more of each before: a clean or a short past is no rate of zero.
    usual = (sum(not verdict.confirmed for verdict in before) + 1) / (len(before) + 2)
    return not before or overturned / len(recent) >= min(1.0, limits.times_usual * usual)
