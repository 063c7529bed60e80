"""An engine on Spark that is spoken to in DuckDB's SQL, for statements over platform-sized tables.

It keeps its tables as views of a session. A statement is taken apart: subqueries over single rows that use what isn't
portable are computed by DuckDB on the workers, and kept; the rest is transpiled. Small tables of the local DuckDB that
a statement names are uploaded for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

from exchange.errors import InputError
from exchange.matcher.engine import Engine
from exchange.matcher.spark.dialect import first_unportable, reason, without_idle_casts, write
from exchange.matcher.spark.session import failures, open_session
from exchange.matcher.spark.workers import ROWS, is_own_row_by_row, is_row_by_row, on_workers, own_nodes

if TYPE_CHECKING:
    from pyarrow import Table
    from pyspark.sql import DataFrame, SparkSession
    from sqlglot import exp

_CONCERNED = re.compile(r"\s*(CREATE|INSERT|DROP)\b", re.IGNORECASE)
_ASKING = re.compile(r"\s*(SELECT|WITH)\b", re.IGNORECASE)
_PLAIN = {"boolean": "BOOLEAN", "int": "INTEGER", "bigint": "BIGINT", "double": "DOUBLE", "string": "VARCHAR"}
_OTHERS = {"timestamp": "TIMESTAMPTZ", "timestamp_ntz": "TIMESTAMP", "binary": "BLOB"}
"""Spark's names of types that DuckDB calls otherwise."""


@contextmanager
def on_spark(local: Engine, master: str, memory: str | None = None) -> Iterator[SparkEngine]:
    """An engine that has Spark for what is large and ``local`` for what isn't.

    Raises InputError when Spark can't be had, and when it can't go on.
    """
    with open_session(local.work, master=master, memory=memory) as session:
        engine = SparkEngine(local.connection, local.work, {
            **local.settings, "spark": session.version, "spark_master": session.sparkContext.master}, session)
        try:
            yield engine
            engine.close()
        except failures() as error:
            raise InputError("Spark could not go on.", why=str(error).strip().splitlines()[0][:300],
                             fix="If a file or the memory is named, mend that; if not, it is a bug (see --debug)."
                             ) from error


@dataclass
class SparkEngine(Engine):
    """An engine whose platform-sized tables lie on Spark; small ones lie here, in DuckDB, as in any engine."""

    session: SparkSession
    _frames: dict[str, DataFrame] = field(default_factory=dict)
    """Tables and views by lower-case name."""
    _scans: dict[str, tuple[DataFrame, dict[str, str]]] = field(default_factory=dict)
    _kept: list[DataFrame] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)

    def run(self, sql: str) -> None:
        """Execute a statement: CREATE … AS and DROP of a table there, INSERT of rows from there, or any here."""
        from sqlglot import exp, parse_one  # noqa: PLC0415 - an optional part of the installation

        tree = parse_one(sql, read="duckdb") if _CONCERNED.match(sql) else None
        if isinstance(tree, exp.Create) and tree.expression is not None and self._is_ours(tree.expression):
            self._make(tree.this.name, tree.expression, keep=tree.kind == "TABLE")
        elif isinstance(tree, exp.Insert) and self._is_ours(tree.expression):
            by_name = "BY NAME " if tree.args.get("by_name") else ""
            self._bring(self._ask(tree.expression), f"INSERT INTO {tree.this.sql(dialect='duckdb')} {by_name}")
        elif isinstance(tree, exp.Drop) and (name := _table(tree).name.lower()) in self._frames:
            self.forget(name)
        else:
            super().run(sql)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        from sqlglot import exp, parse_one  # noqa: PLC0415

        tree = parse_one(sql, read="duckdb") if _ASKING.match(sql) else None
        if not isinstance(tree, exp.Query) or not self._is_ours(tree):
            return super().rows(sql)
        table = self._ask(tree).toArrow()
        return list(zip(*(column.to_pylist() for column in table.columns), strict=True))

    def here(self, table: str) -> None:
        """Bring a table to the local engine: it is small from here on."""
        if table.lower() in self._frames:
            self._bring(self._frames[table.lower()], f"CREATE OR REPLACE TEMP TABLE {table} AS")
            self.forget(table)

    def forget(self, table: str) -> None:
        """Let go of a table or view that is there."""
        frame = self._frames.pop(table.lower(), None)
        if frame is not None:
            frame.unpersist()
            self.session.catalog.dropTempView(table)

    def close(self) -> None:
        """Let go of what was kept."""
        for frame in self._kept:
            frame.unpersist()
        for name in self._frames:
            self.session.catalog.dropTempView(name)

    def _bring(self, frame: DataFrame, into: str) -> None:
        """Give a frame's rows to the local engine; ``into`` is a statement up to its query."""
        self.connection.register("arrived", frame.toArrow())
        super().run(f"{into} SELECT * FROM arrived")
        self.connection.unregister("arrived")

    def _make(self, name: str, query: exp.Expr, *, keep: bool) -> None:
        frame = self._ask(query)
        self._register(name, self._keep(frame) if keep else frame)

    def _register(self, name: str, frame: DataFrame) -> None:
        frame.createOrReplaceTempView(name)
        self._frames[name.lower()] = frame

    def _keep(self, frame: DataFrame) -> DataFrame:
        kept = frame.persist()
        self._kept.append(kept)
        return kept

    def _is_ours(self, query: exp.Expr) -> bool:
        """Whether a query reads a table of the platform."""
        from sqlglot import exp  # noqa: PLC0415

        return any(_scan(table) or table.name.lower() in self._frames for table in query.find_all(exp.Table))

    def _ask(self, query: exp.Expr) -> DataFrame:
        """The frame of a query. Raises Unportable for what can't be said to Spark."""
        from sqlglot import exp  # noqa: PLC0415

        root = exp.Subquery(this=query.copy())
        self._lower(root.this)
        named = {part.alias.lower() for part in root.find_all(exp.CTE)}
        for table in list(root.find_all(exp.Table)):
            if table.name.lower() not in named:
                self._place(table)
        return self.session.sql(write(root.this))

    def _lower(self, query: exp.Expr) -> None:
        """Put what the workers' DuckDB must compute in place of the subqueries that ask for it."""
        from sqlglot import exp  # noqa: PLC0415

        if isinstance(query, exp.SetOperation):
            self._lower(query.left)
            self._lower(query.right)
            return
        self._cut_below(query)
        if is_row_by_row(query):
            without_idle_casts(query, self._source(_table(query))[1])
            if self._needs_workers(query):
                name = f"of_workers_{next(self._numbers)}"
                self._register(name, self._keep(self._on_workers(query)))
                query.replace(exp.select("*").from_(name))
        else:
            for part in _parts(query):
                self._lower(part)

    def _cut_below(self, query: exp.Expr) -> None:
        """Make a view of what lies below a query over single rows that must go to the workers alone."""
        from sqlglot import exp  # noqa: PLC0415

        if not is_own_row_by_row(query) or is_row_by_row(query):
            return
        inner = query
        unportable = False
        while is_own_row_by_row(inner):
            unportable = unportable or any(reason(node) for node in own_nodes(inner))
            source = inner.args["from_"].this
            inner = source.this
        if unportable:
            name = f"below_{next(self._numbers)}"
            self._register(name, self._ask(inner))
            source.replace(exp.to_table(name, alias=source.alias or None))

    def _needs_workers(self, query: exp.Expr) -> bool:
        from sqlglot import exp  # noqa: PLC0415

        used = {column.name.lower() for column in query.find_all(exp.Column)}
        types = {kind for name, kind in self._source(_table(query))[1].items()
                 if name.lower() in used or query.find(exp.Star)}
        not_a_number = "DOUBLE" in types and query.find(exp.Floor) is not None  # an error on one, 0 on the other
        return not types <= set(_PLAIN.values()) or not_a_number or first_unportable(query) is not None

    def _on_workers(self, query: exp.Expr) -> DataFrame:
        from sqlglot import exp  # noqa: PLC0415

        tree = query.copy()
        table = _table(tree)
        frame, types = self._source(table)
        table.replace(exp.to_table(ROWS, alias=table.alias_or_name or None))
        return on_workers(frame, types, tree.sql(dialect="duckdb"))

    def _source(self, table: exp.Expr) -> tuple[DataFrame, dict[str, str]]:
        """A table's frame, and DuckDB's types of its columns."""
        if _scan(table):
            return self._read(table.this)
        frame = self._frames.get(table.name.lower())
        if frame is None:
            frame = self._upload(table.name)
        return frame, {name: _PLAIN.get(kind, _OTHERS.get(kind, kind.upper())) for name, kind in frame.dtypes}

    def _place(self, table: exp.Expr) -> None:
        """See to it that Spark finds what a statement names."""
        from sqlglot import exp  # noqa: PLC0415

        if _scan(table):
            name = f"scan_{next(self._numbers)}"
            self._register(name, self._read(table.this)[0])
            table.replace(exp.to_table(name, alias=table.alias or None))
        elif table.name.lower() not in self._frames:
            self._upload(table.name).createOrReplaceTempView(table.name)

    def _upload(self, name: str) -> DataFrame:
        found: Table = self.connection.sql(f'SELECT * FROM "{name}"').to_arrow_table()
        return self.session.createDataFrame(found)

    def _read(self, function: exp.Expr) -> tuple[DataFrame, dict[str, str]]:
        """A Parquet file, or all of a folder, as ``read_parquet('…')`` names it."""
        scan, path = function.sql(dialect="duckdb"), function.expressions[0].name
        if scan not in self._scans:
            types = {row[0]: row[1] for row in super().rows(f"DESCRIBE SELECT * FROM {scan}")}
            folder = path.removesuffix("/*.parquet")
            reader = self.session.read.option("mergeSchema", str(folder != path).lower())
            self._scans[scan] = reader.parquet(path), types
        return self._scans[scan]


def _table(query: exp.Expr) -> exp.Expr:
    """The one table of a query over single rows."""
    from sqlglot import exp  # noqa: PLC0415

    return next(iter(query.find_all(exp.Table)))


def _scan(table: exp.Expr) -> bool:
    from sqlglot import exp  # noqa: PLC0415

    return isinstance(table.this, exp.ReadParquet)


def _parts(query: exp.Expr) -> list[exp.Expr]:
    """The outermost subqueries of a query."""
    from sqlglot import exp  # noqa: PLC0415

    inner: list[exp.Expr] = [node for node in query.find_all(exp.Select, exp.SetOperation) if node is not query]
    return [node for node in inner if next(_above(node, inner), query) is query]


def _above(node: exp.Expr, among: list[exp.Expr]) -> Iterator[exp.Expr]:
    parent = node.parent
    while parent is not None:
        if any(parent is other for other in among):
            yield parent
        parent = parent.parent
