"""Which addresses a webhook may have: a table of spellings."""

from __future__ import annotations

import pytest

from exchange.errors import UnprocessableError
from exchange.webhooks.target import check_target, operators_networks

NO_ADDRESS = [
    "", "x", "ftp://lorem.example/", "https://", "https:///x", "https:x.example", "https:\\\\x.example", "https://user:pw@lorem.example/", "https://user@1.1.1.1/",
    "https://l.example/" + "a" * 2_000, "https://l.example/a b", "https://l.example/\n", "https://l.example:0/",
    "https://l.example:70000/", "https://[fe80::1%25eth0]/", "https://[::1", "https://[::1]./", "https://256.1.1.1/",
    "https://1.2.3.4.5/", "https://4294967296/", "//lorem.example/",
]
LOOPBACK = [
    "127.0.0.1", "127.1", "2130706433", "017700000001", "0x7f000001", "0x7F.1", "0177.0.0.01", "127.0.0.1.", "127.0.0.1..",
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:FFFF:127.0.0.1]", "%31%32%37.1", "127%2e0.0.1", "１２７.0.0.1", "127。0。0。1",
]
NOT_PUBLIC = [
    *LOOPBACK, "[::1]", "[0:0::1]", "[::7f00:1]", "0", "0x", "0.0.0.0", "[::]", "10.0.0.1", "10.1", "167772161", "172.16.0.9",
    "192.168.0.1", "0300.0250.1", "100.64.0.1", "169.254.169.254", "0xA9FEA9FE", "2852039166", "[fd00:ec2::254]",
    "[fe80::1]", "[fc00::1]", "[64:ff9b::a9fe:a9fe]", "[2002:7f00:1::]", "224.0.0.1", "255.255.255.255", "168.63.129.16",
    "198.51.100.7", "[2001:db8::1]",
]
PUBLIC = ["lorem.example", "lorem.example.", "10.example", "127.0.0.1.lorem.example", "localhost", "8.8.8.8", "0x08080808",
          "[2606:4700::1111]", "[::ffff:8.8.8.8]", "bücher.example"]


@pytest.mark.parametrize("url", NO_ADDRESS)
def test_what_is_no_web_address_is_told_so(url: str) -> None:
    with pytest.raises(UnprocessableError, match="is no address"):
        check_target(url, operators_networks("0.0.0.0/0,::/0"))


@pytest.mark.parametrize("path", ["/hook", ":8443/hook?x=y"])
@pytest.mark.parametrize("host", NOT_PUBLIC)
def test_an_address_that_is_not_public_is_refused_in_every_spelling(host: str, path: str) -> None:
    with pytest.raises(UnprocessableError, match=r"isn't on the public internet.*ask the operator"):
        check_target(f"https://{host}{path}", operators_networks("192.168.7.0/24"))


@pytest.mark.parametrize("host", PUBLIC)
def test_names_and_public_addresses_are_taken_with_tls_alone(host: str) -> None:
    check_target(f"https://{host}/hook", ())
    check_target(f"HTTPS://{host}:8443/", operators_networks(" 10.0.0.0/8 , "))
    with pytest.raises(UnprocessableError, match="has no TLS"):
        check_target(f"http://{host}/hook", ())


@pytest.mark.parametrize("scheme", ["https", "http"])
@pytest.mark.parametrize("host", LOOPBACK)
def test_what_the_operator_allows_is_taken_in_every_spelling_without_tls_too(host: str, scheme: str) -> None:
    check_target(f"{scheme}://{host}/hook", operators_networks("10.0.0.0/8, 127.0.0.0/8"))


def test_where_a_network_is_allowed_a_name_may_be_inside_and_a_public_address_is_not() -> None:
    inside = operators_networks("10.0.0.0/8")
    check_target("http://hooks.lorem.example/", inside)
    with pytest.raises(UnprocessableError, match="has no TLS"):
        check_target("http://8.8.8.8/", inside)
