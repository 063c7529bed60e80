"""Accounts of the archive in STIX: those that Twitter named by handle and id, those that it hashed by their hash.

Twitter put one hash in the place of id, name and handle of accounts with fewer than 5,000 followers: base64 of 32
bytes with some characters stripped (41 to 44 long), 64 hex digits in older sets. Such a hash stands as
``user_id`` = ``hashed:…``, so that it never meets a handle or an id of anybody.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from exchange.connect.asset import Asset, read_asset
from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.kind import literal
from exchange.stix import extensions
from exchange.stix.ids import sco_id

Object = dict[str, Any]

_HASHED = re.compile(r"[A-Za-z0-9+/_\-]{38,43}={0,2}\Z|[0-9a-f]{64}\Z")
_ID = re.compile(r"[0-9]{1,20}", re.ASCII)
"""A number as the platform writes it: 64 bits."""
_MOST = 2**53


@dataclass(frozen=True)
class Account:
    """One account of the archive."""

    observed: Object
    """Its observable: the same from the users' and from the tweets' file."""
    asset: Asset | None
    """Its handle; None where the archive doesn't tell it."""
    user_id: str
    """The number that Twitter gave it; empty where the archive doesn't tell it."""

    @property
    def is_named(self) -> bool:
        """Whether it can be found: hashed ones can't."""
        return bool(self.asset or self.user_id)

    @property
    def key(self) -> str:
        """What tells it from others of its data set."""
        return self.asset.value if self.asset is not None else f"x:{self.user_id}"

    @property
    def title(self) -> str:
        """A short name for people."""
        return self.asset.title if self.asset is not None else f"X profile {self.user_id}"

    @property
    def pattern(self) -> str:
        """Finds a named account by its handle, its address and its number."""
        parts = [self.asset.pattern()] if self.asset is not None else []
        if self.user_id:
            parts.append(f"[user-account:account_type = 'x' AND user-account:user_id = {literal(self.user_id)}]")
        return " OR ".join(parts)


def is_hash(text: str) -> bool:
    """Whether an id is one of Twitter's hashes, in either shape."""
    return bool(_HASHED.match(text)) and not text.isdigit()


def account(cells: Mapping[str, str]) -> Account:
    """The account of a row, by the columns that both kinds of file have; raises IdentifierError."""
    number = cells.get("userid", "").strip()
    handle = cells.get("user_screen_name", "").strip()
    if is_hash(number):
        return Account(_observable({"account_type": "x", "user_id": f"hashed:{number}"}, cells), None, "")
    if number and not _ID.fullmatch(number):
        raise IdentifierError(f"{number[:80]!r} is neither an id of X nor one of its hashes")
    if not handle or is_hash(handle):
        if not number:
            raise IdentifierError("the row names no account")
        return Account(_observable({"account_type": "x", "user_id": number}, cells), None, number)
    asset = read_asset(handle, "account", platform="x")
    assert asset.account is not None  # noqa: S101 - an account was asked for
    return Account(_observable({"account_type": "x", "account_login": asset.account.key}, cells), asset, number)


def _observable(named: Mapping[str, str], cells: Mapping[str, str]) -> Object:
    says: Object = {"extension_type": "property-extension", "account_kind": "profile", "platform": "x"}
    followers = cells.get("follower_count", "").strip()
    if _ID.fullmatch(followers) and int(followers) < _MOST:
        says["followers"] = int(followers)
    found = {"type": "user-account", "spec_version": "2.1", "id": sco_id("user-account", named), **named}
    created = _day(cells.get("account_creation_date", ""))
    if created:
        found["account_created"] = f"{created}T00:00:00Z"
    return {**found, "extensions": {extensions.ACCOUNT: says}}


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text.strip()[:10]).isoformat()
    except ValueError:
        return ""
