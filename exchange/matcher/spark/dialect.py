"""SQL of DuckDB as SQL of Spark: what means the same on both, and nothing else.

A transpiler writes down anything: SQLGlot turns ``hash`` into another hash, drops the order of a list, and leaves
alone what Spark takes otherwise. So a query passes only if every function in it is known to agree to the last bit;
``Unportable`` names the first that isn't. Known differences are evened out here: NULL sorts last, distinct values
aren't counted over windows. Logarithms and powers are not portable: libraries differ in the last place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlglot import exp

_FUNCTIONS = frozenset((
    "And", "Or", "Xor", "Case", "If", "Coalesce", "Greatest", "Least", "Nullif", "Cast", "Count", "Sum", "Min", "Max",
    "AnyValue", "LogicalAnd", "LogicalOr", "BitwiseOrAgg", "BitwiseAndAgg", "BitwiseXor", "BitwiseCount", "RowNumber",
    "ApproxDistinct",  # an estimate: asked where the answer is surely far from the limit
    "Rank", "DenseRank", "Lag", "Lead", "Abs", "Floor", "Exists"))
"""Names of SQLGlot's classes."""
_NOT_SQL = frozenset(("Lambda", "Unnest", "Explode", "Bracket", "Slice", "Array", "Struct", "TryCast", "RegexpLike",
                      "SimilarTo", "Lateral", "Pivot", "TableSample", "Interval"))
_BY_NAME = frozenset(("bit_count",))
_TYPES = frozenset(("BOOLEAN", "INT", "BIGINT", "DOUBLE", "VARCHAR", "TEXT"))
_WHOLE_NUMBERS = frozenset(("TINYINT", "SMALLINT", "INTEGER", "BIGINT"))
_JOINS = frozenset(("ASOF", "NATURAL", "POSITIONAL"))


class Unportable(Exception):  # noqa: N818 - a name for developers, never seen by a user
    """A statement that isn't known to mean the same on Spark."""


def write(query: exp.Expr) -> str:
    """A parsed query as Spark writes it. Raises Unportable."""
    if found := first_unportable(query):
        raise Unportable(f"{found} in: {query.sql(dialect='duckdb')[:200]}")
    even = query.transform(_even_out)
    # Databricks' dialect is Spark's with QUALIFY, which Spark itself understands since 4.
    return str(even.sql(dialect="databricks"))


def first_unportable(query: exp.Expr) -> str | None:
    """What stands first in a query that isn't known to mean the same on Spark."""
    return next((found for node in query.walk() if (found := reason(node))), None)


def without_idle_casts(query: exp.Expr, types: Mapping[str, str]) -> None:
    """Bare columns where a query over one table of these types tries casts that can't fail."""
    from sqlglot import exp  # noqa: PLC0415

    lower = {name.lower(): kind for name, kind in types.items()}
    for cast in list(query.find_all(exp.TryCast)):
        kind = lower.get(cast.this.name.lower()) if isinstance(cast.this, exp.Column) else None
        wanted = cast.to.sql(dialect="duckdb")
        if kind == wanted or (wanted == "TEXT" and kind == "VARCHAR"):
            cast.replace(cast.this)
        elif kind in _WHOLE_NUMBERS and wanted in ("BIGINT", "DOUBLE", "TEXT"):
            cast.replace(exp.Cast(this=cast.this, to=cast.to))


def reason(node: exp.Expr) -> str | None:
    """Why a part of a query isn't portable by itself; None when it is."""
    from sqlglot import exp  # noqa: PLC0415

    name = type(node).__name__
    if isinstance(node, exp.Anonymous):
        return None if node.name.lower() in _BY_NAME else str(node.name)
    if name in _NOT_SQL or (isinstance(node, exp.Func) and name not in _FUNCTIONS):
        return name
    if isinstance(node, exp.Literal) and not node.is_string and "." in node.this and "e" not in node.this.lower():
        return f"the decimal {node.this} (write it as a double: {node.this}e0)"
    if isinstance(node, exp.Join) and str(node.args.get("method")).upper() in _JOINS:
        return f"{node.args['method']} JOIN"
    if isinstance(node, exp.Cast) and node.to.this.name not in _TYPES:
        return f"CAST AS {node.to.sql()}"
    if isinstance(node, exp.Div | exp.IntDiv | exp.Mod) and not _is_number(node.expression):
        return "division by what may be 0"  # an error, NULL or infinite, by engine, version and setting
    return None


def _is_number(node: exp.Expr) -> bool:
    from sqlglot import exp  # noqa: PLC0415

    return isinstance(node, exp.Literal) and not node.is_string and float(node.this) != 0


def _even_out(node: exp.Expr) -> Any:
    from sqlglot import exp  # noqa: PLC0415

    if isinstance(node, exp.Literal) and not node.is_string and not node.this.isdigit():  # such as 1e3
        return exp.Cast(this=exp.Literal.string(node.this), to=exp.DataType.build("double"))
    if isinstance(node, exp.Window) and isinstance(node.this, exp.Count) and isinstance(node.this.this, exp.Distinct):
        return _count_distinct(node)
    return node


def _count_distinct(window: exp.Expr) -> exp.Expr:
    """``count(DISTINCT x) OVER w`` as ``size(collect_set(x) OVER w)``."""
    from sqlglot import exp  # noqa: PLC0415

    value = window.this.this.expressions[0]
    inner = exp.Window(this=exp.Anonymous(this="collect_set", expressions=[value.copy()]),
                       partition_by=[part.copy() for part in window.args.get("partition_by") or []])
    return exp.Cast(this=exp.Anonymous(this="size", expressions=[inner]), to=exp.DataType.build("bigint"))
