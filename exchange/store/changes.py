"""Whether anything in the database has changed since somebody last looked, told for less than a row costs.

SQLite counts for each connection what others commit (``PRAGMA data_version``, 3 us), so one that never writes is kept
for that question. On PostgreSQL two equal snapshots see the same transactions, so its text is the sign, with when the
server started, since another server counts anew; and the directory's version, which every request needs, comes with it
in one statement. A standby's snapshot doesn't name what is under way, so it is no sign there.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, event

from exchange.store.directory import VERSION, quick_directory_version
from exchange.store.engine import is_sqlite, raw

_DATA_VERSION = "PRAGMA data_version"
_SNAPSHOT = """
    SELECT value, CASE WHEN NOT pg_catalog.pg_is_in_recovery() THEN
        pg_catalog.pg_current_snapshot()::text || ' ' || pg_catalog.pg_postmaster_start_time()::text END
    FROM meta WHERE key = 'directory.version'"""
_inherited: list[sqlite3.Connection] = []
"""Of the parent process: kept, so that nothing closes them in the child, where that ends nothing well."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The directory's version, and a sign: where it is equal to a later one, nothing was committed in between."""

    sign: object
    directory_version: int


class Changes:
    """Looks of one process at one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._path = str(engine.url.database)
        self._lock = threading.Lock()
        self._watching: sqlite3.Connection | None = None
        self._process = 0
        self._file = 0, 0
        self._opened = 0
        self._seen = Seen(None, 0)
        event.listen(engine, "engine_disposed", lambda _engine: self._forget())

    def look(self) -> Seen:
        """How the database is now: every commit before this call counts. Raises UnavailableError.

        Where nothing was committed since the look before, SQLite isn't asked for the directory's version again.
        """
        if not is_sqlite(self._engine):
            return self._ask_snapshot()
        before = self._seen
        sign = self._watch(_DATA_VERSION)
        if sign is not None and sign == before.sign:
            return before
        found = self._watch(_DATA_VERSION, VERSION, soon=True)  # in this order: what comes between shows next time
        if found is not None:
            self._seen = Seen(found[:2], int(found[2]))
            return self._seen
        with raw(self._engine) as connection:
            return Seen(object(), quick_directory_version(connection))

    def sign(self, *, soon: bool = False) -> object | None:
        """The sign alone; None where it costs as much as what it could spare (PostgreSQL), or can't be told.

        ``soon`` after a look, in the same request, the file in its place isn't looked for again.
        """
        return self._watch(_DATA_VERSION, soon=soon) if is_sqlite(self._engine) else None

    def sign_of(self, seen: Seen | None) -> object | None:
        """The sign of an earlier look, as ``sign`` gives one; without a look that of now."""
        return self.sign() if seen is None or not is_sqlite(self._engine) else seen.sign

    def is_as(self, seen: Seen) -> bool:
        """Whether nothing was committed since that look. Raises UnavailableError."""
        sign = self.sign()
        return sign == seen.sign if sign is not None else self.look() == seen

    def _ask_snapshot(self) -> Seen:
        with raw(self._engine) as connection:
            version, sign = connection.execute(_SNAPSHOT).fetchone()
        return Seen(object() if sign is None else sign, int(version))

    def _watch(self, *questions: str, soon: bool = False) -> tuple[Any, ...] | None:
        """Which connection watches, and what it answers; None where it can't tell."""
        with self._lock:
            try:
                if self._watching is None or self._process != os.getpid() or not soon:
                    self._look_for_file()
                watching: Any = self._watching
                return self._opened, *[watching.execute(one).fetchone()[0] for one in questions]
            except (sqlite3.Error, OSError):
                self._end()
                return None

    def _look_for_file(self) -> None:
        """Watch the file that lies there now. Raises OSError where there is none, and sqlite3.Error."""
        found, process = os.stat(self._path), os.getpid()
        if self._watching is None or self._process != process or self._file != (found.st_dev, found.st_ino):
            self._end()
            self._watching, self._process, self._opened = self._open(), process, self._opened + 1
            self._file = found.st_dev, found.st_ino

    def _open(self) -> sqlite3.Connection:
        """A connection that isn't the pool's; where there is no file it makes none."""
        place = f"{Path(self._path).as_uri()}?mode=rw"
        return sqlite3.connect(place, uri=True, isolation_level=None, check_same_thread=False)

    def _forget(self) -> None:
        with self._lock:
            self._end()

    def _end(self) -> None:
        """Close the connection that watches, or leave it where it is the parent process's."""
        watching, self._watching = self._watching, None
        if watching is not None and self._process == os.getpid():
            watching.close()
        elif watching is not None:
            _inherited.append(watching)
