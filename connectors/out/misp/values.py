"""The identifiers that an indicator or observable tells, as MISP types and values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from exchange.connect.named import PATHS
from exchange.model.misp.types import out_types
from exchange.stix import extensions
from exchange.stix.pattern import Comparison
from exchange.stix.pattern.alternatives import alternatives
from exchange.stix.pattern.tree import Logic, Test

Obj = Mapping[str, Any]

_PATHS = {path: kind for path, kind in PATHS.items() if kind != "image-hash"} | {"file:hashes.SSDEEP": "ssdeep"}
"""STIX paths to the kinds of identifier whose MISP types stand in ``types.toml``."""
_HASHED = ("hmac-sha256:", "subject:")


@dataclass(frozen=True)
class Value:
    """One MISP value."""

    type: str
    category: str
    value: str


@dataclass(frozen=True)
class Account:
    """An account on a platform."""

    platform: str
    key: str
    url: str = ""
    kind: str = "profile"
    is_id: bool = False
    """Whether the key is an id that the platform gave."""


def of_pattern(pattern: str) -> tuple[list[Value], list[Account]] | None:
    """What a pattern of equalities joined by OR looks for; None for any other pattern."""
    tests = alternatives(pattern)
    if tests is None:
        return None
    links = [str(one.value) for test in tests for one in _any_of(test) if one.path.text == "url:value"]
    accounts: list[Account] = []
    values: list[Value] = []
    for test in tests:
        if isinstance(test, Logic) and test.operator == "AND":
            account = _account(test, links[0] if links and not accounts else "")
            if account is None:
                return None
            accounts.append(account)
            continue
        for one in _any_of(test):
            kind = _PATHS.get(one.path.text)
            if kind is None or one.negated or one.operator not in ("=", "ISSUBSET", "IN"):
                return None
            values += [_value(kind, each) for each in _constants(one)]
    if accounts:  # the addresses beside are the account's own
        values = [one for one in values if one.type != "url"]
    return values, accounts


def addresses(pattern: str) -> list[str]:
    """The web addresses that a pattern looks for, in order; empty where it can't be read."""
    found = [one for test in alternatives(pattern) or () for one in _any_of(test)]
    return [str(one.value) for one in found if one.path.text == "url:value" and one.operator == "="]


def _any_of(test: Test) -> list[Comparison]:
    """The comparisons of a test that holds when one of them does; none for another test."""
    if isinstance(test, Comparison):
        return [test]
    if test.operator == "OR" and all(isinstance(one, Comparison) for one in test.operands):
        return [one for one in test.operands if isinstance(one, Comparison)]
    return []


def _account(test: Logic, link: str) -> Account | None:
    """The account of a platform and a login or id; None for anything else."""
    said = {one.path.text: str(one.value) for one in test.operands if isinstance(one, Comparison)
            and one.operator == "=" and not one.negated}  # fmt: skip
    names = ("account_type", "account_login", "user_id")
    platform, login, own = (said.get(f"user-account:{name}", "") for name in names)
    if len(said) != 2 or len(test.operands) != 2 or not platform or (login or own).startswith(_HASHED):
        return None
    return Account(platform, login or own, link, is_id=not login) if login or own else None


def of_observable(obj: Obj) -> list[Value]:
    """The values of an observable that is no account; empty where MISP has none for it."""
    if obj.get("type") == "file":
        hashes = obj.get("hashes")
        found = hashes if isinstance(hashes, Mapping) else {}
        names = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-512": "sha512", "TLSH": "text-fingerprint",
                 "SSDEEP": "ssdeep"}  # fmt: skip
        return [_value(names[name], value) for name, value in found.items() if name in names]
    name = "number" if obj.get("type") == "autonomous-system" else "value"
    kind = _PATHS.get(f"{obj.get('type')}:{name}")
    return [_value(kind, obj[name])] if kind and obj.get(name) else []


def account_of(obj: Obj) -> Account | None:
    """The account of a user-account observable; None where only keyed hashes name it."""
    platform, login, own = (str(obj.get(name) or "") for name in ("account_type", "account_login", "user_id"))
    key = login or own
    if obj.get("type") != "user-account" or not key or key.startswith(_HASHED):
        return None
    says = extensions.of(obj, extensions.ACCOUNT)
    return Account(platform, key, str(says.get("url", "")), str(says.get("account_kind", "profile")), not login)


def _constants(one: Comparison) -> Iterator[object]:
    yield from one.value if isinstance(one.value, tuple) else (one.value,)


def _value(kind: str, value: object) -> Value:
    name, category = out_types()[kind]
    text = str(value)
    if kind == "wallet" and not text.startswith(("1", "3", "bc1")):
        name, category = ("xmr", category) if text[:1] in "48" and len(text) > 90 else ("other", "Other")
    return Value(name, category, text)
