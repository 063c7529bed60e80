"""Copies of a PostgreSQL store with PostgreSQL's own programs, and the mark of a restore that isn't at its end."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from exchange.errors import InputError, UnavailableError
from exchange.store.engine import is_sqlite

_FRESH = "restore.unfinished"
_MARK = (f"INSERT INTO meta (key, value) VALUES ('{_FRESH}', '1') "  # noqa: S608 - the word above # nosec B608
         "ON CONFLICT (key) DO NOTHING;\n")


def find_program(name: str) -> str:
    """The path of one of PostgreSQL's programs. Raises InputError where it isn't installed."""
    found = shutil.which(name)
    if found is None:
        raise InputError(f"{name} is not installed, and a PostgreSQL database is copied with it.",
                         fix="Install PostgreSQL's client programs of the server's version (postgresql-client).")
    return found


def dump(engine: Engine, snapshot: str, path: Path) -> None:
    """Write the database as the exported snapshot has it. Raises InputError and UnavailableError."""
    _run([find_program("pg_dump"), "--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}",
          f"--file={path}"], engine)


def export_snapshot(connection: Connection) -> str:
    """The name under which another connection sees what this transaction sees, for as long as it lasts."""
    return str(connection.execute(text("SELECT pg_export_snapshot()")).scalar_one())


def check_dump(path: Path) -> None:
    """Raise InputError where a dump can't be read through."""
    done = subprocess.run([find_program("pg_restore"), f"--file={os.devnull}", str(path)],  # noqa: S603
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise InputError("The copy of the database is damaged.", why=_last_line(done.stderr),
                         fix="Take another backup.")


def load(engine: Engine, path: Path, folder: Path) -> None:
    """Replace the database's tables by a dump's in one transaction, marked as unfinished (``is_unfinished``).

    ``folder`` takes the statements for the time being. Raises InputError and UnavailableError; nothing is changed then.
    """
    with engine.connect() as connection:
        quote = connection.dialect.identifier_preparer.quote
        tables = [quote(name) for name in inspect(connection).get_table_names()]
    before, between, after = folder / "1.sql", folder / "2.sql", folder / "3.sql"
    before.write_text("".join(f"DROP TABLE {name} CASCADE;\n" for name in tables), encoding="utf-8")
    _run([find_program("pg_restore"), "--no-owner", "--no-privileges", f"--file={between}", str(path)], engine)
    after.write_text(f"SET search_path TO DEFAULT;\n{_MARK}", encoding="utf-8")
    _run([find_program("psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "--single-transaction", "-o", os.devnull,
          *(f"--file={part}" for part in (before, between, after))], engine)


def is_unfinished(connection: Connection) -> bool:
    """Whether a restore was begun and not brought to its end: erased content may be there again, or on SQLite one of
    the two files is the backup's and the other isn't."""
    if is_sqlite(connection) and unfinished_mark(Path(str(connection.engine.url.database))).exists():
        return True
    return connection.execute(text("SELECT 1 FROM meta WHERE key = :key"), {"key": _FRESH}).first() is not None


def unfinished_mark(database: Path) -> Path:
    """The file that stands beside a SQLite database while a restore puts files in its place."""
    return database.with_name(f"{database.name}-restoring")


def finish(connection: Connection) -> None:
    """The restore is at its end."""
    connection.execute(text("DELETE FROM meta WHERE key = :key"), {"key": _FRESH})


def is_in_use(connection: Connection) -> bool:
    """Whether an exchange is connected to this database, other than by this connection."""
    return connection.execute(text(
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'cibx'"
        " AND pid <> pg_backend_pid()")).first() is not None


def _run(command: Sequence[str], engine: Engine) -> None:
    done = subprocess.run(command, env=_environment(engine), stdin=subprocess.DEVNULL,  # noqa: S603
                          capture_output=True, text=True, check=False)
    if done.returncode:
        name = Path(command[0]).name
        raise UnavailableError(f"{name} failed.", why=_last_line(done.stderr),
                               fix="See that the server runs and that the programs are of its version or newer.")


def _environment(engine: Engine) -> dict[str, str]:
    """Where the programs connect to, in the environment: arguments are shown to every user of the machine."""
    url = engine.url
    query = {name: ",".join(value) if isinstance(value, tuple) else value for name, value in url.query.items()}
    options = f"{query.pop('options', '')} -c statement_timeout=0".strip()
    given = {"host": url.host, "port": url.port, "user": url.username, "dbname": url.database,
             "password": url.password, **query}
    names = {"dbname": "PGDATABASE"}
    return {**os.environ, "PGAPPNAME": "cibx-backup", "PGOPTIONS": options,
            **{names.get(name, f"PG{name.upper()}"): str(value) for name, value in given.items() if value is not None}}


def _last_line(said: str) -> str:
    lines = [line for line in said.strip().splitlines() if line.strip()]
    return f"It says: {lines[-1][:300].rstrip('.')}." if lines else ""
