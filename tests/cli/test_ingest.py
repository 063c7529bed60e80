"""cibx ingest: dry runs end to end, exit codes, files, and what is asked for before anything is read."""

from __future__ import annotations

import json
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest

import policies
from exchange.cli import main as cibx
from exchange.connect.local_sink import LocalSink
from exchange.settings import read_settings
from exchange.wiring import prepare
from tests.fakes import one_member

GOOD = {"type": "domain-name", "spec_version": "2.1", "value": "a.example",
        "id": "domain-name--0d3a4c0e-7ad0-4b8b-9b1f-8a4d0f8a9c00"}
MENDED = {"type": "identity", "name": "n", "id": "identity--0d3a4c0e-7ad0-4b8b-9b1f-8a4d0f8a9c01",
          "created": "2024-01-01T00:00:00Z", "modified": "2024-01-01T00:00:00Z"}
BAD = {**GOOD, "value": 7}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.json"
    path.write_text(json.dumps([GOOD, MENDED]))
    return path


def test_a_dry_run_writes_a_bundle_and_a_line_per_row(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out" / "deep"
    assert cibx.run(["ingest", "stix-file", str(source), "--dry-run", "--out", str(out)]) == 0
    bundle = json.loads((out / "bundle.json").read_bytes())
    assert bundle["objects"] == [GOOD, {**MENDED, "spec_version": "2.1"}]
    rows = [json.loads(line) for line in (out / "rows.jsonl").read_text().splitlines()]
    assert [set(row) for row in rows] == [{"file", "row", "outcome", "ids", "reason"}] * 2
    assert [(1, "note", [GOOD["id"]]), (2, "repaired", [MENDED["id"]])] == [
        (row["row"], row["outcome"], row["ids"]) for row in rows
    ]
    assert {"source.json"} == {row["file"] for row in rows}
    shown = capsys.readouterr()
    assert "2 rows of 1 file: would add 2 objects" in shown.out
    assert shown.err == ""  # no progress bar where there is no terminal
    assert sorted(path.name for path in out.iterdir()) == ["bundle.json", "rows.jsonl"]


@pytest.mark.parametrize(("objects", "code"), [([GOOD], 0), ([GOOD, BAD], 3), ([7], 3), ([], 0)])
def test_the_exit_code_tells_a_job_whether_everything_is_in(
    objects: list[Any], code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(objects))
    assert code == cibx.run(["ingest", "stix-file", str(path), "--dry-run"])
    assert ("a.json, row" in capsys.readouterr().err) == (code == 3)


def test_what_was_put_aside_is_shown_up_to_a_limit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps([7] * 30))
    assert cibx.run(["ingest", "stix-file", str(path), "--dry-run"]) == 3
    assert "and 10 more: use --out DIR to see them" in capsys.readouterr().err


@pytest.mark.parametrize(("arguments", "words"), [
    (["stix-file", "{missing}", "--dry-run"], "can't be read. No such file"),
    (["stix", "{source}", "--dry-run"], "Known connectors: "),
    (["nope", "x"], "There is no connector 'nope'. Known connectors: "),
    (["stix-file", "{source}", "--dry-run", "--policy", "nonsense"], "no sharing pack 'nonsense'"),
    (["stix-file", "{source}", "--policy", "x"], "--as ORG is missing"),
    (["stix-file", "{source}", "--as", "x"], "--policy PACK is missing"),
    (["stix-file", "{source}", "--dry-run", "--out", "{source}"], "is a file"),
    (["stix-file"], "Missing argument 'SOURCE'"),
])
def test_a_wrong_argument_is_told_and_ends_with_2(
    arguments: list[str], words: str, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [word.format(missing=tmp_path / "missing", source=source) for word in arguments]
    assert cibx.run(["ingest", *given]) == 2
    told = capsys.readouterr().err
    assert words in told
    assert "Traceback" not in told


@pytest.mark.parametrize(("read", "out", "words"), [
    ("in", "in", "is inside of the source"),
    ("in", "in/deep/out", "is inside of the source"),
    ("in", "link", "is inside of the source"),
    ("in/bundle.json", "in", "would write over the source"),
    ("in", "in-too", ""),
    ("in", ".", ""),
    ("in/a.json", "in", ""),
])
def test_out_never_mixes_with_the_source(
    read: str, out: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.json", "bundle.json"):
        (folder / name).write_text(json.dumps([GOOD]))
    (tmp_path / "link").symlink_to(folder)
    code = cibx.run(["ingest", "stix-file", str(tmp_path / read), "--dry-run", "--out", str(tmp_path / out)])
    told = capsys.readouterr().err
    assert (code, words in told) == (2 if words else 0, True)
    assert ("Name another folder." in told) == bool(words)
    if words:
        assert sorted(path.name for path in folder.iterdir()) == ["a.json", "bundle.json"]


REAL = ["--as", "org-alpha", "--policy", "government-published", "--collection", "indicators"]


@pytest.fixture
def _exchange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A database with one member and one collection."""
    one_member.make(tmp_path, monkeypatch)
    capsys.readouterr()


@pytest.mark.usefixtures("_exchange")
def test_a_real_run_goes_in_and_a_second_one_adds_nothing(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    arguments = ["ingest", "stix-file", str(source), *REAL, "--out", str(out)]
    assert cibx.run(arguments) == 0
    assert "added 2 objects, 0 were there already. Everything is in." in capsys.readouterr().out
    assert cibx.run(arguments) == 0
    assert "added 0 objects, 2 were there already." in capsys.readouterr().out
    assert [path.name for path in out.iterdir()] == ["rows.jsonl"]
    assert len((out / "rows.jsonl").read_text().splitlines()) == 2


@pytest.mark.usefixtures("_exchange")
def test_terms_come_from_the_version_in_force_whatever_the_folder_says(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(read_settings())
    folder = tmp_path / "packs"
    copytree(Path(policies.__file__).parent, folder)
    (folder / "sharing" / "government-published.toml").unlink()
    monkeypatch.setenv("CIBX_POLICIES", str(folder))
    assert cibx.run(["ingest", "stix-file", str(source), *REAL]) == 0
    assert "added 2 objects" in capsys.readouterr().out
    assert cibx.run(["ingest", "stix-file", str(source), *REAL, "--dry-run"]) == 2


@pytest.mark.usefixtures("_exchange")
@pytest.mark.parametrize(("arguments", "words"), [
    (["--as", "org-omega", "--policy", "government-published"], "no organisation 'org-omega'"),
    ([*REAL[:-1], "other"], "can't write to a collection 'other'"),
])
def test_who_may_not_write_is_told(
    arguments: list[str], words: str, source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cibx.run(["ingest", "stix-file", str(source), *arguments]) == 2
    assert words in capsys.readouterr().err


@pytest.mark.usefixtures("_exchange")
def test_an_interrupted_run_goes_on_and_its_rows_stay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "source"
    folder.mkdir()
    for name, count in (("a", 1_500), ("b", 300)):
        items = [{**GOOD, "id": f"domain-name--0d3a4c0e-7ad0-4b8b-9b1f-{ord(name):04x}{number:08x}"}
                 for number in range(count)]
        (folder / f"{name}.json").write_text(json.dumps(items))
    push = LocalSink.push
    pushes = []

    def interrupted(sink: LocalSink, *arguments: Any, **more: Any) -> Any:
        pushes.append(1)
        if len(pushes) == 2:
            raise KeyboardInterrupt
        return push(sink, *arguments, **more)

    arguments = ["ingest", "stix-file", str(folder), *REAL, "--out", str(tmp_path / "out")]
    monkeypatch.setattr(LocalSink, "push", interrupted)
    assert cibx.run(arguments) == 130
    assert "cibx: Stopped." in capsys.readouterr().err
    assert cibx.run(arguments) == 0
    assert "Went on from an interrupted run. 1,800 rows of 2 files: added 1,800" in capsys.readouterr().out
    lines = (tmp_path / "out" / "rows.jsonl").read_text().splitlines()
    assert len(lines) == len(set(lines)) == 1_800
