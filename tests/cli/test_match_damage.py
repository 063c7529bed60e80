"""A folder that results can't go into is a sentence with the folder and a way out, not a fault of the program."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

pytest.importorskip("duckdb", reason="the matcher's tests need cib-exchange[matcher]")

from exchange.cli.main import run as cibx


@pytest.fixture
def given(tmp_path: Path) -> list[str]:
    (tmp_path / "feed.json").write_text(json.dumps({"type": "bundle", "id": "bundle--1", "objects": []}))
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "accounts.csv").write_text("account_id\n1\n")
    return ["match", "--feed", str(tmp_path / "feed.json"), "--entities", str(tmp_path / "in")]


@pytest.mark.parametrize("option", ["--out", "--state"])
@pytest.mark.parametrize("place", ["/proc", "feed.json", "feed.json/below", "read-only"])
def test_a_folder_that_cannot_be_written_is_a_sentence(
    given: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, place: str
) -> None:
    folder = tmp_path / place  # "/proc" stays as it is
    if place == "read-only":
        if os.geteuid() == 0:
            pytest.skip("root may write everywhere")
        folder.mkdir(mode=0o500)
    out = [] if option == "--out" else ["--out", str(tmp_path / "out")]
    assert cibx([*given, *out, option, str(folder)]) == 2
    told = capsys.readouterr().err
    assert str(folder) in told
    assert "bug" not in told
    assert "Traceback" not in told


def test_cases_that_cannot_be_written_are_a_sentence(
    given: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert cibx([*given, "--out", str(out)]) == 0
    assert cibx(["match", "--out", str(out), "--cases", "/proc"]) == 2
    assert "/proc" in capsys.readouterr().err
