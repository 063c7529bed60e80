"""The ground: links in one form however their values are written, and room for what comes after them."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from exchange.matcher.engine import open_engine
from exchange.matcher.platform.ground import lay
from exchange.matcher.report import Report
from exchange.matcher.values import key

AT = 1_780_000_000
BARE, WRITTEN = "SELECT 1 AS account_id, 'device' AS itype, 7 AS value", "SELECT 2, 'device', 'dv_0000000000000007'"


def platform(folder: Path, *links: str) -> Path:
    """A folder of two accounts whose links lie in a part for each query."""
    (folder / "links").mkdir(parents=True)
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT unnest([1, 2]) AS account_id) TO '{folder}/accounts.parquet'")
        for number, rows in enumerate(links):
            connection.execute(f"""COPY (SELECT *, {AT - 9} AS first_seen, {AT} AS last_seen
                FROM ({rows}) t(account_id, itype, value)) TO '{folder}/links/{number}.parquet'""")
    return folder


@pytest.mark.parametrize(("links", "expected"), [
    ([BARE], [(1, None)]),
    ([WRITTEN], [(2, "dv_0000000000000007")]),
    ([BARE, WRITTEN], [(1, None), (2, "dv_0000000000000007")]),
])
def test_links_have_one_key_however_their_values_are_written(tmp_path, links, expected) -> None:
    with open_engine(tmp_path, small=True) as engine:
        lay(engine, platform(tmp_path / "in", *links), {}, AT, Report())
        found = engine.rows("SELECT * FROM links ORDER BY account_id")
    assert found == [(account, "device", key("device", 7), value, AT - 9, AT) for account, value in expected]


@pytest.mark.parametrize("kept", [True, False])
def test_tables_of_the_ground_make_room_unless_they_are_kept(tmp_path, kept) -> None:
    with open_engine(tmp_path, small=True, ground=tmp_path / "ground.duckdb" if kept else None) as engine:
        lay(engine, platform(tmp_path / "in", BARE), {}, AT, Report())
        engine.let_go("links")
        there = engine.rows("SELECT 1 FROM duckdb_tables() WHERE database_name = 'ground' AND table_name = 'links'")
    assert bool(there) == kept
