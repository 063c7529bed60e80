"""The values that an object path leads to within one observed object (STIX 2.1, 9.7)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

from exchange.matcher.pattern.budget import Budget

Value = Any
"""What a path leads to: a JSON value, or bytes where the property's name ends in _bin or _hex (9.6.4)."""
UNREADABLE = object()
"""A binary property that is there and holds no base64 or hexadecimal: its data can't be had (9.6), but it exists."""


def values(
    found: Mapping[str, Any], steps: Sequence[str | int | None], scope: Mapping[str, Any], budget: Budget
) -> list[Value]:
    """All values a path leads to: none if it isn't there, several only by ``[*]``; each once.

    ``scope`` holds what references may lead to. Each place is visited once per step, also where references run in
    circles; raises OverBudgetError when ``[*]`` leads to more places than the budget allows.
    """
    last = steps[-1]
    binary = isinstance(last, str) and last.endswith(("_bin", "_hex"))
    current: list[Any] = [found]
    reference = False
    for step in steps:
        following: list[Any] = []
        for value in current:
            _step(value, step, scope if reference else None, following)
        if step is None:
            budget.spend(len(following))
            following = _distinct(following)
        if isinstance(step, str):
            reference = step.endswith(("_ref", "_refs"))
        current = following
        if not current:
            return []
    return [octets for value in current for octets in _octets(value, str(last))] if binary else current


def _step(value: Any, step: str | int | None, scope: Mapping[str, Any] | None, into: list[Any]) -> None:
    if isinstance(step, str):
        if scope is not None and isinstance(value, str):
            value = scope.get(value)
        if isinstance(value, dict) and step in value:
            into.append(value[step])
    elif isinstance(value, list):
        if step is None:
            into.extend(value)
        elif 0 <= step < len(value):
            into.append(value[step])


def _distinct(given: list[Any]) -> list[Any]:
    seen = {(type(one), id(one) if isinstance(one, dict | list) else one): one for one in given}
    return list(seen.values())


def _octets(value: Any, name: str) -> list[Value]:
    """The octets of a binary property, or UNREADABLE."""
    if not isinstance(value, str):
        return [value]
    try:
        if name.endswith("_hex"):
            return [binascii.unhexlify(value)]
        return [base64.b64decode(value.replace("\n", "").replace("\r", ""), validate=True)]
    except ValueError:
        return [UNREADABLE]
