"""IPv4 and IPv6 addresses and ranges, in their canonical text."""

from __future__ import annotations

import ipaddress

from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.refang import refang

_WIDEST_4, _WIDEST_6 = 16, 32
STIX_PATHS = {4: "ipv4-addr:value", 6: "ipv6-addr:value"}

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def parse(text: str) -> Network:
    """An address (as a range of one) or a CIDR range, fanged or defanged; host bits of a range are cleared.

    Raises IdentifierError; numbers with leading zeros are refused because readers disagree on what they mean.
    """
    plain = refang(text).strip("[] ")
    try:
        return ipaddress.ip_network(plain, strict=False)
    except ValueError as error:
        raise IdentifierError(f"{text[:80]!r} is no IP address or range") from error


def normalise(text: str) -> str:
    """The canonical text: an address alone without its prefix length, a range with it."""
    network = parse(text)
    return str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)


def is_narrow(network: Network) -> bool:
    """Whether a range is small enough to name somebody: a wider one is a provider's or the whole Internet."""
    return network.prefixlen >= (_WIDEST_4 if network.version == 4 else _WIDEST_6)


def is_public(network: Network) -> bool:
    """Whether the address is routed in the Internet: private, loopback, shared and documentation space
    name nobody.
    """
    return network.is_global and not network.is_multicast
