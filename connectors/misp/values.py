"""What an attribute's value is: its assets, or why it isn't taken.

Sentences never repeat a value that mustn't stand in the clear.
"""

from __future__ import annotations

from dataclasses import dataclass

from exchange.connect.asset import Asset, read_asset
from exchange.model.identifiers import account
from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.keyed import Key, Token, token
from exchange.model.identifiers.kinds import KINDS
from exchange.model.misp.types import SSDEEP, AttributeType

_ADDRESSES = ("ipv4", "ipv6", "ipv4-range", "ipv6-range")
_HASHED = frozenset({"email", "phone", "iban", "payment-card", "cookie", "device"})
"""Kinds that travel as keyed hashes once there is a key."""


class RefusedError(ValueError):
    """A value that isn't taken; the message is a sentence for people that doesn't repeat it."""


@dataclass(frozen=True)
class Reading:
    """The identifiers of one value."""

    assets: tuple[Asset, ...] = ()
    tokens: tuple[Token, ...] = ()
    """Keyed hashes, for what travels only so."""


def read(kind: AttributeType, value: str, key: Key | None) -> Reading:
    """The identifiers in a value of a type; with ``key`` those of people become keyed hashes.

    Raises IdentifierError where the value isn't of its type, RefusedError where it may not be taken.
    """
    parts = _parts(value, len(kind.kinds))
    assets: list[Asset] = []
    tokens: list[Token] = []
    for name, part in zip(kind.kinds, parts, strict=True):
        if not name:
            continue
        known = KINDS.get(name)
        if known is not None and ((key is not None and name in _HASHED) or not known.path):
            tokens += _hashed(name, part, key)
        elif name != "hashtag":
            assets.append(_asset(name, part, kind.platform))
    return Reading(tuple(assets), tuple(tokens))


def _parts(value: str, count: int) -> list[str]:
    if count == 1:
        return [value]
    separator = "|" if "|" in value else ":"
    parts = value.rsplit(separator, count - 1)
    if len(parts) != count:
        raise IdentifierError(f"{value[:80]!r} doesn't have the {count} parts of its type")
    return parts


def _asset(name: str, text: str, platform: str) -> Asset:
    if name == "any":
        return read_address(text)
    if name == "ip":
        name = next((one for one in _ADDRESSES if KINDS[one].valid(text)), "ipv4")
    if name == "ssdeep":
        return Asset(SSDEEP, SSDEEP.normalise(text), text)
    return sayable(read_asset(text, name, platform=platform))


def sayable(asset: Asset) -> Asset:
    """The asset, if its canonical text names it again; raises IdentifierError, as for an account on no platform."""
    if asset.account is not None:
        asset.kind.stix(asset.value)
    return asset


def read_address(text: str) -> Asset:
    """The account that an address names, else its URL, else the domain that the text is; raises IdentifierError."""
    located = account.place(text) if "/" in text else None
    if located is not None and located.account is not None and not located.is_post:
        return read_asset(text, "account")
    return read_asset(text, "url" if KINDS["url"].valid(text) and "/" in text.strip("/") else "domain")


def _hashed(name: str, text: str, key: Key | None) -> list[Token]:
    kind = KINDS[name]
    if not kind.hashed_as:
        return []
    if key is None:
        raise RefusedError(f"A {kind.title} isn't taken in the clear: give a ring of keys as the secret keyring.")
    try:
        return [token(kind, text, key)]
    except IdentifierError:
        raise RefusedError(f"The value is no {kind.title}, and isn't taken as a text.") from None
