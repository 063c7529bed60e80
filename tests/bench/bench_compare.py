"""Times each comparator by itself: ``python tests/bench/bench_compare.py [--rows N] [--indicators N]``.

Local tables of N rows each against N indicators of its kind, some of which meet; prints one JSON object of wall and
processor seconds and hits by comparator.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from exchange.matcher.compare import host, ip_range, picture, text, token
from exchange.matcher.engine import Engine, open_engine
from exchange.matcher.values import salt
from exchange.matcher.weighing import load_weights

AT = 1_780_272_000
_WORDS = "list_transform(range(14), lambda n: 'w' || (hash(i * 31 + n * 7 + {0}) % 5000))"


def local_tables(engine: Engine, rows: int) -> None:
    """Links, hosts, avatars and posts of made-up accounts."""
    seen = "1780000000::BIGINT AS first_seen, 1780200000::BIGINT AS last_seen"
    engine.run(f"""CREATE TABLE links AS SELECT i // 2 AS account_id, 'device' AS kind,
            xor((hash(i) >> 2)::BIGINT, {salt('device')}) AS key, i::VARCHAR AS value, {seen} FROM range({rows}) t(i)
        UNION ALL SELECT i // 2, 'ip4', xor((hash(i + 9) % 4294967296)::BIGINT, {salt('ip4')}), i::VARCHAR, {seen}
            FROM range({rows}) t(i)""")
    engine.run(f"""CREATE TABLE hosts AS SELECT i AS account_id, 'https://' || host || '/x' AS value, host, {seen} FROM (
        SELECT i, 's' || (hash(i) % 300000) || '.d' || (hash(i) % 70000) || '.example' AS host
        FROM range({rows}) t(i))""")
    digits = " || ".join(f"lpad(to_hex(hash(i + {n}000000007)), 16, '0')" for n in range(4))
    engine.run(f"CREATE TABLE avatars AS SELECT i AS account_id, {digits} AS pdq FROM range({rows}) t(i)")
    engine.run(f"CREATE TABLE pictures AS SELECT account_id, {picture.words_sql('pdq')} FROM avatars")
    engine.run(f"""CREATE TABLE posts AS SELECT i AS account_id, text, text AS form, {seen} FROM (
        SELECT i, array_to_string({_WORDS.format(0)}, ' ') AS text FROM range({rows}) t(i))""")
    engine.run(f"CREATE VIEW everyone AS SELECT i AS account_id, {AT - 9_000_000} AS created FROM range({rows}) t(i)")


def probes(engine: Engine, how: str, count: int, rng: random.Random) -> None:
    """Indicators, every tenth of a local value."""
    engine.run("""CREATE OR REPLACE TEMP TABLE probes (ix INTEGER, kind VARCHAR, how VARCHAR, key BIGINT, text VARCHAR,
        bits INTEGER, similarity DOUBLE, shared VARCHAR)""")
    engine.run("CREATE OR REPLACE TEMP TABLE hits (account_id BIGINT, ix INTEGER, kind VARCHAR, similarity DOUBLE,"
               " local VARCHAR, shared VARCHAR, first_seen BIGINT, last_seen BIGINT, holders BIGINT)")
    engine.run("CREATE OR REPLACE TEMP TABLE too_common (kind VARCHAR, holders BIGINT)")
    some = count // 10
    local = {"token": "SELECT key FROM links WHERE kind = 'device'", "host": "SELECT host FROM hosts",
             "picture": "SELECT pdq FROM avatars", "text": "SELECT text FROM posts"}.get(how)
    known = [row[0] for row in engine.rows(f"{local} LIMIT {some}")] if local else []
    rows = []
    for ix in range(count):
        number = rng.getrandbits(60)
        made = {"token": number, "host": f"h{number:x}.example", "picture": f"{rng.getrandbits(256):064x}",
                "text": " ".join(f"w{rng.randrange(5000)}" for _ in range(14)), "range": 0}[how]
        value = known[ix] if ix < len(known) else made
        bits = rng.choice((20, 22, 24, 26, 28)) if how == "range" else 0
        key = rng.getrandbits(bits) if how == "range" else value if how == "token" else 0
        kind = {"token": "device", "host": "domain", "range": "ip_range"}.get(how, how)
        rows.append({"ix": ix, "kind": kind, "how": how, "key": key, "text": value if isinstance(value, str) else "",
                     "bits": bits, "similarity": 1.0, "shared": str(value)})
    engine.load("probes", rows)


def main() -> None:
    """Compare, one comparator after the other."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rows", type=int, default=1_000_000)
    arguments.add_argument("--indicators", type=int, default=100_000)
    arguments.add_argument("--pictures", type=int, default=10_000)
    given = arguments.parse_args()
    weights, rng = load_weights(), random.Random(5)
    result = {}
    with tempfile.TemporaryDirectory() as scratch, open_engine(Path(scratch), memory="3GB", threads=2) as engine:
        engine.run("CREATE TABLE kinds (kind VARCHAR, cap INTEGER)")
        engine.load("kinds", ({"kind": kind.name, "cap": kind.cap} for kind in weights.kinds.values()))
        local_tables(engine, given.rows)
        steps: dict[str, Callable[[], None]] = {
            "token": lambda: token.compare(engine), "range": lambda: ip_range.compare(engine),
            "host": lambda: host.compare(engine, weights.direct.subdomain), "text": lambda: text.compare(engine),
            "picture": lambda: picture.compare(engine, AT, weights.direct.picture_at_radius)}
        for how, compare in steps.items():
            probes(engine, how, given.pictures if how == "picture" else given.indicators, rng)
            wall, processor = time.perf_counter(), time.process_time()
            compare()
            result[how] = {"wall": round(time.perf_counter() - wall, 2),
                           "processor": round(time.process_time() - processor, 2),
                           "hits": engine.one("SELECT count(*) FROM hits")[0]}
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
