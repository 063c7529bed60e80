"""Spark and DuckDB say the same: statement by statement over made-up tables, and over a whole run."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("duckdb", reason="the matcher's tests need cib-exchange[matcher]")

import duckdb

from exchange.matcher.action.pack import load_actions
from exchange.matcher.bundle import read_objects
from exchange.matcher.compare.picture import distance_sql, words_sql
from exchange.matcher.engine import Engine, open_engine
from exchange.matcher.rhythm import following_sql, joint_sql, wave_sql
from exchange.matcher.run import Options, match
from exchange.matcher.values import (
    address_sql,
    host_sql,
    odd_time_sql,
    text_key_sql,
    text_sql,
    time_sql,
    token_sql,
    unit_sql,
)
from exchange.matcher.weighing import load_weights
from exchange.matcher.world import make_world
from exchange.matcher.world.make import AT, FEED

TEXTS = ("", " ", "a", "Ä b", "ÄB  c", "İΣAΣ ς", "1", " 12 ", "1.5", "1d", "0x1f", "1e3", "-7", "9223372036854775808", "١٢",
         "dv_72c5d055f0bb46ae", "pm_1", "http://Exa.mple:80/x?y#z", "//a.b.c.d/", "10.0.0.1", "10.0.0.256", "it's \\n",
         "one two three four five six seven", "2026-05-01T00:00:00Z", "+49 (0)30 1", "0049301", None)


def _rows(seed: int, count: int = 120) -> list[tuple[Any, ...]]:
    chance = random.Random(seed)
    return [(chance.randrange(12), chance.choice(("ip4", "device", "tag", None)), chance.choice((0, 1, 2**62, -5, None, 7)),
             chance.choice(TEXTS), chance.choice((None, AT, AT - 86_400, AT - chance.randrange(9_000))),
             chance.choice((0.5, -1.0, 2.0**-32, 0.0, None)), chance.randrange(5), f"{chance.getrandbits(256):064x}")
            for _ in range(count)]


@pytest.fixture(scope="module")
def engines(spark: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, Any]]:
    """The same two tables in DuckDB and on Spark."""
    from exchange.matcher.spark.engine import SparkEngine

    folder = tmp_path_factory.mktemp("tables")
    with open_engine(folder, threads=1) as here, open_engine(folder, threads=1) as local:
        there = SparkEngine(local.connection, local.work, local.settings, spark)
        for number, name in enumerate(("rows_a", "rows_b")):
            here.run("CREATE TABLE source (account_id BIGINT, kind VARCHAR, key BIGINT, text VARCHAR, ts BIGINT, x DOUBLE,"
                     " act INTEGER, pdq VARCHAR)")
            here.connection.executemany("INSERT INTO source VALUES (?, ?, ?, ?, ?, ?, ?, ?)", _rows(number))
            here.run(f"COPY source TO '{folder / name}.parquet' (FORMAT parquet)")
            here.run("DROP TABLE source")
            for engine in (here, there):
                engine.run(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{folder / name}.parquet')")
        for engine in (here, there):
            engine.run("CREATE TEMP VIEW steps AS SELECT account_id, act, abs(key) AS key, ts FROM rows_a"
                       " WHERE key IS NOT NULL AND ts IS NOT NULL")
            engine.run("CREATE TEMP TABLE small AS SELECT unnest([1, 2, 7]) AS key")
        yield here, there
        there.close()


STATEMENTS = {
    "values of single rows": f"""SELECT account_id, text, {token_sql('phone', 'text', True)} AS a, {text_sql('text')} AS b,
        {token_sql('email', 'text', False)} AS c, {host_sql('text')} AS d, {address_sql('text')} AS e,
        {time_sql('text', 'VARCHAR')} AS f, {text_key_sql('text')} AS g, (hash(text) >> 1)::BIGINT AS h,
        TRY_CAST(text AS DOUBLE) AS i FROM rows_a""",
    "units of times": f"""SELECT unit, count(*) AS n, count(*) FILTER (odd) AS o FROM (
        SELECT {unit_sql('text', 'VARCHAR')} AS unit, {odd_time_sql('text', 'VARCHAR')} AS odd FROM rows_a) GROUP BY 1""",
    "several rows of one": """SELECT account_id, unnest(string_split(text, ' ')) AS word FROM rows_a""",
    "grouping over rows computed elsewhere": """SELECT word, count(*) AS n, min(account_id) AS least FROM (
        SELECT account_id, unnest(string_split(text, ' ')) AS word FROM rows_a) GROUP BY word
        HAVING min(account_id) <> max(account_id)""",
    "single rows of a join": f"""SELECT account_id, {text_key_sql('text')} AS k FROM (
        SELECT a.account_id, b.text FROM rows_a a JOIN rows_b b ON a.key = b.key AND a.account_id = b.account_id) j""",
    "joins and NULL": """SELECT a.account_id, b.kind, count(*) AS n FROM rows_a a LEFT JOIN rows_b b
        ON a.kind IS NOT DISTINCT FROM b.kind AND a.key = b.key GROUP BY ALL""",
    "a small table of here": "SELECT account_id, key FROM rows_a SEMI JOIN small USING (key)",
    "first of each": """SELECT account_id, key, ts FROM rows_a
        QUALIFY row_number() OVER (PARTITION BY account_id ORDER BY ts DESC, key, text, x, kind, act, pdq) = 1""",
    "distinct over a window": "SELECT key, count(DISTINCT account_id) OVER (PARTITION BY key) AS n FROM rows_a",
    "bits": """SELECT key, bit_or(act) AS b, max(bit_count(xor(key, 7))) AS c, max(key >> 3) AS s, max(act & 3) AS m
        FROM rows_a GROUP BY key""",
    "sums on a grid": "SELECT key, sum(x) AS s, sum(x) FILTER (x > 0) AS p, count(x) AS n FROM rows_a GROUP BY key",
    "greatest, least and whole division": """SELECT greatest(0, key, ts) AS g, least(ts, key) AS l, ts // 3600 AS d,
        key // 2 AS h, ts % 7 AS m, ts / 86400e0 AS e FROM rows_a""",
    "pictures": f"""SELECT a.account_id, {distance_sql('a', 'b')} AS d FROM (SELECT account_id, {words_sql('pdq')} FROM rows_a) a
        JOIN (SELECT account_id, {words_sql('pdq')} FROM rows_b) b ON a.account_id = b.account_id""",
    "windows after a trigger": wave_sql(),
    "more at once than expected": joint_sql(),
    "one after the other": following_sql(),
}


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_has_the_same_answer_on_both(engines: tuple[Engine, Any], name: str) -> None:
    here, there = engines
    expected = sorted(here.rows(STATEMENTS[name]), key=repr)
    assert expected
    assert sorted(there.rows(STATEMENTS[name]), key=repr) == expected


def test_rows_come_here_and_tables_of_here_hide_those_there(engines: tuple[Engine, Any]) -> None:
    _, there = engines
    there.run("CREATE TEMP TABLE few AS SELECT account_id, key FROM rows_a WHERE key = 7")
    count = there.one("SELECT count(*) FROM few")
    there.run("CREATE TEMP TABLE kept (key BIGINT, account_id BIGINT)")
    there.run("INSERT INTO kept BY NAME SELECT account_id, key FROM few")
    there.here("few")
    assert there.connection.execute("SELECT count(*) FROM few").fetchall() == [count]
    assert there.rows("SELECT DISTINCT key FROM kept") == [(7,)]


def test_a_run_has_the_same_results_on_both(spark: Any, tmp_path: Path) -> None:
    world = tmp_path / "world"
    make_world(world, accounts=800, seed=3, difficulty=0.5)
    weights = load_weights()
    weights = replace(weights, cards=weights.cards[:2])  # one round of company; the bench runs all
    options = Options(at=AT, weights=weights, actions=load_actions())
    reports = {name: match(read_objects(world / FEED), world, tmp_path / name, replace(options, spark=master))
               for name, master in (("duckdb", None), ("spark", "local[1]"))}
    assert reports["spark"].hits == reports["duckdb"].hits
    assert reports["spark"].accounts_with_evidence == reports["duckdb"].accounts_with_evidence > 0
    with duckdb.connect() as connection:
        for result in ("accounts", "evidence", "clusters", "memberships", "actions"):
            one, other = (f"FROM '{tmp_path / name / result}.parquet'" for name in reports)
            assert connection.execute(f"SELECT count(*) FROM ({one})").fetchall()[0][0]
            assert connection.execute(f"{one} EXCEPT ALL {other}").fetchall() == []
            assert connection.execute(f"{other} EXCEPT ALL {one}").fetchall() == []
