"""What a page costs where nothing changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from exchange.feed.page import PageMaker, manifest_page, objects_page
from exchange.feed.query import read_query
from tests.cases.circle import HOME, Circle, indicator, make_circle


@pytest.fixture
def circle(tmp_path: Path) -> Circle:
    return make_circle(f"sqlite:///{tmp_path / 'x.db'}")


def statements(circle: Circle, make: PageMaker, *query: tuple[str, str]) -> list[str]:
    """What a page of beta's asks the store for, the ledger aside."""
    said: list[str] = []

    def listen(connection: Any, *_: object) -> None:
        connection.set_trace_callback(said.append)

    place = circle.exchange.directory().collections[HOME], circle.reader("beta"), "test"
    asked = read_query(list(query), page_size=100, allowed=frozenset({"added_after", "match[id]"}))
    circle.exchange.page(make, *place, asked)  # what is looked up once, and a look of the seat
    event.listen(circle.exchange.engine, "checkout", listen)
    circle.exchange.page(make, *place, asked)
    event.remove(circle.exchange.engine, "checkout", listen)
    return said


@pytest.mark.parametrize(("query", "make", "count"), [
    ((("added_after", "2027-01-01T00:00:00Z"),), objects_page, 2),  # how the seat stands, and the page
    ((("added_after", "2027-01-01T00:00:00Z"),), manifest_page, 2),
    ((("match[id]", "indicator--00000000-0000-4000-8000-000000000001"),), objects_page, 4),  # grants, and if it still stands so
    ((("match[id]", "indicator--00000000-0000-4000-8000-000000000001"),), manifest_page, 4),
    ((("match[id]", "indicator--00000000-0000-4000-8000-000000000002"),), objects_page, 2),
])
def test_a_page_asks_the_store_for_no_more_than_it_needs(
    circle: Circle, query: tuple[tuple[str, str], ...], make: PageMaker, count: int
) -> None:
    circle.push("alpha", indicator(id="indicator--00000000-0000-4000-8000-000000000001"))
    said = statements(circle, make, *query)
    assert len(said) == count, [one[:200] for one in said]
