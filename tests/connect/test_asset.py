"""Values as sources write them, and what they are in STIX."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.connect.asset import head, indicator, is_post, read_asset, relationship
from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.kinds import KINDS
from exchange.stix.validate import check

STAMP = "2026-01-02T03:04:05.000Z"
LOREM = "[user-account:account_type = 'x' AND user-account:account_login = 'lorem'] OR [url:value = 'https://x.com/lorem']"


@pytest.mark.parametrize(("text", "kind", "value", "pattern"), [
    ("x.com/Lorem", "account", "x:lorem", LOREM),
    ("hxxps://twitter[.]com/Lorem/media", "account", "x:lorem", LOREM),
    ("X: @Lorem", "account", "x:lorem", LOREM),
    ("hxxps://x[.]com/Lorem/status/12345678901", "url", "https://x.com/Lorem/status/12345678901",
     "[url:value = 'https://x.com/Lorem/status/12345678901']"),
    ("lorem[.]example[.]com", "domain", "lorem.example.com", "[domain-name:value = 'lorem.example.com']"),
    ("lorem.example/ipsum", "url", "http://lorem.example/ipsum", "[url:value = 'http://lorem.example/ipsum']"),
    ("info[at]lorem[.]org", "email", "info@lorem.org", "[email-addr:value = 'info@lorem.org']"),
    ("203.0.113[.]7", "ipv4", "203.0.113.7", "[ipv4-addr:value = '203.0.113.7']"),
    ("2001:DB8::0:1", "ipv6", "2001:db8::1", "[ipv6-addr:value = '2001:db8::1']"),
    ("203.0.113.9/24", "ipv4-range", "203.0.113.0/24", "[ipv4-addr:value ISSUBSET '203.0.113.0/24']"),
    ("AS64500", "autonomous-system", "AS64500", "[autonomous-system:number = 64500]"),
])  # fmt: skip
def test_a_text_without_a_stated_kind_is_what_it_looks_like(text: str, kind: str, value: str, pattern: str) -> None:
    asset = read_asset(text)
    assert (asset.kind.name, asset.value, asset.pattern(), asset.seen) == (kind, value, pattern, text)


@pytest.mark.parametrize("text", [
    "", "lorem", "63 accounts", "@lorem", "+48 601 234 567", "4111 1111 1111 1111", "why-boyc ott.example", "ftp://lorem.org/a",
])
def test_a_text_that_names_nothing_is_refused(text: str) -> None:
    with pytest.raises(IdentifierError):
        read_asset(text)


def test_an_address_wins_over_the_platform_that_is_stated() -> None:
    assert read_asset("https://t.me/lorem_ipsum", platform="tiktok").value == "telegram:lorem_ipsum"


def test_every_kind_that_may_stand_in_the_clear_makes_a_valid_observable_and_indicator() -> None:
    told = set()
    for name, kind in KINDS.items():
        for text in kind.examples:
            asset = read_asset(text, name, platform="lorem" if name == "handle" else "")
            try:
                made = [asset.observable, indicator(asset, head("indicator", f"indicator--{'0' * 8}-0000-4000-8000-{'0' * 12}",
                                                                STAMP))]
            except IdentifierError:
                continue
            told.add(name)
            assert [check(one) for one in made] == [None, None]
    assert set(KINDS) - told == {"payment-card", "iban", "device", "browser-fingerprint", "cookie", "hashtag", "prompt"}


@pytest.mark.parametrize("text", ["https://medium.com/", "8.8.8.8", "https://www.facebook.com/search?q=lorem", "AS64500"])
def test_what_is_everybodys_says_why_it_is_no_indicator(text: str) -> None:
    assert read_asset(text).nobody


def test_further_spellings_stand_in_the_pattern_once() -> None:
    asset = read_asset("lorem.example.com")
    assert asset.pattern(["lorem.example.com", "lorem.example.net", "lorem.example.net"]) == (
        "[domain-name:value = 'lorem.example.com' OR domain-name:value = 'lorem.example.net']")
    assert read_asset("x.com/lorem").pattern(["https://x.com/lorem", "https://twitter.com/Lorem"]) == (
        LOREM[:-1] + " OR url:value = 'https://twitter.com/Lorem']")


def test_the_kind_of_account_is_what_the_source_says_else_what_the_address_says() -> None:
    def kind(asset: Any) -> str:
        (says,) = asset.observable["extensions"].values()
        return str(says["account_kind"])

    assert kind(read_asset("https://www.facebook.com/groups/lorem")) == "group"
    assert kind(read_asset("https://www.facebook.com/lorem", account_kind="page")) == "page"
    assert kind(read_asset("reddit.com/r/lorem")) == "subreddit"
    assert kind(read_asset("t.me/lorem_bot")) == "bot"


def test_posts_are_told_from_accounts() -> None:
    assert is_post("https://x.com/lorem/status/12345678901")
    assert not is_post("https://x.com/lorem")
    assert not is_post("https://lorem.example/status/1")


def test_empty_properties_are_left_out() -> None:
    made = relationship(head("relationship", "relationship--0", STAMP, by="identity--0"), "indicates", "a", "b",
                        says={"relation": "operated"}, labels=[])
    assert set(made) == {"type", "spec_version", "id", "created_by_ref", "created", "modified", "relationship_type", "source_ref",
                         "target_ref", "extensions"}
