"""The DuckDB engine of a run: a database in a work folder, bounded in memory and threads."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from exchange.errors import InputError
from exchange.matcher.values import quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_WORK = ".match-"
_FOR_LARGE = ",".join((
    "build_side_probe_side", "common_aggregate", "common_subexpressions", "common_subplan",
    "compressed_materialization", "cte_inlining", "duplicate_groups", "empty_result_pullup", "join_elimination",
    "join_filter_pushdown", "join_order", "late_materialization", "limit_pushdown", "projection_pullup",
    "reorder_filter", "statistics_propagation"))
"""What DuckDB does to a plan only to have less to do when it is carried out."""
_NEVER = "1000TB"
"""DuckDB compresses temporary tables too once so much was written, one after the other while nothing else is done."""
_SIZE = re.compile(r"[0-9]+(\.[0-9]+)?\s*(KB|MB|GB|TB|KiB|MiB|GiB|TiB)")


@dataclass
class Engine:
    """One connection and the folder for what doesn't fit in memory."""

    connection: DuckDBPyConnection
    """Its catalog ``ground`` holds the platform-sized tables."""
    work: Path
    settings: dict[str, Any]

    def run(self, sql: str) -> None:
        """Execute a statement whose result isn't wanted."""
        self.connection.execute(sql).fetchall()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a query; always fetched whole, because an open result holds its table."""
        return self.connection.execute(sql).fetchall()

    def load(self, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Append rows to a table in bulk; keys are its columns."""
        path = self.work / f"{table}.jsonl"
        encoder = msgspec.json.Encoder()
        with path.open("wb") as file:
            for row in rows:
                file.write(encoder.encode(row))
                file.write(b"\n")
        if path.stat().st_size:
            shape = self.rows(f"DESCRIBE {table}")
            columns = ", ".join(f"{name}: '{kind}'" for name, kind, *_ in shape)
            self.run(f"INSERT INTO {table} BY NAME SELECT * FROM read_json({quoted(str(path))},"
                     f" format = 'newline_delimited', columns = {{{columns}}})")
        path.unlink()

    def table(self, name: str, columns: Mapping[str, Any]) -> None:
        """Make a table of whole columns (arrays of one length; texts as objects)."""
        self.connection.register("made", dict(columns))
        types = ", ".join(f"CAST({column} AS VARCHAR) AS {column}" if array.dtype == object and column != "account_id"
                          else column for column, array in columns.items())
        self.run(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT {types} FROM made")
        self.connection.unregister("made")

    def has(self, table: str) -> bool:
        """Whether there is a temporary table of that name (kept steps in the ground may have tables of the same)."""
        return bool(self.rows(f"SELECT 1 FROM duckdb_tables() WHERE temporary AND table_name = {quoted(table)}"))

    def let_go(self, *tables: str) -> None:
        """Nobody asks these tables of the ground any more: they make room, unless the ground is kept."""
        if self.rows("SELECT 1 FROM duckdb_databases() WHERE database_name = 'ground' AND path IS NULL"):
            for table in tables:
                self.run(f"DROP TABLE IF EXISTS ground.{table}")

    def forget(self, table: str) -> None:
        """A table of this name is about to hide the platform's: an engine elsewhere asks it here from now on."""

    def here(self, table: str) -> None:
        """The table is small from here on: an engine elsewhere brings it to this one, where it always was."""

    def one(self, sql: str) -> tuple[Any, ...]:
        """The only row of a query."""
        return self.rows(sql)[0]


@contextmanager
def open_engine(folder: Path, *, memory: str | None = None, threads: int | None = None,
                ground: Path | None = None, small: bool = False) -> Iterator[Engine]:
    """An engine whose scratch files lie in a folder of its own below ``folder`` and vanish afterwards.

    ``memory`` is a size such as ``4GB`` (the engine spills to disk beyond it); ``ground`` the file of the
    platform-sized tables where they are to stay (without, only what spills is written). For ``small`` tables planning
    a statement costs more than doing it, so it is planned less, and done by one thread if none are named. Raises
    InputError for a size that isn't one, when DuckDB isn't installed, and when another run holds the file.
    """
    try:
        import duckdb  # noqa: PLC0415 - an optional part of the installation, and slow to load
    except ImportError as error:
        raise InputError("The matcher needs DuckDB, which is not installed.",
                         fix="Install cib-exchange[matcher].") from error
    if memory is not None and not _SIZE.fullmatch(memory):
        raise InputError(f"{memory!r} is not a size of memory.", fix="Write such as 4GB or 512MB.")
    if threads is not None and threads < 1:
        raise InputError(f"{threads} is not a number of threads.", fix="Name 1 or more.")
    _clear_after_killed(folder)
    work = Path(tempfile.mkdtemp(prefix=f"{_WORK}{os.getpid()}-", dir=folder))
    config: dict[str, Any] = {"temp_directory": str(work / "spill"), "preserve_insertion_order": False}
    if memory:
        config["memory_limit"] = memory.replace(" ", "")
    if threads or small:
        config["threads"] = threads or 1
    if ground is None:
        config["checkpoint_threshold"] = _NEVER
    if small:
        config["disabled_optimizers"] = _FOR_LARGE
    connection = duckdb.connect(":memory:", config=config)
    try:
        connection.execute("SET enable_progress_bar = false; SET TimeZone = 'UTC'").fetchall()
        _attach(connection, ground)
        in_force = connection.execute(
            "SELECT current_setting('memory_limit'), current_setting('threads')").fetchall()[0]
        yield Engine(connection, work, {
            "duckdb": duckdb.__version__, "memory_limit": in_force[0], "threads": in_force[1]})
    except duckdb.OutOfMemoryException as error:
        raise InputError("The run needs more memory than it may have.", why=_first_line(error),
                         fix="Give it more with --memory, or fewer threads with --threads.") from error
    except duckdb.Error as error:
        raise InputError("The engine could not go on.", why=_first_line(error),
                         fix="If a file is named, write it anew; if not, it is a bug (see --debug).") from error
    finally:
        connection.close()
        shutil.rmtree(work, ignore_errors=True)


def _clear_after_killed(folder: Path) -> None:
    """Remove the work folders of runs that ended without a chance to do so."""
    for left in folder.glob(f"{_WORK}*-*"):
        number = left.name.removeprefix(_WORK).split("-")[0]
        try:
            os.kill(int(number), 0)
        except ProcessLookupError:
            shutil.rmtree(left, ignore_errors=True)
        except (ValueError, OSError):
            continue  # not ours, or of another user's run that is under way


def _attach(connection: DuckDBPyConnection, ground: Path | None) -> None:
    import duckdb  # noqa: PLC0415 - as above

    if ground is None:
        connection.execute("ATTACH ':memory:' AS ground").fetchall()
        return
    try:
        connection.execute(f"ATTACH {quoted(str(ground))} AS ground").fetchall()
    except duckdb.Error as error:
        if "lock" in str(error):
            raise InputError(f"The state {ground.parent} is in use by another run.",
                             fix="Wait until it has ended, or name another folder with --state.") from error
        raise InputError(f"The state file {ground} can't be opened.", why=f"{_first_line(error)}.",
                         fix="Delete the folder of the state; the next run makes it anew.") from error


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
