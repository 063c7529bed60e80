"""Made-up MISP events, as a server writes them: every kind of attribute, object, tag and level."""

from __future__ import annotations

import hashlib
import json
import uuid
from pathlib import Path
from typing import Any

Record = dict[str, Any]
ORG = {"id": "1", "name": "Lorem CERT", "uuid": str(uuid.uuid5(uuid.NAMESPACE_OID, "lorem cert"))}
STAMP = 1_700_000_000


def made(*what: object) -> str:
    """A UUID that is always the same for the same words."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, "/".join(map(str, what))))


def attribute(type_name: str, value: str, **more: Any) -> Record:
    """An attribute, flagged to_ids and inheriting its distribution unless told otherwise."""
    return {"uuid": made("attribute", type_name, value, more.get("object_relation")), "type": type_name, "value": value,
            "category": "Network activity", "to_ids": True, "distribution": "5", "timestamp": str(STAMP),
            "deleted": False, "comment": ""} | more


def tag(name: str, **more: Any) -> Record:
    return {"name": name, "exportable": True} | more


def part(relation: str, value: str, type_name: str = "text", **more: Any) -> Record:
    """An attribute of an object, not flagged unless told otherwise."""
    return attribute(type_name, value, **{"object_relation": relation, "to_ids": False, "category": "Other"} | more)


def thing(name: str, *parts: Record, **more: Any) -> Record:
    """An object."""
    return {"uuid": made("object", name, *(one["value"] for one in parts)), "name": name, "meta-category": "misc",
            "distribution": "5", "timestamp": str(STAMP), "deleted": False, "comment": "",
            "Attribute": list(parts)} | more


def event(*attributes: Record, objects: tuple[Record, ...] = (), tags: tuple[str, ...] = (), **more: Any) -> Record:
    """An event: published, to all communities."""
    return {"uuid": made("event", more.get("info", "lorem")), "info": "Lorem ipsum network", "date": "2023-11-01",
            "timestamp": str(STAMP), "publish_timestamp": str(STAMP + 60), "published": True, "distribution": "3",
            "analysis": "2", "threat_level_id": "2", "Orgc": ORG, "Org": ORG, "Tag": [tag(name) for name in tags],
            "Attribute": list(attributes), "Object": list(objects)} | more


def reference(source: Record, target: Record, relation: str = "related-to", **more: Any) -> Record:
    return {"uuid": made("reference", source["uuid"], target["uuid"], relation), "object_uuid": source["uuid"],
            "referenced_uuid": target["uuid"], "relationship_type": relation, "deleted": False, "comment": "",
            "timestamp": str(STAMP)} | more


def write_feed(folder: Path, events: list[Record]) -> Path:
    """A feed as MISP writes it: manifest.json, hashes.csv and a file for each event."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest, hashes = {}, []
    for one in events:
        names = ("info", "date", "timestamp", "analysis", "threat_level_id", "Orgc", "Tag")
        manifest[one["uuid"]] = {name: one[name] for name in names if name in one}
        for value in (each["value"] for each in one["Attribute"]):
            hashes.append(f"{hashlib.md5(value.encode(), usedforsecurity=False).hexdigest()},{one['uuid']}\n")
        (folder / f"{one['uuid']}.json").write_text(json.dumps({"Event": one}))
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "hashes.csv").write_text("".join(hashes))
    return folder


def sample_events() -> list[Record]:
    """A small and a larger event, with what goes in, what doesn't, and what is refused."""
    account = thing("twitter-account", part("name", "lorem_ipsum_1"), part("id", "1234567890123"),
                    part("url", "https://twitter.com/lorem_ipsum_1", "url", to_ids=True))
    site = attribute("domain", "lorem-ipsum-news.example")
    account["ObjectReference"] = [reference(account, site, "owner-of"), {"relationship_type": "nowhere"}]
    first = event(
        site, attribute("ip-dst", "203.0.113.7"), attribute("ip-dst", "198.51.100.77", Tag=[tag("tlp:amber")]),
        attribute("url", "https://lorem-ipsum-news.example/a", Tag=[tag('false-positive:confirmed="true"')]),
        attribute("iban", "GB82 WEST 1234 5698 7654 32"), attribute("domain", "gone.example", deleted=True),
        attribute("comment", "lorem ipsum", to_ids=False), attribute("lorem-type", "dolor"),
        objects=(account, thing("narrative", part("narrative-summary", "Dolor sit amet"))),
        tags=("tlp:green", 'misp-galaxy:disarm-techniques="Lorem Technique"', 'estimative-language:likelihood-probability="likely"'),
        ShadowAttribute=[attribute("domain", "proposed.example")],
    )
    many = [attribute("domain", f"lorem-{number}.example") for number in range(300)]
    second = event(*many, info="Ipsum", tags=("tlp:amber",), distribution="1", timestamp=str(STAMP + 5))
    return [first, second]


def rows_of(events: list[Record]) -> frozenset[tuple[str, int]]:
    """(file, row) of every record that has a row, counted here by hand-written rules of what an event holds."""
    return frozenset((f"{one['uuid']}.json", row) for one in events for row in range(1, _count(one) + 1))


def _count(one: Record) -> int:
    names = ("Attribute", "Object", "ShadowAttribute", "EventReport", "Tag", "ObjectReference", "Sighting")
    return 1 + sum(_count(each) for name in names for each in one.get(name, []))
