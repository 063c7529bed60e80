"""PDQ image fingerprints: 256 bits as 64 hex digits; like pictures differ in few bits.

PDQ's authors take up to 31 differing bits as the same picture, and fingerprints of quality below 50 (of
100) as noise.
"""

from __future__ import annotations

import re

from exchange.model.identifiers.fault import IdentifierError

SAME_PICTURE_BITS = 31
MIN_QUALITY = 50
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
