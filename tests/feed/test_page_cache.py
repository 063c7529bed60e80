"""Kept pages give what fresh ones would, whatever is added, withdrawn, revised, or comes to its time meanwhile."""

from __future__ import annotations

import gc
import hashlib
import json
import tracemalloc
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine

from exchange.feed.leaving import Form, Leaving
from exchange.feed.page import Place, objects_page
from exchange.feed.page_cache import PageCache, _size
from exchange.feed.query import read_query
from exchange.store.engine import raw, write
from exchange.store.labels import Labels, Numbers
from exchange.store.ledger import Ledger
from exchange.store.objects import ObjectQueries, Reader, Versions
from exchange.store.pushes import NewObject, add_objects, withdraw

NOW = 1_790_000_000_000_000
ALL = Versions(frozenset({"all"}))


def may_see(profile: str, label: str) -> tuple[str, ...] | None:
    """Everything of a's; the rest as far as it is open."""
    return () if profile == "a" or label == "open" else None


def folded(facts: str) -> tuple[str, str]:
    return hashlib.sha256(facts.encode()).hexdigest(), facts


class Feed:
    """A collection with six objects that one member reads in pages of two."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.labels = Labels(engine, may_see)
        self.leaving = Leaving(may_see, Ledger(engine), lambda: "secret")
        self.number = Numbers(engine).feed("c")
        self.contributor = Numbers(engine).contributor("a")
        self.queries = ObjectQueries(engine.dialect)
        self.cache = PageCache(1_000_000)
        self.add(*(self.new(f"x--{n}") for n in range(6)))

    def new(self, stix_id: str, version: str = "v1", label: str = "open") -> NewObject:
        return NewObject(stix_id=stix_id, type="x", version=version, version_text=None, spec_version="2.1",
                         label=self.labels.label(*folded(label)), visible_from=None, visible_until=None,
                         body=json.dumps([stix_id, version]).encode())

    def add(self, *objects: NewObject) -> None:
        reader = Reader(self.labels.profile(*folded("a")), NOW)
        with write(self.engine) as connection:
            add_objects(connection, feed=self.number, contributor=self.contributor, reader=reader, objects=objects)

    def remove(self, stix_id: str) -> None:
        with write(self.engine) as connection:
            withdraw(connection, feed=self.number, contributor=self.contributor, stix_id=stix_id, versions=ALL,
                     spec_versions=None)

    def crawl(self, make: Any, now: int = NOW, profile: str = "b", secret: str = "secret") -> list[Any]:
        found: list[Any] = []
        token = None
        place = Place(self.number, Reader(self.labels.profile(*folded(profile)), now, facts=profile), "here", secret,
                      self.leaving)
        while True:
            query = [("limit", "2")] + ([("next", token)] if token else [])
            asked = read_query(query, allowed=frozenset({"limit", "next"}), page_size=2)
            with raw(self.engine) as connection:
                page = json.loads(make(self.queries, connection, place, asked).body)
            found += page.get("objects", [])
            token = page.get("next")
            if not page["more"]:
                return found


@pytest.fixture
def feed(engine: Engine) -> Feed:
    return Feed(engine)


CHANGES = {
    "nothing": lambda f: None,
    "added at the end": lambda f: f.add(f.new("x--7")),
    "withdrawn": lambda f: f.remove("x--1"),
    "a newer version": lambda f: f.add(f.new("x--1", "v2")),
    "an older version": lambda f: f.add(f.new("x--1", "v0")),
    "a version that the reader may not see": lambda f: f.add(f.new("x--1", "v3", "closed")),
    "withdrawn and added again": lambda f: (f.remove("x--0"), f.add(f.new("x--0"))),
}


@pytest.mark.parametrize("change", CHANGES)
def test_kept_pages_equal_fresh_ones_after(feed: Feed, change: str) -> None:
    for _ in range(2):  # kept, given from memory
        assert feed.crawl(feed.cache.objects_page) == feed.crawl(objects_page)
    CHANGES[change](feed)
    assert feed.crawl(feed.cache.objects_page) == feed.crawl(objects_page)
    assert feed.crawl(feed.cache.objects_page, profile="a") == feed.crawl(objects_page, profile="a")


def test_after_the_keys_of_cursors_were_rotated_kept_pages_dont_lead_to_cursors_of_a_former_one(feed: Feed) -> None:
    for secret in ("one", "two,one", "three,two", "four,three"):
        for _ in range(3):
            assert len(feed.crawl(feed.cache.objects_page, secret=secret)) == 6


@pytest.mark.parametrize("later", [0, 9, 10, 11, 19, 20, 21])
def test_windows_in_time_open_and_close_in_kept_pages(feed: Feed, later: int) -> None:
    feed.add(replace(feed.new("x--early"), visible_until=NOW + 20), replace(feed.new("x--late"), visible_from=NOW + 10),
             feed.new("x--8"), feed.new("x--9"), feed.new("x--10"))
    feed.crawl(feed.cache.objects_page)
    feed.crawl(feed.cache.objects_page)
    now = NOW + later
    assert feed.crawl(feed.cache.objects_page, now) == feed.crawl(objects_page, now)


@pytest.mark.parametrize("opens", [True, False])
@pytest.mark.parametrize("later", [9, 10, 11])
def test_a_version_further_on_that_comes_or_goes_shows_in_the_kept_page_of_the_former_one(
    feed: Feed, opens: bool, later: int
) -> None:
    newer = feed.new("x--1", "v2")
    newer = replace(newer, visible_from=NOW + 10) if opens else replace(newer, visible_until=NOW + 10)
    feed.add(newer, *(feed.new(f"x--{n}") for n in range(6, 9)))
    for now in (NOW, NOW + later):
        feed.crawl(feed.cache.objects_page, now)
        assert feed.crawl(feed.cache.objects_page, now) == feed.crawl(objects_page, now)
    assert (["x--1", "v1"] in feed.crawl(objects_page, NOW + later)) is ((later < 10) is opens)


def test_a_kept_page_is_not_asked_of_the_store_again(feed: Feed) -> None:
    feed.crawl(feed.cache.objects_page)
    first = feed.crawl(feed.cache.objects_page)
    with write(feed.engine) as connection:  # behind the exchange's back: no revision tells of it
        connection.exec_driver_sql("DELETE FROM object WHERE stix_id = 'x--0'")
    assert feed.crawl(feed.cache.objects_page) == first != feed.crawl(objects_page)


class Clock:
    """Seconds, as a test sets them."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Counting(Leaving):
    """Counts the pages that are made: each asks it how its rows leave."""

    made = 0

    def forms(self, *given: Any) -> dict[int, Form]:
        self.made += 1
        return super().forms(*given)


def held(cache: PageCache) -> int:
    """What the kept pages take."""
    return sum(_size(kept.page) for kept in cache._kept.values())


def test_memory_is_bounded_and_who_goes_round_is_given_what_found_room(feed: Feed) -> None:
    feed.add(*(feed.new(f"x--{n}") for n in range(6, 20)))
    feed.cache, pages = PageCache(13_000, Clock()), 10
    feed.leaving = counting = Counting(may_see, Ledger(feed.engine), lambda: "secret")
    for kept in (0, 7, 7):
        counting.made = 0
        feed.crawl(feed.cache.objects_page)
        assert counting.made == pages - kept, "pages drive each other out"
    assert 0 < feed.cache._size <= 13_000
    assert feed.cache._size == held(feed.cache)


def test_a_page_that_nobody_asks_for_any_more_makes_room(feed: Feed) -> None:
    clock = Clock()
    feed.cache = PageCache(2_000, clock)
    feed.crawl(feed.cache.objects_page, profile="a")
    former = list(feed.cache._kept)
    for seconds in (0.0, 59.9, 60.0):
        clock.now = 1_000.0 + seconds
        feed.crawl(feed.cache.objects_page)
        assert (list(feed.cache._kept) == former) is (seconds < 60.0), seconds
    assert 0 < feed.cache._size <= 2_000


def test_a_page_larger_than_all_room_is_given_and_not_kept(feed: Feed) -> None:
    feed.cache = PageCache(10)
    assert feed.crawl(feed.cache.objects_page) == feed.crawl(objects_page)
    assert feed.cache._size == 0


def test_pages_of_few_objects_take_as_much_room_as_they_do(feed: Feed) -> None:
    feed.add(*(feed.new(f"x--{n}") for n in range(6, 100)))
    feed.crawl(feed.cache.objects_page)
    feed.cache = PageCache(1_000_000)
    tracemalloc.start()
    feed.crawl(feed.cache.objects_page)
    gc.collect()
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(feed.cache._kept) == 49
    assert taken < 1.2 * held(feed.cache)


class Crossed(ObjectQueries):
    """While it is asked for windows in time, as PostgreSQL lets it, another request reads the same."""

    feed: Feed
    crossed = False

    def next_window(self, connection: Any, feed: int, span: tuple[int, int], now: int) -> int | None:
        if not self.crossed:
            self.crossed = True
            self.feed.crawl(self.feed.cache.objects_page)
            self.crossed = False
        return super().next_window(connection, feed, span, now)


def test_a_page_that_two_requests_keep_at_once_takes_its_room_once(feed: Feed) -> None:
    feed.queries = crossed = Crossed(feed.engine.dialect)
    crossed.feed = feed
    feed.crawl(feed.cache.objects_page)
    assert feed.cache._size == held(feed.cache) > 0
