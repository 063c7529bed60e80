"""What a pattern demands of a set of observations: a tree of needs, and its plans without alternatives.

A plan is a flat list of demands (so many different observations out of these candidates) with constraints on their
times: a cut for each FOLLOWEDBY (what stands before it isn't later, what stands after it isn't earlier) and a
window for each WITHIN (STIX 2.1, 9.5.1 and 9.5.2). REPEATS is "a AND a …", as the specification says.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement, islice, product
from typing import NamedTuple

FOREVER = 10**60
"""Later than every time, in ticks; its negative is earlier."""
MOST_PLANS = 500
"""Ways to choose among alternatives (OR) that are tried."""
MOST_COPIES = 40
"""Repetitions of a compound that are written out."""


class OverBudgetError(Exception):
    """Deciding takes more work than a pattern may cost; the text says what was too much."""


class Option(NamedTuple):
    """Candidates and the span [earliest, latest] in which an observation of them must lie."""

    candidates: frozenset[int]
    earliest: int = -FOREVER
    latest: int = FOREVER


@dataclass(frozen=True)
class Single:
    """One observation, of any of the options."""

    options: tuple[Option, ...]


@dataclass(frozen=True)
class All:
    """Every part, on different observations; ``ordered``: no part earlier than those before it."""

    parts: tuple[Need, ...]
    ordered: bool = False


@dataclass(frozen=True)
class Either:
    """Any one part."""

    parts: tuple[Need, ...]


@dataclass(frozen=True)
class Window:
    """A part whose observations lie less than ``width`` ticks apart."""

    part: Need
    width: int


@dataclass(frozen=True)
class Times:
    """A part so many times, always on different observations."""

    part: Need
    count: int


Need = Single | All | Either | Window | Times


class Demand(NamedTuple):
    """``needed`` different observations of any of the options."""

    options: tuple[Option, ...]
    needed: int


class Cut(NamedTuple):
    """Demands (by place) before and after a moment; ``twin`` (place of a constraint) bounds it from below."""

    before: frozenset[int]
    after: frozenset[int]
    twin: int | None = None


class Span(NamedTuple):
    """Demands (by place) that lie less than ``width`` ticks apart."""

    inside: frozenset[int]
    width: int
    twin: int | None = None


Constraint = Cut | Span


def reach(constraint: Constraint) -> int:
    """How many demands a constraint is about."""
    return len(constraint.before | constraint.after if isinstance(constraint, Cut) else constraint.inside)


class Plan(NamedTuple):
    """Demands and the constraints on their times."""

    demands: tuple[Demand, ...]
    constraints: tuple[Constraint, ...] = ()

    @property
    def size(self) -> int:
        """Demands, and demands in constraints: what one look at the whole plan costs."""
        return len(self.demands) + sum(map(reach, self.constraints))


def either(parts: Sequence[Need]) -> Need:
    """Alternatives; those that are single observations are one single observation with more options."""
    options = tuple(option for part in parts if isinstance(part, Single) for option in part.options)
    rest = [part for part in parts if not isinstance(part, Single)]
    if not rest:
        return Single(options)
    return Either(tuple([Single(options), *rest] if options else rest))


def times(part: Need, count: int) -> Need:
    """REPEATS; repetitions of repetitions multiply, and repeating an AND of plain needs repeats each."""
    if count == 1:
        return part
    if isinstance(part, Times):
        return times(part.part, part.count * count)
    if isinstance(part, All) and not part.ordered and all(_is_plain(one) for one in part.parts):
        return All(tuple(times(one, count) for one in part.parts))
    return Times(part, count)


def _is_plain(need: Need) -> bool:
    return isinstance(need, Single) or (isinstance(need, Times) and isinstance(need.part, Single))


def window(part: Need, width: int) -> Need:
    """WITHIN; a single observation is always within."""
    return part if isinstance(part, Single) else Window(part, width)


def spanned(need: Need, earliest: int, latest: int) -> Need:
    """START and STOP: every observation lies in [earliest, latest]."""
    if isinstance(need, Single):
        return Single(tuple(
            Option(one.candidates, max(one.earliest, earliest), min(one.latest, latest)) for one in need.options))
    if isinstance(need, All):
        return All(tuple(spanned(one, earliest, latest) for one in need.parts), need.ordered)
    if isinstance(need, Either):
        return Either(tuple(spanned(one, earliest, latest) for one in need.parts))
    if isinstance(need, Window):
        return Window(spanned(need.part, earliest, latest), need.width)
    return Times(spanned(need.part, earliest, latest), need.count)


def least(need: Need) -> int:
    """Fewest observations that can satisfy a need."""
    if isinstance(need, Single):
        return 1
    if isinstance(need, All):
        return sum(least(one) for one in need.parts)
    if isinstance(need, Either):
        return min(least(one) for one in need.parts)
    return least(need.part) * (need.count if isinstance(need, Times) else 1)


def candidates(need: Need) -> frozenset[int]:
    """Every observed-data that could take part."""
    if isinstance(need, Single):
        return frozenset().union(*(one.candidates for one in need.options))
    if isinstance(need, All | Either):
        return frozenset().union(*(candidates(one) for one in need.parts))
    return candidates(need.part)


def plans(need: Need, supply: int) -> list[Plan]:
    """All plans of a need. ``supply``: observations there are; what needs more has no plan.

    Raises OverBudgetError when there are too many.
    """
    if least(need) > supply:
        return []
    if isinstance(need, Single):
        options = tuple(one for one in need.options if one.candidates and one.earliest <= one.latest)
        return [Plan((Demand(options, 1),))] if options else []
    if isinstance(need, Either):
        return _limited(plan for one in need.parts for plan in plans(one, supply))
    if isinstance(need, Window):
        return [_windowed(plan, need.width) for plan in plans(need.part, supply)]
    if isinstance(need, All):
        ways = [plans(one, supply) for one in need.parts]
        return _limited(_joined(chosen, need.ordered) for chosen in product(*ways))
    return _repeated(need, supply)


def _repeated(need: Times, supply: int) -> list[Plan]:
    if isinstance(need.part, Single):
        return [Plan((Demand(one.demands[0].options, need.count),)) for one in plans(need.part, supply)]
    ways = plans(need.part, supply)
    if ways and need.count > MOST_COPIES:
        raise OverBudgetError(f"more than {MOST_COPIES} repetitions of a compound (REPEATS {need.count})")
    return _limited(
        _joined(chosen, False, twins=True) for chosen in combinations_with_replacement(ways, need.count))


def _limited(given: Iterator[Plan]) -> list[Plan]:
    found = list(islice(given, MOST_PLANS + 1))
    if len(found) > MOST_PLANS:
        raise OverBudgetError(f"more than {MOST_PLANS} ways to choose among alternatives (OR)")
    return found


def _windowed(plan: Plan, width: int) -> Plan:
    inside = frozenset(range(len(plan.demands)))
    return Plan(plan.demands, (*plan.constraints, Span(inside, width)))


def _joined(chosen: Sequence[Plan], ordered: bool, *, twins: bool = False) -> Plan:
    """Plans side by side. ``twins``: equal neighbours are interchangeable, so the later one isn't earlier."""
    demands: list[Demand] = []
    constraints: list[Constraint] = []
    groups: list[frozenset[int]] = []
    previous: tuple[Plan, int] | None = None
    for plan in chosen:
        start = len(constraints)
        twin = previous[1] if twins and previous is not None and previous[0] == plan else None
        for place, constraint in enumerate(plan.constraints):
            constraints.append(_moved(constraint, len(demands), start, twin if place == 0 else None))
        groups.append(frozenset(range(len(demands), len(demands) + len(plan.demands))))
        demands.extend(plan.demands)
        previous = (plan, start)
    if ordered:
        earlier = groups[0]
        for group in groups[1:]:
            constraints.append(Cut(earlier, group))
            earlier = earlier | group
    return Plan(tuple(demands), tuple(constraints))


def _moved(given: Constraint, demands: int, constraints: int, twin: int | None) -> Constraint:
    after = twin if given.twin is None else given.twin + constraints
    if isinstance(given, Cut):
        return Cut(frozenset(one + demands for one in given.before), frozenset(one + demands for one in given.after),
                   after)
    return Span(frozenset(one + demands for one in given.inside), given.width, after)
