"""Who may have a descriptor: its share_level as TLP, its privacy as an audience, never wider than it was.

ThreatExchange's privacy groups and members are not known here by themselves: the options ``groups`` and ``members``
say which sharing group or organisation of this exchange stands for which. One that isn't named there keeps a name
of its own, which reaches nobody until somebody bears it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from exchange.connect.procedures import FIXED
from exchange.connect.threatexchange import MARKINGS, NAME
from exchange.stix import extensions
from exchange.stix.ids import derived_id

Object = dict[str, Any]

_GROUPED = frozenset({"HAS_PRIVACY_GROUP", "HAS_PRIVACY_GROUP_AND_WHITELIST"})
_LISTED = frozenset({"HAS_WHITELIST", "HAS_PRIVACY_GROUP_AND_WHITELIST"})


class NotSayableError(ValueError):
    """What a descriptor wishes can't be said here; the message is one sentence for people."""


@dataclass(frozen=True)
class Circle:
    """Through which privacy group descriptors come, and who stands for whom."""

    group: str
    """Its id; empty where they come from a search."""
    groups: Mapping[str, str]
    """Privacy group to sharing group of this exchange."""
    members: Mapping[str, str]
    """App to organisation of this exchange."""

    def markings(self, descriptor: Mapping[str, Any]) -> list[Object | str]:
        """What marks a descriptor: ids of well-known markings, and definitions to be sent along.

        Raises NotSayableError.
        """
        level = descriptor.get("share_level")
        if level not in MARKINGS:
            raise NotSayableError(f"its share_level is {str(level)[:40]!r} and not one of {', '.join(MARKINGS)}")
        audience = self._audience(descriptor)
        return [MARKINGS[str(level)], *([_definition(audience)] if audience else [])]

    def _audience(self, descriptor: Mapping[str, Any]) -> dict[str, list[str]]:
        """Groups and organisations that it is for; empty: whoever its TLP allows."""
        kind = descriptor.get("privacy_type")
        if kind == "VISIBLE":
            return {}
        if kind is not None and kind not in _GROUPED | _LISTED:
            raise NotSayableError(f"its privacy_type {str(kind)[:40]!r} isn't known")
        ids = members(descriptor.get("privacy_members"))
        if not ids:  # only their owner is told who they are: whoever reads through a group knows that group
            if kind == "HAS_WHITELIST" or not self.group:
                raise NotSayableError("it is for certain members only, and the answer doesn't say for whom")
            ids = [self.group]
        found: dict[str, list[str]] = {"sharing_groups": [], "named_orgs": []}
        for one in ids:
            listed = kind == "HAS_WHITELIST" or (kind in _LISTED and one not in self.groups and one != self.group)
            name = self.members.get(one, f"{NAME}-app-{one}") if listed else self.groups.get(one, f"{NAME}-{one}")
            found["named_orgs" if listed else "sharing_groups"].append(name)
        return {name: sorted(set(ones)) for name, ones in found.items() if ones}


def members(stated: Any) -> list[str]:
    """The ids in ``privacy_members``: a list, ``{"data": [{"id": …}]}`` or a text with commas."""
    if isinstance(stated, Mapping):
        stated = stated.get("data")
    if isinstance(stated, str):
        stated = stated.split(",")
    if not isinstance(stated, list):
        return []
    ids = (one.get("id") if isinstance(one, Mapping) else one for one in stated)
    return [str(one).strip() for one in ids if isinstance(one, str | int) and str(one).strip()]


def _definition(audience: Mapping[str, Iterable[str]]) -> Object:
    told = {name: list(ones) for name, ones in audience.items()}
    names = ", ".join(one for ones in told.values() for one in ones)
    return {
        "type": "marking-definition", "spec_version": "2.1", "created": FIXED,
        "id": derived_id("marking-definition", NAME, *(f"{name}:{one}" for name, ones in told.items() for one in ones)),
        "name": f"As shared on ThreatExchange, for {names}"[:250],
        "extensions": {extensions.HANDLING: {"extension_type": "property-extension", "audience": told}},
    }
