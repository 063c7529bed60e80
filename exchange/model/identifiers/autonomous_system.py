"""Autonomous systems: ``AS64500`` of asplain, asdot (RFC 5396) and bare numbers; a provider, never a person."""

from __future__ import annotations

import re

from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.kind import Kind, Said

_PLAIN = re.compile(r"(?:ASN?\s*:?\s*)?(\d{1,10})(?:\.(\d{1,5}))?\Z", re.ASCII | re.IGNORECASE)
_WORD = 2**16
_LARGEST = 2**32 - 1
_RESERVED = frozenset({0, 23456, 65535, _LARGEST})
"""Numbers that no network may announce (RFC 7607, 6793, 7300)."""


def normalise(text: str) -> str:
    """``AS`` and the number, 1 to 4294967294; raises IdentifierError."""
    found = _PLAIN.match(text.strip())
    number = -1
    if found and found[2] is None:
        number = int(found[1])
    elif found and max(int(found[1]), int(found[2])) < _WORD:
        number = int(found[1]) * _WORD + int(found[2])
    if not 0 < number <= _LARGEST or number in _RESERVED:
        raise IdentifierError(f"{text[:80]!r} is no number of an autonomous system (AS64500)")
    return f"AS{number}"


def _said(value: str) -> Said:
    return {"autonomous-system:number": int(value[2:])}


KIND = Kind(
    name="autonomous-system",
    title="autonomous system",
    normalise=normalise,
    path="autonomous-system:number",
    said=_said,
    weight=0.5,
    half_life=30,
    nobody=lambda _value: "an autonomous system is a provider with many customers",
    examples={"AS64500": "AS64500", "as 64500": "AS64500", "64500": "AS64500", "ASN: 1.9": "AS65545"},
    non_examples=("", "AS", "AS0", "AS65535", "AS4294967296", "1.2.3", "AS1.70000", "63 accounts"),
)
