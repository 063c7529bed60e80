"""The syntax tree of a STIX pattern: small frozen values, nothing that evaluates (STIX 2.1, 9)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

KEYWORDS = frozenset(
    (
        "AND",
        "OR",
        "NOT",
        "FOLLOWEDBY",
        "LIKE",
        "MATCHES",
        "ISSUPERSET",
        "ISSUBSET",
        "EXISTS",
        "IN",
        "START",
        "STOP",
        "SECONDS",
        "WITHIN",
        "REPEATS",
        "TIMES",
        "true",
        "false",
    )
)
"""Words of the language; as a property's name they stand in quotes."""


@dataclass(frozen=True, slots=True)
class ObjectPath:
    """``file:hashes.'SHA-256'``: a type and steps; a step is a key, a list index, or None for ``[*]``."""

    type: str
    steps: tuple[str | int | None, ...]

    @property
    def text(self) -> str:
        """Canonical text: bare keys where possible, quoted ones elsewhere."""
        parts = [self.type, ":"]
        for position, step in enumerate(self.steps):
            if not isinstance(step, str):
                parts.append("[*]" if step is None else f"[{step}]")
                continue
            if position:
                parts.append(".")
            parts.append(step if _BARE.fullmatch(step) and step not in KEYWORDS else quoted(step))
        return "".join(parts)


@dataclass(frozen=True, slots=True)
class Timestamp:
    """``t'…'``; the text is as written."""

    text: str


@dataclass(frozen=True, slots=True)
class Octets:
    """``b'…'`` (base64) or ``h'…'`` (hexadecimal), decoded; ``notation`` is b or h."""

    value: bytes
    notation: str


Constant = str | int | float | bool | Timestamp | Octets


@dataclass(frozen=True, slots=True)
class Comparison:
    """One test of one property: = != < <= > >= IN LIKE MATCHES ISSUBSET ISSUPERSET EXISTS."""

    path: ObjectPath
    operator: str
    value: Constant | tuple[Constant, ...] | None
    """A tuple for IN, None for EXISTS."""
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Logic:
    """Comparisons joined by AND or OR inside one observation; at least two operands."""

    operator: str
    operands: tuple[Test, ...]


Test = Comparison | Logic


@dataclass(frozen=True, slots=True)
class Observation:
    """``[ … ]``: what one observed object must satisfy."""

    test: Test


@dataclass(frozen=True, slots=True)
class Combination:
    """Observation expressions joined by AND, OR or FOLLOWEDBY; at least two operands, in order."""

    operator: str
    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Within:
    """``WITHIN x SECONDS``."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Repeats:
    """``REPEATS n TIMES``."""

    times: int


@dataclass(frozen=True, slots=True)
class StartStop:
    """``START t'…' STOP t'…'``: half-open, texts as written."""

    start: str
    stop: str


Qualifier = Within | Repeats | StartStop


@dataclass(frozen=True, slots=True)
class Qualified:
    """An expression with its qualifiers, innermost first."""

    expression: Expression
    qualifiers: tuple[Qualifier, ...]


Expression = Observation | Combination | Qualified


@dataclass(frozen=True, slots=True)
class Pattern:
    """A whole pattern."""

    expression: Expression


class Flat(NamedTuple):
    """One comparison of a pattern as plain values; unpacks as (object_path, operator, value, negated)."""

    object_path: str
    """Canonical text such as ``user-account:account_login``."""
    operator: str
    value: Any
    """str, int, float, bool, bytes (b'', h''), a timestamp's text; for IN a tuple; for EXISTS None."""
    negated: bool


def comparisons(pattern: Pattern) -> Iterator[Flat]:
    """Every comparison of a pattern from left to right, without regard to how they are joined."""
    pending: list[Expression | Test] = [pattern.expression]
    while pending:
        node = pending.pop()
        if isinstance(node, Comparison):
            yield Flat(node.path.text, node.operator, plain(node.value), node.negated)
        elif isinstance(node, Logic | Combination):
            pending.extend(reversed(node.operands))
        elif isinstance(node, Qualified):
            pending.append(node.expression)
        else:
            pending.append(node.test)


def plain(value: Constant | tuple[Constant, ...] | None) -> Any:
    """A constant as a plain Python value (see ``Flat.value``)."""
    if isinstance(value, tuple):
        return tuple(plain(item) for item in value)
    if isinstance(value, Timestamp):
        return value.text
    return value.value if isinstance(value, Octets) else value


def quoted(text: str) -> str:
    """A string literal of the pattern language: the only two characters that need a backslash get one."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
