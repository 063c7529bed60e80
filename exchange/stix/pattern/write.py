"""A pattern as text again: the inverse of ``parse`` up to spaces and needless parentheses (STIX 2.1, 9)."""

from __future__ import annotations

import base64
from typing import assert_never

from exchange.stix.pattern.tree import (
    Comparison,
    Constant,
    Expression,
    Observation,
    Octets,
    Pattern,
    Qualified,
    Qualifier,
    Repeats,
    StartStop,
    Test,
    Timestamp,
    Within,
    quoted,
)

_TIGHTNESS = {"FOLLOWEDBY": 0, "OR": 1, "AND": 2}


def write(pattern: Pattern) -> str:
    """The canonical text of a pattern; ``parse(write(p))`` means what ``p`` means."""
    return _expression(pattern.expression, 0)


def _expression(node: Expression, needed: int) -> str:
    """``needed``: how tight the surroundings bind; what binds less stands in parentheses."""
    if isinstance(node, Observation):
        return f"[{_test(node.test, 0)}]"
    if isinstance(node, Qualified):
        words = [_expression(node.expression, 4), *(_qualifier(one) for one in node.qualifiers)]
        text = " ".join(words)
        return f"({text})" if needed > 3 else text
    own = _TIGHTNESS[node.operator]
    text = f" {node.operator} ".join(_expression(one, own + 1) for one in node.operands)
    return f"({text})" if needed > own else text


def _qualifier(node: Qualifier) -> str:
    if isinstance(node, Within):
        return f"WITHIN {_number(node.seconds)} SECONDS"
    if isinstance(node, Repeats):
        return f"REPEATS {node.times} TIMES"
    if isinstance(node, StartStop):
        return f"START t'{node.start}' STOP t'{node.stop}'"
    assert_never(node)


def _test(node: Test, needed: int) -> str:
    if isinstance(node, Comparison):
        return _comparison(node)
    own = _TIGHTNESS[node.operator]
    text = f" {node.operator} ".join(_test(one, own + 1) for one in node.operands)
    return f"({text})" if needed > own else text


def _comparison(node: Comparison) -> str:
    negation = "NOT " if node.negated else ""
    if node.operator == "EXISTS":
        return f"{negation}EXISTS {node.path.text}"
    if isinstance(node.value, tuple):
        value = "(" + ", ".join(_constant(one) for one in node.value) + ")"
    else:
        value = "" if node.value is None else _constant(node.value)
    return f"{node.path.text} {negation}{node.operator} {value}"


def _constant(value: Constant) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, Timestamp):
        return f"t'{value.text}'"
    if isinstance(value, Octets):
        text = value.value.hex() if value.notation == "h" else base64.b64encode(value.value).decode()
        return f"{value.notation}'{text}'"
    return _number(value)


def _number(value: int | float) -> str:
    """Digits without an exponent, which the grammar doesn't have."""
    if isinstance(value, int):
        return str(value)
    text = f"{value:.400f}".rstrip("0") if "e" in repr(value) else repr(value)
    return text + "0" if text.endswith(".") else text
