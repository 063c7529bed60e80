"""Writers that cross each other on PostgreSQL: turns are waited for in one order, and who gave way tries again."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from exchange.errors import UnavailableError
from exchange.store.engine import crossing, open_engine, read, write
from exchange.store.faults import CrossedError
from exchange.store.pushes import lock_feed
from tests.cases.circle import AWAY, GREEN, HOME, indicator, make_circle

AMBER = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"


def until_somebody_waits(engine: Engine, lock: str) -> None:
    """Until another connection of the test's database waits for a lock of the kind."""
    asked = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                 " AND wait_event_type = 'Lock' AND wait_event = :lock")
    for _ in range(1_000):
        with read(engine) as connection:
            if connection.execute(asked, {"lock": lock}).scalar_one():
                return
        time.sleep(0.005)
    raise AssertionError("nobody waits")


@pytest.mark.postgres
@pytest.mark.parametrize("engine_name", ["postgres"], indirect=True)
def test_a_push_holds_nothing_while_it_waits_for_a_collection_before_its_own(migrated_url: str) -> None:
    """It would wait for one that waits for it."""
    circle = make_circle(migrated_url)
    target = indicator(object_marking_refs=[GREEN])
    circle.push("alpha", target)
    circle.push("alpha", moved := indicator(object_marking_refs=[GREEN]), alias="away")
    circle.push("beta", {
        "type": "relationship", "spec_version": "2.1", "id": target["id"].replace("indicator", "relationship"),
        "created": target["created"], "modified": target["created"], "relationship_type": "related-to",
        "source_ref": moved["id"], "target_ref": moved["id"]})
    engine = circle.exchange.engine
    home, away = (circle.exchange._numbers.feed(one) for one in (HOME, AWAY))
    assert home < away
    newer: dict[str, Any] = {**moved, "modified": "2026-11-02T00:00:00.000Z", "object_marking_refs": [AMBER]}
    with ThreadPoolExecutor(1) as aside:
        with write(engine) as other:
            other.execute(text("SET LOCAL lock_timeout = '300ms'"))
            lock_feed(other, home)
            pushed = aside.submit(circle.push, "alpha", newer, alias="away")
            until_somebody_waits(engine, "transactionid")
            lock_feed(other, away)
        assert pushed.result() == ["added"]
    with read(engine) as connection:
        stirred = connection.execute(text("SELECT count(*) FROM stir WHERE feed = :home"), {"home": home})
        assert stirred.scalar_one() == 1


@pytest.mark.postgres
def test_who_gave_way_to_another_transaction_tries_again(postgres_url: str) -> None:
    engine, has_two = open_engine(postgres_url), Event()
    tries: list[frozenset[int]] = []

    def turn(connection: Connection, number: int) -> None:
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": number})

    def act(first: frozenset[int]) -> str:
        tries.append(first)
        with write(engine) as connection:
            connection.execute(text("SET LOCAL deadlock_timeout = '10ms'"))
            turn(connection, 2)
            has_two.set()
            if len(tries) == 1:
                until_somebody_waits(engine, "advisory")
            turn(connection, 1)
        return "done"

    with ThreadPoolExecutor(1) as aside:
        with write(engine) as other:
            turn(other, 1)
            acted = aside.submit(crossing, act)
            assert has_two.wait(20)
            turn(other, 2)
        assert acted.result() == "done"
    assert len(tries) == 2
    engine.dispose()


def test_who_always_gives_way_is_told_after_five_tries_and_takes_the_turns_that_it_wanted() -> None:
    tries: list[frozenset[int]] = []

    def act(first: frozenset[int]) -> None:
        tries.append(first)
        raise CrossedError("Others write.", frozenset({len(tries)}))

    with pytest.raises(UnavailableError, match="busy"):
        crossing(act)
    assert tries == [frozenset(range(1, n)) for n in range(1, 6)]
