"""What a snapshot has pulled so far, in a SQLite file beside its result: killed at any moment, it goes on from there.

A page and the place after it are one transaction. The newest version of each object is kept.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from exchange.errors import InputError, UnavailableError
from exchange.stix.tally import Tally
from exchange.stix.timestamp import version_key

_TABLES = """
CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS object (id TEXT PRIMARY KEY, version TEXT NOT NULL, modified TEXT NOT NULL, added TEXT,
                                   body BLOB NOT NULL);
CREATE TEMP TABLE listed (id TEXT PRIMARY KEY, version TEXT NOT NULL, added TEXT NOT NULL);
"""
_ADD = """INSERT INTO object (id, version, modified, body) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE
          SET version = excluded.version, modified = excluded.modified, body = excluded.body
          WHERE excluded.version >= object.version"""


@dataclass(frozen=True)
class Head:
    """What a staged object is known by; ``modified`` is empty for what has none."""

    id: str
    modified: str


class Stage:
    """One unfinished snapshot; a context manager that holds its file."""

    def __init__(self, path: Path, feed: str) -> None:
        """``feed`` is the collection's URL: another one's file is refused."""
        self.path = path
        self._feed = feed

    def __enter__(self) -> Self:
        """Raises InputError where another one uses the file, or it can't be written."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._link = sqlite3.connect(self.path, isolation_level=None, timeout=0)
            self._link.execute("PRAGMA locking_mode = EXCLUSIVE").close()
            self._link.execute("PRAGMA journal_mode = WAL").close()
            self._link.execute("PRAGMA synchronous = NORMAL").close()
            self._link.executescript(_TABLES)
            self._link.execute("BEGIN IMMEDIATE").close()
            self._link.execute("COMMIT").close()
        except (OSError, sqlite3.Error) as error:
            raise InputError(f"The snapshot can't be kept in {self.path}: {error}.",
                             why="Another run may use it, or the folder can't be written.",
                             fix="End the other run, or name another place with --out.") from None
        begun = self.kept("feed")
        if begun not in ("", self._feed):
            self._link.close()
            raise InputError(f"{self.path} is an unfinished snapshot of {begun}.",
                             fix="Delete it, or name another place with --out.")
        self._write([("feed", self._feed)], ())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._link.close()

    def drop(self) -> None:
        """Forget everything: the snapshot is whole."""
        self._link.close()
        for path in self.path.parent.glob(f"{self.path.name}*"):
            path.unlink()

    def kept(self, name: str) -> str:
        """A value that was kept; empty where there is none."""
        row = self._link.execute("SELECT value FROM kept WHERE name = ?", (name,)).fetchone()
        return "" if row is None else str(row[0])

    def add(self, objects: Iterable[tuple[Head, bytes]], cursor: str = "") -> None:
        """Keep a page of objects, and the date behind which to go on."""
        rows = [(one.id, version_key(one.modified) if one.modified else "", one.modified, body)
                for one, body in objects]
        self._write([("cursor", cursor)] if cursor else [], rows)

    def _write(self, kept: Sequence[tuple[str, str]], rows: Sequence[tuple[str, str, str, bytes]]) -> None:
        try:
            self._link.execute("BEGIN").close()
            self._link.executemany(_ADD, rows).close()
            self._link.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?)", kept).close()
            self._link.execute("COMMIT").close()
        except sqlite3.Error as error:
            if self._link.in_transaction:
                self._link.rollback()
            raise UnavailableError(f"{self.path} can't be written: {error}.",
                                   fix="Make room and run the same command: it goes on from there.") from None

    def take_manifest(self, records: Iterable[tuple[str, str, str]]) -> None:
        """Take in a page of the server's manifest: id, version (empty without one), date added."""
        self._link.executemany("INSERT OR REPLACE INTO listed VALUES (?, ?, ?)", (
            (one, version_key(version) if version else "", added) for one, version, added in records)).close()

    def settle(self) -> list[str]:
        """Drop what the manifest hasn't (in that version); gives the ids that are missing, in the order of adding."""
        same = "(SELECT 1 FROM listed WHERE listed.id = object.id AND listed.version = object.version)"
        self._link.execute(f"DELETE FROM object WHERE NOT EXISTS {same}").close()  # noqa: S608 - a literal # nosec B608
        return [str(row[0]) for row in self._link.execute(
            "SELECT id FROM listed WHERE NOT EXISTS (SELECT 1 FROM object WHERE object.id = listed.id) ORDER BY added")]

    def date(self) -> None:
        """Date each object as the manifest does; its list is empty again afterwards."""
        self._link.execute("UPDATE object SET added = (SELECT added FROM listed WHERE listed.id = object.id)").close()
        self._link.execute("DELETE FROM listed").close()

    def tally(self) -> Tally:
        """Count and root of what is kept."""
        found = Tally()
        for stix_id, modified in self._link.execute("SELECT id, modified FROM object"):
            found.add(stix_id, modified)
        return found

    def objects(self) -> Iterator[tuple[str, bytes]]:
        """Date added and bytes of each, in the order of adding."""
        self._link.execute("CREATE INDEX IF NOT EXISTS object_order ON object (added, id)").close()
        yield from self._link.execute("SELECT added, body FROM object ORDER BY added, id")
