"""DISARM's releases become versions of one set of techniques; made-up bundles, and the published ones."""

from __future__ import annotations

import json
import uuid
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from connectors.disarm import CONNECTOR
from exchange.connect.contract import Row
from exchange.connect.source import Source
from exchange.errors import InputError
from exchange.stix.behaviour import names_behaviour
from exchange.stix.timestamp import version_key
from exchange.stix.validate import check

REAL = Path(__file__).parents[2].parent / "shared" / "data" / "disarm"


def technique(number: str, name: str, day: str, **more: Any) -> dict[str, Any]:
    """As DISARM writes one: an id and a created of its own in each release."""
    stamp = f"{day}T10:00:00.123456Z"
    return {
        "type": "attack-pattern", "spec_version": "2.1",
        "id": f"attack-pattern--{uuid.uuid5(uuid.NAMESPACE_OID, number + day)}", "created": stamp, "modified": stamp,
        "name": name, "description": f"Lorem {name}.",
        "kill_chain_phases": [{"kill_chain_name": "mitre-attack", "phase_name": "plan-lorem"}],
        "external_references": [{"source_name": "mitre-attack", "external_id": number, "url": f"https://disarm.example/{number}"}],
    } | more  # fmt: skip


def bundle(path: Path, *objects: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"type": "bundle", "id": f"bundle--{uuid.uuid5(uuid.NAMESPACE_OID, str(path))}", "objects": objects}))


def bring(place: Path, **options: str) -> tuple[list[Row], dict[str, list[dict[str, Any]]]]:
    """Rows, and the versions of each object in the order in which they go in."""
    rows: list[Row] = []
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for batch in CONNECTOR.fetch(Source(str(place), {"crosswalk": "no", **options}), None):
        rows += batch.rows
        for one in batch.upserts:
            assert check(one) is None, one
            if one not in found[one["id"]]:
                found[one["id"]].append(dict(one))
    return rows, found


def named(found: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    return {ones[0]["external_references"][0]["external_id"]: ones for ones in found.values() if ones[0]["type"] == "attack-pattern"}


@pytest.fixture
def releases(tmp_path: Path) -> Path:
    parent, child = technique("T0001", "Lorem", "2024-11-22"), technique("T0001.001", "Ipsum", "2024-11-22")
    link = {"type": "relationship", "id": f"relationship--{uuid.uuid4()}", "relationship_type": "subtechnique-of",
            "created": "2024-11-22T10:00:00Z", "modified": "2024-11-22T10:00:00Z", "source_ref": child["id"], "target_ref": parent["id"]}
    bundle(tmp_path / "v1.6" / "DISARM.json", parent, child, link, technique("T0002", "Dolor", "2024-11-22"),
           {"type": "x-mitre-tactic", "id": f"x-mitre-tactic--{uuid.uuid4()}", "name": "Plan Lorem"})
    bundle(tmp_path / "v1.10" / "DISARM.json", technique("T0001", "Lorem renamed", "2026-01-21"),
           technique("T0001.001", "Ipsum", "2026-01-21"), technique("T0003", "Dolor", "2026-01-21"))
    return tmp_path


def test_a_technique_is_one_object_with_a_version_per_release(releases: Path) -> None:
    _, found = bring(releases)
    versions = named(found)["T0001.001"]
    assert [one["external_references"][0]["description"] for one in versions] == ["DISARM v1.6", "DISARM v1.10"]
    assert len({one["created"] for one in versions}) == 1
    assert version_key(versions[0]["modified"]) < version_key(versions[1]["modified"])
    assert {one["kill_chain_phases"][0]["kill_chain_name"] for one in versions} == {"disarm"}
    assert all(map(names_behaviour, versions))


def test_what_is_retired_or_renamed_is_told(releases: Path) -> None:
    rows, found = bring(releases)
    last = named(found)["T0002"][-1]
    assert last["labels"] == ["retired"]
    assert last["description"].startswith("Retired in DISARM v1.10.")
    assert named(found)["T0001"][-1]["aliases"] == ["Lorem"]
    told = {(row.file, row.row): row.reason for row in rows if row.reason and row.outcome == "behaviour"}
    assert told == {("v1.6/DISARM.json", 4): "T0002 is retired in v1.10.",
                    ("v1.10/DISARM.json", 1): "T0001 was named 'Lorem' before."}
    heirs = [ones[0] for ones in found.values() if "goes on as T0003" in ones[0].get("description", "")]
    assert [(one["source_ref"], one["target_ref"]) for one in heirs] == [(last["id"], named(found)["T0003"][0]["id"])]


def test_relationships_join_techniques_by_their_disarm_id(releases: Path) -> None:
    _, found = bring(releases)
    (link,) = [ones[0] for ones in found.values() if ones[0].get("relationship_type") == "subtechnique-of"]
    ids = {number: ones[0]["id"] for number, ones in named(found).items()}
    assert (link["source_ref"], link["target_ref"]) == (ids["T0001.001"], ids["T0001"])


def test_each_object_of_a_bundle_is_a_row(releases: Path) -> None:
    rows, _ = bring(releases)
    assert [(row.file, row.row, row.outcome) for row in rows] == [
        *(("v1.6/DISARM.json", row, outcome) for row, outcome in
          enumerate(("behaviour", "behaviour", "note", "behaviour", "note"), 1)),
        *(("v1.10/DISARM.json", row, "behaviour") for row in (1, 2, 3)),
    ]  # fmt: skip


VERSIONS = [("DISARM.json", "1.7", "", "DISARM v1.7"), ("v1.8/DISARM.json", "", "", "DISARM v1.8"),
            ("DISARM_1.9.json", "", "", "DISARM v1.9"), ("DISARM.json", "", "https://git.example/DISARMframeworks-17/T1.md", "DISARM v1.7"),
            ("DISARM.json", "", "", "DISARM v2026-01-21")]


@pytest.mark.parametrize(("name", "option", "url", "told"), VERSIONS)
def test_the_release_is_known_by_option_path_address_or_day(tmp_path: Path, name: str, option: str, url: str, told: str) -> None:
    folder = tmp_path / "lorem" / "ipsum" / "dolor"
    reference = {"source_name": "mitre-attack", "external_id": "T0001", "url": url or "http://x"}
    bundle(folder / name, technique("T0001", "Lorem", "2026-01-21", external_references=[reference]))
    _, found = bring(folder, **({"version": option} if option else {}))
    assert named(found)["T0001"][0]["external_references"][0]["description"] == told


def test_what_is_no_technique_is_put_aside(tmp_path: Path) -> None:
    bundle(tmp_path / "v1.6.json", technique("T0001", "Lorem", "2024-11-22"), technique("T0001", "Twice", "2024-11-22"),
           technique("TA01", "Tactic", "2024-11-22"), {"type": "malware"}, 7,
           {"type": "relationship", "relationship_type": "subtechnique-of", "source_ref": "x", "target_ref": "y"})
    rows, found = bring(tmp_path)
    assert [row.outcome for row in rows] == ["behaviour", *["quarantined"] * 5]
    assert list(named(found)) == ["T0001"]


def test_a_file_that_is_no_bundle_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("<stix:STIX_Package/>")
    with pytest.raises(InputError, match=r"STIX 1\.x"):
        bring(tmp_path / "a.json")
    rows, _ = bring(tmp_path)
    assert [row.outcome for row in rows] == ["quarantined"]


def test_the_crosswalk_says_that_nobody_reviewed_it(tmp_path: Path) -> None:
    bundle(tmp_path / "v1.7.json", technique("T0146", "Account Asset", "2026-01-21"))
    _, found = bring(tmp_path, crosswalk="yes")
    links = [ones[0] for ones in found.values() if "crosswalk" in ones[0].get("labels", ())]
    assert len(links) == 7, "procedures 0.9.1 to 0.9.7"
    assert all(one["labels"] == ["crosswalk", "reviewed:false"] and "reviewed = false" in one["description"] for one in links)
    assert {one["target_ref"] for one in links} == {named(found)["T0146"][0]["id"]}


@pytest.mark.skipif(not REAL.is_dir(), reason="the real data isn't beside the project: DISARM's releases aren't read")
def test_the_published_releases_are_one_collection() -> None:
    rows, found = bring(REAL, crosswalk="yes")
    assert [row for row in rows if row.outcome == "quarantined"] == []
    assert sum(row.outcome == "behaviour" for row in rows) == 391 + 445
    techniques = {number: ones for number, ones in named(found).items() if number.startswith("T")}
    assert len(techniques) == 445 + 13
    assert sum("retired" in ones[-1].get("labels", ()) for ones in techniques.values()) == 13
    assert all(len({one["created"] for one in ones}) == 1 for ones in found.values())
    assert "mitre-attack" not in json.dumps(list(found.values()))
    ids = set(found)
    assert all({one[0]["source_ref"], one[0]["target_ref"]} <= ids for one in found.values() if one[0]["type"] == "relationship")
