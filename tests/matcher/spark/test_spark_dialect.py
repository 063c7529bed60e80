"""What of DuckDB's SQL is said to Spark, how, and what is refused rather than said wrongly."""

from __future__ import annotations

import pytest

pytest.importorskip("sqlglot", reason="the engine spark needs cib-exchange[spark]")

from sqlglot import parse_one

from exchange.matcher.spark.dialect import Unportable, without_idle_casts, write
from exchange.matcher.spark.workers import is_own_row_by_row, is_row_by_row

PASSED = (
    ("SELECT a // 3600 FROM t", "SELECT a DIV 3600 FROM t"),
    ("SELECT xor(a, 7) >> 2 FROM t", "SELECT SHIFTRIGHT(a ^ 7, 2) FROM t"),
    ("SELECT a FROM t ORDER BY a, b DESC", "SELECT a FROM t ORDER BY a NULLS LAST, b DESC"),
    ("SELECT sum(x) FILTER (x > 0) FROM t", "SELECT SUM(x) FILTER(WHERE x > 0) FROM t"),
    ("SELECT 1e3 * a FROM t", "SELECT CAST('1e3' AS DOUBLE) * a FROM t"),
    ("SELECT a FROM t SEMI JOIN u USING (b)", "SELECT a FROM t SEMI JOIN u USING (b)"),
    ("SELECT * EXCLUDE (a) FROM t", "SELECT * EXCEPT (a) FROM t"),
    ("SELECT a FROM t QUALIFY row_number() OVER (PARTITION BY a ORDER BY b) = 1",
     "SELECT a FROM t QUALIFY ROW_NUMBER() OVER (PARTITION BY a ORDER BY b NULLS LAST) = 1"),
    ("SELECT count(DISTINCT a) OVER (PARTITION BY b) FROM t",
     "SELECT CAST(SIZE(COLLECT_SET(a) OVER (PARTITION BY b)) AS BIGINT) FROM t"),
)


@pytest.mark.parametrize(("ours", "sparks"), PASSED)
def test_what_means_the_same_is_transpiled(ours: str, sparks: str) -> None:
    assert write(parse_one(ours, read="duckdb")).upper() == sparks.upper()


REFUSED = (
    ("SELECT hash(a) FROM t", "hash"),
    ("SELECT nfc_normalize(a) FROM t", "nfc_normalize"),
    ("SELECT regexp_full_match(a, 'x') FROM t", "RegexpFullMatch|regexp_full_match"),
    ("SELECT TRY_CAST(a AS BIGINT) FROM t", "TryCast"),
    ("SELECT CAST(a AS UBIGINT) FROM t", "CAST AS UBIGINT"),
    ("SELECT ln(a) FROM t", "Ln"),
    ("SELECT pow(2, a) FROM t", "Pow"),
    ("SELECT round(a) FROM t", "Round"),
    ("SELECT a / b FROM t", "division by what may be 0"),
    ("SELECT a % b FROM t", "division by what may be 0"),
    ("SELECT 0.1 * a FROM t", "the decimal 0.1"),
    ("SELECT a[1:3] FROM t", "Bracket"),
    ("SELECT list_transform(a, lambda x: x + 1) FROM t", "Transform|Lambda"),
    ("SELECT unnest(a) FROM t", "Unnest|Explode"),
    ("SELECT list(a ORDER BY a) FROM t", "List|ArrayAgg"),
    ("SELECT a FROM t ASOF JOIN u ON t.a >= u.a", "ASOF JOIN"),
)


@pytest.mark.parametrize(("query", "named"), REFUSED)
def test_what_may_mean_something_else_is_refused_by_name(query: str, named: str) -> None:
    with pytest.raises(Unportable, match=f"^({named})"):
        write(parse_one(query, read="duckdb"))


ROWS = (
    ("SELECT hash(a) FROM t WHERE b > 1", True, True),
    ("SELECT a, unnest(range(3)) FROM t", True, True),
    ("SELECT b FROM (SELECT a || 'x' AS b FROM t)", True, True),
    ("SELECT upper(b) FROM (SELECT DISTINCT b FROM t)", True, False),
    ("SELECT upper(b) FROM (SELECT t.b FROM t JOIN u USING (c)) x", True, False),
    ("SELECT sum(a) FROM t", False, False),
    ("SELECT DISTINCT a FROM t", False, False),
    ("SELECT a FROM t ORDER BY a", False, False),
    ("SELECT a FROM t LIMIT 1", False, False),
    ("SELECT row_number() OVER () FROM t", False, False),
    ("SELECT a FROM t, u", False, False),
    ("SELECT a FROM t WHERE a IN (SELECT b FROM u)", False, False),
    ("SELECT a FROM t UNION ALL SELECT a FROM u", False, False),
    ("SELECT 1", False, False),
)


@pytest.mark.parametrize(("query", "own", "all_the_way"), ROWS)
def test_queries_over_single_rows_are_told_from_others(query: str, own: bool, all_the_way: bool) -> None:
    tree = parse_one(query, read="duckdb")
    assert (is_own_row_by_row(tree), is_row_by_row(tree)) == (own, all_the_way)


def test_only_casts_that_cannot_fail_are_left_out() -> None:
    tree = parse_one("SELECT TRY_CAST(n AS BIGINT), TRY_CAST(n AS VARCHAR), TRY_CAST(s AS VARCHAR), TRY_CAST(s AS BIGINT),"
                     " TRY_CAST(d AS BIGINT) FROM t", read="duckdb")
    without_idle_casts(tree, {"n": "BIGINT", "s": "VARCHAR", "d": "DOUBLE"})
    assert tree.sql(dialect="duckdb") == (
        "SELECT n, CAST(n AS TEXT), s, TRY_CAST(s AS BIGINT), TRY_CAST(d AS BIGINT) FROM t")
