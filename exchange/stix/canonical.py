"""Canonical JSON by RFC 8785 (JCS): one text per value, for ids that follow from content."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

_plain = json.JSONEncoder(ensure_ascii=False).encode
_flat = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
_EXACT = 2**53


def canonical(value: Any) -> str:
    """The canonical text of a JSON value. Raises ValueError for NaN, Infinity and what isn't JSON."""
    return _flat(value) if type(value) is dict and _is_plain(value) else _canonical(value)


def _canonical(value: Any) -> str:
    if value is None or isinstance(value, bool | str):
        return _plain(value)
    if isinstance(value, int):
        return str(value) if abs(value) <= _EXACT else _number(float(value))
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, Mapping):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(f"{_canonical(key)}:{_canonical(value[key])}" for key in keys) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_canonical, value)) + "]"
    raise ValueError(f"{type(value).__name__} is no JSON value")


def _is_plain(value: Any) -> bool:
    """Whether Python's own encoder writes the same: small values under keys that sort by their bytes, as most are."""
    kind = type(value)
    if kind is dict:
        return all(type(key) is str and key.isascii() and _is_plain(one) for key, one in value.items())
    if kind is list or kind is tuple:
        return all(map(_is_plain, value))
    return kind is str or kind is bool or value is None or (kind is int and -_EXACT <= value <= _EXACT)


def _number(value: float) -> str:
    """A number as ECMAScript writes it (7.1.12.1): shortest digits, plain from 1e-6 up to 1e21."""
    if not math.isfinite(value):
        raise ValueError("JSON has no NaN or Infinity")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = f"{abs(value)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0") or "0"
    if len(digits) <= point <= 21:
        return sign + digits.ljust(point, "0")
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    tail = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{tail}e{'+' if point > 0 else '-'}{abs(point - 1)}"
