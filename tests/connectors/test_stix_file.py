"""STIX files: a table of documents and what becomes of each of their objects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from connectors.stix_file import CONNECTOR
from exchange.connect import stix_files
from exchange.connect.contract import Row
from exchange.connect.source import Source
from exchange.errors import InputError

UUIDS = [f"0d3a4c0e-7ad0-4b8b-9b1f-8a4d0f8a9c{n:02x}" for n in range(40)]
DOMAIN = {"type": "domain-name", "spec_version": "2.1", "id": f"domain-name--{UUIDS[0]}",
          "value": "a.example"}
OTHER = {**DOMAIN, "id": f"domain-name--{UUIDS[1]}", "value": "b.example"}
IDENTITY = {"type": "identity", "spec_version": "2.1", "id": f"identity--{UUIDS[2]}", "name": "n",
            "created": "2024-01-01T00:00:00Z", "modified": "2024-01-01T00:00:00Z"}
INDICATOR = {**IDENTITY, "type": "indicator", "id": f"indicator--{UUIDS[3]}", "pattern": "[url:value = 'x']",
             "pattern_type": "stix", "valid_from": "2024-01-01T00:00:00Z"}
TECHNIQUE = {**IDENTITY, "type": "attack-pattern", "id": f"attack-pattern--{UUIDS[4]}"}
MARKING = {"type": "marking-definition", "spec_version": "2.1", "id": f"marking-definition--{UUIDS[5]}",
           "created": "2024-01-01T00:00:00Z", "definition_type": "statement",
           "definition": {"statement": "s"}}
BUNDLE_ID = f"bundle--{UUIDS[6]}"


def bundle(*objects: Any, **more: Any) -> dict[str, Any]:
    return {"type": "bundle", "id": BUNDLE_ID, "objects": list(objects), **more}


def read(path: Path) -> tuple[list[dict[str, Any]], list[Row]]:
    batches = list(CONNECTOR.fetch(Source(str(path)), None))
    items = [dict(item) for batch in batches for item in batch.upserts]
    return items, [row for batch in batches for row in batch.rows]


def outcomes(rows: list[Row]) -> list[tuple[int, str]]:
    return sorted((row.row, row.outcome) for row in rows)


def raw(value: Any) -> bytes:
    return json.dumps(value, indent=1).encode()


@pytest.mark.parametrize(("content", "expected"), [
    (raw(bundle(DOMAIN, INDICATOR, TECHNIQUE, IDENTITY)), ["note", "indicator", "behaviour", "note"]),
    (raw([DOMAIN, INDICATOR]), ["note", "indicator"]),
    (raw(INDICATOR), ["indicator"]),
    (raw({"more": False, "objects": [DOMAIN]}), ["note"]),  # a TAXII envelope
    (raw([bundle(DOMAIN), bundle(OTHER)]), ["repaired", "repaired"]),
    (raw(bundle(bundle(bundle(DOMAIN), OTHER))), ["repaired"]),
    (raw(bundle(bundle(DOMAIN, {"type": "identity"}))), ["quarantined"]),
    (raw(bundle(DOMAIN, 7, "x", None, [DOMAIN])), ["note", *["quarantined"] * 4]),
    (raw(bundle()), ["blank"]),
    (raw(bundle(DOMAIN, DOMAIN)), ["note", "note"]),
    (raw(bundle(IDENTITY, {**IDENTITY, "name": "other"})), ["note", "quarantined"]),
    (raw(bundle(MARKING, {**MARKING})), ["note", "note"]),
    (raw(bundle({"type": "domain-name", "value": "x"})), ["quarantined"]),
    (raw({"name": "package", "version": "1"}), ["quarantined"]),
    (raw(bundle({**IDENTITY, "spec_version": "2.0"}, spec_version="2.0")), ["repaired"]),
    (b"\xef\xbb\xbf" + raw(bundle(DOMAIN)), ["note"]),
    (json.dumps(bundle(DOMAIN)).encode("utf-16"), ["note"]),
    (raw(DOMAIN) + b"\n" + raw(OTHER), ["note", "note"]),
    (b'{"objects": [' + raw(DOMAIN) + b", " + raw(OTHER)[:-9], ["note", "quarantined"]),
    (b'{"objects": [' + raw(DOMAIN) + b", ", ["note", "quarantined"]),
    (b'{"objects": [{"type": "domain-name", "type": "x"},' + raw(OTHER) + b"]}", ["quarantined", "note"]),
    (b'{"objects": [{"type": "\xff"},' + raw(OTHER) + b"]}", ["quarantined", "note"]),
    (b'{"objects": [{"type": oops},' + raw(OTHER) + b"]}", ["quarantined", "note"]),
    (b'{"objects": [{"a": ' + b"[" * 70 + b"]" * 70 + b"}," + raw(OTHER) + b"]}", ["quarantined", "note"]),
    (raw(bundle({**DOMAIN, "x_big": 10**300})), ["note"]),
])
def test_every_object_is_taken_mended_or_quarantined(
    tmp_path: Path, content: bytes, expected: list[str]
) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    _, rows = read(path)
    assert list(enumerate(expected, 1)) == outcomes(rows)
    assert {"a.json"} == {row.file for row in rows}


@pytest.mark.parametrize(("content", "words"), [
    (b'[\n {"type": "identity",\n  "name" 7}]', ["line 2, column 2", "line 3, column 10", "json-invalid"]),
    (b'[{"type": oops}]', ["line 1, column 11"]),
    (b'[{"a": 1, "a": 2}]', ["'a' stands twice"]),
    (b'[{"type": "identity", "id": "x"}', ["ends before its list does", "line 1, column 33"]),
    (b'[\n\n{"type": "identity"', ["line 3, column 1", "in the middle"]),
    (raw(bundle(IDENTITY, {**IDENTITY, "name": "o"})), ["Row 1 has the same id and version"]),
    (raw(bundle(bundle(DOMAIN, {"type": "identity"}))), ["1 of its 2 objects were taken"]),
])
def test_a_reason_tells_place_and_cause(tmp_path: Path, content: bytes, words: list[str]) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    reason = " ".join(row.reason for row in read(path)[1])
    for word in words:
        assert word in reason


@pytest.mark.parametrize(("content", "words"), [
    (b"", "is empty"),
    (b"\xef\xbb\xbf  ", "is empty"),
    (b"  hello", "line 1, column 3"),
    (b"<stix:STIX_Package/>", "STIX 1.x"),
    (b"\xff\xfe{", "isn't"),
])
def test_a_file_that_can_hold_no_stix_is_refused_in_words(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=words):
        read(path)
    (tmp_path / "b.json").write_bytes(raw(DOMAIN))
    _, rows = read(tmp_path)
    assert [(row.file, row.outcome) for row in rows] == [("a.json", "quarantined"), ("b.json", "note")]


def test_a_file_beyond_the_limit_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stix_files, "MAX_FILE_BYTES", 1_000)
    path = tmp_path / "a.json"
    path.write_bytes(b" " * 1_001)
    with pytest.raises(InputError, match="1,001 bytes; at most 1,000"):
        read(path)


def test_markings_go_first_so_that_what_refers_to_them_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "identity").mkdir()
    (tmp_path / "marking-definition").mkdir()
    (tmp_path / "identity" / "a.json").write_bytes(raw(bundle(DOMAIN, MARKING)))
    other = {**MARKING, "id": f"marking-definition--{UUIDS[9]}"}
    (tmp_path / "marking-definition" / "b.JSON").write_bytes(raw(other))
    items, rows = read(tmp_path)
    assert [item["type"] for item in items] == ["marking-definition", "marking-definition", "domain-name"]
    assert [
        (row.file, row.row) for row in rows
    ] == [("marking-definition/b.JSON", 1), ("identity/a.json", 2), ("identity/a.json", 1)]


def test_what_is_taken_is_not_touched(tmp_path: Path) -> None:
    custom = {"x_opencti_score": 50, "x_other": {"ü": [1, 2.5, True]}}
    item = {**IDENTITY, **custom, "confidence": 0, "labels": ["é"]}
    path = tmp_path / "a.json"
    path.write_bytes(raw(bundle(item)))
    assert [item] == read(path)[0]


def test_hidden_files_and_other_endings_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "a.json").write_bytes(raw(DOMAIN))
    (tmp_path / "readme.md").write_text("# no")
    (tmp_path / "b.json").write_bytes(raw(DOMAIN))
    assert [row.file for row in read(tmp_path)[1]] == ["b.json"]


def test_a_file_that_changed_after_the_crash_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(raw([DOMAIN]))
    mark = next(iter(CONNECTOR.fetch(Source(str(path)), None))).checkpoint
    assert list(CONNECTOR.fetch(Source(str(path)), mark)) == []
    path.write_bytes(raw([DOMAIN, OTHER]))
    assert len(next(iter(CONNECTOR.fetch(Source(str(path)), mark))).rows) == 2


def test_progress_rises_to_one(tmp_path: Path) -> None:
    for number in range(3):
        objects = [{**DOMAIN, "value": f"{number}-{n}.example"} for n in range(700)]
        (tmp_path / f"{number}.json").write_bytes(raw(objects))
    shares = [batch.progress or 0 for batch in CONNECTOR.fetch(Source(str(tmp_path)), None)]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
