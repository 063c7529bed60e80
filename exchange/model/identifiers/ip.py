"""IPv4 and IPv6 addresses and ranges, in their canonical text (RFC 4632, RFC 5952)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from functools import lru_cache

from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.kind import Kind
from exchange.model.identifiers.refang import refang

_WIDEST_4, _WIDEST_6 = 16, 32
_BITS = {4: 32, 6: 128}
_QUAD = re.compile(r"(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.|\Z)){4}(?<!\.)\Z", re.ASCII)

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def parse(text: str) -> Network:
    """An address (as a range of one) or a CIDR range, fanged or defanged; host bits of a range are cleared.

    Raises IdentifierError; numbers with leading zeros are refused because readers disagree on what they mean,
    and so are zones of IPv6 (``%eth0``), which mean something on one machine only.
    """
    plain = refang(text).strip("[] ")
    try:
        if "%" in plain:
            raise ValueError("a zone")
        return ipaddress.ip_network(plain, strict=False)
    except ValueError as error:
        raise IdentifierError(f"{text[:80]!r} is no IP address or range") from error


def normalise(text: str) -> str:
    """The canonical text: an address alone without its prefix length, a range with it."""
    plain = refang(text)
    if _QUAD.match(plain):
        return plain
    network = parse(plain)
    return str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)


def is_narrow(network: Network) -> bool:
    """Whether a range is small enough to name somebody: a wider one is a provider's or the whole Internet."""
    return network.prefixlen >= (_WIDEST_4 if network.version == 4 else _WIDEST_6)


def is_public(network: Network) -> bool:
    """Whether the address is routed in the Internet: private, loopback, shared and documentation space
    name nobody.
    """
    return network.is_global and not network.is_multicast


def nobody(value: str) -> str:
    """Why an address or range stands for nobody in particular; empty where it may stand for somebody."""
    network = ipaddress.ip_network(value)
    if not is_public(network):
        return f"{value} isn't routed in the Internet: private, reserved or documentation space"
    if not is_narrow(network):
        return f"{value} is a range too wide to name anybody"
    if any(network.version == one.version and network.subnet_of(one) for one in _everybodys()):  # type: ignore[arg-type]
        return f"{value} belongs to a public resolver or a content network that many sites stand behind"
    return ""


@lru_cache(maxsize=1)
def _everybodys() -> tuple[Network, ...]:
    """Public resolvers, and the ranges that content networks publish as theirs."""
    return tuple(ipaddress.ip_network(text) for text in (
        "1.1.1.0/24", "1.0.0.0/24", "8.8.8.0/24", "8.8.4.0/24", "9.9.9.0/24", "149.112.112.0/24", "208.67.222.0/24",
        "208.67.220.0/24", "94.140.14.0/24", "94.140.15.0/24", "77.88.8.0/24", "114.114.114.0/24", "223.5.5.0/24",
        "2606:4700::/32", "2001:4860:4860::/48", "2620:fe::/48", "2a04:4e40::/29",
        "103.21.244.0/22", "103.22.200.0/22", "103.31.4.0/22", "104.16.0.0/13", "104.24.0.0/14", "108.162.192.0/18",
        "131.0.72.0/22", "141.101.64.0/18", "162.158.0.0/15", "172.64.0.0/13", "173.245.48.0/20", "188.114.96.0/20",
        "190.93.240.0/20", "197.234.240.0/22", "198.41.128.0/17", "151.101.0.0/16", "199.232.0.0/16",
        "149.154.160.0/20", "91.108.4.0/22", "91.108.8.0/22", "91.108.56.0/22",
    ))  # fmt: skip


def _only(version: int, ranges: bool) -> Callable[[str], str]:
    wanted = f"IPv{version} {'range' if ranges else 'address'}"

    def normalise_one(text: str) -> str:
        """As ``normalise``; raises IdentifierError for the other version, and for a range where an address is asked."""
        value = normalise(text)
        if ("/" in value) is not ranges or (6 if ":" in value else 4) != version:
            raise IdentifierError(f"{text[:80]!r} is no {wanted}")
        return value

    return normalise_one


IPV4 = Kind(
    name="ipv4", title="IPv4 address", normalise=_only(4, False), path="ipv4-addr:value", personal=("IPAddress",),
    hashed_as="ip", weight=2.0, half_life=21, nobody=nobody,
    examples={"203[.]0[.]113[.]7": "203.0.113.7", "203.0.113.7/32": "203.0.113.7", "203[.]0.113.7": "203.0.113.7"},
    non_examples=("", "300.1.1.1", "1.2.3", "01.2.3.4", "203.0.113.0/24", "2001:db8::1", "lorem.org", "203.0.113.7:80"),
)  # fmt: skip
IPV6 = Kind(
    name="ipv6", title="IPv6 address", normalise=_only(6, False), path="ipv6-addr:value", personal=("IPAddress",),
    hashed_as="ip", weight=2.0, half_life=21, nobody=nobody,
    examples={"2001:DB8::0:1": "2001:db8::1", "[2001:db8:0:0::1]": "2001:db8::1", "2001[:]db8[:][:]1": "2001:db8::1"},
    non_examples=("", "2001:db8::/32", "203.0.113.7", "2001:db8:::1", "fe80::1%eth0", "12:34"),
)  # fmt: skip
IPV4_RANGE = Kind(
    name="ipv4-range", title="IPv4 range", normalise=_only(4, True), path="ipv4-addr:value", operator="ISSUBSET",
    weight=3.0, half_life=45, nobody=nobody,
    examples={"203.0.113.7/24": "203.0.113.0/24", "203[.]0[.]113[.]0/255.255.255.0": "203.0.113.0/24"},
    non_examples=("", "203.0.113.0/33", "203.0.113.7", "203.0.113.7/32", "2001:db8::/32"),
)  # fmt: skip
IPV6_RANGE = Kind(
    name="ipv6-range", title="IPv6 range", normalise=_only(6, True), path="ipv6-addr:value", operator="ISSUBSET",
    weight=3.0, half_life=45, nobody=nobody,
    examples={"2001:DB8:1::5/48": "2001:db8:1::/48", "2001[:]db8[:][:]/32": "2001:db8::/32"},
    non_examples=("", "2001:db8::/129", "2001:db8::1", "203.0.113.0/24"),
)  # fmt: skip
