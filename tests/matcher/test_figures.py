"""Times and numbers that are none, or of several units: told with place and remedy in every table; the rest goes on."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("duckdb", reason="the matcher's tests need cib-exchange[matcher]")

import duckdb

from exchange.matcher.engine import open_engine
from exchange.matcher.entities import read_entities
from exchange.matcher.report import Report
from exchange.matcher.shapes import SHAPES

TIMES = ("1780272000", "1780272000000", "1780272000000000", "1780272000000000000", "2026-06-01T00:00:00Z",
         "2026-06-01T00:00:00", "2026-06-01T02:00:00+02:00")
"""One moment, written in every way."""
ROWS: dict[str, dict[str, Any]] = {
    "accounts": {"account_id": 1}, "links": {"account_id": 1, "itype": "device", "value": "dv_1"},
    "posts": {"account_id": 1, "kind": "share", "object": 7},
    "removed": {"network": "n", "itype": "device", "value": "dv_1"},
}
COLUMNS = [(table, column.name) for table in ROWS for column in SHAPES[table].columns if column.role == "time"]


def problems(platform: Any, tmp_path: Any, ask: str = "") -> tuple[list[str], list[tuple[Any, ...]]]:
    """What is said of the platform's tables, and the answer to a question to the views over them."""
    if "accounts" not in platform.tables:
        platform.accounts(1)
    platform.write(tmp_path / "in")
    report = Report()
    with open_engine(tmp_path) as engine:
        read_entities(engine, tmp_path / "in", {}, platform.at + 1, report)
        return report.problems, engine.rows(ask) if ask else []


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_mixed_units_are_told_in_every_table(platform: Any, tmp_path: Any, table: str, column: str) -> None:
    for number, time in enumerate(TIMES):
        row = ROWS[table] | ({"account_id": number} if table == "accounts" else {})
        platform.add(table, **row, **{column: time})
    said, _ = problems(platform, tmp_path)
    (sentence,) = [text for text in said if "mixes units" in text]
    assert sentence.startswith(f"{table}.csv: column {column} mixes units: of 7 times 2 texts with a zone, ")
    for unit in ("1 in Unix seconds", "1 in milliseconds", "1 in microseconds", "1 in nanoseconds", "1 texts without a zone"):
        assert unit in sentence
    assert sentence.endswith("Write all of them as Unix seconds.")


def test_every_way_to_write_a_moment_is_the_same_moment(platform: Any, tmp_path: Any) -> None:
    for time in TIMES:
        platform.add("links", **ROWS["links"], first_seen=time, last_seen=time)
    assert problems(platform, tmp_path, "SELECT DISTINCT first_seen, last_seen FROM links")[1] == [(platform.at, platform.at)]


@pytest.mark.parametrize(("times", "sentence"), [
    (("2026-06-01T00:00:00", "2026-06-01"), "column created has times without a zone; they were read as UTC"),
    (("1780272000000000", "1780272000000001"), "column created is in microseconds, not in Unix seconds"),
    (("1780272000", "soon"), "column created: 1 of 2 times can't be read and count as unknown"),
    (("nan", "inf"), "column created: 2 of 2 times can't be read and count as unknown"),
    (("2026-06-01T00:00:00Z", "2026-06-01T02:00:00+02:00"), ""),
    (("1780272000", "-5"), ""),
    (("1780272000", ""), ""),
])
def test_what_is_odd_about_times_is_told(platform: Any, tmp_path: Any, times: tuple[str, ...], sentence: str) -> None:
    for number, time in enumerate(times):
        platform.accounts(number, created=time)
    said = [text for text in problems(platform, tmp_path)[0] if "created" in text]
    assert [text.startswith(f"accounts.csv: {sentence}") for text in said] == ([True] if sentence else [])


@pytest.mark.parametrize(("column", "figure", "bounds"), [
    ("followers", "nan", "of 0 or more"), ("followers", "inf", "of 0 or more"), ("followers", "-1", "of 0 or more"),
    ("followers", "many", "of 0 or more"), ("strikes", "-inf", "of 0 or more"), ("reach_90d", "-0.5", "of 0 or more"),
    ("audience_quality", "55", "from 0 to 1"), ("geo_spread", "1.01", "from 0 to 1"), ("verified", "yes", "from 0 to 1"),
    ("assurance", "3", "from 0 to 2"), ("payment_months", "nan", "of 0 or more"), ("disclosed", "-1", "from 0 to 1"),
])
def test_a_figure_that_is_none_counts_as_unknown_and_is_told(
    platform: Any, tmp_path: Any, column: str, figure: str, bounds: str
) -> None:
    platform.accounts(1, **{column: figure})
    platform.accounts(2, **{column: "1"})
    platform.accounts(3, **{column: ""})
    said, rows = problems(platform, tmp_path, f"SELECT {column} FROM everyone ORDER BY account_id")
    assert rows == [(None,), (1.0,), (None,)]
    assert f"accounts.csv: column {column}: 1 of 2 figures are no number {bounds} and count as unknown. Mend them in the table." in said


def test_figures_of_parquet_are_looked_at_too(platform: Any, tmp_path: Any) -> None:
    (tmp_path / "in").mkdir()
    with duckdb.connect() as connection:
        connection.execute(f"""COPY (SELECT i AS account_id, CASE i WHEN 0 THEN 'nan' WHEN 1 THEN 'inf' ELSE '7' END::DOUBLE
            AS followers, CASE i WHEN 0 THEN 'nan' WHEN 1 THEN 'inf' ELSE '1780272000' END::DOUBLE AS created
            FROM range(3) t(i)) TO '{tmp_path / "in" / "accounts.parquet"}'""")
    report = Report()
    with open_engine(tmp_path) as engine:
        read_entities(engine, tmp_path / "in", {}, platform.at, report)
        rows = engine.rows("SELECT followers, created FROM everyone ORDER BY account_id")
    assert rows == [(None, None), (None, None), (7.0, 1_780_272_000)]
    assert sum("count as unknown" in text for text in report.problems) == 2


def test_a_confidence_that_is_none_is_told_and_the_default_counts(platform: Any, tmp_path: Any) -> None:
    platform.add("removed", **ROWS["removed"], confidence="90")
    said, rows = problems(platform, tmp_path, "SELECT confidence FROM removed")
    assert rows == [(None,)]
    assert [text for text in said if "column confidence: 1 of 1 figures are no number from 0 to 1" in text]
