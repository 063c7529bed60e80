"""The comparison operators of patterns on single values (STIX 2.1, 9.2 and 9.6).

A test answers True, False, or None where it can't be decided (a regular expression that takes too many steps). Values
of a type that can't be compared with the constant are unequal, and false for every other operator (9.6.1); NOT turns
the whole comparison around and is applied by the caller. Strings compare by code point without normalisation (9.6.2).
"""

from __future__ import annotations

from collections.abc import Callable
from operator import ge, gt, le, lt
from typing import Any

from exchange.matcher.pattern.budget import Budget
from exchange.matcher.pattern.networks import network
from exchange.matcher.pattern.text import like, search
from exchange.stix.fault import shown
from exchange.stix.pattern.tokens import refuse
from exchange.stix.pattern.tree import Comparison, Constant, Octets, Timestamp
from exchange.stix.timestamp import version_key

Test = Callable[[Any], bool | None]

_ORDER: dict[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}


def test_of(comparison: Comparison, budget: Budget) -> Test:
    """What one value must satisfy, NOT and EXISTS aside; ``budget`` is what searching may cost.

    Raises StixFault for a constant that means nothing; the test raises OverBudgetError.
    """
    operator, constant = comparison.operator, comparison.value
    if operator == "IN":
        members = homogeneous(comparison)
        return lambda value: any(_equal(value, one) for one in members)
    if operator in ("LIKE", "MATCHES"):
        return like(str(constant)) if operator == "LIKE" else search(str(constant), budget)
    if operator in ("ISSUBSET", "ISSUPERSET"):
        return _set_test(comparison)
    assert not isinstance(constant, tuple) and constant is not None  # noqa: S101, PT018 - the grammar's word
    return _simple(operator, constant)


def _simple(operator: str, constant: Constant) -> Test:
    if operator == "=":
        return lambda value: _equal(value, constant)
    if operator == "!=":
        return lambda value: not _equal(value, constant)
    order = _ORDER[operator]

    def test(value: Any) -> bool:
        """Whether a value stands in this order to the constant; false where the types can't be compared (9.6.1)."""
        pair = comparable(value, constant)
        return pair is not None and order(*pair)

    return test


def _equal(value: Any, constant: Constant) -> bool:
    pair = comparable(value, constant)
    return pair is not None and bool(pair[0] == pair[1])


def comparable(value: Any, constant: Constant) -> tuple[Any, Any] | None:
    """Value and constant in one type, or None when their types can't be compared (table of 9.2)."""
    if isinstance(constant, bool) or isinstance(value, bool):
        return (value, constant) if isinstance(constant, bool) and isinstance(value, bool) else None
    if isinstance(constant, int | float):
        return (value, constant) if isinstance(value, int | float) else None
    if isinstance(constant, Timestamp):
        return _moments(value, constant.text)
    if isinstance(constant, str):
        if isinstance(value, str):
            return value, constant
        octets = as_octets(constant) if isinstance(value, bytes) else None
        return None if octets is None else (value, octets)
    octets = value if isinstance(value, bytes) else as_octets(value) if isinstance(value, str) else None
    return None if octets is None else (octets, constant.value)


def as_octets(text: str) -> bytes | None:
    """A string as octets, one for each code point; None when one is above U+00FF (9.2)."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return None


def _moments(value: Any, constant: str) -> tuple[str, str] | None:
    if not isinstance(value, str):
        return None
    try:
        return version_key(value), version_key(constant)
    except ValueError:
        return None


def homogeneous(comparison: Comparison) -> tuple[Constant, ...]:
    """The members of an IN list. Raises StixFault when they aren't of one type (9.6.1)."""
    members = comparison.value
    assert isinstance(members, tuple)  # noqa: S101 - the grammar's word
    kinds = {_kind(one) for one in members}
    if len(kinds) > 1:
        refuse(f"the list of IN at {shown(comparison.path.text)} mixes {' and '.join(sorted(kinds))}; write one type.")
    return members


def _kind(constant: Constant) -> str:
    if isinstance(constant, bool):
        return "booleans"
    if isinstance(constant, int | float):
        return "numbers"
    if isinstance(constant, Octets):
        return "octets"
    return "timestamps" if isinstance(constant, Timestamp) else "strings"


def _set_test(comparison: Comparison) -> Test:
    constant = str(comparison.value)
    given = network(constant)
    if given is None:
        refuse(f"{shown(constant)} after {comparison.operator} is no IP address or range such as 198.51.100.0/24.")
    inside = comparison.operator == "ISSUBSET"

    def test(value: Any) -> bool:
        """Whether a value is an address or range that lies in the constant (or holds it); anything else isn't."""
        found = network(value) if isinstance(value, str) else None
        if found is None:
            return False
        return given.holds(found) if inside else found.holds(given)

    return test
