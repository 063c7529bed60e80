"""Times STIX patterns: ``python tests/bench/bench_patterns.py [--patterns 100000] [--observations 1000000]``.

Prints one JSON object: seconds to make look-ups of equality patterns and to join them with a table of observations
on DuckDB (with the hits of both, which must agree with how the table was made), and the seconds that the general
evaluator takes over as many decoded observed-data.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

import duckdb

from exchange.matcher.pattern.lookup import compile_patterns, matches
from exchange.matcher.pattern.observed import Observed
from exchange.matcher.pattern.verdict import MATCH, Judge

SPREAD = 7
"""One in so many observations shows a value that a pattern asks for."""


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """What the work gives, and how long it took."""
    start = time.perf_counter()
    done = work()
    return done, round(time.perf_counter() - start, 2)


def main() -> None:
    """Make patterns and observations, match both ways."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--patterns", type=int, default=100_000)
    arguments.add_argument("--observations", type=int, default=1_000_000)
    arguments.add_argument("--general", type=int, default=1_000_000, help="observations for the general evaluator")
    given = arguments.parse_args()
    texts = [f"[domain-name:value = 'd{number * SPREAD}.example']" for number in range(given.patterns)]
    expected = min(given.patterns, -(-given.observations // SPREAD))

    connection = duckdb.connect(config={"threads": 2})
    connection.execute(
        "CREATE TABLE seen AS SELECT i AS observed, i AS object, 'domain-name:value' AS path,"
        f" 'd' || i || '.example' AS value FROM range({given.observations}) t(i)").fetchall()
    compiled, compiling = timed(lambda: compile_patterns(texts))
    hits, joining = timed(lambda: matches(connection, compiled, "seen"))
    assert len(hits) == expected, (len(hits), expected)

    observed = [Observed(f"observed-data--{n}", ({"type": "domain-name", "value": f"d{n}.example"},), {})
                for n in range(given.general)]
    judge, preparing = timed(lambda: Judge(observed))
    found, judging = timed(lambda: sum(judge.judge(text).result == MATCH for text in texts))
    assert found == min(given.patterns, -(-given.general // SPREAD))
    print(json.dumps({
        "patterns": given.patterns, "observations": given.observations, "hits": len(hits),
        "duckdb": {"compile_seconds": compiling, "join_seconds": joining, "total_seconds": round(compiling + joining, 2)},
        "general": {"observations": given.general, "prepare_seconds": preparing, "judge_seconds": judging,
                    "total_seconds": round(preparing + judging, 2)},
    }, indent=2))


if __name__ == "__main__":
    main()
