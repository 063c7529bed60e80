"""What a page costs where nothing changed, and what comes from another collection."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.feed.page import PageMaker, manifest_page, objects_page
from exchange.feed.query import read_query
from exchange.store.engine import raw
from tests.cases.circle import AWAY, GREEN, HOME, STRICT, Circle, indicator, make_circle


@pytest.fixture
def circle(tmp_path: Path) -> Circle:
    return make_circle(f"sqlite:///{tmp_path / 'x.db'}")


def statements(circle: Circle, make: PageMaker, *query: tuple[str, str]) -> list[str]:
    """What a page of beta's asks the store for, the ledger aside."""
    said: list[str] = []

    place = circle.exchange.directory().collections[HOME], circle.reader("beta"), "test"
    asked = read_query(list(query), page_size=100, allowed=frozenset({"added_after", "match[id]"}))
    circle.exchange.page(make, *place, asked)  # what is looked up once, and a look of the seat
    with raw(circle.exchange.engine) as connection:  # the one that is at hand for the next as well
        connection.set_trace_callback(said.append)
    circle.exchange.page(make, *place, asked)
    connection.set_trace_callback(None)
    return said


@pytest.mark.parametrize(("query", "make", "count"), [
    ((("added_after", "2027-01-01T00:00:00Z"),), objects_page, 1),  # the page: how the seat stands is known while nothing is committed
    ((("added_after", "2027-01-01T00:00:00Z"),), manifest_page, 1),
    ((("match[id]", "indicator--00000000-0000-4000-8000-000000000001"),), objects_page, 1),  # so are the grants
    ((("match[id]", "indicator--00000000-0000-4000-8000-000000000001"),), manifest_page, 1),
    ((("match[id]", "indicator--00000000-0000-4000-8000-000000000002"),), objects_page, 1),
])
def test_a_page_asks_the_store_for_no_more_than_it_needs(
    circle: Circle, query: tuple[tuple[str, str], ...], make: PageMaker, count: int
) -> None:
    circle.push("alpha", indicator(id="indicator--00000000-0000-4000-8000-000000000001"))
    said = statements(circle, make, *query)
    assert len(said) == count, [one[:200] for one in said]


def test_what_refers_from_another_collection_comes_when_its_references_lead_to_what_is_shown(circle: Circle) -> None:
    """A note elsewhere speaks of a relationship, whose campaign is shared wider later."""
    dated = {"spec_version": "2.1", "created": "2026-11-01T00:00:00.000Z", "modified": "2026-11-01T00:00:00.000Z"}
    secret = {"type": "campaign", "id": "campaign--00000000-0000-4000-8000-000000000001", "name": "Lorem",
              "object_marking_refs": [STRICT], **dated}
    shown = indicator(object_marking_refs=[GREEN])
    link = {"type": "relationship", "id": "relationship--00000000-0000-4000-8000-000000000001", **dated,
            "relationship_type": "indicates", "source_ref": shown["id"], "target_ref": secret["id"],
            "object_marking_refs": [GREEN]}
    note = {"type": "note", "id": "note--00000000-0000-4000-8000-000000000001", "content": "Ipsum",
            "object_refs": [link["id"]], "object_marking_refs": [GREEN], **dated}
    circle.push("alpha", secret, shown, link)
    circle.push("alpha", note, alias="away")
    circle.push("alpha", last := indicator(object_marking_refs=[GREEN]), alias="away")
    assert [one["id"] for one in circle.pull("beta", AWAY)] == [last["id"]]
    circle.push("alpha", secret | {"modified": "2026-11-02T00:00:00.000Z", "object_marking_refs": [GREEN]})
    assert [one["id"] for one in circle.pull("beta", AWAY)] == [last["id"], note["id"]], "behind what a follower had"
