"""An event: an account was seen with a value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from exchange.errors import InputError
from exchange.matcher import names
from exchange.matcher.values import LINK_KINDS, address, domain_token, host_form, text_form, token_of

KINDS = (*LINK_KINDS, "link", "picture", "text", "account")
"""``link`` is a page or domain that a post links to; ``account`` a handle (with its platform) or a profile's URL."""
_FIX = ('Write such as {"account": "12345", "kind": "device", "value": "dv_72c5d055f0bb46ae", "seen": 1780272000};'
        f" kinds: {', '.join(KINDS)}.")
_PDQ = re.compile("[0-9a-fA-F]{64}")
_SECONDS_BELOW = 100_000_000_000


@dataclass(frozen=True, slots=True)
class Event:
    """One row of a platform's tables, as it happens."""

    account: str | int
    kind: str
    """One of ``KINDS``."""
    value: str | int
    """In the clear, as a token's text (``dv_…``), or a token or IPv4 address as a number."""
    seen: int | None = None
    """Unix seconds; None counts as a local row without a time."""
    first: int | None = None
    """When the account was first seen with it, if that is known; else ``seen``."""
    platform: str | None = None
    """Of a handle."""
    holders: int = 1
    """How many accounts hold the value, if that is known: rare values say more."""


def read_event(given: Mapping[str, Any], place: str) -> Event:
    """An event of a JSON object. Raises InputError that names the place and what is wrong there."""
    if unknown := set(given) - set(Event.__dataclass_fields__):
        raise InputError(f"{place} has the unknown word {min(unknown)!r}.", fix=_FIX)
    account, kind, value = given.get("account"), given.get("kind"), given.get("value")
    if not _is(account, str, int) or not _is(value, str, int):
        raise InputError(f"{place} needs an account and a value, each a text or a whole number.", fix=_FIX)
    if kind not in KINDS:
        raise InputError(f"{place} has the unknown kind {kind!r}.", fix=_FIX)
    for name in ("seen", "first"):
        moment = given.get(name)
        if moment is not None and not (_is(moment, int) and abs(moment) < _SECONDS_BELOW):
            raise InputError(f"{place}: {name} {moment!r} is no moment in Unix seconds.", fix=_FIX)
    platform, holders = given.get("platform"), given.get("holders", 1)
    if not _is(platform, str, type(None)) or not _is(holders, int) or holders < 1:
        raise InputError(f"{place}: platform must be a text and holders a whole number from 1.", fix=_FIX)
    event = Event(**given)
    if why := _not_of_its_kind(event):
        raise InputError(f"{place}: {str(value)[:60]!r} {why}.", fix=_FIX)
    return event


def _not_of_its_kind(event: Event) -> str:
    """Why a value can't be what its kind says; completes a sentence that begins with it. Empty: it can be."""
    kind, value = event.kind, event.value
    if kind in ("link", "domain"):
        there = domain_token(value) is not None or names.host(host_form(str(value))) is not None
        return "" if there else "is no domain, page or token of one"
    if kind == "ip4":
        return "" if address(value) is not None else "is no IPv4 address"
    if kind in LINK_KINDS:
        return "" if token_of(kind, value) is not None else f"is no {kind.replace('_', ' ')}"
    if kind == "picture":
        return "" if _PDQ.fullmatch(str(value)) else "is no PDQ fingerprint (64 hex digits)"
    if kind == "text":
        return "" if text_form(str(value)) else "has no words"
    known = names.account(None, str(value)) or (event.platform and names.account(event.platform, str(value)))
    return "" if known else "is no profile's URL, and no handle on a platform that is known"


def _is(value: Any, *types: type) -> bool:
    return isinstance(value, types) and not isinstance(value, bool)
