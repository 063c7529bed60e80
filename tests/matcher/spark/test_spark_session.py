"""Without its parts the engine says in a sentence what is missing."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

pytest.importorskip("duckdb", reason="the matcher's tests need cib-exchange[matcher]")

from exchange.cli.match import command
from exchange.errors import InputError
from exchange.matcher.spark.session import open_session


def _told(tmp_path: Path) -> str:
    with pytest.raises(InputError) as error, open_session(tmp_path):
        pass
    return str(error.value)


def test_without_pyspark_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    assert "cib-exchange[matcher,spark]" in _told(tmp_path)


def test_without_java_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyspark")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    assert "Java" in _told(tmp_path)
    assert "openjdk" in _told(tmp_path)


def test_an_old_java_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pyspark")
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text("#!/bin/sh\necho 'openjdk version \"11.0.2\" 2019-01-15' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    assert "version 11" in _told(tmp_path)


def test_a_master_without_the_engine_is_refused() -> None:
    told = CliRunner().invoke(command, ["--feed", "f", "--entities", "e", "--out", "o", "--spark-master", "local[2]"])
    assert told.exit_code == 2
    assert "--spark-master needs --engine spark" in told.output
