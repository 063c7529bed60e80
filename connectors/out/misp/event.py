"""STIX objects as one MISP event: its head, tags, attributes and objects; pure, and the same for the same objects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from connectors.out.misp.parts import Parts, own_uuid, seconds
from connectors.out.misp.sharing import Reach, Sharing, tags, widest
from exchange.model.misp import words
from exchange.stix import extensions

Obj = Mapping[str, Any]
Json = dict[str, Any]
_AI = {"confirmed": "information-origin:AI-generated", "suspected": "information-origin:uncertain-origin"}
_DICHOTOMIES = "DFRLab-dichotomies-of-disinformation"
_CLAIMS = {"targets": "primary-target", "originates-from": "primary-disinformant"}
_GALAXIES = {"intrusion-set": "threat-actor", "threat-actor": "threat-actor"}
_FRAMEWORKS = {"DISARM": "disarm-techniques", "AMITT": "misinformation-pattern"}
_EXPRESSED = frozenset({"report", "campaign", "attack-pattern", "identity", "marking-definition", "intrusion-set",
                        "threat-actor", "location", "relationship", "extension-definition", "grouping"})
"""Types that become an event's head, tags and structure."""


def to_event(objects: Iterable[Obj], *, home: bool = True) -> Json:
    """The event of one report or campaign and what belongs to it, as ``{"Event": …}``.

    ``home``: the MISP it goes to is in the community that the levels 1 to 3 of its source meant; where it isn't, these
    become the receiver's own organisation (0). Of several versions of an object the last counts.
    """
    return written(objects, home=home)[0]


def written(objects: Iterable[Obj], *, home: bool) -> tuple[Json, dict[str, str]]:
    """As ``to_event``, with what became of each object: id to the reason why it was left out, empty where it wasn't."""
    found = latest(objects)
    sharing = Sharing({key: one for key, one in found.items() if one.get("type") == "marking-definition"}, home)
    head = _head(found)
    above = sharing.reach(head) if head else widest(
        sharing.reach(one) for one in found.values() if one.get("type") == "indicator")
    parts = Parts(found, sharing, above)
    parts.take_all()
    event = _event(head, found, above) | {
        "Attribute": parts.attributes, "Object": list(parts.things.values()),
        "Tag": [{"name": name} for name in _tags(head, found, above)]}  # fmt: skip
    event["attribute_count"] = str(len(parts.attributes) + sum(len(one["Attribute"]) for one in event["Object"]))
    if above.group:
        event["SharingGroup"] = {"uuid": above.group}
    fates = {key: parts.used.get(key, "" if one.get("type") in _EXPRESSED else "MISP has no place for it.")
             for key, one in found.items()}  # fmt: skip
    return {"Event": event}, fates


def latest(objects: Iterable[Obj]) -> dict[str, Obj]:
    """The last version of each object, by id, in the order of their first."""
    found: dict[str, Obj] = {}
    for one in objects:
        known = found.get(str(one["id"]))
        if known is None or str(one.get("modified", "")) >= str(known.get("modified", "")):
            found[str(one["id"])] = one
    return found


def _head(found: Mapping[str, Obj]) -> Obj:
    """The report, else the campaign, that the event is about; empty where there is neither."""
    for kind in ("report", "campaign"):
        for one in found.values():
            if one.get("type") == kind:
                return one
    return {}


def event_uuid(head: Obj, found: Iterable[str] = ()) -> str:
    """The event's UUID: MISP's own, else one that follows from the report's id."""
    return words.referred(head, words.EVENT) or own_uuid("event", head.get("id") or sorted(found)[:1])


def _event(head: Obj, found: Mapping[str, Obj], above: Reach) -> Json:
    said = words.said(head)
    last = max((seconds(one) for one in found.values()), key=int, default="0")
    stamp = seconds(head) if head and words.referred(head, words.EVENT) else last
    producer = str(head.get("created_by_ref") or next(
        (one["created_by_ref"] for one in found.values() if one.get("created_by_ref")), ""))
    event: Json = {
        "uuid": event_uuid(head, found), "info": str(head.get("name") or "Objects of the CIB exchange"),
        "date": said.get("date") or str(head.get("published") or head.get("created") or "1970-01-01")[:10],
        "timestamp": stamp, "publish_timestamp": stamp, "published": said.get("published", "1") == "1",
        "analysis": said.get("analysis", "2"), "threat_level_id": said.get("threat_level_id", "4"),
        "extends_uuid": said.get("extends_uuid", ""), **above.fields(),
    }  # fmt: skip
    orgc = _organisation(found.get(producer, {}), producer)
    return event | ({"Orgc": orgc} if orgc else {})


def _organisation(identity: Obj, identifier: str) -> Json:
    if not identifier:
        return {}
    key = words.referred(identity, words.ORGANISATION) or identifier.partition("--")[2]
    return {"name": str(identity.get("name") or identifier), "uuid": key}


def _tags(head: Obj, found: Mapping[str, Obj], above: Reach) -> list[str]:
    """The tags of the event: its own, and for what no tag says yet those of behaviours, claims and AI use."""
    names = dict.fromkeys(tags(head, above) if head else ([above.tlp.lower()] if above.tlp else []))
    if words.referred(head, words.EVENT):
        return list(names)
    for one in found.values():
        if not one.get("revoked"):
            names |= dict.fromkeys(_tags_of(one, found))
    return list(names)


def _tags_of(one: Obj, found: Mapping[str, Obj]) -> list[str]:
    kind = str(one.get("type"))
    if kind == "attack-pattern":
        return [tag for tag in words.tags(one) if tag.startswith("misp-galaxy:")] or _behaviour(one)
    if kind in _GALAXIES:
        return [f'misp-galaxy:{_GALAXIES[kind]}="{one.get("name")}"']
    if kind == "relationship" and one.get("relationship_type") in _CLAIMS:
        country = found.get(str(one.get("target_ref")), {}).get("country")
        return [f'{_DICHOTOMIES}:{_CLAIMS[one["relationship_type"]]}="{country}"'] if country else []
    if kind in ("campaign", "report"):
        uses = extensions.of(one, extensions.CAMPAIGN).get("ai_use") or ()
        return [_AI[use["status"]] for use in uses if isinstance(use, Mapping) and use.get("status") in _AI]
    return []


def _behaviour(one: Obj) -> list[str]:
    """The galaxy tag of a technique: MISP's clusters go by its name."""
    for reference in one.get("external_references") or ():
        galaxy = _FRAMEWORKS.get(str(reference.get("source_name")).upper())
        if galaxy:
            name = str(reference.get("description") or one.get("name")).rpartition("DISARM v1.7: ")[2]
            return [f'misp-galaxy:{galaxy}="{name}"']
    return []
