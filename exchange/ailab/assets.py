"""The accounts and sites that a form names elsewhere: what they are, and whether what it says of them agrees.

Only what the cluster operates becomes an indicator. What it targets or copies never does: a value that is told
both ways is refused, and so is a page on a site that is told as somebody else's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from exchange.ailab.fault import CONFLICT, INVALID, FormFault, place_of
from exchange.model.identifiers.account import place
from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.platforms import table
from exchange.model.identifiers.refang import refang
from exchange.stix.asset import Asset, read_asset

OPERATED, UNKNOWN = "operated", "unknown"
_ACCOUNTS = frozenset({"account", "channel", "group", "page"})


@dataclass(frozen=True)
class Named:
    """One entry of ``external_assets``, read."""

    number: int
    entry: Mapping[str, Any]
    asset: Asset

    @property
    def relation(self) -> str:
        """Of the value to the cluster; ``unknown`` where it isn't said."""
        return str(self.entry.get("relation", UNKNOWN))

    @property
    def key(self) -> tuple[str, str]:
        """What two tellings of one thing have in common."""
        return self.asset.kind.name, self.asset.value

    @property
    def path(self) -> tuple[str, int, str]:
        """Where its value stands."""
        return "external_assets", self.number, "value"

    @cached_property
    def stands_in_stix(self) -> bool:
        """Whether STIX has a place for it by itself (a hashtag has none)."""
        try:
            return bool(self.asset.observable)
        except IdentifierError:
            return False

    @cached_property
    def host(self) -> str:
        """Its host, where it is a site or a page of one."""
        if self.asset.account is not None:
            return ""
        if self.asset.kind.name == "domain":
            return self.asset.value
        return (urlsplit(self.asset.value).hostname or "") if self.asset.kind.name == "url" else ""

    @property
    def is_site(self) -> bool:
        """Whether it is a whole site, and one that isn't shared by many."""
        whole = self.asset.kind.name == "domain" or (self.host != "" and urlsplit(self.asset.value).path in ("", "/"))
        return whole and not self.asset.nobody


def read_assets(document: Mapping[str, Any]) -> tuple[list[Named], list[FormFault]]:
    """The entries that can be read, and a fault for each other."""
    good, faults = [], []
    for number, entry in enumerate(document.get("external_assets", ())):
        try:
            good.append(Named(number, entry, _read(entry)))
        except IdentifierError:
            fix = "its address, or its name with the platform" if entry["type"] in _ACCOUNTS else "it as people open it"
            faults.append(FormFault(("external_assets", number, "value"), INVALID,
                                    f"is no {entry['type']} that can be read. Give {fix}."))
    return good, faults


def _read(entry: Mapping[str, Any]) -> Asset:
    kind, value, platform = entry["type"], entry["value"], entry.get("platform", "")
    if kind in _ACCOUNTS:
        if _elsewhere(value, platform):
            return read_asset(value, "url")
        return read_asset(value, kind, platform=platform, account_kind="profile" if kind == "account" else kind)
    if kind == "url":
        located = place(value)
        if located is not None and located.account is not None and not located.is_post:
            return read_asset(value, "account")
    if kind == "ad" and platform and "/" not in value and ":" not in value:
        value = f"{platform}:{value}"
    return read_asset(value, kind)


def _elsewhere(value: str, platform: str) -> bool:
    """Whether an account is told by its page on a platform that isn't known here, or on a server of the fediverse."""
    scheme, _, rest = refang(value).partition("://")
    page = scheme.lower() in ("http", "https") and rest.partition("/")[2] != ""
    named = table().named(platform)
    return page and place(value) is None and (named is None or named.name == "mastodon")


def conflicts(found: Sequence[Named]) -> Iterator[FormFault]:
    """Values told as the network's own in one entry and as somebody else's in another; linear in the entries."""
    others = [one for one in found if one.relation not in (OPERATED, UNKNOWN)]
    by_key = {one.key: one for one in others}
    sites = {one.host: one for one in others if one.is_site}
    below = {host: one for one in others for host in _and_above(one.host)}
    for one in found:
        if one.relation != OPERATED:
            continue
        other = by_key.get(one.key) or next((sites[host] for host in _and_above(one.host) if host in sites), None)
        if other is None and one.is_site:
            other = below.get(one.host)
        if other is not None:
            yield FormFault(one.path, CONFLICT, f"is told as operated here and as {other.relation} in "
                            f"{place_of(other.path)}. Only what the network runs itself is operated: leave one out.")


def _and_above(host: str) -> list[str]:
    """A host and the domains that it is part of."""
    labels = host.split(".") if host else []
    return [".".join(labels[start:]) for start in range(len(labels))]
