"""Copies of a SQLite store while it is used: the database and the ledger beside it, as both were at one moment."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Engine

from exchange.errors import InputError
from exchange.store.engine import open_engine, raw

_PAGES = 10_000
"""Pages between two moments at which Ctrl-C is heard."""


def copy_both(engine: Engine, database: Path, ledger: Path) -> None:
    """Copy the database of ``engine`` and its ledger, which must exist, into two new files.

    One moment: the ledger is locked for writers while a read transaction begins on each of the two; the copies are
    made out of these. Writers of the ledger wait for milliseconds, nobody waits for the copying. Raises
    StorageFullError, UnavailableError, and InputError for a copy that isn't whole.
    """
    beside = open_engine(f"{engine.url.render_as_string(hide_password=False)}-ledger")
    try:
        with raw(engine) as main, raw(beside) as gate, raw(beside) as deliveries:
            gate.execute("BEGIN IMMEDIATE")
            for connection in (main, deliveries):
                connection.execute("BEGIN")
                connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            gate.execute("ROLLBACK")
            _copy(main, database)
            _copy(deliveries, ledger)
    finally:
        beside.dispose()


def _copy(source: sqlite3.Connection, path: Path) -> None:
    with closing(sqlite3.connect(path)) as copy:
        source.backup(copy, pages=_PAGES)
        copy.execute("PRAGMA journal_mode = DELETE").close()  # one file
    check_copy(path)


def check_copy(path: Path) -> None:
    """Raise InputError where a copy isn't whole: SQLite's integrity_check and its foreign keys."""
    try:
        with closing(sqlite3.connect(path)) as copy:
            found = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
            lost = copy.execute("PRAGMA foreign_key_check").fetchone()
    except sqlite3.DatabaseError as error:
        found, lost = str(error), None
    if found != "ok" or lost is not None:
        why = f"SQLite: {found.splitlines()[-1]}." if found != "ok" else f"A row of {lost[0]} refers to nothing."
        raise InputError("The copy of the database is damaged.", why=why, fix="Take another backup.")


def release_file(path: Path) -> bool:
    """Take SQLite's log into a database's file so that the file can be replaced; False where somebody has it open.

    A file that is no database, or damaged beyond that, is nobody's.
    """
    try:
        with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
            return bool(connection.execute("PRAGMA journal_mode = DELETE").fetchone()[0] != "wal")
    except sqlite3.DatabaseError as error:
        return not str(getattr(error, "sqlite_errorname", "")).startswith("SQLITE_BUSY")


def settle_file(path: Path) -> None:
    """Make one file of a database that nobody uses: what waits in its log goes in."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE").close()
