"""DuckDB on Spark's workers: what a query makes of single rows is computed by the engine that it was written for.

Casts, hashes, regular expressions and Unicode differ between engines in ways that no test finds all of (Spark reads
``1d`` as a number and cuts 1.5 to 1 where DuckDB rounds it). So such a query runs in DuckDB on every partition; Spark
only brings rows there and takes them away, as Arrow. The query must look at each row by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any

from exchange.matcher.spark.dialect import Unportable

if TYPE_CHECKING:
    from pyarrow import RecordBatch
    from pyspark.sql import DataFrame
    from sqlglot import exp

ROWS = "batch"
"""What the query names after FROM."""
_SPARK = {"BOOLEAN": "boolean", "INTEGER": "int", "BIGINT": "bigint", "DOUBLE": "double", "VARCHAR": "string"}
_WHOLE = ("joins", "group", "having", "qualify", "distinct", "order", "limit", "offset", "laterals", "with_", "windows")


def on_workers(frame: DataFrame, types: Mapping[str, str], query: str) -> DataFrame:
    """The rows that ``query`` (DuckDB's SQL, FROM batch) makes of each row of a frame: none, one or several.

    ``types`` are DuckDB's types of the frame's columns, which the query sees whatever Spark made of them. Raises
    Unportable for a query that looks at more than one row at a time or gives a column of another than the plain types.
    """
    used = _columns_used(query)
    kept = [name for name in frame.columns if used is None or name.lower() in used] or frame.columns[:1]
    cast = "SELECT " + ", ".join(f'CAST("{name}" AS {types[name]}) AS "{name}"' for name in kept) + " FROM arrived"
    whole = f"WITH {ROWS} AS ({cast}) {query}"
    schema = ", ".join(f"`{name}` {_spark_type(name, kind)}" for name, kind in _described(whole, types, kept))
    return frame.select(*(f"`{name}`" for name in kept)).mapInArrow(_computing(whole), schema)


def is_row_by_row(query: exp.Expr) -> bool:
    """Whether a parsed query looks at the rows of one table each by itself, all the way down."""
    from sqlglot import exp  # noqa: PLC0415 - an optional part of the installation

    if not is_own_row_by_row(query):
        return False
    inner = query.args["from_"].this
    return isinstance(inner, exp.Table) or is_row_by_row(inner.this)


def is_own_row_by_row(query: exp.Expr) -> bool:
    """Whether a parsed query looks at each row by itself of what stands after its FROM, whatever that is."""
    from sqlglot import exp  # noqa: PLC0415

    source = query.args.get("from_")
    if not isinstance(query, exp.Select) or source is None or any(query.args.get(part) for part in _WHOLE):
        return False
    if not isinstance(source.this, exp.Table | exp.Subquery):
        return False
    return not any(isinstance(node, exp.AggFunc | exp.Window | exp.Query) for node in own_nodes(query))


def own_nodes(query: exp.Expr) -> Iterator[exp.Expr]:
    """What a query says itself: everything but what stands after its FROM."""
    for name, value in query.args.items():
        for part in value if isinstance(value, list) else (value,):
            if name != "from_" and part is not None and not isinstance(part, str | bool):
                yield from part.walk()


def _columns_used(query: str) -> set[str] | None:
    """Names of the columns that a query reads; None: all."""
    import sqlglot  # noqa: PLC0415
    from sqlglot import exp  # noqa: PLC0415

    tree = sqlglot.parse_one(query, read="duckdb")
    if not is_row_by_row(tree):
        raise Unportable(f"not a query over single rows: {query[:200]}")
    return None if tree.find(exp.Star) else {column.name.lower() for column in tree.find_all(exp.Column)}


def _described(query: str, types: Mapping[str, str], kept: Iterable[str]) -> list[tuple[str, str]]:
    import duckdb  # noqa: PLC0415 - as in engine

    with duckdb.connect(":memory:") as connection:
        columns = ", ".join(f'"{name}" {types[name]}' for name in kept)
        connection.execute(f"CREATE TABLE arrived ({columns})").fetchall()
        return [(row[0], row[1]) for row in connection.execute(f"DESCRIBE {query}").fetchall()]


def _spark_type(name: str, kind: str) -> str:
    if kind not in _SPARK:
        raise Unportable(f"column {name} is {kind}")
    return _SPARK[kind]


def _computing(query: str) -> Callable[[Iterator[RecordBatch]], Iterator[RecordBatch]]:
    """What a worker does with the batches of a partition."""

    def compute(batches: Iterator[RecordBatch]) -> Iterator[RecordBatch]:
        """The answer of the query over all rows of one partition; nothing for a partition without rows."""
        import duckdb  # noqa: PLC0415 - runs on a worker
        import pyarrow as pa  # noqa: PLC0415

        first = next(batches, None)
        if first is None:
            return
        with duckdb.connect(":memory:", config={"threads": 1, "preserve_insertion_order": False}) as connection:
            connection.execute("SET TimeZone = 'UTC'").fetchall()
            arrived: Any = pa.RecordBatchReader.from_batches(first.schema, chain((first,), batches))
            connection.register("arrived", arrived)
            yield from connection.sql(query).to_arrow_reader(100_000)

    return compute
