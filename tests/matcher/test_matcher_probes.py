"""Which STIX paths mean which kind, in which form."""

import pytest

from exchange.matcher.patterns import Unit, Unusable
from exchange.matcher.probes import probes
from exchange.matcher.values import clear_token, key

TOKEN = 0x72C5D055F0BB46AE
PDQ = "ab" * 32


def made(path, text, subset=False):
    return probes(Unit(((path, text),), subset), 0.4)


FOUND = [
    ("x-cib-device:token", "dv_72c5d055f0bb46ae", {("device", "token", key("device", TOKEN), "")}),
    ("x-cib-payment:token", "pm_72c5d055f0bb46ae", {("payment", "token", key("payment", TOKEN), "")}),
    ("x-cib-upload-fp:token", "uf_72c5d055f0bb46ae", {("upload_fp", "token", key("upload_fp", TOKEN), "")}),
    ("x-cib-cookie:token", "ck_1", {("cookie", "token", key("cookie", 1), "")}),
    ("domain-name:value", "md_72c5d055f0bb46ae.example", {("email_domain", "token", key("email_domain", TOKEN), "")}),
    ("domain-name:value", "dn_72c5d055f0bb46ae.example", {("domain", "token", key("domain", TOKEN), "")}),
    (
        "email-addr:value",
        "Jo@Mail.example",
        {("email", "token", key("email", clear_token("email", "jo@mail.example")), "")},
    ),
    ("x-cib-media:pdq", PDQ.upper(), {("picture", "picture", 0, PDQ)}),
    ("ipv4-addr:value", "10.1.2.3", {("ip4", "token", key("ip4", 0x0A010203), "")}),
    ("ipv4-addr:value", "10.1.2.3/32", {("ip4", "token", key("ip4", 0x0A010203), "")}),
    ("ipv4-addr:value", "10.1.2.3/24", {("ip_range", "range", 0x0A0102, "")}),
    ("ipv4-addr:value", "11.0.0.0/8", {("ip_range", "range", 11, "")}),
    ("network-traffic:dst_ref.value", "10.1.2.3", {("ip4", "token", key("ip4", 0x0A010203), "")}),
    ("x-cib-post:text", "Hello", {("text", "text", 0, "Hello")}),
    ("url:value", "https://www.News.example/a/", {("url", "url", 0, "news.example/a")}),
    ("url:value", "https://twitter.com/Jo", {("url", "url", 0, "twitter.com/Jo"), ("account", "account", 0, "x:jo")}),
    (
        "domain-name:value",
        "a.evil.example",
        {
            ("domain", "host", 0, "a.evil.example"),
            ("domain", "host", 0, "evil.example"),
            ("email_domain", "token", key("email_domain", clear_token("email_domain", "a.evil.example")), ""),
        },
    ),
]


@pytest.mark.parametrize(("path", "text", "expected"), FOUND, ids=[f"{case[0]} {case[1]}" for case in FOUND])
def test_a_path_becomes_values_of_its_kind(path, text, expected):
    assert expected == {(probe.kind, probe.how, probe.key, probe.text) for probe in made(path, text)}


REFUSED = [
    ("x-cib-device:token", "ph_1", "a token of phone stands where one of device must"),
    ("domain-name:value", "dv_1.example", "a token of device stands where one of a domain must"),
    ("domain-name:value", "co.uk", "the domain is a public suffix or a host that many unrelated people use"),
    ("domain-name:value", "facebook.com", "the domain is a public suffix or a host that many unrelated people use"),
    ("domain-name:value", "no domain", "the domain is none"),
    ("ipv4-addr:value", "10.1.2", "the address is none"),
    ("ipv4-addr:value", "0.0.0.0/0", "the range is wider than /8: it names nobody"),
    ("ipv4-addr:value", "2001:db8::/32", "nothing local is compared with ipv6-addr:value"),
    ("x-cib-media:pdq", "ab", "the PDQ fingerprint is not 64 hex digits"),
    ("url:value", "mailto:jo@example.com", "the URL is none"),
    ("user-account:account_login", "jo", "the account is named without its platform, or in a form that isn't known"),
    ("file:hashes.MD5", "ab", "nothing local is compared with file:hashes"),
]


@pytest.mark.parametrize(("path", "text", "reason"), REFUSED, ids=[f"{case[0]} {case[1]}" for case in REFUSED])
def test_what_cannot_be_looked_up_is_said_with_a_reason(path, text, reason):
    assert Unusable(reason) == made(path, text)


def test_a_parent_domain_counts_less_than_the_indicated_one():
    similarity = {probe.text: probe.similarity for probe in made("domain-name:value", "a.evil.example") if probe.text}
    assert similarity == {"a.evil.example": 1.0, "evil.example": 0.4}


def test_an_account_is_read_from_its_platform_and_name():
    unit = Unit((("user-account:account_type", "twitter"), ("user-account:account_login", "@Jo")))
    assert [probe.text for probe in probes(unit, 0.4)] == ["x:jo"]


def test_an_address_is_read_from_the_pair_that_misp_exports():
    unit = Unit((("network-traffic:dst_ref.type", "ipv4-addr"), ("network-traffic:dst_ref.value", "10.0.0.1")))
    assert [("ip4", key("ip4", 0x0A000001))] == [(probe.kind, probe.key) for probe in probes(unit, 0.4)]
