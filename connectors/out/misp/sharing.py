"""How far an object may go in MISP: distribution and tags from its markings, never wider than they are.

An audience made of a MISP level gives that level back where the target is in the community that the level meant
(``home``); in any other MISP it would mean other people, so that only a sharing group, which names its members by
UUID, stays what it was and everything else is the receiver's own organisation's. Without an audience TLP:CLEAR goes to
all communities unless it holds personal data, which is never public (P6), and TLP:GREEN to this community (``home``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from exchange.model.misp import words
from exchange.stix import extensions, personal, tlp
from exchange.stix.handling import PAP_IDS

Obj = Mapping[str, Any]
OWN_ONLY, COMMUNITY_ONLY, CONNECTED, EVERYBODY, GROUP_ONLY, INHERITED = "0", "1", "2", "3", "4", "5"
_WIDTH = {OWN_ONLY: 0, GROUP_ONLY: 1, COMMUNITY_ONLY: 2, CONNECTED: 3, EVERYBODY: 4, INHERITED: 5, "": 5}
_STRICT = ("TLP:CLEAR", "TLP:GREEN", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:RED")


@dataclass(frozen=True)
class Reach:
    """How far one object may go."""

    level: str
    group: str = ""
    """UUID of the sharing group of level 4."""
    tlp: str = ""
    """The strictest level stated, such as ``TLP:AMBER``; empty where none is."""
    pap: tuple[str, ...] = ()
    implied: bool = False
    """Whether the TLP may only have come from a MISP level, which says it already."""

    def fields(self) -> dict[str, str]:
        """``distribution`` and ``sharing_group_id`` as MISP writes them."""
        return {"distribution": self.level, "sharing_group_id": "0"}


@dataclass(frozen=True)
class Sharing:
    """Reads the markings of a set of objects."""

    markings: Mapping[str, Obj]
    """Marking-definitions by id."""
    home: bool
    """Whether the target is in the MISP community that levels 1 to 3 meant."""

    def reach(self, obj: Obj, above: Reach | None = None) -> Reach:
        """How far an object may go; what can't be resolved counts as the strictest (P2).

        ``above`` is how far its event may go: what its source let inherit goes as far, under the same TLP.
        """
        refs = [str(ref) for ref in obj.get("object_marking_refs") or ()]
        refs += [str(one.get("marking_ref")) for one in obj.get("granular_markings") or () if one.get("marking_ref")]
        tags = words.tags(obj)
        stated = [level for ref in refs if (level := self._tlp(ref))]
        stated += [_plain(found[1]) for tag in tags if (found := tlp.from_word(tag))]
        strictest = max(stated, key=_STRICT.index, default="")
        handling = [extensions.of(self.markings.get(ref, {}), extensions.HANDLING) for ref in refs]
        audiences = [says["audience"] for says in handling if says.get("audience")]
        unknown = [ref for ref in refs if ref not in self.markings and not tlp.well_known(ref) and ref not in PAP_IDS]
        groups = [list(map(str, one.get("sharing_groups") or ())) for one in audiences]
        pap = tuple(PAP_IDS[ref].lower().replace("pap", "PAP") for ref in refs if ref in PAP_IDS)
        if unknown:
            return Reach(OWN_ONLY, tlp=strictest or "TLP:RED", pap=pap)
        if audiences:
            level, group = self._of_audiences(groups)
            implied = self.home and all(map(words.distribution, groups)) and not any(map(tlp.from_word, tags))
            return Reach(level, group, strictest, pap, implied)
        own = [_plain(found[1]) for tag in tags if (found := tlp.from_word(tag))]
        if above is not None and strictest == above.tlp and not own:
            own = [strictest]
        return Reach(self._of_tlp(obj, strictest, strictest in own), tlp=strictest, pap=pap)

    def _tlp(self, ref: str) -> str:
        known = tlp.well_known(ref)
        if known is None:
            read = tlp.from_definition(self.markings.get(ref, {}))
            known = read if isinstance(read, tuple) else None
        return _plain(known[1]) if known else ""

    def _of_audiences(self, groups: list[list[str]]) -> tuple[str, str]:
        """The narrowest of the levels that the audiences were made of; own organisation where one is of none."""
        levels = [words.distribution(one) or OWN_ONLY for one in groups]
        level = min(levels, key=_WIDTH.__getitem__)
        named = {words.sharing_group(one) for one, each in zip(groups, levels, strict=True) if each == GROUP_ONLY}
        if level == GROUP_ONLY and len(named) == 1:
            return level, named.pop()
        if level == GROUP_ONLY or not self.home:
            return OWN_ONLY, ""
        return level, ""

    def _of_tlp(self, obj: Obj, strictest: str, tagged: bool) -> str:
        """The level without an audience; ``tagged``: the source itself stated the level together with this TLP."""
        said = words.said(obj)
        silent = INHERITED if "type" in said or "name" in said else ""  # an attribute or object may say nothing
        own = said.get("distribution", silent)
        if self.home and own in (EVERYBODY, INHERITED) and (tagged or not strictest):
            return EVERYBODY  # its source gave it to all communities itself, and the tag goes with it
        if strictest == "TLP:CLEAR" and personal.status(obj) == "no":
            return EVERYBODY
        if strictest in ("TLP:CLEAR", "TLP:GREEN") and self.home:
            return COMMUNITY_ONLY
        return OWN_ONLY


def narrower(one: Reach, other: Reach) -> bool:
    """Whether one goes less far than the other, or to another sharing group."""
    if one.level == other.level == GROUP_ONLY:
        return one.group != other.group
    return _WIDTH[one.level] < _WIDTH[other.level]


def widest(found: Iterable[Reach]) -> Reach:
    """The widest of several, so that each may state its own within it; the narrowest where there are none."""
    return max(found, key=lambda one: _WIDTH[one.level], default=Reach(OWN_ONLY))


def tags(obj: Obj, reach: Reach, above: Reach | None = None) -> list[str]:
    """The tags of an object, with its TLP and PAP; what stands above it isn't said again."""
    found = [tag for tag in words.tags(obj) if not _is_wider(tag, reach.tlp)]
    said = any(tlp.from_word(tag) for tag in found)
    if reach.tlp and not said and not reach.implied and (above is None or above.tlp != reach.tlp):
        found.append(reach.tlp.lower())
    known = {tag.lower() for tag in found}
    inherited = above.pap if above is not None else ()
    return found + [pap for pap in reach.pap if pap.lower() not in known and pap not in inherited]


def _is_wider(tag: str, level: str) -> bool:
    found = tlp.from_word(tag)
    return found is not None and bool(level) and _STRICT.index(_plain(found[1])) < _STRICT.index(level)


def _plain(level: str) -> str:
    return "TLP:CLEAR" if level == "TLP:WHITE" else level
