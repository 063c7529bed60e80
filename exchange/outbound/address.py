"""Which addresses a request to somebody else's server may reach: those of the public internet, and no others.

A name in a URL, or a redirect, is somebody else's word. Behind it may stand this machine, its neighbours, or the
metadata service that hands out the machine's own keys (server-side request forgery). Refused is whatever isn't
public unicast by the IANA registries of special-purpose addresses (RFC 6890), whatever carries such an IPv4
address inside (RFC 4291 mapped and compatible, RFC 6052 NAT64, RFC 3056 6to4, RFC 4380 Teredo, RFC 5214 ISATAP).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from exchange.errors import InputError

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

_PUBLIC_V6 = IPv6Network("2000::/3")
"""What IANA gives out as global unicast; all else of IPv6 is local, embedded or nobody's."""
_NAT64 = IPv6Network("64:ff9b::/96")
_TEREDO = IPv6Network("2001::/32")
_COMPATIBLE = IPv6Network("::/96")
_ISATAP = (0x00005EFE, 0x02005EFE)
_INSIDE: tuple[Network, ...] = (
    IPv4Network("168.63.129.16/32"),  # Azure's own services, on a public address
    IPv4Network("192.0.0.0/24"),  # protocol assignments, of which Python's older tables know some
    IPv4Network("192.88.99.0/24"),  # 6to4 relays (RFC 7526): nobody's
    IPv6Network("2001:db8::/32"), IPv6Network("3fff::/20"),  # documentation
)


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Networks that an operator allows, such as ``10.1.0.0/16`` or ``127.0.0.1``; raises InputError."""
    found: list[Network] = []
    for text in texts:
        try:
            found.append(ip_network(text.strip(), strict=False))
        except ValueError:
            raise InputError(f"{text[:100]!r} is no network.", fix="Write it like 10.1.0.0/16 or fd00::/8.") from None
    return tuple(found)


def allowed(address: str, allow: Iterable[Network]) -> bool:
    """Whether an operator named the address, in whichever form it is written."""
    plain = _plain(ip_address(address.partition("%")[0]))
    return any(plain in network for network in allow)


def public(address: str) -> bool:
    """Whether an address, as a resolver gives it, is one of the public internet."""
    found = ip_address(address.partition("%")[0])
    return _public(found) and all(map(_public, _carried(found)))


def _public(address: Address) -> bool:
    if any(address in network for network in _INSIDE):
        return False
    if isinstance(address, IPv6Address):
        if address in _NAT64 or address.ipv4_mapped is not None:
            return True  # what it carries decides
        if address not in _PUBLIC_V6:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _carried(address: Address) -> Iterator[IPv4Address]:
    """The IPv4 addresses that an IPv6 address leads to."""
    if isinstance(address, IPv4Address):
        return
    number = int(address)
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address in _NAT64 or address in _COMPATIBLE:
        yield IPv4Address(number & 0xFFFFFFFF)
    if address.sixtofour is not None:
        yield address.sixtofour
    if address in _TEREDO and address.teredo is not None:
        yield from address.teredo
    if number >> 32 & 0xFFFFFFFF in _ISATAP:
        yield IPv4Address(number & 0xFFFFFFFF)


def _plain(address: Address) -> Address:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
