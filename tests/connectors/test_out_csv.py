"""The way out to CSV: a row per value, safe in a spreadsheet, and read back as it was."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.out.csv import COLUMNS, PUBLISHER, safe
from connectors.table import CONNECTOR
from exchange.connect.asset import head, indicator, read_asset, relationship
from exchange.connect.outward import Sent, Target
from exchange.connect.source import Source
from exchange.errors import InputError
from exchange.stix.ids import derived_id
from exchange.stix.tlp import TLP2_IDS

STAMP = "2026-01-01T00:00:00.000Z"
AMBER = next(ref for ref, level in TLP2_IDS.items() if level == "TLP:AMBER")
CAMPAIGN = head("campaign", derived_id("campaign", "test"), STAMP) | {"name": "Lorem network"}
LOREM = head("identity", derived_id("identity", "test"), STAMP) | {"name": "Lorem Institute", "identity_class": "organization"}


def told(value: str, kind: str | None = None, **more: Any) -> dict[str, Any]:
    opened = head("indicator", derived_id("indicator", "test", value), STAMP, by=LOREM["id"], markings=[AMBER])
    return indicator(read_asset(value, kind), opened, **more)


def linked(item: dict[str, Any], relation: str, **more: Any) -> dict[str, Any]:
    opened = head("relationship", derived_id("relationship", item["id"]), STAMP)
    ends = (item["id"], CAMPAIGN["id"]) if item["type"] == "indicator" else (CAMPAIGN["id"], item["id"])
    return relationship(opened, "related-to", *ends, says={"relation": relation}, **more)


def write(path: Path, objects: list[dict[str, Any]], **options: str) -> tuple[list[dict[str, str]], dict[str, Sent]]:
    sents = {one.id: one for one in PUBLISHER.publish(objects, Target(str(path), options))}
    assert sents.keys() == {one["id"] for one in objects}
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8"), newline=""))), sents


def test_a_row_says_what_the_value_is_to_whom(tmp_path: Path) -> None:
    item = told("https://x.com/Made_Up", confidence=60, types=("attribution",))
    link = linked(item, "operated", start_time="2025-02-03T00:00:00Z", stop_time="2025-04-05T00:00:00Z")
    (row,), _ = write(tmp_path / "a.csv", [item, link, CAMPAIGN, LOREM])
    assert row == {
        "type": "account", "value": "made_up", "platform": "x", "url": "https://x.com/made_up", "relation": "operated",
        "role": "", "campaign": "Lorem network", "tlp": "TLP:AMBER", "confidence": "60", "first_seen": "2025-02-03T00:00:00Z",
        "last_seen": "2025-04-05T00:00:00Z", "source": "Lorem Institute", "id": item["id"],
    }  # fmt: skip
    assert tuple(row) == COLUMNS


def test_relations_other_than_operated_keep_their_word(tmp_path: Path) -> None:
    benign = told("lorem-op.example", types=("benign",))
    target = read_asset("ipsum.example").observable
    loose = read_asset("dolor.example").observable
    rows, sents = write(tmp_path / "a.csv", [benign, target, linked(target, "impersonated"), loose, CAMPAIGN])
    assert {row["value"]: row["relation"] for row in rows} == {
        "lorem-op.example": "legitimate", "ipsum.example": "impersonated", "dolor.example": "unknown"}
    assert {one.state for one in sents.values()} == {"sent"}


def test_a_value_told_by_indicator_and_observable_is_one_row(tmp_path: Path) -> None:
    rows, _ = write(tmp_path / "a.csv", [read_asset("lorem-op.example").observable, told("lorem-op.example")])
    assert [row["id"] for row in rows] == [told("lorem-op.example")["id"]]


def test_the_latest_version_counts_and_a_revoked_one_is_gone(tmp_path: Path) -> None:
    item, other = told("lorem-op.example", confidence=10), told("ipsum-op.example")
    rows, _ = write(tmp_path / "a.csv", [item, other, item | {"confidence": 90}, other | {"revoked": True}])
    assert [(row["value"], row["confidence"]) for row in rows] == [("lorem-op.example", "90")]


def test_what_a_table_has_no_place_for_is_left_out(tmp_path: Path) -> None:
    compound = told("lorem-op.example") | {"pattern": "[domain-name:value = 'a.example'] AND [domain-name:value = 'b.example']"}
    note = head("note", derived_id("note", "test"), STAMP) | {"content": "x", "object_refs": [CAMPAIGN["id"]]}
    rows, sents = write(tmp_path / "a.csv", [compound, note])
    assert rows == []
    assert {one.state for one in sents.values()} == {"left-out"}


@pytest.mark.parametrize(("cell", "written"), [
    ("=1+1", "'=1+1"), ("+44", "'+44"), ("-1", "'-1"), ("@lorem", "'@lorem"), ("\t=1", "'\t=1"), (" =1", "' =1"), ("\x1f@a", "'\x1f@a"), ("\u2003+1", "'\u2003+1"),
    ("\r\n=1", "'\r\n=1"), ("lorem", "lorem"), ("", ""), ("a=1", "a=1"), ("60", "60"),
])
def test_a_cell_is_no_formula(cell: str, written: str) -> None:
    assert safe(cell) == written


@given(st.text(max_size=10))
def test_no_cell_begins_like_a_formula(cell: str) -> None:
    assert safe(cell).lstrip()[:1] not in ("=", "+", "-", "@")
    assert safe(cell).removeprefix("'") == cell.removeprefix("'")


def test_addresses_can_be_written_so_that_nobody_clicks_on_them(tmp_path: Path) -> None:
    rows, _ = write(tmp_path / "a.csv", [told("https://lorem-op.example/a")], defang="yes")
    assert rows[0]["value"] == "hxxps[://]lorem-op[.]example/a"


@pytest.mark.parametrize("defang", ["yes", "no"])
def test_a_table_written_here_is_read_here_as_it_was(tmp_path: Path, defang: str) -> None:
    values = [("https://x.com/Made_Up", None), ("lorem-op.example", None), ("https://lorem-op.example/a,b", None),
              ("9.10.11.12", None), ("9.10.11.0/24", None), ("ab" * 32, "sha256"), ("+44 20 7946 0958", "phone"),
              ("lorem@op-lorem.org", None), ("t.me/made_up", None)]  # fmt: skip
    items = [told(value, kind) for value, kind in values]
    write(tmp_path / "a.csv", [*items, *(linked(one, "operated") for one in items), CAMPAIGN, LOREM], defang=defang)
    found = [one for batch in CONNECTOR.fetch(Source(str(tmp_path / "a.csv")), None) for one in batch.upserts]
    read = {one["pattern"] for one in found if one["type"] == "indicator"}
    assert read == {one["pattern"] for one in items}
    assert {one["name"] for one in found if one["type"] == "campaign"} == {"Lorem network"}


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="folder"):
        write(tmp_path, [])
