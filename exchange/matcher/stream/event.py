"""An event: an account was seen with a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from exchange.errors import InputError
from exchange.matcher.values import LINK_KINDS

KINDS = (*LINK_KINDS, "link", "picture", "text", "account")
"""``link`` is a page or domain that a post links to; ``account`` a handle (with its platform) or a profile's URL."""
_FIX = ('Write such as {"account": "12345", "kind": "device", "value": "dv_72c5d055f0bb46ae", "seen": 1780272000};'
        f" kinds: {', '.join(KINDS)}.")
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
    return Event(**given)


def _is(value: Any, *types: type) -> bool:
    return isinstance(value, types) and not isinstance(value, bool)
