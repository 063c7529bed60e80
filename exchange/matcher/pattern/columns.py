"""Observed objects as columns: one per object path, distinct values with the rows that hold them.

A row is one object seen by one observed-data. A comparison is answered once per distinct value, an equality by one
look-up; AND and OR are set operations on rows, so that what is joined by AND is true of one and the same object
(STIX 2.1, 9.5). Answers are pairs: rows that surely satisfy a test, and rows that may (a superset).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from typing import Any, NamedTuple

from exchange.matcher.pattern.budget import Budget
from exchange.matcher.pattern.compare import Test, as_octets, homogeneous, test_of
from exchange.matcher.pattern.observed import Observed
from exchange.matcher.pattern.paths import UNREADABLE, values
from exchange.matcher.pattern.text import too_many_steps
from exchange.stix.pattern.tree import Comparison, Constant, Logic, Octets, Timestamp
from exchange.stix.pattern.tree import Test as TestTree

Rows = frozenset[int]
_PLACES, _PLACES_PER_ROW = 500_000, 50
"""How many places all ``[*]`` of a column may lead to."""
_ROWS_PER_UNIT = 2
"""Rows that answers may hold together for the price of looking at one value: what they take is memory."""


class Answer(NamedTuple):
    """Rows that satisfy a test for sure, rows that may, and why some only may."""

    sure: Rows
    possible: Rows
    doubts: tuple[str, ...] = ()


@dataclass
class Column:
    """The values of one path."""

    rows_by_value: dict[Hashable, list[int]]
    """Keyed as ``_key`` says: 1 and 1.0 are one value, 1 and true are two."""
    unreadable: list[int] = field(default_factory=list)
    """Rows whose value can't be decoded: no comparison is true of them, but it exists."""

    @cached_property
    def present(self) -> Rows:
        """The rows where the path leads to something."""
        return _union(self.rows_by_value.values())


@dataclass
class Table:
    """All observed objects; columns are made when a pattern first asks for them."""

    observed: Sequence[Observed]
    owner: list[int] = field(default_factory=list)
    """Row to the place of its observed-data."""
    _rows_of_type: dict[str, list[tuple[int, dict[str, Any]]]] = field(default_factory=lambda: defaultdict(list))
    _columns: dict[tuple[str, tuple[str | int | None, ...]], Column] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for place, one in enumerate(self.observed):
            for found in one.objects:
                self._rows_of_type[str(found.get("type"))].append((len(self.owner), found))
                self.owner.append(place)

    def column(self, type_name: str, steps: tuple[str | int | None, ...]) -> Column:
        """The column of a path."""
        made = self._columns.get((type_name, steps))
        if made is None:
            made = self._columns[type_name, steps] = self._make(type_name, steps)
        return made

    def _make(self, type_name: str, steps: tuple[str | int | None, ...]) -> Column:
        rows: dict[Hashable, list[int]] = {}
        given = self._rows_of_type.get(type_name, ())
        if len(steps) == 1 and isinstance(steps[0], str) and not steps[0].endswith(("_bin", "_hex")):
            name = steps[0]  # most paths by far: no list, no reference, nothing to decode
            for row, found in given:
                if name in found:
                    value = found[name]
                    rows.setdefault(value if isinstance(value, str) else _key(value), []).append(row)
            return Column(rows)
        unreadable: list[int] = []
        budget = Budget(_PLACES + _PLACES_PER_ROW * len(given), "lists and references that lead to too many places")
        for row, found in given:
            for value in values(found, steps, self.observed[self.owner[row]].scope, budget):
                if value is UNREADABLE:
                    unreadable.append(row)
                else:
                    rows.setdefault(value if isinstance(value, str) else _key(value), []).append(row)
        return Column(rows, unreadable)

    def answer(self, test: TestTree, scans: Budget) -> Answer:
        """The rows of a test in brackets; ``scans`` is how many values may be looked at.

        Raises StixFault for a constant that means nothing, OverBudgetError where a path leads to too many places or
        there is too much to look at.
        """
        if isinstance(test, Comparison):
            return self._comparison(test, scans)
        first, *others = (self.answer(one, scans) for one in test.operands)
        given = [first, *others]
        combine = frozenset.intersection if test.operator == "AND" else frozenset.union
        return Answer(
            combine(first.sure, *(one.sure for one in others)),
            combine(first.possible, *(one.possible for one in others)),
            tuple(dict.fromkeys(doubt for one in given for doubt in one.doubts)),
        )

    def _comparison(self, given: Comparison, scans: Budget) -> Answer:
        column = self.column(given.path.type, given.path.steps)
        keys = _keys(given)
        if given.operator == "EXISTS":
            there = frozenset() if given.negated else column.present.union(column.unreadable)
            return Answer(there, there)
        if keys is not None:
            sure = possible = _union(column.rows_by_value.get(key, ()) for key in keys)
        else:
            test = test_of(given, scans)
            scans.spend(len(column.rows_by_value))
            sure, possible = _scan(column, test)
        if given.negated:  # 9.6: what isn't there is false whatever the operator; all else is turned around
            sure, possible = column.present - possible, column.present - sure
        scans.spend(len(possible) // _ROWS_PER_UNIT)
        doubts = (too_many_steps(str(given.value)),) if sure != possible else ()
        return Answer(sure, possible, doubts)


def _key(value: Any) -> Hashable:
    """A string is its own key; other values come with their kind; of lists and objects only that they are there."""
    if isinstance(value, bool):
        return "boolean", value
    if isinstance(value, int | float):
        return "number", value
    if isinstance(value, str):
        return value
    return ("octets", value) if isinstance(value, bytes) else ("other", None)


def _value(key: Hashable) -> Any:
    """The value of a key; None for lists and objects, which no constant can be compared with."""
    return key[1] if isinstance(key, tuple) else key


def _keys(given: Comparison) -> list[Hashable] | None:
    """The values that an equality asks for; None for operators that must look at each value."""
    if given.operator not in ("=", "IN"):
        return None
    constants = homogeneous(given) if given.operator == "IN" else (given.value,)
    keys: list[Hashable] = []
    for constant in constants:
        if isinstance(constant, Timestamp):
            return None
        assert not isinstance(constant, tuple) and constant is not None  # noqa: S101, PT018 - the grammar's word
        keys.extend(_same(constant))
    return keys


def _same(constant: Constant) -> list[Hashable]:
    """Every value that equals a constant: a string and the octets of its code points are comparable (9.2)."""
    if isinstance(constant, str):
        octets = as_octets(constant)
        return [constant] if octets is None else [constant, ("octets", octets)]
    if isinstance(constant, Octets):
        return [("octets", constant.value), constant.value.decode("latin-1")]
    return [_key(constant)]


def _union(given: Iterable[Iterable[int]]) -> Rows:
    return frozenset(row for rows in given for row in rows)


def _scan(column: Column, test: Test) -> tuple[Rows, Rows]:
    sure: list[list[int]] = []
    open_: list[list[int]] = []
    for key, rows in column.rows_by_value.items():
        verdict = test(_value(key))
        if verdict is not False:
            (open_ if verdict is None else sure).append(rows)
    certain = _union(sure)
    return certain, certain | _union(open_) if open_ else certain


def unsatisfiable(test: TestTree) -> str:
    """Why no single object can satisfy a test (its AND joins types that exclude each other), or nothing (9.5)."""
    return "" if _types(test) else (
        "The operands of AND in brackets can't be true of one object, because they are about different types.")


def _types(test: TestTree) -> frozenset[str]:
    if isinstance(test, Logic):
        given = [_types(one) for one in test.operands]
        return reduce(frozenset.intersection if test.operator == "AND" else frozenset.union, given)
    return frozenset((test.path.type,))
