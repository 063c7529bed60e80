"""What a STIX pattern asks for, where that is a set of values: equality, IN, ISSUBSET, and OR of these.

``alternatives`` brings a pattern to units, any one of which is enough. A unit of several comparisons (AND) is
kept together; only a few known pairs can be used (an account's service and name; a reference's type and value).
Everything else is returned with the reason why it isn't used.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from exchange.stix.pattern.tree import (
    Combination,
    Comparison,
    Expression,
    Logic,
    Observation,
    Pattern,
    Qualified,
    Test,
    plain,
)

NEGATED = "the pattern excludes values"
TOGETHER = "the pattern asks for several things together (AND)"
SEVERAL = "the pattern asks for several observations (AND, FOLLOWEDBY)"
QUALIFIED = "the pattern is bound to time or number (WITHIN, REPEATS, START)"
NOT_TEXT = "the compared value is no text"


@dataclass(frozen=True)
class Unit:
    """One alternative: paths with the text each must equal (or the range it must lie in)."""

    values: tuple[tuple[str, str], ...]
    """(object path, text); more than one: all of them together."""
    subset: bool = False


@dataclass(frozen=True)
class Unusable:
    """One alternative that the matcher can't look up, and why."""

    reason: str


def alternatives(pattern: Pattern) -> Iterator[Unit | Unusable]:
    """The units of a pattern from left to right."""
    yield from _expression(pattern.expression)


def _expression(node: Expression) -> Iterator[Unit | Unusable]:
    if isinstance(node, Observation):
        yield from _test(node.test)
    elif isinstance(node, Qualified):
        yield Unusable(QUALIFIED)
    elif isinstance(node, Combination) and node.operator == "OR":
        for operand in node.operands:
            yield from _expression(operand)
    else:
        yield Unusable(SEVERAL)


def _test(node: Test) -> Iterator[Unit | Unusable]:
    if isinstance(node, Logic):
        if node.operator == "OR":
            for operand in node.operands:
                yield from _test(operand)
        else:
            yield together(node)
    else:
        yield from _comparison(node)


def _comparison(node: Comparison) -> Iterator[Unit | Unusable]:
    if node.negated:
        yield Unusable(NEGATED)
        return
    if node.operator not in ("=", "IN", "ISSUBSET"):
        yield Unusable(f"the pattern compares with {node.operator}")
        return
    value = plain(node.value)
    for item in value if isinstance(value, tuple) else (value,):
        if isinstance(item, str):
            yield Unit(((node.path.text, item),), node.operator == "ISSUBSET")
        else:
            yield Unusable(NOT_TEXT)


def together(node: Logic) -> Unit | Unusable:
    """A unit of all comparisons of an AND, where all are equalities with texts."""
    values = []
    for operand in node.operands:
        if not isinstance(operand, Comparison) or operand.negated or operand.operator != "=":
            return Unusable(TOGETHER)
        value = plain(operand.value)
        if not isinstance(value, str):
            return Unusable(TOGETHER)
        values.append((operand.path.text, value))
    return Unit(tuple(values))
