"""Measures pages under sharing policy, and compares them with brute force over all objects; run by hand.

    python tests/bench/bench_policy.py                                   1 M objects, 2,000 labels, SQLite
    python tests/bench/bench_policy.py --objects 100000                  smaller
    python tests/bench/bench_policy.py --database-url postgresql://…     an empty database of yours
    python tests/bench/bench_policy.py --matrix                          grants: 200 recipients, 5,000 labels

A page is what the server does for one request after authentication: find, ask the policy again, leave out, join,
note the delivery. Labels here are of made-up facts; ``--matrix`` uses the real decision.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import made_up_parties
from sqlalchemy import Engine, insert, text

from exchange.feed.delivery import deliver
from exchange.feed.leaving import Leaving
from exchange.feed.page import Page, Place, objects_page
from exchange.feed.query import Asked
from exchange.policy.label import release
from exchange.policy.packs import load
from exchange.store.arrivals import Standing
from exchange.store.engine import is_sqlite, open_engine, raw, write
from exchange.store.labels import Labels, Numbers
from exchange.store.ledger import Ledger
from exchange.store.migrations import migrate
from exchange.store.object_tables import FEED, GRANT, LABEL, OBJECT
from exchange.store.objects import Filter, ObjectQueries, Reader
from exchange.store.visibility import id_key

NOW = 1_790_000_000_000_000
SHARES = (0.5, 0.1, 0.01, 0.001, 0.0005)
"""Of 2,000 labels; 0.01 % of the objects is one label with fewer objects than the others."""
RARE = 100
BODY = b'{"type":"indicator","spec_version":"2.1","id":"%s","pattern":"[domain-name:value = \'x.example\']"' + b" " * 600 + b"}"


def folded(facts: str) -> tuple[str, str]:
    """Digest and facts, as labels and profiles are folded."""
    return hashlib.sha256(facts.encode()).hexdigest(), facts


def fill(engine: Engine, objects: int, labels: int) -> int:
    """One feed of objects whose labels are spread at random; label 1 has ``RARE`` objects only."""
    feed, contributor = Numbers(engine).feed("bench"), Numbers(engine).contributor("giver")
    draw = random.Random(1)
    with write(engine) as connection:
        connection.execute(insert(LABEL), [
            {"number": n, "digest": folded(f"label {n}" + "x" * 1_000)[0], "facts": f"label {n}" + "x" * 1_000}
            for n in range(1, labels + 1)
        ])
    rare = set(draw.sample(range(objects), min(RARE, objects)))
    for start in range(0, objects, 20_000):
        rows = []
        for n in range(start, min(start + 20_000, objects)):
            stix_id = f"indicator--{n:032x}"
            label = 1 if n in rare else draw.randint(2, labels)
            rows.append({"feed": feed, "seq": NOW + n, "claim": NOW + n, "contributor": contributor, "label": label,
                         "id_key": id_key(stix_id), "stix_id": stix_id, "type": "indicator", "version": "v",
                         "spec_version": "2.1", "body": BODY % stix_id.encode()})
        with write(engine) as connection:
            connection.execute(insert(OBJECT), rows)
    with write(engine) as connection:
        connection.execute(FEED.update().values(last_seq=NOW + objects))
    with raw(engine) as connection:
        connection.execute("ANALYZE" if is_sqlite(engine) else "VACUUM ANALYZE")
    return feed


def measure_pages(engine: Engine, objects: int, labels: int) -> None:
    """Pages of 1,000 from the beginning, the middle and the end; each equal to brute force."""
    feed = fill(engine, objects, labels)
    granted: dict[str, set[int]] = {}

    def release(profile: str, label: str) -> tuple[str, ...] | None:
        return () if int(label.removeprefix("label ").rstrip("x")) in granted[profile] else None

    ledger, queries = Ledger(engine), ObjectQueries(engine.dialect)
    leaving = Leaving(release, ledger, lambda: "secret")
    every = brute(engine, feed)
    for share in (*SHARES, 0.0001):
        name = f"profile {share}"
        few = draw_labels(share, labels)
        granted[name] = few
        profile = Labels(engine, release).profile(*folded(name))
        reader = Reader(profile, NOW + objects + 1, org=1, collections=("bench",), facts=name, policy="p")
        place = Place(feed, reader, "bench", "secret", leaving)
        spent, cpu, first = [], [], 0.0
        for round_ in range(5):
            for at in (0.0, 0.3, 0.6, 0.9):
                after = NOW + int(objects * at) - 1
                begin, busy = time.perf_counter(), time.thread_time()
                with raw(engine) as connection:
                    asked = Asked(Filter(after=after), None, "")
                    def look(connection: Any = connection, reader: Reader = reader) -> Standing:
                        return Standing(reader, queries.revision(connection, feed))

                    page = deliver(_fresh, ledger, queries, connection, place, asked, look(), look)
                took = (time.perf_counter() - begin) * 1_000
                first = first or took
                if round_:
                    spent.append(took)
                    cpu.append((time.thread_time() - busy) * 1_000)
                expected = [seq for seq, label in every if seq > after and label in few][:1_000]
                if list(page.seqs) != expected:
                    raise SystemExit(f"share {share}: the page after {after} isn't what brute force gives")
        print(f"visible {share:>8.2%}: median {statistics.median(spent):6.2f} ms, worst {max(spent):6.2f} ms, "
              f"of it CPU here {statistics.median(cpu):6.2f} ms, the very first {first:6.1f} ms; equal to brute force", flush=True)


def _fresh(queries: ObjectQueries, connection: Any, place: Place, asked: Asked, _revision: int) -> Page:
    return objects_page(queries, connection, place, asked)


def draw_labels(share: float, labels: int) -> set[int]:
    """As many labels as give about that share of the objects."""
    if share * labels < 1:
        return {1}
    return set(random.Random(2).sample(range(2, labels + 1), round(share * labels)))


def brute(engine: Engine, feed: int) -> list[tuple[int, int]]:
    """Date and label of every object, in order."""
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT seq, label FROM object WHERE feed = :feed ORDER BY seq"), {"feed": feed})
        return [(seq, label) for seq, label in rows]


def measure_matrix(engine: Engine) -> None:
    """Real decisions: the whole matrix, one more label, one changed recipient."""
    packs = load(None)

    def grants(profile: str, label: str) -> tuple[str, ...] | None:
        word, parts = release(profile, label, packs)
        return None if word == "deny" else parts

    labels = Labels(engine, grants)
    for n in range(5_000):
        labels.label(*made_up_parties.label(n))
    made = [made_up_parties.profile(n, packs) for n in range(200)]
    begin, busy = time.perf_counter(), time.process_time()
    for one in made:
        labels.profile(*one)
    print(f"matrix 200 x 5,000: {time.perf_counter() - begin:.1f} s, CPU {time.process_time() - busy:.1f} s")
    fresh = [made_up_parties.label(n) for n in range(6_000, 6_050)]
    _timed("a new label, 200 recipients", [lambda one=one: labels.label(*one) for one in fresh])
    changed = [made_up_parties.profile(n, packs, groups=3) for n in range(20)]
    _timed("one changed recipient, 5,000 labels", [lambda one=one: labels.profile(*one) for one in changed])
    with engine.connect() as connection:
        count, withheld = connection.execute(
            text(f"SELECT count(*), sum(CASE WHEN withheld > 0 THEN 1 ELSE 0 END) FROM {GRANT.name}")).one()
    print(f"{count:,} grants, {withheld:,} of them leave something out")


def _timed(what: str, actions: list[Any]) -> None:
    walls, cpus = [], []
    for act in actions:
        begin, busy = time.perf_counter(), time.process_time()
        act()
        walls.append((time.perf_counter() - begin) * 1_000)
        cpus.append((time.process_time() - busy) * 1_000)
    print(f"{what}: median {statistics.median(walls):.1f} ms, CPU {statistics.median(cpus):.1f} ms")


def main() -> None:
    """Fill a database in a temporary folder, or the one that is given; measure; print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objects", type=int, default=1_000_000)
    parser.add_argument("--labels", type=int, default=2_000)
    parser.add_argument("--database-url", help="an empty database instead of SQLite")
    parser.add_argument("--matrix", action="store_true", help="measure grants instead of pages")
    arguments: Any = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cibx-bench-") as folder:
        engine = open_engine(arguments.database_url or f"sqlite:///{Path(folder) / 'cibx.db'}")
        migrate(engine)
        print("SQLite" if is_sqlite(engine) else "PostgreSQL")
        if arguments.matrix:
            measure_matrix(engine)
        else:
            measure_pages(engine, arguments.objects, arguments.labels)
        engine.dispose()


if __name__ == "__main__":
    main()
