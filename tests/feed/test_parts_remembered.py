"""What the database says of labels is asked once while nothing is committed, and little of it stays in memory."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from exchange.feed import leaving as room
from exchange.feed.leaving import Leaving
from exchange.store.engine import open_engine, raw
from exchange.store.labels import Labels
from exchange.store.ledger import Ledger
from exchange.store.migrations import migrate
from exchange.store.objects import ObjectQueries, Reader
from tests.feed.test_page_cache import folded, may_see


class Counting(ObjectQueries):
    """Counts how often it is asked for grants."""

    asked = 0

    def grants(
        self, connection: Any, profile: int, labels: Collection[int]
    ) -> Mapping[int, tuple[str, str, str | None]]:
        self.asked += 1
        return super().grants(connection, profile, labels)


class Asking:
    """A member asks for labels, each at a row of its own."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.queries = engine, Counting(engine.dialect)
        self.labels, self.leaving = Labels(engine, may_see), Leaving(may_see, Ledger(engine), lambda: "secret")
        self.reader = Reader(self.labels.profile(*folded("a")), 0, facts="a")
        self.numbers = [self.labels.label(*folded(f"label {n}")) for n in range(20)]

    def ask(self, labels: Collection[int], sign: object | None) -> bool:
        """Whether the database was asked."""
        before = self.queries.asked
        with raw(self.engine) as connection:
            rows = [(at, label, 0) for at, label in enumerate(labels)]
            assert self.leaving.forms(self.queries, connection, 1, self.reader, rows, sign) == {}
        return self.queries.asked > before


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[Asking]:
    engine = open_engine(f"sqlite:///{tmp_path / 'x.db'}")
    migrate(engine)
    yield Asking(engine)
    engine.dispose()


def test_the_same_labels_are_asked_for_once_under_a_sign(asking: Asking) -> None:
    one, other = asking.numbers[:2], asking.numbers[2:4]
    told = [asking.ask(labels, sign) for labels, sign in (
        (one, 1), (one, 1), (other, 1), (one, 1), (one, 2), (one, 2), (other, 2), (one, None), (one, 1))]
    assert told == [True, False, True, False, True, False, True, True, True]


def test_pages_of_many_labels_are_not_remembered(asking: Asking) -> None:
    assert [asking.ask(asking.numbers[:few], 1) for few in (16, 16, 17, 17)] == [True, False, True, True]


def test_a_bounded_number_of_pages_is_remembered(asking: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_MOST_SAID", 3)
    for label in asking.numbers:
        asking.ask([label], 1)
        assert len(asking.leaving._said[1]) <= 3
