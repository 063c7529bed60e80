"""Count and root of a set of object versions, whatever their order: two who hold the same come to the same root.

Each line ``id version`` (UTF-8) is hashed to 2,048 bits (SHAKE-256), the hashes are added modulo 2^2048, and the root
is the SHA-256 over the decimal count, a line feed, and the sum as 256 bytes: AdHash (Bellare and Micciancio, 1997),
with a modulus so wide that nobody finds another set with the same sum. ``version`` is the time of ``modified`` without
trailing zeros of the fraction and without Z; it is empty for what has none, as observables and markings.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from exchange.stix.timestamp import version_key

_BYTES = 256
_MODULUS = 1 << (8 * _BYTES)


@dataclass
class Tally:
    """A set as it is counted; each version is added once."""

    count: int = 0
    total: int = 0

    def add(self, stix_id: str, modified: str = "") -> None:
        """Add the version of an object; raises ValueError for a ``modified`` that is no STIX timestamp."""
        line = f"{stix_id} {version_key(modified) if modified else ''}".encode("utf-8", "surrogatepass")
        self.total = (self.total + int.from_bytes(hashlib.shake_256(line).digest(_BYTES), "big")) % _MODULUS
        self.count += 1

    @property
    def root(self) -> str:
        """The root: 64 hex digits."""
        return hashlib.sha256(f"{self.count}\n".encode() + self.total.to_bytes(_BYTES, "big")).hexdigest()
