"""What a run writes: bundle.json, rows.jsonl, the summary."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from exchange.connect.contract import Row
from exchange.connect.preview import PreviewSink
from exchange.connect.report import Report
from exchange.connect.rows import RowsFile
from exchange.connect.summary import summary
from exchange.errors import InputError
from exchange.model.pushed import PushOutcome

GOOD = (b'{"type":"domain-name","spec_version":"2.1",'
        b'"id":"domain-name--0d3a4c0e-7ad0-4b8b-9b1f-8a4d0f8a9c00","value":"a.example"}')
BAD = GOOD.replace(b'"value":"a.example"', b'"value":7')


def test_a_preview_writes_each_object_once_and_the_same_bytes_again(tmp_path: Path) -> None:
    for name in ("a", "b"):
        with PreviewSink(tmp_path / name) as sink:
            assert [one.state for one in sink.push([GOOD, BAD, b"{", GOOD], terms={})] == [
                "added", "refused", "refused", "unchanged",
            ]
            sink.save_checkpoint("c", "s", {"x": 1})
            assert sink.load_checkpoint("c", "s") is None
    first, second = ((tmp_path / name / "bundle.json").read_bytes() for name in ("a", "b"))
    assert first == second
    bundle = json.loads(first)
    assert bundle["type"] == "bundle"
    assert bundle["id"].startswith("bundle--")
    assert [json.loads(GOOD)] == bundle["objects"]
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["bundle.json"]


def test_a_preview_of_nothing_is_a_bundle_without_objects(tmp_path: Path) -> None:
    with PreviewSink(tmp_path):
        pass
    assert set(json.loads((tmp_path / "bundle.json").read_bytes())) == {"type", "id"}


def test_a_preview_that_fails_leaves_the_former_one(tmp_path: Path) -> None:
    with PreviewSink(tmp_path):
        pass
    before = (tmp_path / "bundle.json").read_bytes()
    with pytest.raises(AttributeError), PreviewSink(tmp_path) as sink:
        sink.push([GOOD, 7], terms={})  # type: ignore[list-item]
    assert before == (tmp_path / "bundle.json").read_bytes()
    assert len(list(tmp_path.iterdir())) == 1


def breaks_off(rows: RowsFile) -> None:
    rows.add([Row("f", 2, "note", ("a--1",), "é"), Row("f", 3, "blank")])
    raise ZeroDivisionError


@pytest.mark.parametrize(("mode", "kept"), [("whole", 1), ("fresh", 2), ("append", 3)])
def test_rows_are_kept_by_the_mode_of_the_file(tmp_path: Path, mode: Any, kept: int) -> None:
    with RowsFile(tmp_path) as rows:
        rows.add([Row("f", 1, "blank")])
    with pytest.raises(ZeroDivisionError), RowsFile(tmp_path, mode) as rows:
        breaks_off(rows)
    lines = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]
    assert kept == len(lines)
    if mode == "fresh":
        assert lines[0] == {"file": "f", "row": 2, "outcome": "note", "ids": ["a--1"], "reason": "é"}


@pytest.mark.parametrize(("before", "after"), [
    (b"", b""), (b"torn", b""), (b"a\n", b"a\n"), (b"a\nb\ntorn", b"a\nb\n"),
    (b"a\n" + b"t" * 200_000, b"a\n"), (b"t" * 200_000, b""),
])
def test_a_line_that_a_crash_tore_is_cut_off(tmp_path: Path, before: bytes, after: bytes) -> None:
    (tmp_path / "rows.jsonl").write_bytes(before)
    with RowsFile(tmp_path, "append"):
        pass
    assert after == (tmp_path / "rows.jsonl").read_bytes()


def test_rows_are_on_disk_before_the_run_goes_on(tmp_path: Path) -> None:
    with RowsFile(tmp_path, "append") as rows:
        rows.add([Row("f", 1, "blank")])
        assert (tmp_path / "rows.jsonl").read_bytes().endswith(b"\n")


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="can't be written"):
        PreviewSink(tmp_path / "file")


def test_a_summary_counts_everything_and_closes_with_a_verdict() -> None:
    report = Report()
    report.count_rows([Row("a", 1, "indicator"), Row("a", 2, "quarantined", (), "no"), Row("b", 1, "blank")])
    report.count_pushes([PushOutcome("url--1", "added"), PushOutcome("url--2", "refused", "c", "s"),
                         PushOutcome("", "refused", "c", "s"), PushOutcome("note--3", "unchanged")])
    text = summary(report)
    assert "indicator            1  made indicators" in text
    assert "spend" not in text
    assert ("3 rows of 2 files: added 1 object, 1 was there already. "
            "1 row is in quarantine, 2 objects were refused.") in text
    assert report.aside == ["a, row 2: no"]


def test_a_report_survives_its_record() -> None:
    report = Report(Counter(note=2), {"url": Counter(added=1)}, 1, ["x"], last_file="f")
    assert report == Report.from_record(json.loads(json.dumps(report.as_record())))
