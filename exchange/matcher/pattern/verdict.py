"""What a pattern says of a set of observed data: match, no-match, invalid, or undecided with the reason.

Where something can't be known (a search that takes too many steps, an observed-data without a time) the pattern is
asked twice: with what is sure, and with all that is possible. Only if the two differ it is undecided; so is what
exceeds its budget. Nothing is left out in silence.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from exchange.matcher.pattern.assign import assignable
from exchange.matcher.pattern.budget import BUDGET, SCANS, Budget
from exchange.matcher.pattern.columns import Answer, Rows, Table, unsatisfiable
from exchange.matcher.pattern.demands import (
    FOREVER,
    All,
    Need,
    Option,
    OverBudgetError,
    Single,
    candidates,
    either,
    least,
    plans,
    spanned,
    times,
    window,
)
from exchange.matcher.pattern.observed import TICKS, Observed, ticks
from exchange.matcher.pattern.supply import Supply
from exchange.stix.fault import StixFault
from exchange.stix.pattern.parser import WIDE, parse, single_equality
from exchange.stix.pattern.tokens import TooLargeError
from exchange.stix.pattern.tree import (
    Combination,
    Expression,
    Observation,
    Qualified,
    Qualifier,
    Repeats,
    StartStop,
    Within,
)
from exchange.stix.pattern.tree import Test as TestTree

MATCH, NO_MATCH, INVALID, UNDECIDED = "match", "no-match", "invalid", "undecided"
_EACH = 100
"""Work that looking at one observed-data by itself may cost more."""
_UNTIMED = "Some observed-data don't tell when they were observed, and the pattern asks for time."


class Verdict(NamedTuple):
    """One pattern's answer."""

    pattern: str
    result: str
    """match, no-match, invalid or undecided."""
    observed: tuple[str, ...] = ()
    """Ids of the observed-data that surely match when taken alone, in their order."""
    reason: str = ""


@dataclass(frozen=True)
class _Evidence:
    """A reading of the observed data: the sure one or the possible one."""

    sure: bool
    supply: Supply


@dataclass
class Judge:
    """Observed data, ready for any number of patterns; each distinct text is judged once."""

    observed: Sequence[Observed]
    budget: int = BUDGET
    """Work that one pattern may cost (see ``Budget``)."""
    _known: dict[str, Verdict] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._table = Table(self.observed)
        self._sure = _Evidence(True, _supply(self.observed, 1, -1))
        self._possible = _Evidence(False, _supply(self.observed, -1, 1))
        self._untimed = any(one.first is None for one in self.observed)

    def judge(self, pattern: str) -> Verdict:
        """The verdict on one pattern; never raises for what is in the pattern or in the data."""
        known = self._known.get(pattern)
        if known is None:
            known = self._known[pattern] = self._judge(pattern)
        return known

    def _judge(self, text: str) -> Verdict:
        equality = single_equality(text)
        if equality is not None and not equality[0].endswith(("_bin", "_hex")):
            return self._equal(text, *equality)
        try:
            expression = parse(text, WIDE).expression
            scans = Budget(SCANS, "too many values to look through")
            answers = {id(one): self._table.answer(one.test, scans) for one in _observations(expression)}
        except TooLargeError as fault:
            return Verdict(text, UNDECIDED, (), fault.sentence)
        except StixFault as fault:
            return Verdict(text, INVALID, (), fault.sentence)
        except OverBudgetError as error:
            return _too_much(text, error)
        doubts = tuple(dict.fromkeys(doubt for answer in answers.values() for doubt in answer.doubts))
        sure = self._need(expression, answers, self._sure)
        if isinstance(sure, Single) and _is_timeless(sure) and not doubts:
            return self._plain(text, expression, sure)
        try:
            alone = self._alone(sure)
            budget = Budget(self.budget)
            if alone or _holds(sure, self._sure.supply, budget):
                return Verdict(text, MATCH, alone)
            doubtful = bool(doubts) or (self._untimed and _asks_for_time(expression))
            if doubtful and _holds(self._need(expression, answers, self._possible), self._possible.supply, budget):
                return Verdict(text, UNDECIDED, (), " ".join(doubts) or _UNTIMED)
        except OverBudgetError as error:
            return _too_much(text, error)
        return Verdict(text, NO_MATCH, (), _explanation(expression))

    def _equal(self, text: str, path: str, value: str) -> Verdict:
        """The verdict on one equality with a string, as nearly all indicators are: one look-up."""
        type_name, _, steps = path.partition(":")
        rows = self._table.column(type_name, tuple(steps.split("."))).rows_by_value.get(value)
        if not rows:
            return Verdict(text, NO_MATCH)
        owner = self._table.owner
        places = (owner[rows[0]],) if len(rows) == 1 else sorted({owner[row] for row in rows})
        return Verdict(text, MATCH, tuple(self.observed[place].id for place in places))

    def _plain(self, text: str, expression: Expression, need: Single) -> Verdict:
        """The verdict on a single observation expression that doesn't ask for time."""
        found = candidates(need)
        if not found:
            return Verdict(text, NO_MATCH, (), _explanation(expression))
        return Verdict(text, MATCH, tuple(self.observed[place].id for place in sorted(found)))

    def _alone(self, need: Need) -> tuple[str, ...]:
        """Ids of the observed-data that satisfy a need by themselves; those that stand for too few can't."""
        fewest = least(need)
        enough = [place for place in sorted(candidates(need)) if self.observed[place].count >= fewest]
        if isinstance(need, Single):
            return tuple(self.observed[place].id for place in enough if self._fits(need, place))
        budget = Budget(self.budget + _EACH * len(enough))
        return tuple(self.observed[place].id for place in enough
                     if _holds(_only(need, place), self._sure.supply, budget))

    def _fits(self, need: Single, place: int) -> bool:
        first, last = self._sure.supply.firsts[place], self._sure.supply.lasts[place]
        return any(
            place in one.candidates
            and ((one.earliest, one.latest) == (-FOREVER, FOREVER)
                 or (first <= last and max(first, one.earliest) <= min(last, one.latest)))
            for one in need.options)

    def _need(self, node: Expression, answers: dict[int, Answer], evidence: _Evidence) -> Need:
        if isinstance(node, Observation):
            answer = answers[id(node)]
            return Single((Option(self._owners(answer.sure if evidence.sure else answer.possible)),))
        if isinstance(node, Qualified):
            need = self._need(node.expression, answers, evidence)
            for qualifier in node.qualifiers:
                need = _qualified(need, qualifier)
            return need
        parts = tuple(self._need(one, answers, evidence) for one in node.operands)
        return either(parts) if node.operator == "OR" else All(parts, node.operator == "FOLLOWEDBY")

    def _owners(self, rows: Rows) -> frozenset[int]:
        owner = self._table.owner
        return frozenset(owner[row] for row in rows)


def _too_much(text: str, error: OverBudgetError) -> Verdict:
    return Verdict(text, UNDECIDED, (), f"Deciding would take more work than a pattern may cost: {error}.")


def _supply(observed: Sequence[Observed], begins: int, ends: int) -> Supply:
    """Observed-data without a time begin and end at ``begins`` and ``ends`` times the end of time."""
    return Supply(
        [one.count for one in observed],
        [begins * FOREVER if one.first is None else one.first for one in observed],
        [ends * FOREVER if one.last is None else one.last for one in observed],
    )


def _holds(need: Need, supply: Supply, budget: Budget) -> bool:
    total = sum(supply.counts[place] for place in candidates(need))
    return any(assignable(plan, supply, budget) for plan in plans(need, total))


def _only(need: Need, place: int) -> Need:
    """A need with one observed-data as its only candidate."""
    if isinstance(need, Single):
        one = frozenset((place,))
        return Single(tuple(option._replace(candidates=option.candidates & one) for option in need.options))
    if isinstance(need, All):
        return All(tuple(_only(part, place) for part in need.parts), need.ordered)
    if hasattr(need, "parts"):
        return either([_only(part, place) for part in need.parts])
    inner = _only(need.part, place)
    return window(inner, need.width) if hasattr(need, "width") else times(inner, need.count)


def _qualified(need: Need, qualifier: Qualifier) -> Need:
    if isinstance(qualifier, Repeats):
        return times(need, qualifier.times)
    if isinstance(qualifier, StartStop):
        return spanned(need, ticks(qualifier.start), ticks(qualifier.stop) - 1)
    return window(need, _width(qualifier))


def _width(qualifier: Within) -> int:
    """Ticks of WITHIN, rounded up: times are whole ticks, so less than 1.5 ticks apart is less than 2."""
    seconds = Fraction(str(qualifier.seconds)) if math.isfinite(qualifier.seconds) else FOREVER
    return min(FOREVER, math.ceil(seconds * TICKS))


def _is_timeless(need: Single) -> bool:
    return all(one.earliest == -FOREVER and one.latest == FOREVER for one in need.options)


def _asks_for_time(node: Expression) -> bool:
    if isinstance(node, Qualified):
        return any(not isinstance(one, Repeats) for one in node.qualifiers) or _asks_for_time(node.expression)
    if isinstance(node, Combination):
        return node.operator == "FOLLOWEDBY" or any(_asks_for_time(one) for one in node.operands)
    return False


def _observations(node: Expression) -> Iterator[Observation]:
    if isinstance(node, Observation):
        yield node
    elif isinstance(node, Qualified):
        yield from _observations(node.expression)
    else:
        for one in node.operands:
            yield from _observations(one)


def _explanation(expression: Expression) -> str:
    """Why nothing matched, where the pattern itself rules it out."""
    tests: list[TestTree] = [one.test for one in _observations(expression)]
    sentence = next((one for one in map(unsatisfiable, tests) if one), "")
    return sentence or ("Nothing lies between START and STOP." if _has_empty_span(expression) else "")


def _has_empty_span(node: Expression) -> bool:
    if isinstance(node, Qualified):
        return _has_empty_span(node.expression) or any(
            isinstance(one, StartStop) and ticks(one.stop) <= ticks(one.start) for one in node.qualifiers)
    return isinstance(node, Combination) and any(map(_has_empty_span, node.operands))
