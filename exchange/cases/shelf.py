"""The built-in collection ``records``: a note on each contributor's record, for every member (R29)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson

from exchange.cases.ownership import is_public_authority
from exchange.cases.records import Record
from exchange.model.access import EVERY_MEMBER
from exchange.model.party import Collection, Community, Directory
from exchange.stix.extensions import RECORD
from exchange.stix.ids import derived_id
from exchange.stix.timestamp import from_microseconds

COMMUNITY = Community(id="records", title="Contributors' records", group=EVERY_MEMBER)
COLLECTION = Collection(
    id="b1a3e0de-6a0c-45c7-8f0e-2d1f6f0a9c55", community=COMMUNITY.id, title="Contributors' records", alias="records",
    readers=(EVERY_MEMBER,),
    description="A note on each contributor: how many of its objects were confirmed and overturned.",
)
_SINCE = "2026-06-01T00:00:00.000Z"


def with_records(directory: Directory) -> Directory:
    """The directory with the built-in community and collection added."""
    return replace(
        directory,
        communities={**directory.communities, COMMUNITY.id: COMMUNITY},
        collections={**directory.collections, COLLECTION.id: COLLECTION},
    )


def record_objects(record: Record, directory: Directory) -> list[bytes]:
    """An identity for the contributor, and the note on its record; a changed record is a new version.

    How much it gave and how many of its objects are disputed now isn't told: that would tell of objects that not
    everyone may see (P16).
    """
    organisation = directory.organisations.get(record.org)
    identity: dict[str, Any] = {
        "type": "identity", "spec_version": "2.1", "id": derived_id("identity", "contributor", record.org),
        "created": _SINCE, "modified": _SINCE, "name": record.org, "identity_class": "organization",
    }
    said: dict[str, Any] = {
        "extension_type": "property-extension", "contributor": record.org, "confirmed": record.confirmed,
        "overturned": record.overturned, "classes": _classes(record.by_class),
        "public_authority": organisation is not None and is_public_authority(organisation),
    }
    note = {
        "type": "note", "spec_version": "2.1", "id": derived_id("note", "record", record.org), "created": _SINCE,
        "modified": from_microseconds(record.changed), "authors": ["CIB exchange"],
        "abstract": f"Record of {record.org}",
        "content": f"{record.confirmed} of its objects were confirmed, {record.overturned} overturned.",
        "object_refs": [identity["id"]], "extensions": {RECORD: said},
    }
    return [orjson.dumps(identity), orjson.dumps(note)]


def _classes(by_class: Mapping[str, tuple[int, int]]) -> list[dict[str, Any]]:
    return [{"campaign_class": name, "confirmed": confirmed, "overturned": overturned}
            for name, (confirmed, overturned) in sorted(by_class.items())]
