"""Rows of every earlier schema come through to the newest, on both engines, and a migration that is killed is begun anew."""

from __future__ import annotations

import os
import signal
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import (
    Boolean,
    Connection,
    Double,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    event,
    func,
    inspect,
    select,
)

from exchange.store import migrations
from exchange.store.engine import open_engine, read, write
from tests.fakes.apart import apart

_OWN = frozenset({"alembic_version", "meta", "sqlite_sequence"})
"""What alembic and the revisions themselves fill."""
_FIRST = 7_000
_RENUMBERED = ("event", "number")
"""Events got their numbers anew with the log (0006)."""
Rows = dict[str, dict[str, Any]]
"""Table to the row that was put into it last."""


def config_for(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.attributes["connection"] = connection
    return config


def revisions() -> list[str]:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    return [script.revision for script in reversed(list(ScriptDirectory.from_config(config).walk_revisions()))]


def fill(connection: Connection, number: int, names: Collection[str]) -> Rows:
    """Put a row of its own into the named tables, and those they refer to, as the database itself has them."""
    schema, made = MetaData(), Rows()
    schema.reflect(connection, only=sorted(names))
    for table in schema.sorted_tables:
        made[table.name] = row_for(table, number, made)
        connection.execute(table.insert(), made[table.name])
    return made


def columns(connection: Connection) -> dict[str, list[str]]:
    """Table to the names of its columns."""
    found = inspect(connection).get_multi_columns()
    return {name: [column["name"] for column in of] for (_, name), of in found.items() if name not in _OWN}


def row_for(table: Table, number: int, rows: Rows) -> dict[str, Any]:
    row = {}
    for column in table.columns:
        to = next(iter(column.foreign_keys), None)
        if to is not None:
            row[column.name] = rows[to.column.table.name][to.column.name]
        elif isinstance(column.type, Boolean):
            row[column.name] = True
        elif isinstance(column.type, Integer | Numeric | Double | Float):
            row[column.name] = number
        elif isinstance(column.type, LargeBinary):
            row[column.name] = b"\x00\xff" + str(number).encode()
        else:
            row[column.name] = words(number)
    return row


def words(number: int) -> str:
    """A text, and as it must be where a migration reads it: canonical JSON."""
    return f'{{"lorem":{number}}}'


def is_there(connection: Connection, name: str, row: dict[str, Any]) -> bool:
    """Whether the table still has the row, in every column that it still has."""
    table = Table(name, MetaData(), autoload_with=connection)
    same = [table.c[column] == value for column, value in row.items()
            if column in table.c and (name, column) != _RENUMBERED]
    return connection.execute(select(func.count()).select_from(table).where(*same)).scalar_one() == 1


def test_rows_of_every_earlier_schema_in_every_table_come_through(database_url: str) -> None:
    """What a revision makes or changes is filled at once: other tables have the rows of before, of the same form."""
    engine = open_engine(database_url)
    before: dict[str, list[str]] = {}
    filled: list[tuple[str, Rows]] = []
    rows: Rows = {}
    try:
        for number, revision in enumerate(revisions(), start=_FIRST):
            with write(engine) as connection:
                command.upgrade(config_for(connection), revision)
                now = columns(connection)
                assert before.keys() <= now.keys()  # nothing that was kept is dropped
                fresh = fill(connection, number, [name for name in now if now[name] != before.get(name)])
                filled.append((revision, fresh))
                before, rows = now, rows | fresh
        with read(engine) as connection:
            assert migrations.current_revision(connection) == migrations.HEAD
            lost = {(revision, name) for revision, put in filled for name, row in put.items()
                    if not is_there(connection, name, row)}
        assert lost == set()
        assert rows.keys() == before.keys()
    finally:
        engine.dispose()


def _migrate_and_die(url: str, statements: int) -> None:
    """Migrate, and be killed before the statement after so many."""
    left = iter(range(statements))

    def step(*_: Any) -> None:
        if next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    engine = open_engine(url)
    event.listen(engine, "before_cursor_execute", step)
    migrations.migrate(engine)


@pytest.fixture
def killed(database_url: str) -> str:
    """A database of the first schema with rows, whose migration was killed at several moments."""
    engine = open_engine(database_url)
    with write(engine) as connection:
        command.upgrade(config_for(connection), revisions()[0])
        fill(connection, _FIRST, list(columns(connection)))
    engine.dispose()
    for statements in (15, 45):
        process = apart().Process(target=_migrate_and_die, args=(database_url, statements))
        process.start()
        process.join()
        assert process.exitcode == -signal.SIGKILL
    return database_url


def test_a_migration_that_was_killed_leaves_the_old_schema_with_its_rows_and_goes_through_the_next_time(
    killed: str,
) -> None:
    engine = open_engine(killed)
    with read(engine) as connection:
        assert migrations.current_revision(connection) == revisions()[0]
    assert migrations.migrate(engine)
    with read(engine) as connection:
        assert migrations.current_revision(connection) == migrations.HEAD
        assert is_there(connection, "organisation", {"id": words(_FIRST)})
    engine.dispose()
