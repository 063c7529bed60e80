"""A quick try at a plan: take what comes first, demand by demand, from each moment on that could begin it.

Finds most assignments that exist in a time that grows with the data; finding none proves nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from exchange.matcher.pattern.budget import Budget
from exchange.matcher.pattern.demands import FOREVER, Cut, Demand, Option, Plan
from exchange.matcher.pattern.supply import Supply

TRIES = 200
"""Moments to begin from."""


def quickly(plan: Plan, supply: Supply, moments: Sequence[int], budget: Budget) -> bool:
    """Whether a simple try fills the plan. Spends at most half of the budget that is left."""
    ceiling = budget.left // 2
    queues = {demand.options: _queue(demand, supply, budget) for demand in plan.demands}
    stride = max(1, len(moments) // TRIES)
    for moment in moments[::stride]:
        if budget.left < ceiling:
            return False
        if _Try(plan, supply, queues, budget, moment).fills():
            return True
    return False


_Queue = list[tuple[int, int, int]]


def _queue(demand: Demand, supply: Supply, budget: Budget) -> _Queue:
    """(latest moment, earliest moment, observed-data) of a demand's candidates; first what ends first."""
    found = []
    for option in demand.options:
        budget.spend(len(option.candidates))
        for one in option.candidates:
            earliest, latest = max(supply.firsts[one], option.earliest), min(supply.lasts[one], option.latest)
            if earliest <= latest:
                found.append((latest, earliest, one))
    return sorted(found)


@dataclass
class _Try:
    plan: Plan
    supply: Supply
    queues: dict[tuple[Option, ...], _Queue]
    budget: Budget
    begin: int
    used: Counter[int] = field(default_factory=Counter)
    spans: list[tuple[int, int]] = field(default_factory=list)
    """Earliest and latest moment used by each demand so far."""

    def fills(self) -> bool:
        """Fill the demands in their order; what stands after a cut or within a window follows what is chosen."""
        for place, demand in enumerate(self.plan.demands):
            earliest, latest = self._allowed(place)
            span = self._take(demand, earliest, latest, self._narrowest(place))
            if span is None:
                return False
            self.spans.append(span)
        return True

    def _allowed(self, place: int) -> tuple[int, int]:
        earliest, latest = self.begin, FOREVER
        for constraint in self.plan.constraints:
            if isinstance(constraint, Cut):
                if place in constraint.after:
                    earliest = max(earliest, *(self.spans[one][1] for one in constraint.before))
            elif place in constraint.inside:
                chosen = [self.spans[one] for one in constraint.inside if one < place]
                if chosen:
                    latest = min(latest, min(one[0] for one in chosen) + constraint.width - 1)
                    earliest = max(earliest, max(one[1] for one in chosen) - constraint.width + 1)
        self.budget.spend(self.plan.size // 2 + 1)
        return earliest, latest

    def _narrowest(self, place: int) -> int:
        """The width of the narrowest window around a demand."""
        return min((one.width for one in self.plan.constraints if not isinstance(one, Cut) and place in one.inside),
                   default=2 * FOREVER)

    def _take(self, demand: Demand, earliest: int, latest: int, width: int) -> tuple[int, int] | None:
        """Take the first observations that fit; the moments of the first and the last of them."""
        missing, first, last = demand.needed, 0, 0
        for ends, begins, one in self.queues[demand.options]:
            self.budget.spend(1)
            moment = max(begins, earliest)
            if ends < earliest or moment > latest or self.supply.counts[one] == self.used[one]:
                continue
            if missing == demand.needed:
                first = last = moment
                latest = min(latest, first + width - 1)
                earliest = max(earliest, moment - width + 1)
            taken = min(missing, self.supply.counts[one] - self.used[one])
            self.used[one] += taken
            first, last = min(first, moment), max(last, moment)
            missing -= taken
            if not missing:
                return (first, last) if last - first < width else None
        return None
