"""What an indicator or an observable names, for ways out that tell values and not patterns.

Only a pattern that says nothing but "one of these" is told: whoever looked for the parts of any other pattern would
find what the indicator doesn't mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from exchange.stix import extensions
from exchange.stix.pattern.alternatives import alternatives
from exchange.stix.pattern.tree import Comparison, Logic, Test

PATHS = {
    "domain-name:value": "domain", "url:value": "url", "email-addr:value": "email", "ipv4-addr:value": "ipv4",
    "ipv6-addr:value": "ipv6", "phone-number:value": "phone", "cryptocurrency-wallet:value": "wallet",
    "autonomous-system:number": "autonomous-system", "file:hashes.MD5": "md5", "file:hashes.'SHA-1'": "sha1",
    "file:hashes.'SHA-256'": "sha256", "file:hashes.'SHA-512'": "sha512", "file:hashes.TLSH": "text-fingerprint",
    "file:hashes.PDQ": "image-hash",
}  # fmt: skip
"""STIX paths to kinds of identifier."""


@dataclass(frozen=True)
class Name:
    """One value."""

    kind: str
    """A name of ``KINDS``; ``account`` for accounts of every kind."""
    value: str
    """Of an account its handle or id."""
    platform: str = ""
    url: str = ""
    """An account's address, where one is told."""


def of_pattern(pattern: str) -> tuple[Name, ...] | None:
    """What a pattern of equalities joined by OR names; None for every other pattern."""
    tests = alternatives(pattern)
    if tests is None:
        return None
    accounts: list[Name] = []
    names: list[Name] = []
    for test in tests:
        if isinstance(test, Logic) and test.operator == "AND":
            account = _account(test)
            if account is None:
                return None
            accounts.append(account)
            continue
        for one in _any_of(test):
            name = _name(one) if isinstance(one, Comparison) else None
            if name is None:
                return None
            names.append(name)
    if len({one.platform for one in accounts}) != 1:
        return tuple(dict.fromkeys((*accounts, *names)))
    links = [one.value for one in names if one.kind == "url"]  # beside an account stand addresses of its own
    rest = [one for one in names if one.kind not in ("url", "domain")]
    first = accounts[0]
    with_address = Name(first.kind, first.value, first.platform, links[0] if links else "")
    return tuple(dict.fromkeys((with_address, *rest)))


def of_observable(obj: Mapping[str, Any]) -> tuple[Name, ...]:
    """What an observable names; empty for one that names nothing that is known here."""
    kind = str(obj.get("type"))
    if kind == "user-account":
        key = str(obj.get("account_login") or obj.get("user_id") or "")
        address = str(extensions.of(obj, extensions.ACCOUNT).get("url", ""))
        platform = str(obj.get("account_type") or "")
        return (Name("account", key, platform, address),) if key and platform else ()
    if kind == "file":
        hashes = obj.get("hashes")
        paths = {f"file:hashes.{name}": value for name, value in hashes.items()} if isinstance(hashes, dict) else {}
        paths |= {f"file:hashes.'{path.partition('.')[2]}'": value for path, value in paths.items()}
        return tuple(Name(PATHS[path], str(value)) for path, value in paths.items() if path in PATHS)
    path = f"{kind}:{'number' if kind == 'autonomous-system' else 'value'}"
    value = obj.get(path.partition(":")[2])
    return (_valued(PATHS[path], str(value)),) if path in PATHS and value else ()


def _any_of(test: Test) -> tuple[Test, ...]:
    return test.operands if isinstance(test, Logic) else (test,)


def _name(one: Comparison) -> Name | None:
    kind = PATHS.get(one.path.text)
    if kind is None or one.negated or one.operator not in ("=", "ISSUBSET") or not isinstance(one.value, str | int):
        return None
    return _valued(kind, str(one.value))


def _valued(kind: str, value: str) -> Name:
    return Name(f"{kind}-range" if kind in ("ipv4", "ipv6") and "/" in value else kind, value)


def _account(test: Logic) -> Name | None:
    """An account by platform and handle or id; None for anything else."""
    if len(test.operands) != 2:
        return None
    said = {one.path.text: str(one.value) for one in test.operands
            if isinstance(one, Comparison) and one.operator == "=" and not one.negated}  # fmt: skip
    platform = said.pop("user-account:account_type", "")
    key = said.get("user-account:account_login") or said.get("user-account:user_id") or ""
    return Name("account", key, platform) if platform and key else None
