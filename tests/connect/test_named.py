"""What patterns and observables name: values where they say nothing else, and nothing where they say more."""

from __future__ import annotations

import pytest

from exchange.connect.asset import read_asset
from exchange.connect.named import Name, of_observable, of_pattern
from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.kinds import KINDS

WHOLE = [
    ("[domain-name:value = 'a.example']", [Name("domain", "a.example")]),
    ("[domain-name:value = 'a.example' OR url:value = 'https://a.example/b']",
     [Name("domain", "a.example"), Name("url", "https://a.example/b")]),
    ("[domain-name:value = 'a.example'] OR [ipv4-addr:value = '9.9.9.9']", [Name("domain", "a.example"), Name("ipv4", "9.9.9.9")]),
    ("[ipv4-addr:value ISSUBSET '9.9.9.0/24']", [Name("ipv4-range", "9.9.9.0/24")]),
    ("[user-account:account_type = 'x' AND user-account:account_login = 'lorem'] OR [url:value = 'https://x.com/lorem']",
     [Name("account", "lorem", "x", "https://x.com/lorem")]),
    ("[user-account:account_type = 'x' AND user-account:user_id = '17']", [Name("account", "17", "x")]),
    ("[user-account:account_type = 'x' AND user-account:account_login = 'a'] OR "
     "[user-account:account_type = 'vk' AND user-account:account_login = 'b'] OR [url:value = 'https://a.example/']",
     [Name("account", "a", "x"), Name("account", "b", "vk"), Name("url", "https://a.example/")]),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "names"), WHOLE)
def test_a_pattern_of_alternatives_names_each(pattern: str, names: list[Name]) -> None:
    found = of_pattern(pattern)
    assert found is not None
    assert sorted(map(repr, found)) == sorted(map(repr, names))


@pytest.mark.parametrize("pattern", [
    "[domain-name:value = 'a.example'] AND [domain-name:value = 'b.example']",
    "[domain-name:value = 'a.example'] FOLLOWEDBY [domain-name:value = 'b.example']",
    "[domain-name:value = 'a.example'] REPEATS 3 TIMES", "[domain-name:value LIKE 'a%']", "[domain-name:value MATCHES 'a.*']",
    "[domain-name:value NOT = 'a.example']", "[domain-name:value = 'a.example' AND url:value = 'https://a.example/']",
    "[mutex:name = 'lorem']", "[user-account:account_login = 'lorem' AND user-account:display_name = 'x']", "lorem", "", "[",
])
def test_a_pattern_that_says_more_names_nothing(pattern: str) -> None:
    assert of_pattern(pattern) is None


@pytest.mark.parametrize("name", sorted(KINDS))
def test_what_is_written_of_a_value_names_it_again(name: str) -> None:
    for text in KINDS[name].examples:
        try:
            asset = read_asset(text, name)
            pattern, observed = asset.pattern(), asset.observable
        except IdentifierError:
            continue
        expected = asset.account.key if asset.account else asset.value
        expected = expected.partition(":")[2] if name == "wallet" else expected  # the chain isn't part of the address
        told = of_pattern(pattern)
        assert told is not None
        assert [one.value.removeprefix("AS") for one in told] == [expected.removeprefix("AS")]
        assert [one.value.removeprefix("AS") for one in of_observable(observed)] == [expected.removeprefix("AS")]
