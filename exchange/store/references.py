"""Graph closure in the database (P20): which references of a pushed object are looked after when it is read.

Those whose targets the contributor itself can see at that time: its own objects, what it may read in any collection,
what comes in the same envelope. So nobody learns by a reference to a guessed id whether the exchange holds it, and an
object that was shown doesn't vanish when a secret object of that id comes later.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Dialect, Select, and_, insert, or_, select

from exchange.store.object_tables import FEED, OBJECT, REFERENCE
from exchange.store.statement import listed, number, one_of
from exchange.store.visibility import Reader, id_key, reader_values, visible

_ADD = insert(REFERENCE)


def closed_targets(
    connection: Connection, refs: Iterable[str], *, envelope: Collection[str], contributor: int, onlooker: Reader
) -> set[str]:
    """Those of the referred ids that the contributor, who reads as ``onlooker``, can see an object of."""
    asked = set(refs)
    known = asked.intersection(envelope)
    left = sorted(asked - known)
    if left:
        dialect = connection.dialect
        rows = connection.execute(_select_targets(dialect), {
            "keys": listed(dialect, [id_key(ref) for ref in left]), "ids": listed(dialect, left),
            "contributor": contributor, **reader_values(dialect, onlooker),
        })
        known.update(rows.scalars())
    return known


def add_references(connection: Connection, feed: int, closed: Mapping[int, Sequence[str]]) -> None:
    """Note the closed references of rows that were just added, by the rows' dates."""
    if not closed:
        return
    dialect, row = connection.dialect, OBJECT.c
    numbers = connection.execute(
        select(row.seq, row.number).where(row.feed == number("feed"), one_of(dialect, row.seq, "seqs")),
        {"feed": feed, "seqs": listed(dialect, list(closed))},
    )
    connection.execute(_ADD, [
        {"object": made, "target_key": id_key(ref), "target_id": ref} for seq, made in numbers for ref in closed[seq]
    ])


@cache
def _select_targets(dialect: Dialect) -> Select[Any]:
    row = OBJECT.c
    readable = row.feed.in_(select(FEED.c.number).where(one_of(dialect, FEED.c.collection, "collections")))
    return select(row.stix_id).distinct().where(
        one_of(dialect, row.id_key, "keys"), one_of(dialect, row.stix_id, "ids"),
        or_(row.contributor == number("contributor"), and_(readable, visible(OBJECT, dialect, full=True))),
    )
