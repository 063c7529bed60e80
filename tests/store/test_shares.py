"""Little of a large collection is found by its labels, much of it along the order: the rows are the same."""

from __future__ import annotations

import hashlib

import pytest
from sqlalchemy import Engine, insert

from exchange.store.engine import raw, write
from exchange.store.labels import Labels, Numbers
from exchange.store.object_tables import FEED, LABEL, OBJECT
from exchange.store.objects import Filter, ObjectQueries, Reader
from exchange.store.shares import Shares
from exchange.store.visibility import id_key

OBJECTS, LABELS, NOW = 6_000, 300, 1_790_000_000_000_000


def release(profile: str, label: str) -> tuple[str, ...] | None:
    """A profile "some of 20" is granted every label below 20."""
    return () if int(label) < int(profile.rpartition(" ")[2]) else None


def profile(engine: Engine, granted: int) -> int:
    facts = f"some of {granted}"
    return Labels(engine, release).profile(hashlib.sha256(facts.encode()).hexdigest(), facts)


@pytest.fixture
def feed(engine: Engine) -> int:
    """Objects of which each has the label after the last one's; every tenth is restricted."""
    number, giver = Numbers(engine).feed("c"), Numbers(engine).contributor("a")
    with write(engine) as connection:
        connection.execute(insert(LABEL), [
            {"number": n + 1, "digest": hashlib.sha256(str(n).encode()).hexdigest(), "facts": str(n)}
            for n in range(LABELS)
        ])
        connection.execute(insert(OBJECT), [
            {"feed": number, "seq": NOW + n, "claim": NOW + n, "contributor": giver, "label": n % LABELS + 1,
             "id_key": id_key(f"x--{n}"), "stix_id": f"x--{n}", "type": "x", "version": "v", "spec_version": "2.1",
             "body": b"{}", "state": 2 if n % 10 == 0 else 0}
            for n in range(OBJECTS)
        ])
        connection.execute(FEED.update().values(last_seq=NOW + OBJECTS))
    return number


@pytest.mark.parametrize("granted", [0, 1, 3, 60, LABELS])
def test_pages_are_what_looking_at_every_object_gives(engine: Engine, feed: int, granted: int) -> None:
    reader, queries = Reader(profile(engine, granted), NOW + OBJECTS, org=99), ObjectQueries(engine.dialect)
    for after in (-1, NOW + 1_000, NOW + OBJECTS - 50, NOW + OBJECTS):
        expected = [NOW + n for n in range(OBJECTS) if NOW + n > after and n % LABELS < granted and n % 10]
        with raw(engine) as connection:
            found = queries.page(connection, feed, reader, Filter(after=after, limit=30), ("seq",))
        assert [row[0] for row in found] == expected[:31], after


def test_the_shorter_way_follows_the_share_and_what_is_left(engine: Engine, feed: int) -> None:
    few, all_ = profile(engine, 1), profile(engine, LABELS)
    shares = Shares(engine.dialect)
    with raw(engine) as connection:
        assert shares.is_sparse(connection, feed, few, -1, 1_000)
        assert not shares.is_sparse(connection, feed, all_, -1, 30)
        assert not shares.is_sparse(connection, feed, few, NOW + OBJECTS, 1_000)
        assert not shares.is_sparse(connection, feed + 1, few, -1, 1_000)
