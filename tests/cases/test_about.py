"""What objects speak of: one value however it is written, its platforms, its class."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.cases.about import campaign_class, platforms_of, values
from exchange.stix.extensions import ACCOUNT, CAMPAIGN


def pattern(text: str, pattern_type: str = "stix") -> dict[str, Any]:
    return {"type": "indicator", "pattern_type": pattern_type, "pattern": text}


@pytest.mark.parametrize(("one", "other"), [
    (pattern("[domain-name:value = 'Example.COM']"), {"type": "domain-name", "value": "example.com"}),
    (pattern("[domain-name:value = 'BAD.invalid']"), {"type": "domain-name", "value": "bad.invalid"}),
    (pattern("[ipv4-addr:value = '192.0.2.1']"), {"type": "ipv4-addr", "value": "192.0.2.1"}),
    (pattern("[email-addr:value = 'Ana@Example.com']"), {"type": "email-addr", "value": "Ana@example.com"}),
    (pattern("[user-account:account_type = 'twitter' AND user-account:account_login = 'JDoe']"),
     {"type": "user-account", "account_type": "x", "account_login": "@jdoe"}),
    (pattern("[file:hashes.'SHA-256' = 'AB']"), {"type": "file", "hashes": {"SHA-256": "ab"}}),
    (pattern("[domain-name:value IN ('a.example', 'b.example')]"),
     pattern("[domain-name:value = 'b.example'] OR [domain-name:value = 'a.example']")),
    (pattern("[a:b = 'x']  FOLLOWEDBY [c:d = 'y']"), pattern("[a:b = 'x'] FOLLOWEDBY [c:d = 'y']")),
])
def test_one_value_told_in_two_ways(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert values(one) == values(other) != frozenset()


@pytest.mark.parametrize(("one", "other"), [
    (pattern("[domain-name:value = 'a.example']"), pattern("[domain-name:value != 'a.example']")),
    (pattern("[domain-name:value = 'a.example']"), pattern("[url:value = 'a.example']")),
    (pattern("[user-account:account_type = 'x' AND user-account:account_login = 'a']"),
     pattern("[user-account:account_type = 'facebook' AND user-account:account_login = 'a']")),
    (pattern("[domain-name:value = 'a.example']"), pattern("[domain-name:value = 'a.example']", "sigma")),
])
def test_different_values_stay_apart(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert values(one).isdisjoint(values(other))


@pytest.mark.parametrize("obj", [
    {"type": "campaign", "name": "x"}, {"type": "indicator"}, {"type": "domain-name"}, {"type": "user-account"}, {},
])
def test_what_reports_no_value(obj: dict[str, Any]) -> None:
    assert values(obj) == frozenset()


@pytest.mark.parametrize(("obj", "platforms"), [
    (pattern("[user-account:account_type = 'twitter' AND user-account:account_login = 'a']"), {"x"}),
    (pattern("[url:value = 'https://www.facebook.com/somebody']"), {"facebook"}),
    ({"type": "user-account", "account_login": "a", "extensions": {ACCOUNT: {"platform": "Twitter"}}}, {"x"}),
    (pattern("[domain-name:value = 'a.example']"), set()),
])
def test_the_platforms_that_an_object_is_about(obj: dict[str, Any], platforms: set[str]) -> None:
    assert platforms_of(obj) == platforms


@pytest.mark.parametrize(("obj", "stated"), [
    ({"extensions": {CAMPAIGN: {"campaign_class": "spam"}}, "labels": ["scam"]}, "spam"),
    ({"labels": ["x", "account-takeover"]}, "account-takeover"), ({"labels": ["x"]}, "unstated"), ({}, "unstated"),
])
def test_the_class_that_an_object_states(obj: dict[str, Any], stated: str) -> None:
    assert campaign_class(obj) == stated
