"""Runs the matcher on DuckDB and on Spark over worlds and compares all that they write.

``python tests/bench/bench_spark.py [WORLD ...] [--master local[2]] [--accounts N]``: folders of worlds (default: the
sample worlds beside the project), or a made one. Prints one JSON object per world: seconds by engine, accounts, the
largest difference of scores, and how many rows of each result only one of the two has.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from exchange.matcher.action.pack import load_actions
from exchange.matcher.bundle import read_objects
from exchange.matcher.run import Options, match
from exchange.matcher.weighing import load_weights
from exchange.matcher.world import make_world
from exchange.matcher.world.make import AT, FEED

WORLDS = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "worlds"
RESULTS = ("accounts", "evidence", "clusters", "memberships", "actions", "timeline", "classes")


def differences(one: Path, other: Path) -> dict[str, Any]:
    """What two runs' results don't have in common."""
    with duckdb.connect() as connection:
        def rows(sql: str) -> Any:
            return connection.execute(sql).fetchall()

        accounts, alone, score, log_odds = rows(f"""SELECT count(*), count(*) FILTER (
                a.account_id IS NULL OR b.account_id IS NULL), max(abs(a.score - b.score)),
                max(abs(a.log_odds - b.log_odds))
            FROM '{one}/accounts.parquet' a FULL JOIN '{other}/accounts.parquet' b USING (account_id)""")[0]
        only = {name: [rows(f"SELECT count(*) FROM (FROM '{a}/{name}.parquet' EXCEPT ALL FROM '{b}/{name}.parquet')")[0][0]
                       for a, b in ((one, other), (other, one))] for name in RESULTS}
    return {"accounts": accounts, "accounts_of_one_only": alone, "largest_difference_of_scores": score,
            "largest_difference_of_log_odds": log_odds, "rows_of_one_only": only}


def both(world: Path, master: str) -> dict[str, Any]:
    """Run both engines over one world."""
    with tempfile.TemporaryDirectory() as scratch:
        seconds: dict[str, Any] = {}
        options = Options(at=AT, weights=load_weights(), actions=load_actions())
        for name, spark in (("duckdb", None), ("spark", master)):
            start = time.perf_counter()
            report = match(read_objects(world / FEED), world, Path(scratch) / name, replace(options, spark=spark))
            seconds[name] = {"all": round(time.perf_counter() - start, 1),
                             **{step: round(took, 1) for step, took in report.seconds.items()}}
        return {"world": str(world), "master": master, "with_evidence": report.accounts_with_evidence,
                **differences(Path(scratch) / "duckdb", Path(scratch) / "spark"), "seconds": seconds}


def main() -> None:
    """Compare over the worlds that are named."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("worlds", type=Path, nargs="*")
    arguments.add_argument("--master", default="local[2]")
    arguments.add_argument("--accounts", type=int)
    given = arguments.parse_args()
    if given.accounts:
        with tempfile.TemporaryDirectory() as scratch:
            make_world(Path(scratch), accounts=given.accounts, seed=7, difficulty=0.5)
            print(json.dumps(both(Path(scratch), given.master)))
    for world in given.worlds or ([] if given.accounts else sorted(path for path in WORLDS.iterdir() if path.is_dir())):
        print(json.dumps(both(world, given.master)), flush=True)


if __name__ == "__main__":
    main()
