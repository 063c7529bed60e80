"""``cibx pattern match``: a JSON line per pattern, exit codes, files that are wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from exchange.cli.main import run

WHEN = "2026-01-01T00:00:00Z"
BUNDLE: dict[str, Any] = {"type": "bundle", "id": "bundle--1", "objects": [
    {"type": "observed-data", "id": "observed-data--1", "first_observed": WHEN, "last_observed": WHEN, "number_observed": 1,
     "object_refs": ["domain-name--1"]},
    {"type": "domain-name", "id": "domain-name--1", "value": "a.example"},
]}
GOOD = "[domain-name:value = 'a.example']"


@pytest.fixture
def observed(tmp_path: Path) -> Path:
    path = tmp_path / "bundle.json"
    path.write_text(json.dumps(BUNDLE))
    return path


def call(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, list[dict[str, Any]], str]:
    code = run(["pattern", "match", *map(str, words)])
    told = capsys.readouterr()
    return code, [json.loads(line) for line in told.out.splitlines()], told.err


def test_one_pattern_gives_one_line(capsys: pytest.CaptureFixture[str], observed: Path) -> None:
    code, lines, _ = call(capsys, "--observed", observed, "--pattern", GOOD)
    assert code == 0
    assert lines == [{"pattern": GOOD, "result": "match", "observed": ["observed-data--1"], "reason": ""}]


def test_each_line_of_a_file_has_its_own_result_and_a_bad_one_stops_nothing(
    capsys: pytest.CaptureFixture[str], observed: Path, tmp_path: Path
) -> None:
    patterns = tmp_path / "patterns.jsonl"
    patterns.write_bytes(b"\n".join([
        json.dumps(GOOD).encode(), b"", b'"[domain-name:value = \'b.example\']"\r', b"[domain-name:value = 'c']", b"7", b'"\xff"',
        b'"["', json.dumps(GOOD).encode()]))
    code, lines, _ = call(capsys, "--observed", observed, "--patterns", patterns)
    assert code == 0
    assert [line["result"] for line in lines] == ["match", "no-match", "invalid", "invalid", "invalid", "invalid", "match"]
    assert [line["pattern"] for line in lines][2] == "[domain-name:value = 'c']"
    assert all(line["reason"] for line in lines if line["result"] == "invalid")
    assert "Line 4 is no JSON string" in lines[2]["reason"]


def test_an_array_of_patterns_is_taken_too(capsys: pytest.CaptureFixture[str], observed: Path, tmp_path: Path) -> None:
    patterns = tmp_path / "patterns.json"
    patterns.write_text(json.dumps([GOOD, 5, "["], indent=1))
    _, lines, _ = call(capsys, "--observed", observed, "--patterns", patterns)
    assert [line["result"] for line in lines] == ["match", "invalid", "invalid"]


@pytest.mark.parametrize("form", [
    BUNDLE["objects"], {"objects": BUNDLE["objects"]},
    {"type": "observed-data", "id": "observed-data--1", "objects": {"0": {"type": "domain-name", "value": "a.example"}}},
])
def test_observed_data_may_come_as_array_envelope_or_single_object(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, form: Any
) -> None:
    path = tmp_path / "observed.json"
    path.write_text(json.dumps(form))
    _, lines, _ = call(capsys, "--observed", path, "--pattern", GOOD)
    assert lines[0]["result"] == "match"


@pytest.mark.parametrize("data", [b"", b"{", b"5", b'{"a": 1}', b'{"objects": 5}', b"\xff\xfe", b"[" * 5000, b"null", b'"text"'])
def test_what_is_no_bundle_is_refused_in_one_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, data: bytes
) -> None:
    path = tmp_path / "broken.json"
    path.write_bytes(data)
    code, lines, told = call(capsys, "--observed", path, "--pattern", GOOD)
    assert (code, lines) == (2, [])
    assert told.startswith("cibx: ")
    assert "broken.json" in told
    assert "Traceback" not in told


def test_a_bad_object_of_a_bundle_is_told_and_the_rest_goes_on(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "bundle.json"
    path.write_bytes(json.dumps(BUNDLE).replace('"objects": [', '"objects": [5, {"a": "b"}, ').encode())
    code, lines, told = call(capsys, "--observed", path, "--pattern", GOOD)
    assert (code, lines[0]["result"]) == (0, "match")
    assert "Object 1 of the bundle" in told
    assert "without an id" in told


def test_files_that_are_not_there_and_arguments_that_exclude_each_other_end_with_2(
    capsys: pytest.CaptureFixture[str], observed: Path, tmp_path: Path
) -> None:
    nothing = tmp_path / "nothing"
    for words in (["--observed", nothing, "--pattern", GOOD], ["--observed", observed, "--patterns", nothing],
                  ["--observed", observed], ["--observed", observed, "--pattern", GOOD, "--patterns", nothing]):
        code, lines, told = call(capsys, *words)
        assert (code, lines) == (2, [])
        assert told
