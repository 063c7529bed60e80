"""How a value is written in STIX: observable, pattern, and a name for people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from exchange.connect.value import Value
from exchange.model.identifiers import ip
from exchange.model.identifiers.kind import literal
from exchange.stix import extensions
from exchange.stix.ids import sco_id

_TYPES = {"domain": "domain-name", "url": "url", "email": "email-addr"}
_KINDS = {"ip": "IP address", "url": "URL", "email": "E-mail address", "domain": "Domain"}
_MAX_SPELLINGS = 20
_NAMES = {"x": "X", "vk": "VK", "ok": "OK.ru", "youtube": "YouTube", "tiktok": "TikTok", "linkedin": "LinkedIn"}


def observable(value: Value) -> dict[str, Any]:
    """The observable of a value, by its canonical form: the same in every network and format."""
    if value.account is None:
        kind = _type(value)
        return {"type": kind, "spec_version": "2.1", "id": sco_id(kind, {"value": value.canonical}),
                "value": value.canonical}  # fmt: skip
    account = value.account
    properties = {"account_type": account.platform, account.stix_property: account.key}
    says = {"extension_type": "property-extension", "account_kind": _account_kind(value), "platform": account.platform}
    if account.canonical_url:
        says["url"] = account.canonical_url
    return {"type": "user-account", "spec_version": "2.1", "id": sco_id("user-account", properties), **properties,
            "extensions": {extensions.ACCOUNT: says}}  # fmt: skip


def pattern(value: Value, others: Iterable[str] = ()) -> str:
    """The STIX pattern of a value; ``others`` are further spellings of the same thing."""
    if value.account is None:
        kind = _type(value)
        if "/" in value.canonical and value.kind == "ip":
            return f"[{kind}:value ISSUBSET {literal(value.canonical)}]"
        spellings = (value.canonical, *list(others)[:_MAX_SPELLINGS])
        return "[" + " OR ".join(f"{kind}:value = {literal(one)}" for one in spellings) + "]"
    account = value.account
    parts = [f"[user-account:account_type = {literal(account.platform)} AND "
             f"user-account:{account.stix_property} = {literal(account.key)}]"]  # fmt: skip
    told = list(others)
    hosts = [one.removeprefix("host:") for one in told if one.startswith("host:")]
    addresses = [one for one in told if not one.startswith("host:") and one != account.canonical_url]
    if account.canonical_url:
        addresses.insert(0, account.canonical_url)
    if addresses:
        parts.append("[" + " OR ".join(f"url:value = {literal(one)}" for one in addresses[:_MAX_SPELLINGS]) + "]")
    parts += [f"[domain-name:value = {literal(host)}]" for host in hosts[:_MAX_SPELLINGS]]
    return " OR ".join(parts)


def title(value: Value) -> str:
    """A short name for people."""
    if value.account is None:
        return f"{_KINDS[value.kind]} {value.canonical}"
    platform = _NAMES.get(value.account.platform, value.account.platform.capitalize())
    return f"{platform} {value.account.kind} {value.account.key}"


def _type(value: Value) -> str:
    if value.kind == "ip":
        return "ipv6-addr" if ip.parse(value.canonical).version == 6 else "ipv4-addr"
    return _TYPES[value.kind]


def _account_kind(value: Value) -> str:
    account = value.account
    assert account is not None  # noqa: S101 - only called for accounts
    if account.platform == "reddit" and account.key.startswith("r/"):
        return "subreddit"
    if account.platform == "telegram" and account.key.endswith("bot"):
        return "bot"
    return account.kind
