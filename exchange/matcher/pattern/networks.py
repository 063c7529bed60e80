"""IP addresses and ranges as patterns compare them: IPv4 and IPv6, /0 to the full length, bare addresses."""

from __future__ import annotations

import ipaddress
from typing import NamedTuple


class Network(NamedTuple):
    """A range: 4 or 6, its first address as a number, the length of its prefix."""

    version: int
    first: int
    bits: int

    @property
    def length(self) -> int:
        """Bits of an address of this version."""
        return 32 if self.version == 4 else 128

    def holds(self, other: Network) -> bool:
        """Whether another range lies wholly in this one; equal ranges hold each other."""
        shift = self.length - self.bits
        return self.version == other.version and self.bits <= other.bits and other.first >> shift == self.first >> shift


def network(text: str) -> Network | None:
    """The range of ``198.51.100.0/24`` or ``2001:db8::1``; bits behind the prefix don't count. None: it is none."""
    address, slash, prefix = text.partition("/")
    if slash and not (prefix.isascii() and prefix.isdigit() and len(prefix) <= 3):
        return None
    if "%" in address:
        return None
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    length = parsed.max_prefixlen
    bits = int(prefix) if slash else length
    if bits > length:
        return None
    return Network(parsed.version, int(parsed) >> (length - bits) << (length - bits), bits)
