"""Text fingerprints: TLSH, which is alike for texts that are alike.

TLSH (Oliver, Cheng, Chen 2013) is in STIX's vocabulary of hashes (10.6), comes from public libraries in one
form, and needs no agreement about seeds; MinHash needs one about permutations, seed and shingles, so it
stays what a report says of its content (``x:evidence.fingerprints``). The text itself never travels.
"""

from __future__ import annotations

import re

from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.kind import Kind

_TLSH = re.compile(r"(?:TLSH:\s*)?(?:T1)?([0-9A-F]{70})\Z")


def normalise(text: str) -> str:
    """``T1`` and 70 upper-case hex digits, given with or without ``T1``; raises IdentifierError."""
    found = _TLSH.match(text.strip().upper())
    if found is None:
        raise IdentifierError(f"{text[:80]!r} is no TLSH fingerprint: T1 and 70 hex digits are needed")
    if len(set(found[1])) == 1:
        raise IdentifierError(f"{text[:80]!r} is a filler, no fingerprint of a text")
    return "T1" + found[1]


_LOREM = "T1F0B0128A2B0E2C8A8C0B3C3E8A0A2B8C0E0F3A3B0C8E2A0B3C3E8A0A2B8C0E0F3A3B0C8E"[:72]
KIND = Kind(
    name="text-fingerprint",
    title="text fingerprint (TLSH)",
    normalise=normalise,
    path="file:hashes.TLSH",
    weight=2.8,
    half_life=120,
    examples={_LOREM: _LOREM, _LOREM[2:].lower(): _LOREM, f"tlsh: {_LOREM}": _LOREM},
    non_examples=("", "lorem ipsum dolor sit amet", _LOREM[:-1], _LOREM[:-1] + "G", "T1" + "0" * 70, "TNULL"),
)
