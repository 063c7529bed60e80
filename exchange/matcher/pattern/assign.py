"""Whether observations can be assigned to a plan's demands, each used once, at times that fit.

Once the moment of every cut and the beginning of every window is fixed, each demand has an interval of its own and
what remains is a flow: demands on one side, observed-data with as many observations as they stand for on the
other. The moments worth trying are few: in a solution where everything happens as early as possible, each time is
the beginning of an observed-data or of a span, or just after such a moment less the width of a window.
The search spends from a budget and raises OverBudgetError when it is used up.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

from exchange.matcher.pattern.budget import Budget
from exchange.matcher.pattern.demands import FOREVER, Constraint, Cut, Demand, Option, Plan, reach
from exchange.matcher.pattern.quick import quickly
from exchange.matcher.pattern.supply import Supply

Interval = tuple[int, int]
_ALWAYS: Interval = (-FOREVER, FOREVER)


class _Choice:
    """One option of one demand, its candidates sorted by time, so that an interval's content is two look-ups."""

    def __init__(self, option: Option, supply: Supply) -> None:
        self.option = option
        timed = [one for one in option.candidates if supply.firsts[one] <= supply.lasts[one]]
        by_first = sorted(timed, key=supply.firsts.__getitem__)
        by_last = sorted(timed, key=supply.lasts.__getitem__)
        self._whole = sum(supply.counts[one] for one in option.candidates)
        self._supply = supply
        self._by_first = by_first
        self.firsts = [supply.firsts[one] for one in by_first]
        self.lasts = [supply.lasts[one] for one in by_last]
        self.points = self.firsts == self.lasts
        """Whether every candidate is a single moment."""
        self._begun = [0, *accumulate(supply.counts[one] for one in by_first)]
        self._ended = [0, *accumulate(supply.counts[one] for one in by_last)]

    def within(self, interval: Interval) -> Interval:
        """The interval cut down to the option's own span."""
        return max(interval[0], self.option.earliest), min(interval[1], self.option.latest)

    def content(self, interval: Interval) -> int:
        """How many observations may lie in an interval."""
        earliest, latest = self.within(interval)
        if earliest > latest:
            return 0
        if (earliest, latest) == _ALWAYS:
            return self._whole
        begun = self._begun[bisect_right(self.firsts, latest)]
        return max(0, begun - self._ended[bisect_left(self.lasts, earliest)])


    def fitting(self, interval: Interval) -> Sequence[int] | frozenset[int]:
        """The observed-data whose observations may lie in an interval."""
        earliest, latest = self.within(interval)
        if (earliest, latest) == _ALWAYS:
            return self.option.candidates
        begin = bisect_left(self.firsts, earliest) if self.points else 0
        lasts = self._supply.lasts
        return [one for one in self._by_first[begin : bisect_right(self.firsts, latest)] if lasts[one] >= earliest]


@dataclass
class _Search:
    plan: Plan
    supply: Supply
    budget: Budget
    choices: list[list[_Choice]]
    moments: list[int] = field(default_factory=list)
    fixed: list[int] = field(default_factory=list)

    def run(self) -> bool:
        """Fix the constraints one after the other, keeping only what can still be filled."""
        if not self.can_fill():
            return False
        place = len(self.fixed)
        if place == len(self.plan.constraints):
            return True
        earliest, latest = self._worth_trying(self.plan.constraints[place])
        for at in range(bisect_left(self.moments, earliest), bisect_right(self.moments, latest)):
            self.fixed.append(self.moments[at])
            if self.run():
                return True
            self.fixed.pop()
        return False

    def _worth_trying(self, constraint: Constraint) -> Interval:
        """Between which moments a constraint can be fixed, given those that are."""
        intervals = self._intervals()
        earliest = -FOREVER if constraint.twin is None else self.fixed[constraint.twin]
        if isinstance(constraint, Cut):
            return (max(earliest, *(intervals[place][0] for place in constraint.before)),
                    min(intervals[place][1] for place in constraint.after))
        latest_start = max(intervals[place][0] for place in constraint.inside)
        return (max(earliest, latest_start - constraint.width + 1),
                min(intervals[place][1] for place in constraint.inside))

    def _intervals(self) -> list[Interval]:
        found = [_ALWAYS] * len(self.plan.demands)
        for constraint, moment in zip(self.plan.constraints, self.fixed, strict=False):
            for place, interval in _meaning(constraint, moment):
                found[place] = max(found[place][0], interval[0]), min(found[place][1], interval[1])
        return found

    def can_fill(self) -> bool:
        """Whether every demand can be filled, as far as moments are fixed."""
        intervals = self._intervals()
        self.budget.spend(2 * self.plan.size)
        for demand, choices, interval in zip(self.plan.demands, self.choices, intervals, strict=True):
            if sum(one.content(interval) for one in choices) < demand.needed:
                return False
        if len(intervals) == 1 and len(self.choices[0]) == 1:
            return True
        return self._flow(intervals)

    def _flow(self, intervals: Sequence[Interval]) -> bool:
        """Whether all demands can be filled at once from the observed-data."""
        asking: dict[tuple[_Choice, Interval], int] = defaultdict(int)
        for place, (choices, interval) in enumerate(zip(self.choices, intervals, strict=True)):
            for choice in choices:
                asking[choice, interval] |= 1 << place
        serves: dict[int, int] = defaultdict(int)
        for (choice, interval), mask in asking.items():
            found = choice.fitting(interval)
            self.budget.spend(len(found) + 1)
            for one in found:
                serves[one] |= mask
        groups: dict[int, int] = defaultdict(int)
        for one, mask in serves.items():
            groups[mask] += self.supply.counts[one]
        return _filled(self.plan.demands, groups, self.budget)


def _meaning(constraint: Constraint, moment: int) -> Iterator[tuple[int, Interval]]:
    """The intervals that a constraint gives its demands once its moment is fixed."""
    if isinstance(constraint, Cut):
        for place in constraint.before:
            yield place, (-FOREVER, moment)
        for place in constraint.after:
            yield place, (moment, FOREVER)
    else:
        for place in constraint.inside:
            yield place, (moment, moment + constraint.width - 1)


def _filled(demands: Sequence[Demand], groups: dict[int, int], budget: Budget) -> bool:
    """Maximum flow from groups (by the demands they can serve, as bits) to demands, by augmenting paths."""
    masks = list(groups)
    spare = [groups[mask] for mask in masks]
    given = [[0] * len(demands) for _ in masks]
    for place, demand in enumerate(demands):
        missing = demand.needed
        while missing:
            path = _path(place, masks, spare, given, budget)
            if path is None:
                return False
            missing -= _push(path, missing, spare, given)
    return True


def _path(
    target: int, masks: list[int], spare: list[int], given: list[list[int]], budget: Budget
) -> list[tuple[int, int]] | None:
    """(group, demand) pairs from the demand in need to a group with something to spare."""
    reached = {target: [(-1, target)]}
    queue = [target]
    for place in queue:
        budget.spend(len(masks))
        for group, mask in enumerate(masks):
            if not mask >> place & 1:
                continue
            step = [*reached[place], (group, place)]
            if spare[group]:
                return step[1:]
            for other, used in enumerate(given[group]):
                if used and other not in reached:
                    reached[other] = step
                    queue.append(other)
    return None


def _push(path: list[tuple[int, int]], missing: int, spare: list[int], given: list[list[int]]) -> int:
    """Move as much as the path can carry; each group on it takes from the next demand what it gives to its own."""
    amount = min(missing, spare[path[-1][0]])
    for (group, _), (_, following) in pairwise(path):
        amount = min(amount, given[group][following])
    for place, (group, demand) in enumerate(path):
        given[group][demand] += amount
        if place + 1 < len(path):
            given[group][path[place + 1][1]] -= amount
        else:
            spare[group] -= amount
    return amount


def assignable(plan: Plan, supply: Supply, budget: Budget) -> bool:
    """Whether a plan can be filled. Raises OverBudgetError when that can't be found out in time."""
    plan = _widest_first(plan)
    made: dict[Option, _Choice] = {}
    for demand in plan.demands:
        for option in demand.options:
            if option not in made:
                budget.spend(len(option.candidates))
                made[option] = _Choice(option, supply)
    choices = [[made[option] for option in demand.options] for demand in plan.demands]
    moments = _moments(plan, choices)
    search = _Search(plan, supply, budget, choices, moments)
    if not search.can_fill() or not _has_room(plan, supply, moments, budget):
        return False
    if not plan.constraints or quickly(plan, supply, moments, budget):
        return True
    return search.run()


def _has_room(plan: Plan, supply: Supply, moments: Sequence[int], budget: Budget) -> bool:
    """Whether for each window there is a moment from which on it holds as many observations as it needs."""
    seen: set[tuple[frozenset[int], int, int]] = set()
    for constraint in plan.constraints:
        if isinstance(constraint, Cut):
            continue
        inside = [plan.demands[place] for place in constraint.inside]
        needed = sum(demand.needed for demand in inside)
        anyone = frozenset[int]().union(*(option.candidates for demand in inside for option in demand.options))
        if (anyone, needed, constraint.width) in seen:
            continue
        seen.add((anyone, needed, constraint.width))
        budget.spend(2 * len(moments) + 2 * len(anyone))
        room = _Choice(Option(anyone), supply)
        if not any(room.content((moment, moment + constraint.width - 1)) >= needed for moment in moments):
            return False
    return True


def _widest_first(plan: Plan) -> Plan:
    """The same plan with the constraints on most demands first: they leave the least to try."""
    order = sorted(range(len(plan.constraints)),
                   key=lambda at: (-reach(plan.constraints[at]), isinstance(plan.constraints[at], Cut)))
    place = {old: new for new, old in enumerate(order)}
    constraints = [plan.constraints[at] for at in order]
    return Plan(plan.demands, tuple(
        one if one.twin is None else one._replace(twin=place[one.twin]) for one in constraints))


def _moments(plan: Plan, choices: Sequence[Sequence[_Choice]]) -> list[int]:
    if not plan.constraints:
        return []
    starts = {moment for demand in choices for one in demand for moment in one.firsts}
    starts |= {one.option.earliest for demand in choices for one in demand}
    widths = {one.width for one in plan.constraints if not isinstance(one, Cut)}
    points = all(one.points for demand in choices for one in demand)
    if not points:
        starts |= {moment - width + 1 for moment in starts for width in widths}
    return sorted(starts)
