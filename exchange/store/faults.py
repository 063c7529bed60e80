"""What the drivers' errors mean: disk full, store away or busy, file damaged, other tables; the rest is our fault."""

from __future__ import annotations

import re
import sqlite3
from typing import cast

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from exchange.errors import ExchangeError, SettingError, StorageFullError, UnavailableError

_NOTHING_STORED = "Nothing of this request was stored."
_SQLITE_FULL = ("SQLITE_FULL", "SQLITE_IOERR_WRITE", "SQLITE_IOERR_SHMSIZE")
_SQLITE_AWAY = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_PROTOCOL", "SQLITE_INTERRUPT")
_SQLITE_UNUSABLE = ("SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_IOERR", "SQLITE_PERM", "SQLITE_NOMEM")
_SQLITE_DAMAGED = ("SQLITE_NOTADB", "SQLITE_CORRUPT")
_POSTGRES_AWAY = ("08", "53", "57", "58", "55P03", "25P03", "25006", "28", "3D")
"""Classes and codes of PostgreSQL's Appendix A: connection, resources, intervention, locks, login."""
_POSTGRES_CROSSED = ("40001", "40P01")
"""A transaction that gave way to another: serialization_failure, deadlock_detected."""
_SQLITE_OTHER_TABLES = re.compile(r"no such table: |table \S+ already exists")
_POSTGRES_OTHER_TABLES = ("42P01", "42P07")
"""A table that isn't there, or is there already."""


class CrossedError(UnavailableError):
    """Two transactions wanted what the other held, and this one gave way: nothing of it is stored.

    ``feeds`` are numbers of collections whose turns it takes first when it is tried again (``engine.crossing``).
    """

    def __init__(self, why: str, feeds: frozenset[int] = frozenset()) -> None:
        super().__init__("The store is busy.", why=f"{why} {_NOTHING_STORED}", fix="Try again shortly.")
        self.feeds = feeds


def driver_errors() -> tuple[type[Exception], ...]:
    """The drivers' own error classes, for code that uses DBAPI connections."""
    import psycopg  # noqa: PLC0415 - only where PostgreSQL is used is it worth its 60 ms

    return (sqlite3.Error, psycopg.Error)


def translated(error: BaseException) -> ExchangeError | None:
    """The error in our words, or None when it is a fault of the program (a broken constraint, bad SQL)."""
    if isinstance(error, PoolTimeout):
        return UnavailableError("The store is busy.", why="All its connections are in use.",
                                fix="Try again shortly.")
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        return _of_sqlite(cause)
    if cause is not None and hasattr(cause, "sqlstate"):
        return _of_postgres(cause, cast("str | None", cause.sqlstate))
    return None


def _of_sqlite(error: sqlite3.Error) -> ExchangeError | None:
    if _SQLITE_OTHER_TABLES.match(str(error)):
        return _other_tables(f"SQLite: {error}.")
    name = str(getattr(error, "sqlite_errorname", ""))
    if name.startswith(_SQLITE_FULL):
        return _full()
    if name.startswith(_SQLITE_AWAY):
        return UnavailableError("The store is busy.", why="Another process holds its write lock.",
                                fix="Try again shortly.")
    if name.startswith(_SQLITE_DAMAGED):
        return SettingError("The store's file is damaged or is no SQLite database.", why=f"SQLite: {error}.",
                            fix="Name another file in CIBX_DATABASE_URL or restore a backup.")
    if name.startswith(_SQLITE_UNUSABLE):
        return UnavailableError("The store's file can't be used.", why=f"SQLite: {error}. {_NOTHING_STORED}",
                                fix="See that its disk works and that this user may write there.")
    return None


def _of_postgres(error: BaseException, sqlstate: str | None) -> ExchangeError | None:
    if sqlstate is None:
        import psycopg  # noqa: PLC0415 - already loaded when such an error exists

        if not isinstance(error, psycopg.OperationalError):
            return None
        return UnavailableError("PostgreSQL can't be reached.", why=_first_line(error),
                                fix="See that it runs and that CIBX_DATABASE_URL is right.")
    if sqlstate == "53100":
        return _full()
    if sqlstate in _POSTGRES_OTHER_TABLES:
        return _other_tables(_first_line(error))
    if sqlstate in _POSTGRES_CROSSED:
        return CrossedError(_first_line(error))
    if sqlstate.startswith(_POSTGRES_AWAY):
        return UnavailableError("The store is away or busy.", why=_first_line(error),
                                fix="Try again shortly.")
    return None


def _other_tables(why: str) -> SettingError:
    return SettingError("The database's tables aren't those of this release of cib-exchange.", why=why,
                        fix="Start cibx serve of this release, which brings an older schema up to date; where that"
                            " fails, restore a backup, or name another database in CIBX_DATABASE_URL.")


def _full() -> StorageFullError:
    return StorageFullError("The disk of the store is full: nothing of this request was stored.",
                            fix="Free some space; reading goes on meanwhile.")


def _first_line(error: BaseException) -> str:
    """What PostgreSQL said, without the addresses and the statement that follow on other lines."""
    text = str(error).strip().splitlines()
    return f"PostgreSQL: {text[0].rstrip('.')}." if text else ""
