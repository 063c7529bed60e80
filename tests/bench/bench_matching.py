"""Times matching itself: ``python tests/bench/bench_matching.py [--links N] [--indicators N]``.

Two figures at N link rows in a kept ground: (1) direct evidence of all indicators (hits, weights, a score per account),
beside a Python dict that does the same; (2) one new indicator to the accounts that it meets. Prints one JSON object
with wall and CPU seconds; the best of three, warm.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from exchange.matcher.compare import token
from exchange.matcher.direct import weigh_hits
from exchange.matcher.engine import Engine, open_engine
from exchange.matcher.entities import Entities
from exchange.matcher.indicators import Indicator
from exchange.matcher.platform.ground import lay
from exchange.matcher.platform.questions import bring_accounts, open_accounts
from exchange.matcher.probes import Probe
from exchange.matcher.report import Report
from exchange.matcher.run import load_indicators
from exchange.matcher.values import key
from exchange.matcher.weighing import Weights, load_weights

AT, DAY = 1_780_272_000, 86_400
KINDS = ("device", "payment", "phone", "email", "cookie", "ip4")


def make_tables(folder: Path, links: int, seed: int = 1) -> None:
    """Accounts and links of random values, some of them shared."""
    with open_engine(folder) as engine:
        accounts = links // 9
        engine.run(f"SELECT setseed({seed / 100})")
        engine.run(f"""COPY (SELECT range AS account_id, {AT} - (random() * 1000 * {DAY})::BIGINT AS created
            FROM range({accounts})) TO '{folder}/accounts.parquet' (FORMAT parquet)""")
        kinds = ", ".join(f"'{kind}'" for kind in KINDS)
        engine.run(f"""COPY (SELECT account_id, itype, value, seen - span AS first_seen, seen AS last_seen FROM (
                SELECT (random() * {accounts - 1})::BIGINT AS account_id,
                    [{kinds}][1 + (range % {len(KINDS)})::INTEGER] AS itype,
                    CASE WHEN range % {len(KINDS)} = {len(KINDS) - 1} THEN (random() * 4e9)::BIGINT
                         ELSE (random() * {links // 3})::BIGINT * 1000003 END AS value,
                    {AT} - (random() * 300 * {DAY})::BIGINT AS seen, (random() * 60 * {DAY})::BIGINT AS span
                FROM range({links}))) TO '{folder}/links.parquet' (FORMAT parquet)""")


def make_indicators(engine: Engine, count: int) -> list[Indicator]:
    """Indicators of values that are there (a fifth) and of values that aren't."""
    there = engine.rows(f"SELECT kind, key FROM links WHERE kind <> 'ip4' USING SAMPLE {count // 5} ROWS (reservoir, 3)")
    rng = np.random.default_rng(3)
    values = [*there, *((KINDS[int(n) % 5], key(KINDS[int(n) % 5], int(n)))
                        for n in rng.integers(1, 2**62, count - len(there)))]
    return [Indicator(f"indicator--{n}", f"s{n % 7}", f"s{n % 7}", "", AT - int(rng.integers(0, 90)) * DAY, 0.8,
                      (Probe(kind, "token", f"{number:x}", number),)) for n, (kind, number) in enumerate(values)]


def best(do: Callable[[], Any], times: int = 3) -> dict[str, float]:
    """Least wall seconds of several, with the CPU seconds of that time."""
    found = []
    for _ in range(times):
        wall, cpu = time.perf_counter(), time.process_time()
        do()
        found.append((time.perf_counter() - wall, time.process_time() - cpu))
    return {"wall_seconds": round(min(found)[0], 4), "cpu_seconds": round(min(cpu for _, cpu in found), 4)}


def evidence(engine: Engine, there: Entities, weights: Weights) -> int:
    """Hits, their weights and a score per account; returns the accounts."""
    engine.run("DELETE FROM hits")
    engine.run("DELETE FROM too_common")
    token.compare(engine)
    open_accounts(engine, there)
    bring_accounts(engine, there, "SELECT account_id FROM hits")
    weigh_hits(engine, weights, AT)
    return int(engine.one("""SELECT count(*) FROM (SELECT account_id, 1 / (1 + exp(5 - sum(nats))) AS score
        FROM direct GROUP BY account_id)""")[0])


def by_dict(rows: list[tuple[Any, ...]], indicators: list[Indicator], weights: Weights) -> int:
    """The same with a dict of values: what a program without an engine does."""
    wanted: dict[int, list[Indicator]] = defaultdict(list)
    for indicator in indicators:
        wanted[indicator.probes[0].key].append(indicator)
    holders: dict[int, set[int]] = defaultdict(set)
    met = []
    for account, kind, number, first, last in rows:
        named = wanted.get(number)
        if named is not None:
            holders[number].add(account)
            met.append((account, kind, number, first, last, named))
    scores: dict[int, float] = defaultdict(float)
    for account, kind, number, first, last, named in met:
        rule, held = weights.kinds[kind], len(holders[number])
        if held >= 3 * rule.cap:
            continue
        for indicator in named:
            gap = max(0, first - indicator.observed, indicator.observed - last) / DAY
            age = max(0, AT - max(indicator.observed, last)) / DAY
            decay = 2 ** -(gap / rule.half_life) * 2 ** -(age / (2 * rule.half_life))
            scores[account] += rule.base * indicator.confidence * (1 - math.log(held) / math.log(3 * rule.cap)) * decay
    return len({account: 1 / (1 + math.exp(5 - nats)) for account, nats in scores.items()})


def main() -> None:
    """Make, load, measure."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--links", type=int, default=10_000_000)
    arguments.add_argument("--indicators", type=int, default=100_000)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--memory", default="4GB")
    given = arguments.parse_args()
    weights = load_weights()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        make_tables(folder, given.links)
        with open_engine(folder, memory=given.memory, threads=given.threads) as engine:
            start = time.perf_counter(), time.process_time()
            report = Report()
            there = lay(engine, folder, {}, AT, report)
            loaded = {"wall_seconds": round(time.perf_counter() - start[0], 2),
                      "cpu_seconds": round(time.process_time() - start[1], 2)}
            indicators = make_indicators(engine, given.indicators)
            load_indicators(engine, indicators, weights, there, report.accounts)
            accounts = evidence(engine, there, weights)
            fused = best(lambda: evidence(engine, there, weights))
            kind, number = engine.one("SELECT kind, key FROM links LIMIT 1")
            one = best(lambda: engine.rows(f"""SELECT account_id, first_seen, last_seen FROM links
                WHERE key = {number} AND kind = '{kind}'"""), 9)
            start = time.perf_counter(), time.process_time()
            rows = engine.rows("SELECT account_id, kind, key, first_seen, last_seen FROM links")
            read = round(time.process_time() - start[1], 2)
            same = by_dict(rows, indicators, weights)
            plain = {"wall_seconds": round(time.perf_counter() - start[0], 2),
                     "cpu_seconds": round(time.process_time() - start[1], 2), "of_that_reading_rows": read}
    print(json.dumps({"links": given.links, "indicators": given.indicators, "accounts_met": accounts, "load": loaded,
                      "matched_and_fused": fused, "python_dict": {**plain, "accounts_met": same},
                      "one_new_indicator": one}, indent=1))


if __name__ == "__main__":
    main()
