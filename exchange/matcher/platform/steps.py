"""Steps of a run that are kept, so that a run which was killed goes on from the last one that was finished.

What a step left behind are the engine's own (temporary) tables. They are copied into the ground's file in one
transaction, with a mark of everything that went into the run: the tables as they were before the first step, the parts
of the ground, and what the caller says. Only a run whose mark is the same to the last bit takes them up again.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import orjson

from exchange.matcher.engine import Engine
from exchange.matcher.report import Report

_PASSING = frozenset({"seen", "sums", "single", "weighed", "asked", "found", "values_held", "new_values", "touched",
                      "worth"})
"""Tables that nobody reads once their round is over."""
_COUNTS = ("not_used", "hits", "too_common")


class Steps:
    """The steps of one run. Without ``folder`` nothing is kept."""

    def __init__(self, engine: Engine, folder: Path | None, report: Report, *, every: float) -> None:
        self._engine, self._folder, self._report, self._every = engine, folder, report, every
        self._done = -1
        self._next = 0
        self._mark = ""
        self._saved = time.monotonic()

    def begin(self, *told: str) -> None:
        """Find out whether a run with the same mark was begun, and take up what it left."""
        if self._folder is None:
            return
        self._engine.run("CREATE SCHEMA IF NOT EXISTS ground.step")
        self._engine.run("CREATE TABLE IF NOT EXISTS ground.begun (mark VARCHAR, step INTEGER, note VARCHAR)")
        self._mark = self._of_tables(told)
        found = self._engine.rows("SELECT step, note FROM ground.begun WHERE mark = '" + self._mark + "'")
        if found:
            self._done = found[0][0]
            self._restore(orjson.loads(found[0][1]))
            self._report.state["went_on_after_step"] = self._done

    def once(self, do: Callable[[], None], files: Iterable[str] = (), *, last: bool = False) -> None:
        """Do the next step, unless it was done; ``files`` of the work folder belong to what it leaves. What took long
        is kept, and the ``last`` step always."""
        number = self._next
        self._next += 1
        if number <= self._done:
            return
        do()
        if self._folder is not None and (last or time.monotonic() - self._saved >= self._every):
            self._keep(number, files)
            self._saved = time.monotonic()

    def _of_tables(self, told: Iterable[str]) -> str:
        digest = hashlib.sha256("\n".join(told).encode())
        for name, in self._engine.rows("SELECT table_name FROM duckdb_tables() WHERE temporary ORDER BY 1"):
            digest.update(f"{name} {self._engine.one(f'SELECT count(*), bit_xor(hash(t)), sum(hash(t)) FROM {name} t')}"
                          .encode())
        digest.update(repr(self._engine.rows("SELECT tab, place, print FROM ground.parts ORDER BY ALL")).encode())
        return digest.hexdigest()

    def _file(self, name: str) -> Path:
        return (self._folder or Path()) / f"step-{name}"

    def _keep(self, number: int, files: Iterable[str]) -> None:
        engine = self._engine
        for name in files:
            shutil.copyfile(engine.work / name, self._file(name))
        views = engine.rows("SELECT sql FROM duckdb_views() WHERE temporary AND NOT internal ORDER BY view_oid")
        note = {"views": [sql for sql, in views], "files": list(files), "problems": self._report.problems,
                "examples": self._report.examples, **{name: getattr(self._report, name) for name in _COUNTS}}
        engine.run("BEGIN")
        for name, in engine.rows("SELECT table_name FROM duckdb_tables() WHERE database_name = 'ground' AND"
                                 " schema_name = 'step'"):
            engine.run(f"DROP TABLE ground.step.{name}")
        for name, in engine.rows("SELECT table_name FROM duckdb_tables() WHERE temporary"):
            if name not in _PASSING:
                engine.run(f"CREATE TABLE ground.step.{name} AS SELECT * FROM {name}")
        engine.run("DELETE FROM ground.begun")
        engine.connection.execute("INSERT INTO ground.begun VALUES (?, ?, ?)",
                                  [self._mark, number, orjson.dumps(note).decode()]).fetchall()
        engine.run("COMMIT")

    def _restore(self, note: dict[str, Any]) -> None:
        for name, in self._engine.rows("SELECT table_name FROM duckdb_tables() WHERE database_name = 'ground' AND"
                                       " schema_name = 'step'"):
            self._engine.run(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM ground.step.{name}")
        for sql in note["views"]:
            self._engine.run(sql.replace("CREATE TEMP VIEW", "CREATE OR REPLACE TEMP VIEW", 1))
        for name in note["files"]:
            shutil.copyfile(self._file(name), self._engine.work / name)
        self._report.problems[:] = note["problems"]
        self._report.examples.update(note["examples"])
        for name in _COUNTS:
            counter = getattr(self._report, name)
            counter.clear()
            counter.update(note[name])
