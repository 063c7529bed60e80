"""A page that changes while it is made doesn't leave as it was, and the ledger has only what left."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest
from sqlalchemy import Engine

from exchange.errors import UnavailableError
from exchange.feed.delivery import deliver
from exchange.feed.leaving import Leaving
from exchange.feed.page import Page, Place, objects_page
from exchange.feed.query import Asked
from exchange.store.arrivals import Standing
from exchange.store.engine import raw, write
from exchange.store.labels import Labels, Numbers
from exchange.store.ledger import Ledger
from exchange.store.objects import Filter, ObjectQueries, Reader, Versions
from exchange.store.pushes import NewObject, add_objects, withdraw

NOW = 1_790_000_000_000_000
EVERYTHING = Asked(Filter(), None, "")


def everything(_profile: str, _label: str) -> tuple[str, ...]:
    return ()


def folded(facts: str) -> tuple[str, str]:
    return hashlib.sha256(facts.encode()).hexdigest(), facts


class Shelf:
    """A collection of five objects, its ledger, and one who withdraws while pages are made."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.ledger, self.queries = engine, Ledger(engine), ObjectQueries(engine.dialect)
        labels = Labels(engine, everything)
        self.feed, self.contributor = Numbers(engine).feed("c"), Numbers(engine).contributor("a")
        reader = Reader(labels.profile(*folded("a")), NOW, facts="a", org=self.contributor)
        self.place = Place(self.feed, reader, "", "secret", Leaving(everything, self.ledger, lambda: "secret"))
        self.left = [f"x--{n}" for n in range(9)]
        label = labels.label(*folded("l"))
        with write(engine) as connection:
            add_objects(connection, feed=self.feed, contributor=self.contributor, reader=reader, objects=[
                NewObject(stix_id=i, type="x", version="v1", version_text=None, spec_version="2.1", label=label,
                          visible_from=None, visible_until=None, body=json.dumps({"id": i}).encode())
                for i in self.left
            ])

    def withdraw_one(self) -> None:
        with write(self.engine) as connection:
            assert withdraw(connection, feed=self.feed, contributor=self.contributor, stix_id=self.left.pop(),
                            versions=Versions(frozenset({"all"})), spec_versions=None)

    def deliver(self, changes: int) -> Page:
        """A page, while something is withdrawn each of the first times after it was read."""
        left = iter(range(changes))

        def make(queries: ObjectQueries, connection: Any, place: Place, asked: Asked, _revision: int) -> Page:
            page = objects_page(queries, connection, place, asked)
            if next(left, None) is not None:
                self.withdraw_one()
            return page

        with raw(self.engine) as connection:
            def look() -> Standing:
                return Standing(self.place.reader, self.queries.revision(connection, self.feed))

            return deliver(make, self.ledger, self.queries, connection, self.place, EVERYTHING, look(), look)


@pytest.mark.parametrize("changes", [0, 1, 4])
def test_what_was_withdrawn_while_the_page_was_made_does_not_leave(engine: Engine, changes: int) -> None:
    shelf = Shelf(engine)
    page = shelf.deliver(changes)
    assert [o["id"] for o in json.loads(page.body)["objects"]] == shelf.left == [f"x--{n}" for n in range(9 - changes)]
    (row,) = shelf.ledger.after(0, 10)
    assert (row.receipt, row.count) == (page.receipt, 9 - changes)
    assert row.digest == hashlib.sha256(page.body).hexdigest()


def test_a_collection_that_changes_all_the_time_is_refused_and_nothing_is_noted(engine: Engine) -> None:
    shelf = Shelf(engine)
    with pytest.raises(UnavailableError, match="changes faster"):
        shelf.deliver(5)
    assert shelf.ledger.after(0, 10) == []


def test_who_asks_the_ledger_after_its_change_finds_every_page_that_left_before(engine: Engine) -> None:
    shelf = Shelf(engine)
    first = shelf.deliver(0)
    shelf.withdraw_one()
    with engine.connect() as connection:
        told = shelf.ledger.recipients(connection, shelf.feed, [first.seqs[-1]])
    assert [(receipt.org, receipt.receipt) for receipt in told] == [("a", first.receipt)]
