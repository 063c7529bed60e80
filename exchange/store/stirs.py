"""Noting that something may be seen from now on that was pushed before: a state that ended, or what it refers to.

Written in the transaction of the change, after the collections' turns were taken; who reads takes it in at its next
look (``arrivals``), each as far as it may see.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import cache
from typing import Any

from sqlalchemy import Connection, Dialect, Select, and_, exists, insert, not_, select, update

from exchange.model.state import State
from exchange.stix.references import Closure
from exchange.store.arrival_tables import STIR
from exchange.store.object_tables import FEED, OBJECT, REFERENCE
from exchange.store.statement import listed, number, one_of

_REVISE = update(FEED).values(revision=FEED.c.revision + 1)


def stir_pushed(connection: Connection, feed: int, seqs: Collection[int]) -> None:
    """Note rows that were just added and that earlier objects refer to: who sees the row may see those only now.

    A version under the label of one that is there stirs nothing: who sees it saw the other. Before the references of
    the new rows themselves are noted.
    """
    dialect = connection.dialect
    rows = connection.execute(_select_pushed(dialect), {"the_feed": feed, "seqs": listed(dialect, list(seqs))})
    _add(connection, [(int(where), int(made), 0) for where, made in rows])


def stir_shown(connection: Connection, numbers: Collection[int], *, itself: bool = True) -> None:
    """Note objects that were held back till now, in their own collections (unless not ``itself``), and as targets."""
    if not numbers:
        return
    dialect, row = connection.dialect, OBJECT.c
    given = {"numbers": listed(dialect, list(numbers))}
    found = [(int(where), int(made), 0) for where, made in connection.execute(_select_referred(dialect), given)]
    if itself:
        rows = connection.execute(select(row.feed, row.number).where(one_of(dialect, row.number, "numbers")), given)
        found += [(int(where), int(made), 1) for where, made in rows]
    _add(connection, found)


def _add(connection: Connection, rows: Iterable[tuple[int, int, int]]) -> None:
    found = sorted(set(rows))
    for feed in sorted({feed for feed, _, _ in found}):
        connection.execute(_REVISE.where(FEED.c.number == feed))
    if found:
        connection.execute(insert(STIR), [
            {"feed": feed, "object": made, "itself": itself} for feed, made, itself in found])


@cache
def _select_pushed(dialect: Dialect) -> Select[Any]:
    row, other = OBJECT.c, OBJECT.alias("other")
    same = exists().where(
        other.c.id_key == row.id_key, other.c.feed == row.feed, other.c.stix_id == row.stix_id,
        other.c.seq + 0 < row.seq, other.c.label + 0 == row.label,  # + 0: else SQLite goes through all the collection
        other.c.state <= int(State.DISPUTED),
        other.c.closure == int(Closure.FREE), other.c.visible_from.is_(None), other.c.visible_until.is_(None),
    )
    return _referring().where(row.feed == number("the_feed"), one_of(dialect, row.seq, "seqs"), not_(same))


@cache
def _select_referred(dialect: Dialect) -> Select[Any]:
    return _referring().where(one_of(dialect, OBJECT.c.number, "numbers"))


def _referring() -> Select[Any]:
    """(collection of an object that refers to a row of ``object``, number of that row)."""
    row, by = OBJECT.c, OBJECT.alias("by")
    joined = OBJECT.join(REFERENCE, and_(
        REFERENCE.c.target_key == row.id_key, REFERENCE.c.target_id == row.stix_id,
    )).join(by, by.c.number == REFERENCE.c.object)
    return select(by.c.feed, row.number).select_from(joined).distinct()
