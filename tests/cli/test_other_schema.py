"""Commands on a database that isn't of this release: one sentence with a remedy, never "a bug in cibx"."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, inspect

from exchange.cli.main import run
from exchange.store.engine import is_sqlite, open_engine, raw, read
from exchange.store.migrations import migrate

ID = "indicator--11111111-1111-4111-8111-111111111111"
COMMANDS = [
    ("org", "list"), ("agreement", "list"), ("credential", "list"), ("collection", "list"),
    ("policy", "versions"), ("policy", "explain", "--object", ID, "--for", "org-a"),
    ("policy", "propose", "--by", "Ana", "--why", "x"), ("policy", "rollback", "--by", "Ana", "--why", "x"),
    ("notice", "list"), ("state", "show", ID), ("case", "list", "--as", "p"), ("audit", "sequence"), ("audit", "verify"),
]


def lost(engine: Engine, driver: Any) -> None:
    """Every table is gone but the one with the schema's number."""
    listed, cascade = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()", " CASCADE"
    if is_sqlite(engine):
        listed, cascade = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'", ""
        driver.execute("PRAGMA foreign_keys = OFF")
    for (name,) in driver.execute(listed).fetchall():
        if name != "alembic_version":
            driver.execute(f'DROP TABLE "{name}"{cascade}')


def newer(_engine: Engine, driver: Any) -> None:
    """The schema of a release to come."""
    driver.execute("UPDATE alembic_version SET version_num = '9999'")


def unnumbered(_engine: Engine, driver: Any) -> None:
    """The tables without the schema's number, as in another program's database."""
    driver.execute("DROP TABLE alembic_version")


@pytest.mark.parametrize(("wrong", "says"), [
    (lost, "The database's tables aren't those of this release"),
    (newer, "this release knows schemas up to"),
    (unnumbered, "The database's tables aren't those of this release"),
])
def test_a_database_of_another_release_is_told_in_a_sentence(
    wrong: Callable[[Engine, Any], None], says: str, database_url: str, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CIBX_DATABASE_URL", database_url)
    engine = open_engine(database_url)
    migrate(engine)
    with raw(engine) as driver:
        wrong(engine, driver)
    engine.dispose()
    for words in COMMANDS:
        code = run(list(words))
        said = capsys.readouterr().err
        assert (code, said.count("\n")) == (2, 1), (words, said)
        assert says in said, (words, said)


@pytest.mark.parametrize("words", [
    *COMMANDS, ("key", "list"), ("credential", "revoke", "stolen"), ("backup", "nightly.cibx"),
    ("ingest", "stix-file", "bundle.json", "--as", "org-a", "--policy", "demo"),
])
def test_a_command_where_there_is_no_exchange_makes_none(
    words: tuple[str, ...], database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In the wrong folder: an empty database would be backed up night after night, and every answer be "none"."""
    monkeypatch.setenv("CIBX_DATABASE_URL", database_url)
    monkeypatch.chdir(tmp_path)
    Path("bundle.json").write_text('{"type": "bundle", "objects": []}', encoding="utf-8")
    assert run(list(words)) == 2
    said = capsys.readouterr().err
    assert "There is no exchange in" in said
    assert "CIBX_DATABASE_URL" in said
    assert [file.name for file in tmp_path.iterdir()] == ["bundle.json"]
    engine = open_engine(database_url)
    with read(engine) as connection:
        assert inspect(connection).get_table_names() == []
    engine.dispose()
