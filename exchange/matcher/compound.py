"""Patterns that one value doesn't decide: several values, expressions, sequences, windows, repetitions.

Each comparison of such a pattern becomes a part with values of its own (found by the comparators, exact meetings only)
or a scan (LIKE and MATCHES on domains, pages, texts and handles in the clear). What one account holds then stands for
the observed data: a value is an object, seen between the first and the last time; it counts as one observation, as two
where these differ. The pattern is asked of each account that could satisfy it, with the whole of STIX 2.1 section 9.
What can't be evaluated so is Unusable, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from exchange.matcher.pattern.text import beyond, searched
from exchange.matcher.patterns import NEGATED, NOT_TEXT, Unit, Unusable, together
from exchange.matcher.probes import Probe, probes
from exchange.stix.pattern.tree import (
    Combination,
    Comparison,
    Expression,
    Observation,
    Pattern,
    Qualified,
    Qualifier,
    Repeats,
    StartStop,
    Test,
    Within,
    plain,
)

PART = "x-part:met"
"""The path by which a rewritten pattern asks for a test of the original."""
_CLEAR = {
    "domain-name:value": ("hosts", "host", "domain"), "url:value": ("hosts", "value", "url"),
    "x-cib-post:text": ("posts", "text", "text"), "user-account:account_login": ("handles", "handle", "account"),
}
_UNSATISFIABLE = "the pattern asks one object to be of two types (AND in brackets)"


@dataclass(frozen=True)
class Scan:
    """An expression that values in the clear must satisfy."""

    part: int
    table: str
    column: str
    kind: str
    expression: str
    """For RE2, on NFC, the dot matching line feeds."""


@dataclass(frozen=True)
class Tree:
    """A test in brackets over parts: ``any``, ``all``, or ``not`` and ``is`` of one part."""

    how: str
    parts: tuple[Tree, ...] = ()
    part: int = -1

    def holds(self, met: frozenset[int]) -> bool:
        """Whether an object that meets these parts satisfies the test."""
        if self.how in ("is", "not"):
            return (self.part in met) == (self.how == "is")
        return (any if self.how == "any" else all)(one.holds(met) for one in self.parts)


@dataclass(frozen=True)
class Compound:
    """A pattern in parts."""

    shown: str
    """The original."""
    text: str
    """The pattern with each test in brackets replaced by its number."""
    tests: tuple[Tree, ...]
    types: tuple[str, ...]
    """Object type of each part."""
    scans: tuple[Scan, ...]
    needs: Expression
    """The original expression, for what must be there whatever the times."""


class UnusableError(Exception):
    """The pattern can't be put in parts; the text is the reason."""


@dataclass
class _Maker:
    sibling: float
    probes: list[Probe]
    scans: list[Scan]
    types: list[str]
    tests: list[Tree]

    def expression(self, node: Expression) -> str:
        """The rewritten text of an expression."""
        if isinstance(node, Observation):
            tree = self.test(node.test)
            if tree.holds(frozenset()):
                raise UnusableError(NEGATED)
            self.tests.append(tree)
            return f"[{PART} = {len(self.tests) - 1}]"
        if isinstance(node, Qualified):
            return f"({self.expression(node.expression)}) {' '.join(map(_qualifier, node.qualifiers))}"
        return "(" + f" {node.operator} ".join(self.expression(one) for one in node.operands) + ")"

    def test(self, node: Test) -> Tree:
        """The tree of a test; known pairs (a service and a name) are one part."""
        if isinstance(node, Comparison):
            return self.comparison(node)
        if node.operator == "AND":
            pair = together(node)
            made = probes(pair, self.sibling) if isinstance(pair, Unit) else pair
            if isinstance(pair, Unit) and not isinstance(made, Unusable):
                return self.part(pair.values[0][0].partition(":")[0], made)
        tree = Tree("any" if node.operator == "OR" else "all", tuple(self.test(one) for one in node.operands))
        if node.operator == "AND" and len({self.types[part] for part in _parts(tree)}) > 1:
            raise UnusableError(_UNSATISFIABLE)
        return tree

    def comparison(self, node: Comparison) -> Tree:
        """The part of one comparison, turned around where it is negated."""
        operator, negated = node.operator, node.negated
        if operator == "!=":
            operator, negated = "=", not negated
        if operator in ("LIKE", "MATCHES"):
            tree = self.scan(node)
        elif operator in ("=", "IN", "ISSUBSET"):
            tree = self.values(node, operator)
        else:
            raise UnusableError(f"the pattern compares with {operator}")
        return Tree("not", part=tree.part) if negated else tree

    def values(self, node: Comparison, operator: str) -> Tree:
        """A part of values."""
        value = plain(node.value)
        found: list[Probe] = []
        for item in value if isinstance(value, tuple) else (value,):
            if not isinstance(item, str):
                raise UnusableError(NOT_TEXT)
            made = probes(Unit(((node.path.text, item),), operator == "ISSUBSET"), self.sibling)
            if isinstance(made, Unusable):
                raise UnusableError(made.reason)
            found += made
        return self.part(node.path.type, found)

    def part(self, type_name: str, found: list[Probe]) -> Tree:
        """A new part of values to look for; what only stands near a value is none of it."""
        self.types.append(type_name)
        place = len(self.types) - 1
        self.probes += [replace(one, part=place) for one in found if one.similarity == 1]
        return Tree("is", part=place)

    def scan(self, node: Comparison) -> Tree:
        """A new part of an expression."""
        where = _CLEAR.get(node.path.text)
        if where is None:
            raise UnusableError(f"the pattern compares with {node.operator} what isn't kept in the clear"
                                f" ({node.path.text[:60]})")
        expression = searched(node.operator, str(node.value))
        if expression is None:
            raise UnusableError(beyond(str(node.value)))
        self.types.append(node.path.type)
        self.scans.append(Scan(len(self.types) - 1, *where, expression))
        return Tree("is", part=len(self.types) - 1)


def compile_compound(pattern: Pattern, shown: str, sibling: float) -> tuple[Compound, list[Probe]] | Unusable:
    """A pattern in parts with the values to look for, or why it can't be. Raises StixFault for a mad constant."""
    maker = _Maker(sibling, [], [], [], [])
    try:
        text = maker.expression(pattern.expression)
    except UnusableError as error:
        return Unusable(str(error))
    return Compound(shown, text, tuple(maker.tests), tuple(maker.types), tuple(maker.scans),
                    pattern.expression), maker.probes


def could_hold(needs: Expression, met: frozenset[int]) -> bool:
    """Whether an expression could be satisfied by objects that satisfy these tests, whatever their times and number."""
    return _could(needs, iter(range(len(met) + 10**6)), met)


def _could(node: Expression, numbers: Iterator[int], met: frozenset[int]) -> bool:
    if isinstance(node, Observation):
        return next(numbers) in met
    if isinstance(node, Qualified):
        return _could(node.expression, numbers, met)
    found = [_could(one, numbers, met) for one in node.operands]
    return any(found) if isinstance(node, Combination) and node.operator == "OR" else all(found)


def _parts(tree: Tree) -> Iterator[int]:
    if tree.how in ("is", "not"):
        yield tree.part
    for one in tree.parts:
        yield from _parts(one)


def _qualifier(given: Qualifier) -> str:
    if isinstance(given, Within):
        return f"WITHIN {given.seconds} SECONDS"
    if isinstance(given, Repeats):
        return f"REPEATS {given.times} TIMES"
    assert isinstance(given, StartStop)  # noqa: S101 - the third and last
    return f"START t'{given.start}' STOP t'{given.stop}'"
