"""An engine on Spark that is spoken to in DuckDB's SQL, for statements over platform-sized tables.

It keeps its tables as views of a session. A statement is taken apart: subqueries over single rows that use what isn't
portable are computed by DuckDB on the workers, and kept; the rest is transpiled. Small tables of the local DuckDB that a
statement names are uploaded for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exchange.matcher.engine import Engine
from exchange.matcher.spark.dialect import first_unportable, reason, without_idle_casts, write
from exchange.matcher.spark.workers import ROWS, is_own_row_by_row, is_row_by_row, on_workers, own_nodes

if TYPE_CHECKING:
    from pyarrow import Table
    from pyspark.sql import DataFrame, SparkSession
    from sqlglot import exp

_PLAIN = {"boolean": "BOOLEAN", "int": "INTEGER", "bigint": "BIGINT", "double": "DOUBLE", "string": "VARCHAR"}


@dataclass
class SparkEngine:
    """Statements over the platform's tables; everything else goes to ``local``."""

    session: SparkSession
    local: Engine
    _frames: dict[str, DataFrame] = field(default_factory=dict)
    """Tables and views by lower-case name."""
    _scans: dict[str, tuple[DataFrame, dict[str, str]]] = field(default_factory=dict)
    _kept: list[DataFrame] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=count)

    @property
    def work(self) -> Path:
        """The folder for what doesn't fit in memory."""
        return self.local.work

    def run(self, sql: str) -> None:
        """Execute a statement whose result isn't wanted: CREATE … AS, INSERT into a local table, or a local one."""
        from sqlglot import exp, parse  # noqa: PLC0415 - an optional part of the installation

        for tree in parse(sql, read="duckdb"):
            if isinstance(tree, exp.Create) and tree.expression is not None and self._is_ours(tree.expression):
                self._make(tree.this.name, tree.expression, keep=tree.kind == "TABLE")
            elif isinstance(tree, exp.Insert) and self._is_ours(tree.expression):
                self.fetch_into(tree.this.name, tree.expression.sql(dialect="duckdb"))
            elif isinstance(tree, exp.Drop) and tree.this.name.lower() in self._frames:
                self._forget(tree.this.name)
            else:
                self.local.run(sql if tree is None else tree.sql(dialect="duckdb"))

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        from sqlglot import exp, parse_one  # noqa: PLC0415

        tree = parse_one(sql, read="duckdb")
        if not isinstance(tree, exp.Query) or not self._is_ours(tree):
            return self.local.rows(sql)
        table = self._ask(tree).toArrow()
        return list(zip(*(column.to_pylist() for column in table.columns), strict=True))

    def one(self, sql: str) -> tuple[Any, ...]:
        """The only row of a query."""
        return self.rows(sql)[0]

    def here(self, table: str) -> None:
        """Bring a table to the local engine: it is small from here on."""
        frame = self._frames[table.lower()]
        self.local.connection.register("arrived", frame.toArrow())
        self.local.run(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT * FROM arrived")
        self.local.connection.unregister("arrived")
        self._forget(table)

    def load(self, table: str, rows: Any) -> None:
        """Append rows to a local table."""
        self.local.load(table, rows)

    def table(self, name: str, columns: Any) -> None:
        """Make a local table of whole columns."""
        self.local.table(name, columns)

    def fetch(self, query: str) -> Table:
        """The answer to a query as an Arrow table."""
        from sqlglot import parse_one  # noqa: PLC0415

        return self._ask(parse_one(query, read="duckdb")).toArrow()

    def fetch_into(self, table: str, query: str, *, by_name: bool = False) -> None:
        """Append the answer to a query to a local table."""
        self.local.connection.register("arrived", self.fetch(query))
        self.local.run(f"INSERT INTO {table} {'BY NAME' if by_name else ''} SELECT * FROM arrived")
        self.local.connection.unregister("arrived")

    def close(self) -> None:
        """Let go of what was kept."""
        for frame in self._kept:
            frame.unpersist()
        for name in self._frames:
            self.session.catalog.dropTempView(name)

    def _make(self, name: str, query: exp.Expr, *, keep: bool) -> None:
        frame = self._ask(query)
        self._register(name, self._keep(frame) if keep else frame)

    def _register(self, name: str, frame: DataFrame) -> None:
        frame.createOrReplaceTempView(name)
        self._frames[name.lower()] = frame

    def _forget(self, name: str) -> None:
        self._frames.pop(name.lower()).unpersist()
        self.session.catalog.dropTempView(name)

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
            return self._read(table.this.sql(dialect="duckdb"))
        frame = self._frames.get(table.name.lower())
        if frame is None:
            frame = self._upload(table.name)
        return frame, {name: _PLAIN[kind] for name, kind in frame.dtypes}

    def _place(self, table: exp.Expr) -> None:
        """See to it that Spark finds what a statement names."""
        from sqlglot import exp  # noqa: PLC0415

        if _scan(table):
            name = f"scan_{next(self._numbers)}"
            self._register(name, self._read(table.this.sql(dialect="duckdb"))[0])
            table.replace(exp.to_table(name, alias=table.alias or None))
        elif table.name.lower() not in self._frames:
            self._upload(table.name).createOrReplaceTempView(table.name)

    def _upload(self, name: str) -> DataFrame:
        found: Table = self.local.connection.sql(f'SELECT * FROM "{name}"').to_arrow_table()
        return self.session.createDataFrame(found)

    def _read(self, scan: str) -> tuple[DataFrame, dict[str, str]]:
        """A Parquet file, or all of a folder, as ``read_parquet('…')`` names it."""
        if scan not in self._scans:
            types = {row[0]: row[1] for row in self.local.rows(f"DESCRIBE SELECT * FROM {scan}")}
            path = scan.split("'")[1]
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

    inner = [node for node in query.find_all(exp.Select, exp.SetOperation) if node is not query]
    return [node for node in inner if next(_above(node, inner), query) is query]


def _above(node: exp.Expr, among: list[exp.Expr]) -> Iterator[exp.Expr]:
    parent = node.parent
    while parent is not None:
        if any(parent is other for other in among):
            yield parent
        parent = parent.parent
