"""The migrated schema is the declared one on both engines, and schemas of the future are refused."""

from __future__ import annotations

import multiprocessing
from importlib import import_module, util
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text
from sqlmodel import SQLModel

from exchange.errors import SettingError
from exchange.store import migrations
from exchange.store.directory import directory_version, meta_value
from exchange.store.engine import is_sqlite, open_engine, read, write
from tests.fakes.apart import apart

ROOMS = (
    "exchange.store.directory_tables",
    "exchange.store.object_tables",
    "exchange.store.ledger_tables",
    "exchange.store.obligation_tables",
    "exchange.store.case_tables",
    "exchange.store.version_tables",
    "exchange.store.log_tables",
    "exchange.store.webhook_tables",
    "exchange.store.limit_tables",
    "exchange.store.arrival_tables",
)
for room in ROOMS:
    if util.find_spec(room):
        import_module(room)  # declares its tables in the metadata


def test_migrated_schema_is_the_declared_one(engine: Engine) -> None:
    with read(engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []


def test_migrated_schema_is_the_declared_one_in_every_detail(engine: Engine) -> None:
    with write(engine) as connection:
        migrated = _details(connection)
        SQLModel.metadata.drop_all(connection)
        connection.execute(text("DROP TABLE alembic_version"))
        assert not _details(connection)
        SQLModel.metadata.create_all(connection)
        assert migrated == _details(connection)


def _details(connection: Connection) -> set[tuple[object, ...]]:
    """What the engine itself says of its schema: collations, defaults and storage too; no names of constraints.

    The parts of a SQLite table are in no order: a column that a migration added stands after the constraints.
    """
    statements = (
        [text("SELECT tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL")]
        if is_sqlite(connection)
        else [
            text(
                "SELECT table_name, column_name, data_type, collation_name, column_default, is_nullable"
                " FROM information_schema.columns WHERE table_schema = 'public'"
            ),
            text("SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public'"),
            text(
                "SELECT conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint"
                " WHERE connamespace = 'public'::regnamespace"
            ),
        ]
    )
    rows = [tuple(row) for statement in statements for row in connection.execute(statement)]
    return {
        tuple(_in_no_order(value) if isinstance(value, str) and is_sqlite(connection) else value for value in row)
        for row in rows
        if row[0] != "alembic_version"
    }


def _in_no_order(statement: str) -> str:
    """``CREATE TABLE x (b, a) z`` as ``CREATE TABLE x (a, b) z``; what is in inner brackets keeps its order."""
    head, _, rest = " ".join(statement.split()).partition("(")
    inner, _, tail = rest.rpartition(")")
    if not head.startswith("CREATE TABLE"):
        return " ".join(statement.split())
    parts, depth = [""], 0
    for letter in inner:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth:
            parts.append("")
        else:
            parts[-1] += letter
    return f"{head}({', '.join(sorted(part.strip() for part in parts))}){tail}"


def test_the_newest_revision_is_the_one_the_code_names() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    heads = ScriptDirectory.from_config(config).get_heads()
    assert heads == [migrations.HEAD]


def test_a_migration_that_fails_leaves_the_old_schema(database_url: str) -> None:
    opened = open_engine(database_url)
    with write(opened) as connection:
        connection.execute(text("CREATE TABLE credential (id TEXT)"))  # in the way of the last table
    with pytest.raises(SettingError, match=r"credential.* already exists"):
        migrations.migrate(opened)
    with read(opened) as connection:
        assert inspect(connection).get_table_names() == ["credential"]
    with write(opened) as connection:
        connection.execute(text("DROP TABLE credential"))
    assert migrations.migrate(opened) is True
    opened.dispose()


def test_migrating_twice_changes_nothing(engine: Engine) -> None:
    with read(engine) as connection:
        secret = meta_value(connection, "cursor.secret")
    assert migrations.migrate(engine) is False
    with read(engine) as connection:
        assert directory_version(connection) == 1
        assert meta_value(connection, "cursor.secret") == secret
        assert len(secret) == 64


def test_a_newer_schema_is_refused_with_a_sentence(engine: Engine) -> None:
    with write(engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SettingError, match=r"schema 9999.*newer release.*restore a backup"):
        migrations.migrate(engine)


def _migrate(url: str, answers: multiprocessing.SimpleQueue[object]) -> None:
    try:
        answers.put(migrations.migrate(open_engine(url)))
    except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
        answers.put(repr(error))


def test_of_processes_that_start_together_one_migrates(database_url: str) -> None:
    answers = apart().SimpleQueue()
    processes = [apart().Process(target=_migrate, args=(database_url, answers)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert sorted(str(answers.get()) for _ in processes) == ["False", "False", "True"]
