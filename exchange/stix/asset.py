"""How a value that a source names is written in STIX: what it is, its observable, its pattern, and its indicator.

A value becomes an indicator only where its publisher presents it as operated by a network and where it isn't
nobody's (a shared host, a search page, a private address): the STIX profile's two rules. Whoever calls
``indicator`` has seen to the first; ``Asset.nobody`` tells the second.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from exchange.model.identifiers import account
from exchange.model.identifiers.account import AccountKey
from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.kind import Kind, literal
from exchange.model.identifiers.kinds import KINDS
from exchange.model.identifiers.refang import refang
from exchange.stix import extensions
from exchange.stix.ids import sco_id

Object = dict[str, Any]

_ACCOUNTS = frozenset({"account", "page", "group", "channel", "handle"})
_NAMES = {"x": "X", "vk": "VK", "ok": "OK.ru", "youtube": "YouTube", "tiktok": "TikTok", "linkedin": "LinkedIn"}
_GUESSES = ("ipv4", "ipv6", "ipv4-range", "ipv6-range", "email", "sha256", "sha1", "md5", "sha512", "wallet",
            "autonomous-system", "hashtag", "domain", "account", "url")  # fmt: skip
"""Kinds in the order in which a text without a stated kind is tried; before them comes an address of an account."""
_MAX_SPELLINGS = 20


@dataclass(frozen=True)
class Asset:
    """One identifier that a source names."""

    kind: Kind
    value: str
    """Its canonical text: what is compared, whoever tells it."""
    seen: str
    """As the source wrote it."""
    account: AccountKey | None = None
    """Where it is an account, page, group or channel."""
    account_kind: str = ""
    """What kind of account the source says it is, in the words of the account extension; else by its address."""

    @cached_property
    def nobody(self) -> str:
        """Why it stands for nobody in particular, so that it is no indicator by itself; else empty."""
        return self.kind.nobody(self.value)

    @property
    def title(self) -> str:
        """A short name for people."""
        if self.account is None:
            return f"{self.kind.title[:1].upper()}{self.kind.title[1:]} {self.value}"
        platform = _NAMES.get(self.account.platform, self.account.platform.capitalize())
        return f"{platform} {self._account_kind(self.account)} {self.account.key}"

    @property
    def observable(self) -> Object:
        """Its cyber-observable, the same in every source; IdentifierError where it may not stand in the clear."""
        if self.account is not None:
            return self._user_account(self.account)
        said = self.kind.stix(self.value)
        (path, value), = said.items()
        name, _, place = path.partition(":")
        if name == "file":
            digest = place.removeprefix("hashes.").strip("'")
            return _observable("file", {"hashes": {digest: value}})
        if place == "number":
            return _observable(name, {place: int(value)})
        return _observable(name, {place: value})

    def pattern(self, others: Iterable[str] = ()) -> str:
        """The STIX pattern that finds it; ``others`` are further addresses or spellings of the same thing.

        Raises IdentifierError where it may not stand in the clear.
        """
        told = [one for one in dict.fromkeys(others) if one != self.value][:_MAX_SPELLINGS]
        if self.account is not None:
            address = self.account.canonical_url
            urls = [address, *(one for one in told if one != address)] if address else told
            named = self.kind.pattern(self.value)
            return f"{named} OR [{' OR '.join(f'url:value = {literal(one)}' for one in urls)}]" if urls else named
        if not told or self.kind.operator != "=":
            return self.kind.pattern(self.value)
        (path, _), = self.kind.stix(self.value).items()
        return "[" + " OR ".join(f"{path} = {literal(one)}" for one in (self.value, *told)) + "]"

    def _account_kind(self, key: AccountKey) -> str:
        if self.account_kind:
            return self.account_kind
        if key.platform == "reddit" and key.key.startswith("r/"):
            return "subreddit"
        return "bot" if key.platform == "telegram" and key.key.endswith("bot") else key.kind

    def _user_account(self, key: AccountKey) -> Object:
        says = {"extension_type": "property-extension", "account_kind": self._account_kind(key),
                "platform": key.platform}  # fmt: skip
        if key.canonical_url:
            says["url"] = key.canonical_url
        return _observable("user-account", {"account_type": key.platform, key.stix_property: key.key}) | {
            "extensions": {extensions.ACCOUNT: says}}


def read_asset(text: str, kind: str | None = None, *, platform: str = "", account_kind: str = "") -> Asset:
    """The asset of a text, fanged or defanged.

    ``kind`` is a name of ``KINDS``; None takes the first that fits. ``platform`` names where a bare handle is
    from; an address wins over it. An address of a known platform becomes the account that it names, unless a
    kind other than an account's is given. Raises IdentifierError, for people, where it is none, for a kind that
    there isn't, and for a post's address without an author where an account was asked for.
    """
    if kind is not None and kind not in KINDS:
        raise IdentifierError(f"there is no kind of identifier {kind!r}")
    if kind in _ACCOUNTS or (kind is None and platform):
        key = account.account_key(platform, text) if platform else account.read(text)
        return Asset(KINDS["account"], key.text, text, key, account_kind)
    if kind is not None:
        return Asset(KINDS[kind], KINDS[kind].normalise(text), text)
    return _guessed(text, account_kind)


def _guessed(text: str, account_kind: str) -> Asset:
    located = account.place(text) if "/" in text and not text.strip().startswith("@") else None
    if located is not None and located.account is not None and not located.is_post:
        return Asset(KINDS["account"], located.account.text, text, located.account, account_kind)
    for name in _GUESSES:
        if (name == "url" and "/" not in text) or (name == "account" and (located or not _told(text))):
            continue
        if KINDS[name].valid(text):
            return read_asset(text, name, account_kind=account_kind)
    raise IdentifierError(f"{text[:80]!r} is no identifier that is known")


def _told(text: str) -> bool:
    """Whether a text is ``platform:handle``: a bare word says no platform."""
    return ":" in text and "://" not in refang(text)


def is_post(text: str) -> bool:
    """Whether a text is the address of a post on a known platform: content, and not who put it there."""
    located = account.place(text)
    return located is not None and located.is_post


def head(
    type_name: str, identifier: str, created: str, modified: str = "", *, by: str = "", markings: Iterable[str] = (),
) -> Object:
    """What every domain object and relationship begins with; times in STIX form, ``modified`` as ``created`` where
    empty, ``by`` and ``markings`` are ids.
    """
    found: Object = {"type": type_name, "spec_version": "2.1", "id": identifier}
    if by:
        found["created_by_ref"] = by
    found |= {"created": created, "modified": modified or created}
    marked = list(dict.fromkeys(markings))
    return found | {"object_marking_refs": marked} if marked else found


def indicator(
    asset: Asset, heading: Mapping[str, Any], *, valid_from: str = "", types: Iterable[str] = ("attribution",),
    description: str = "", others: Iterable[str] = (), **more: Any,
) -> Object:
    """The indicator of an asset; ``more`` are further properties (labels, valid_until…), empty ones left out.

    ``types`` is ``("benign",)`` for what its source calls legitimate: it then suppresses partners' matches. Raises
    IdentifierError where the value may not stand in the clear.
    """
    found = {**heading, "name": asset.title, "indicator_types": list(types), "pattern": asset.pattern(others),
             "pattern_type": "stix", "valid_from": valid_from or heading["created"]}  # fmt: skip
    more["description"] = description
    return found | {name: value for name, value in more.items() if value not in ("", None, [], {})}


def relationship(
    heading: Mapping[str, Any], kind: str, source: str, target: str, *, description: str = "",
    says: Mapping[str, Any] | None = None, **more: Any,
) -> Object:
    """A relationship from ``source`` to ``target`` (ids); ``says`` goes into our relationship extension."""
    found = {**heading, "relationship_type": kind, "source_ref": source, "target_ref": target}
    more["description"] = description
    found |= {name: value for name, value in more.items() if value not in ("", None, [], {})}
    if says:
        found["extensions"] = {extensions.RELATIONSHIP: {"extension_type": "property-extension", **says}}
    return found


def _observable(type_name: str, properties: Mapping[str, Any]) -> Object:
    return {"type": type_name, "spec_version": "2.1", "id": sco_id(type_name, properties), **properties}
