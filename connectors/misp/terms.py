"""How far MISP lets something go, as markings: distribution and sharing groups as audiences, TLP and PAP by tags.

Nothing comes out wider than it was. An attribute is under the markings of its event, its object and itself; audiences
of several markings are intersected and the strictest TLP holds, as in MISP, where one must see all three. MISP's
levels are audiences under names that nobody in the exchange has (``exchange.model.misp.words``), so that restricted
things reach nobody until the option ``audience`` says who that is here:

    0 own organisation, 1 this community, 2 connected communities, 4 a sharing group: an audience; AMBER (0:
    AMBER+STRICT) where no TLP is stated.  3 all communities: TLP as stated, else the policy pack's.  5: inherited.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.misp import record
from connectors.misp.record import Record
from connectors.misp.tags import restricts
from exchange.connect.asset import Object
from exchange.errors import InputError
from exchange.model.misp.words import GROUP, LEVELS, NAME
from exchange.stix import extensions, tlp
from exchange.stix.handling import PAP_IDS
from exchange.stix.ids import derived_id

_TLP_REFS = {level: identifier for identifier, level in tlp.TLP2_IDS.items()}
_PAP_REFS = {level.lower(): identifier for identifier, level in PAP_IDS.items()}
_INHERIT = frozenset({"", "5"})
_OPEN = "3"
_WORDS = {"organisation": LEVELS["0"], "community": LEVELS["1"], "connected": LEVELS["2"]}
_FIX = "Write LEVEL=group:NAME or LEVEL=org:NAME, LEVEL being organisation, community, connected, or the name or" \
       " UUID of a sharing group or organisation, several separated by commas."  # fmt: skip


class UnsayableError(ValueError):
    """A wish about sharing that can't be said here; the message is one sentence for people."""


@dataclass(frozen=True)
class Audiences:
    """Who MISP's levels, sharing groups and organisations are in the exchange."""

    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    orgs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Terms:
    """The markings of something: ids of well known ones, and objects of those made here."""

    refs: tuple[str, ...] = ()
    made: Mapping[str, Object] = field(default_factory=dict)
    """Marking-definitions by id."""
    tlp: bool = False
    """Whether a TLP level is stated."""

    def joined(self, other: Terms) -> Terms:
        """Both hold."""
        return Terms(tuple(dict.fromkeys((*self.refs, *other.refs))), {**self.made, **other.made},
                     self.tlp or other.tlp)

    def about(self, data: Mapping[str, Any]) -> Terms:
        """Further, what is said of the personal data in it (``data`` of the handling extension)."""
        marking = _marking({"data": dict(data)}, "Personal data", sorted(f"{name}={data[name]}" for name in data))
        return self.joined(Terms((marking["id"],), {marking["id"]: marking}))


NO_TERMS = Terms()


def read_audiences(option: str) -> Audiences:
    """The option ``audience``; raises InputError."""
    groups: dict[str, tuple[str, ...]] = {}
    orgs: dict[str, tuple[str, ...]] = {}
    for entry in filter(None, (part.strip() for part in option.split(","))):
        level, _, who = entry.rpartition("=")
        kind, _, name = who.partition(":")
        if not level.strip() or kind not in ("group", "org") or not name.strip():
            raise InputError(f"The option audience can't be read at {entry[:80]!r}.", fix=_FIX)
        into = groups if kind == "group" else orgs
        known = level.strip().casefold()
        into[known] = (*into.get(known, ()), name.strip())
    return Audiences(groups, orgs)


def stated(item: Record, tags: Iterable[str], above: Terms | None, audiences: Audiences) -> Terms:
    """What a record states itself, joined to what stands above it (None: it is an event); raises UnsayableError."""
    if above is None and record.text(item, "distribution") == "5":
        raise UnsayableError("The event inherits its distribution, and there is nothing to inherit it from.")
    above = above or NO_TERMS
    refs = [ref for tag in tags if (ref := _tag_ref(tag))]
    says_tlp = above.tlp or any(ref in tlp.TLP2_IDS for ref in refs)
    level = record.text(item, "distribution")
    if level in _INHERIT or level == _OPEN:
        return above.joined(Terms(tuple(refs), tlp=says_tlp))
    marking = _marking({"audience": _audience(item, level, audiences)}, *_title(item, level))
    if not says_tlp:
        refs.append(_TLP_REFS["TLP:AMBER+STRICT" if level == "0" else "TLP:AMBER"])
    return above.joined(Terms((*refs, marking["id"]), {marking["id"]: marking}, True))


def _tag_ref(tag: str) -> str:
    """The marking of a tag; empty where it says nothing about sharing."""
    found = tlp.from_word(tag)
    if found is not None:
        return _TLP_REFS["TLP:CLEAR" if found[1] == "TLP:WHITE" else found[1]]
    if not restricts(tag):
        return ""
    pap = _PAP_REFS.get(tag.strip().lower())
    if pap is None:
        raise UnsayableError(f"The tag {tag[:60]!r} restricts sharing in a way that is no level of TLP or PAP.")
    return pap


def _audience(item: Record, level: str, audiences: Audiences) -> dict[str, Any]:
    if level in LEVELS:
        word = LEVELS[level]
        known = next(name for name, one in _WORDS.items() if one == word)
        keys = [known, *(_organisation_keys(item) if level == "0" else ())]
    elif level == "4":
        group = record.child(item, "SharingGroup")
        identifier = record.text(group, "uuid") or f"id-{record.text(item, 'sharing_group_id') or 'unknown'}"
        word = GROUP + identifier
        members = [key for one in record.children(group, "SharingGroupOrg") for key in _organisation_keys(one)]
        keys = [identifier.casefold(), record.text(group, "name").casefold(), *members]
    else:
        raise UnsayableError(f"The distribution {level[:20]!r} is none of MISP's levels 0 to 5.")
    groups = [one for key in keys for one in audiences.groups.get(key, ())]
    orgs = [one for key in keys for one in audiences.orgs.get(key, ())]
    return {"sharing_groups": list(dict.fromkeys([word, *groups])), "named_orgs": list(dict.fromkeys(orgs))}


def _organisation_keys(item: Record) -> list[str]:
    organisation = record.child(item, "Organisation") or record.child(item, "Orgc") or record.child(item, "Org")
    return [record.text(organisation, name).casefold() for name in ("uuid", "name") if record.text(organisation, name)]


def _title(item: Record, level: str) -> tuple[str, list[str]]:
    group = record.child(item, "SharingGroup")
    names = {"0": "the source's own organisation", "1": "the source's MISP community",
             "2": "the source's MISP community and those connected to it"}  # fmt: skip
    name = names.get(level) or f"the MISP sharing group {record.text(group, 'name') or 'without a name'}"
    return f"Only {name[:200]}", []


def _marking(says: Mapping[str, Any], name: str, keys: Sequence[str]) -> Object:
    told = says.get("audience") or {}
    parts = [*keys, *told.get("sharing_groups", ()), "|", *told.get("named_orgs", ())]
    return {
        "type": "marking-definition", "spec_version": "2.1", "created": record.EPOCH, "name": name,
        "id": derived_id("marking-definition", NAME, name, *parts),
        "extensions": {extensions.HANDLING: {"extension_type": "property-extension", **says}},
    }  # fmt: skip
