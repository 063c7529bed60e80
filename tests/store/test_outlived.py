"""What has served its turn is forgotten, and nothing that somebody still is to be told."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, Engine, delete, insert, select, text

from exchange.store.allowances import Allowances
from exchange.store.arrival_tables import LOOK, STIR
from exchange.store.engine import write
from exchange.store.labels import Labels, Numbers
from exchange.store.outlived import drop_outlived, is_due
from exchange.store.pushes import NewObject, add_objects
from exchange.store.visibility import NOBODY, Reader

NOW = 1_790_000_000_000_000
HOUR = 3_600_000_000


def stirs(connection: Connection) -> list[int]:
    return list(connection.execute(select(STIR.c.number).order_by(STIR.c.number)).scalars())


def put(connection: Connection, notes: list[tuple[int, int]], looks: dict[tuple[int, int], int]) -> None:
    """Notes (collection, object), numbered from 1; looks (seat, collection) to the note that it took in last."""
    connection.execute(insert(STIR), [{"number": number, "feed": feed, "object": made, "itself": 1}
                                      for number, (feed, made) in enumerate(notes, 1)])
    for (seat, feed), stirred in looks.items():
        connection.execute(insert(LOOK), {"seat": seat, "feed": feed, "profile": 1, "collections": "[]",
                                          "directory": 1, "opened": NOW, "arrived": 0, "stirred": stirred})


@pytest.fixture
def two_objects(engine: Engine) -> list[int]:
    """Numbers of two objects; collections 1 and 2 are there."""
    numbers, labels = Numbers(engine), Labels(engine, lambda _profile, _label: ())
    feed, _, contributor = numbers.feed("a"), numbers.feed("b"), numbers.contributor("org")
    new = [NewObject(stix_id=f"x--{name}", type="x", version="v1", version_text=None, spec_version="2.1",
                     label=labels.label("d", "{}"), visible_from=None, visible_until=None, body=b"1") for name in "pq"]
    with write(engine) as connection:
        add_objects(connection, feed=feed, contributor=contributor, reader=Reader(NOBODY, NOW), objects=new)
        return list(connection.execute(text("SELECT number FROM object ORDER BY number")).scalars())


CASES: dict[str, tuple[str, dict[tuple[int, int], int], list[int]]] = {
    # notes (collection, object), numbered from 1; (seat, collection) to the note that it took in last; what stays
    "what every seat took in": ("1p 1q 1p", {(1, 1): 2, (2, 1): 3}, [3]),
    "what one of two didn't": ("1p 1q 2p", {(1, 1): 0, (2, 1): 2}, [1, 2, 3]),
    "what is said again since": ("1p 1q 2p 1q", {(1, 1): 1, (2, 1): 4, (1, 2): 0}, [3, 4]),
    "each collection for itself": ("2p 1p 2q", {(1, 2): 1, (1, 1): 0}, [2, 3]),
    "nobody ever looked at the collection": ("2p 1p", {(1, 1): 0}, [2]),
    "an object that is gone": ("1x 1p 1q", {(1, 1): 0}, [2, 3]),
    "the newest stays, since its number would be given again": ("1p 1q", {(1, 1): 2}, [2]),
}


def test_notes_of_what_is_shown_late_are_kept_for_who_is_to_hear(engine: Engine, two_objects: list[int]) -> None:
    objects = {"p": two_objects[0], "q": two_objects[1], "x": 99}
    for case, (notes, looks, left) in CASES.items():
        with write(engine) as connection:
            put(connection, [(int(one[0]), objects[one[1]]) for one in notes.split()], looks)
            for _ in range(2):
                drop_outlived(connection, NOW)
                assert stirs(connection) == left, case
            connection.execute(delete(STIR))
            connection.execute(delete(LOOK))


def test_allowances_that_are_long_full_go_and_it_is_done_once_an_hour(engine: Engine) -> None:
    for who, at, share in (("old", -2 * HOUR, 1.0), ("owes", -2 * HOUR, 90.0), ("new", 0, 0.1), ("ahead", 2 * HOUR, 1.0)):
        Allowances(engine, lambda at=at: NOW + at).book("requests", who, share)  # type: ignore[misc]
    with write(engine) as connection:
        assert is_due(connection, NOW)
        drop_outlived(connection, NOW)
        assert sorted(connection.execute(text("SELECT who FROM allowance")).scalars()) == ["new", "owes"]
        assert [is_due(connection, NOW + later) for later in (0, HOUR - 1, HOUR, -HOUR)] == [False, False, True, True]
