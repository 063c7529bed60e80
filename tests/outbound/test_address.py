"""Which addresses are public: a table."""

from __future__ import annotations

import pytest

from exchange.errors import InputError
from exchange.outbound.address import allowed, networks, public

PUBLIC = ["1.1.1.1", "8.8.8.8", "100.63.255.255", "172.32.0.1", "192.169.0.1", "223.255.255.1", "2606:4700::1111",
          "2a00:1450::1", "64:ff9b::808:808", "2002:808:808::1", "::ffff:8.8.8.8", "2606:4700::1%eth0"]
PRIVATE = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254", "169.254.1.1",
    "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1", "192.88.99.1",
    "192.168.1.1", "198.18.0.1", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1",
    "255.255.255.255", "168.63.129.16",
    "::", "::1", "::2", "::7f00:1", "::808:808", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1", "2001::1", "2001:0:7f00:1::",
    "2001:db8::1", "2002:7f00:1::", "2002:a00:1::1", "3fff::1", "2606:4700::5efe:10.0.0.1", "2606:4700::200:5efe:a00:1",
    "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "4000::1", "5f00::1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_of_the_public_internet(address: str) -> None:
    assert public(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_lead_inside_or_nowhere(address: str) -> None:
    assert not public(address)


@pytest.mark.parametrize(("address", "networks_named", "expected"), [
    ("127.0.0.1", ["127.0.0.0/8"], True), ("::ffff:127.0.0.1", ["127.0.0.0/8"], True),
    ("10.1.2.3", ["10.1.0.0/16", "fd00::/8"], True), ("fd00::9", ["10.1.0.0/16", "fd00::/8"], True),
    ("10.2.2.3", ["10.1.0.0/16"], False), ("127.0.0.1", [], False), ("fe80::1%eth0", ["fe80::1"], True),
    ("64:ff9b::a01:203", ["10.1.0.0/16"], False),
])
def test_allowed_is_what_the_operator_named(address: str, networks_named: list[str], expected: bool) -> None:
    assert allowed(address, networks(networks_named)) is expected


def test_what_is_no_network_is_told() -> None:
    with pytest.raises(InputError, match=r"'10\.1\.x' is no network"):
        networks(["127.0.0.1", "10.1.x"])
