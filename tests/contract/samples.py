"""A sample source for each connector, made by the test: the connector contract runs over all of them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Sample:
    """How to make a source, and which rows it has."""

    make: Callable[[Path], Path]
    """Writes the source below a folder and returns what ``fetch`` takes."""
    rows: frozenset[tuple[str, int]]
    """(file, row) of every row of the source."""
    suffix: str
    """Ending of a file that the connector reads."""


def _id(kind: str, number: int) -> str:
    return f"{kind}--{uuid.uuid5(uuid.NAMESPACE_OID, f'{kind} {number}')}"


def _domain(number: int) -> dict[str, Any]:
    return {"type": "domain-name", "spec_version": "2.1", "id": _id("domain-name", number),
            "value": f"d{number}.example"}


def _relationship(number: int) -> dict[str, Any]:
    return {
        "type": "relationship", "spec_version": "2.1", "id": _id("relationship", number),
        "created": "2024-01-01T00:00:00.000Z", "modified": "2024-01-01T00:00:00.000Z",
        "relationship_type": "related-to", "source_ref": _id("domain-name", number),
        "target_ref": _id("domain-name", number + 1),
        "start_time": "2024-01-01T00:00:00.000Z", "stop_time": "2024-01-01T00:00:00.000Z",
    }


def _stix_folder(folder: Path) -> Path:
    """Two bundles, with objects to be taken, mended and quarantined, some twice, and markings at the end."""
    source = folder / "stix"
    source.mkdir()
    marking = {
        "type": "marking-definition", "spec_version": "2.1", "created": "2017-01-20T00:00:00.000Z",
        "id": "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9", "definition_type": "tlp",
        "name": "TLP:CLEAR", "definition": {"tlp": "clear"},
    }
    first: list[Any] = [make(number) for number in range(600) for make in (_domain, _relationship)]
    first[100] = {"type": "domain-name", "id": "domain-name--1", "value": "bad.example"}
    first[200] = 7
    first[1100] = first[2]
    first.append(marking)
    second = [_domain(number) for number in range(1_000, 1_299)]
    for name, objects in (("a.json", first), ("b.json", second)):
        bundle = {"type": "bundle", "id": _id("bundle", len(objects)), "objects": objects}
        (source / name).write_text(json.dumps(bundle))
    return source


SAMPLES: Mapping[str, Sample] = {
    "stix-file": Sample(
        _stix_folder,
        frozenset([("a.json", row) for row in range(1, 1_202)] + [("b.json", row) for row in range(1, 300)]),
        ".json",
    ),
}
