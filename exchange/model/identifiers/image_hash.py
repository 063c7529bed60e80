"""PDQ image fingerprints: 256 bits as 64 hex digits; like pictures differ in few bits.

PDQ's authors take up to 31 differing bits as the same picture, and fingerprints of quality below 50 (of
100) as noise.
"""

from __future__ import annotations

import re

from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.kind import Kind

_PDQ = re.compile(r"[0-9a-f]{64}\Z")


def normalise(text: str) -> str:
    """64 lower-case hex digits; raises IdentifierError, also for fingerprints of a blank picture (all 0 or
    all 1).
    """
    digits = text.strip().lower().removeprefix("pdq:")
    if not _PDQ.match(digits):
        raise IdentifierError(f"{text[:80]!r} is no PDQ fingerprint: 64 hex digits are needed")
    if len(set(digits)) == 1:
        raise IdentifierError(f"{text[:80]!r} is the fingerprint of a blank picture")
    return digits


def distance(one: str, other: str) -> int:
    """Differing bits of two normalised fingerprints, 0-256."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


_LOREM = "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22"
KIND = Kind(
    name="image-hash",
    title="image fingerprint (PDQ)",
    normalise=normalise,
    path="file:hashes.PDQ",
    weight=3.5,
    half_life=300,
    examples={_LOREM: _LOREM, f"PDQ:{_LOREM.upper()}": _LOREM},
    non_examples=("", _LOREM[:-1], _LOREM + "0", "0" * 64, "f" * 64, "g" * 64),
)
