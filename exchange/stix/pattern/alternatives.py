"""Patterns that say "one of these": observations joined by OR, each met by itself."""

from __future__ import annotations

from exchange.stix.fault import StixFault
from exchange.stix.pattern.parser import parse
from exchange.stix.pattern.tree import Combination, Expression, Observation, Test


def alternatives(pattern: str) -> list[Test] | None:
    """The tests, in order; None where observations are joined otherwise, qualified, or the pattern can't be read."""
    try:
        pending: list[Expression] = [parse(pattern).expression]
    except StixFault:
        return None
    found: list[Test] = []
    while pending:
        node = pending.pop()
        if isinstance(node, Observation):
            found.append(node.test)
        elif isinstance(node, Combination) and node.operator == "OR":
            pending.extend(reversed(node.operands))
        else:
            return None
    return found
