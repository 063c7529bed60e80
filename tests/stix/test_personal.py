"""Which personal data an object visibly holds, and what is said when nobody knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.model.terms import PersonalData
from exchange.stix import extensions
from exchange.stix.personal import categories, status

Make = Callable[..., dict[str, Any]]
HASHED = {"extension_type": "property-extension", "hashed_identifiers": [
    {"of": "email", "alg": "hmac-sha256", "key_id": "k", "value": "0" * 64}]}


def _stix(pattern: str) -> dict[str, Any]:
    return {"pattern": pattern}


@pytest.mark.parametrize(("type_name", "changes", "held", "word"), [
    ("user-account", {}, {"Username"}, "yes"),
    ("user-account", {"user_id": "5", "display_name": "J"}, {"Username", "PlatformAccountId"}, "yes"),
    ("user-account", {"account_login": ..., "user_id": "hmac-sha256:k:00"}, set(), "yes"),
    ("email-addr", {"display_name": "J Doe"}, {"EmailAddress", "Name"}, "yes"),
    ("email-message", {}, set(), "unknown"),
    ("ipv4-addr", {}, {"IPAddress"}, "yes"),
    ("ipv4-addr", {"value": "198.51.100.0/24"}, set(), "unknown"),
    ("ipv4-addr", {"value": "198.51.100.7/32"}, {"IPAddress"}, "yes"),
    ("ipv6-addr", {"value": "2001:db8::/32"}, set(), "unknown"),
    ("ipv6-addr", {"value": "2001:db8::1/128"}, {"IPAddress"}, "yes"),
    ("phone-number", {"value": "+3312345"}, {"TelephoneNumber"}, "yes"),
    ("domain-name", {}, set(), "no"),
    ("url", {}, set(), "no"),
    ("url", {"value": "https://twitter.com/jdoe"}, {"PlatformAccountId"}, "yes"),
    ("url", {"value": "mailto:jo@lorem.example"}, {"EmailAddress"}, "yes"),
    ("url", {"value": "https://lorem.example/leave?who=jo%40lorem.example"}, {"EmailAddress"}, "yes"),
    ("url", {"value": "https://lorem.example/@jo"}, set(), "no"),
    ("file", {}, set(), "no"),
    ("identity", {}, set(), "unknown"),
    ("identity", {"identity_class": "organization"}, set(), "no"),
    ("identity", {"identity_class": "individual", "contact_information": "a@b"}, {"Name", "EmailAddress"}, "yes"),
    ("campaign", {}, set(), "no"),
    ("campaign", {"extensions": {extensions.ACCOUNT: HASHED}}, set(), "yes"),
    ("report", {}, set(), "unknown"),
    ("note", {}, set(), "unknown"),
    ("x-own", {}, set(), "unknown"),
    ("relationship", {}, set(), "no"),
    ("observed-data", {"objects": {"0": {"type": "email-addr", "value": "a@b"}}}, {"EmailAddress"}, "yes"),
    ("indicator", _stix("[domain-name:value = 'a.example' OR file:name = 'f']"), set(), "no"),
    ("indicator", _stix("[url:value = 'https://x.com/jdoe']"), {"PlatformAccountId"}, "yes"),
    ("indicator", _stix("[user-account:account_type = 'x' AND user-account:account_login = 'j']"), {"Username"},
     "yes"),
    ("indicator", _stix("[user-account:account_type = 'x' AND user-account:user_id = 'hmac-sha256:k:00']"), set(),
     "unknown"),
    ("indicator", _stix("[ipv4-addr:value ISSUBSET '198.51.100.0/24']"), set(), "unknown"),
    ("indicator", _stix("[ipv4-addr:value IN ('198.51.100.0/24', '198.51.100.9')]"), {"IPAddress"}, "yes"),
    ("indicator", _stix("[email-message:from_ref.value = 'a@b']"), {"EmailAddress"}, "yes"),
    ("indicator", _stix("[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '1.2.3.4']"),
     {"IPAddress"}, "yes"),
    ("indicator", _stix("[x-cib-device:token = 'dv_1']"), set(), "unknown"),
    ("indicator", {"pattern": "rule", "pattern_type": "yara"}, set(), "unknown"),
])
def test_what_is_visibly_personal(
    make: Make, type_name: str, changes: dict[str, Any], held: set[str], word: str
) -> None:
    obj = make(type_name, **changes)
    assert (held, word) == (set(categories(obj)), status(obj))


@pytest.mark.parametrize(("stated", "word"), [
    ("yes", "yes"), ("no", "no"), ("unknown", "yes"), (None, "yes"), (PersonalData(personal="no"), "no"),
    (PersonalData(), "yes"),
])
def test_the_contributor_is_taken_at_his_word_and_the_policy_judges_it(
    make: Make, stated: PersonalData | str | None, word: str
) -> None:
    assert word == status(make("email-addr"), stated)


@given(st.dictionaries(
    st.sampled_from(["type", "value", "user_id", "pattern", "pattern_type", "objects", "identity_class", "extensions"]),
    st.text(max_size=30) | st.integers() | st.lists(st.text(max_size=3))
    | st.sampled_from(["url", "indicator", "stix", "user-account", "identity", "https://x.com/%", "http://[",
                       "t.me/\x00"]),
))
def test_no_object_makes_it_crash(obj: dict[str, Any]) -> None:
    assert status(obj) in ("yes", "no", "unknown")
