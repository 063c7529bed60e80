"""What a machine that runs connectors remembers: checkpoints, runs, totals, and rows in quarantine.

One SQLite file in a folder that only its owner may read, since rows in quarantine can hold personal data. Everything is
kept by ``whose``, the organisation (or server and collection) that it was brought in for: nobody else's is shown. Rows
go when they went in after all, when a person drops them, or after ``KEPT_DAYS``. Secrets never come here.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from exchange.errors import InputError
from exchange.obligations.put_aside import FILE, make_tables

KEPT_DAYS = 90
KEPT_RUNS = 100
"""Runs of one source that are remembered."""
_SCHEMA = """
CREATE TABLE IF NOT EXISTS checkpoint (whose TEXT, connector TEXT, source TEXT, value TEXT NOT NULL,
    PRIMARY KEY (whose, connector, source)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS source (whose TEXT, name TEXT, connector TEXT NOT NULL, place TEXT NOT NULL,
    since REAL NOT NULL, every REAL, stale REAL, totals TEXT NOT NULL, succeeded REAL,
    PRIMARY KEY (whose, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS run (number INTEGER PRIMARY KEY, whose TEXT NOT NULL, name TEXT NOT NULL,
    began REAL NOT NULL, ended REAL NOT NULL, outcome TEXT NOT NULL, counts TEXT NOT NULL, error TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS run_of ON run (whose, name, number);
"""


@dataclass(frozen=True)
class SourceKept:
    """One source as it stands."""

    name: str
    connector: str
    place: str
    since: float
    """When it was first seen; seconds since the epoch, as all times here."""
    every: float | None
    """Seconds between two runs; None: not scheduled."""
    stale: float | None
    """Seconds without a finished run after which it is stale; None: never."""
    totals: Mapping[str, int]
    """Rows by outcome (``rows.NAME``), objects by fate (``objects.NAME``), ``runs``, ``failures``."""
    succeeded: float | None
    """End of the last run that finished."""


@dataclass(frozen=True)
class RunKept:
    """One run: ``finished``, ``partly`` (rows in quarantine or objects refused), ``stopped`` or ``failed``."""

    began: float
    ended: float
    outcome: str
    counts: Mapping[str, int]
    error: str
    """The sentence of a failed one."""


class Journal:
    """The file, for one ``whose``; a context manager. Several processes and threads may each have one."""

    def __init__(self, folder: Path, whose: str) -> None:
        """Raises InputError where the folder can't be used."""
        self.folder, self.whose = folder, whose
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = folder / FILE
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self.database = sqlite3.connect(path, timeout=30, isolation_level=None)
            self.database.execute("PRAGMA journal_mode=WAL")
            self.database.executescript(_SCHEMA)
            make_tables(self.database)
        except (OSError, sqlite3.Error) as error:
            raise InputError(f"{folder} can't be used to keep what connectors need: {error}.",
                             fix="Name another folder with --state.") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.database.close()

    # -- checkpoints

    def load_checkpoint(self, connector: str, source_key: str) -> Mapping[str, Any] | None:
        """What was saved last for the pair."""
        found = self.database.execute("SELECT value FROM checkpoint WHERE whose=? AND connector=? AND source=?",
                                      (self.whose, connector, source_key)).fetchone()
        return None if found is None else dict(json.loads(found[0]))

    def save_checkpoint(self, connector: str, source_key: str, checkpoint: Mapping[str, Any] | None) -> None:
        """Keep JSON values for the pair, durably; None forgets it."""
        if checkpoint is None:
            self.database.execute("DELETE FROM checkpoint WHERE whose=? AND connector=? AND source=?",
                                  (self.whose, connector, source_key))
        else:
            self.database.execute("INSERT OR REPLACE INTO checkpoint VALUES (?, ?, ?, ?)",
                                  (self.whose, connector, source_key, json.dumps(checkpoint)))

    # -- sources and runs

    def expect(self, name: str, connector: str, place: str, *, now: float, every: float | None, stale: float | None
               ) -> None:
        """Note that a source is to be brought in, and how often: from now on its silence counts."""
        self.database.execute(
            "INSERT INTO source VALUES (?, ?, ?, ?, ?, ?, ?, '{}', NULL) ON CONFLICT DO UPDATE SET connector="
            "excluded.connector, place=excluded.place, every=excluded.every, stale=excluded.stale",
            (self.whose, name, connector, place, now, every, stale))

    def note(self, name: str, run: RunKept) -> None:
        """Keep a run and add it to the totals of its source."""
        totals = {**self.source(name).totals}
        for key, count in {**run.counts, "runs": 1, "failures": int(run.outcome == "failed")}.items():
            totals[key] = totals.get(key, 0) + count
        succeeded = run.ended if run.outcome in ("finished", "partly") else None
        with self.transaction():
            self.database.execute("INSERT INTO run (whose, name, began, ended, outcome, counts, error) VALUES "
                                  "(?, ?, ?, ?, ?, ?, ?)", (self.whose, name, run.began, run.ended, run.outcome,
                                                            json.dumps(run.counts), run.error))
            self.database.execute("UPDATE source SET totals=?, succeeded=coalesce(?, succeeded) "
                                  "WHERE whose=? AND name=?", (json.dumps(totals), succeeded, self.whose, name))
            self.database.execute(
                "DELETE FROM run WHERE whose=?1 AND name=?2 AND number <= (SELECT number FROM run WHERE whose=?1 AND "
                "name=?2 ORDER BY number DESC LIMIT 1 OFFSET ?3)", (self.whose, name, KEPT_RUNS))
            self.database.execute("DELETE FROM quarantine WHERE since < ?", (run.ended - KEPT_DAYS * 86_400,))

    def source(self, name: str) -> SourceKept:
        """One source; raises InputError for an unknown one."""
        for found in self.sources():
            if found.name == name:
                return found
        known = ", ".join(found.name for found in self.sources()) or "none"
        raise InputError(f"There is no source {name!r} of {self.whose} here.", fix=f"Known: {known}.")

    def sources(self) -> list[SourceKept]:
        """Every source, by name."""
        rows = self.database.execute("SELECT name, connector, place, since, every, stale, totals, succeeded "
                                     "FROM source WHERE whose=? ORDER BY name", (self.whose,)).fetchall()
        return [SourceKept(name, connector, place, since, every, stale, json.loads(totals), succeeded)
                for name, connector, place, since, every, stale, totals, succeeded in rows]

    def forget(self, name: str) -> None:
        """Forget a source that isn't brought in any more, with its runs; its quarantine stays until it is dropped."""
        self.source(name)
        with self.transaction():
            for table in ("run", "source"):
                self.database.execute(f"DELETE FROM {table} WHERE whose=? AND name=?",  # noqa: S608 - two words # nosec B608
                                      (self.whose, name))

    def runs(self, name: str, most: int = 1) -> list[RunKept]:
        """The latest runs of a source, the newest first."""
        rows = self.database.execute("SELECT began, ended, outcome, counts, error FROM run WHERE whose=? AND name=? "
                                     "ORDER BY number DESC LIMIT ?", (self.whose, name, most)).fetchall()
        return [RunKept(row[0], row[1], row[2], json.loads(row[3]), row[4]) for row in rows]

    @contextmanager
    def alone(self, name: str) -> Iterator[None]:
        """Keep a second run of the same source out for as long as this one lasts; raises InputError there."""
        digest = hashlib.sha256(f"{self.whose}\n{name}".encode()).hexdigest()[:16]
        file = os.open(self.folder / f"{digest}.lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(f"The source {name!r} is being brought in by another process.",
                             fix="Wait until it ends, or stop it.") from None
        else:
            yield
        finally:
            os.close(file)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of it or nothing."""
        with self.database:  # commits, or rolls back
            self.database.execute("BEGIN IMMEDIATE")
            yield


def whoses(folder: Path) -> Sequence[str]:
    """For whom sources are kept in a folder."""
    if not (folder / FILE).is_file():
        return ()
    with Journal(folder, "") as journal:
        return [row[0] for row in journal.database.execute("SELECT DISTINCT whose FROM source ORDER BY whose")]
