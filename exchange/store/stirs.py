"""Noting that something may be seen from now on that was pushed before: a state that ended, or what it refers to.

Written in the transaction of the change, after the collections' turns were taken; who reads takes it in at its next
look (``arrivals``), each as far as it may see.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from typing import Any

from sqlalchemy import Connection, Dialect, FromClause, Select, and_, bindparam, exists, insert, not_, select, update

from exchange.model.state import State
from exchange.stix.references import Closure
from exchange.store.arrival_tables import STIR
from exchange.store.faults import CrossedError
from exchange.store.object_tables import FEED, OBJECT, REFERENCE
from exchange.store.statement import Prepared, listed, number, one_of
from exchange.store.visibility import DEEP

_REVISE = update(FEED).values(revision=FEED.c.revision + 1)
_FREE = select(FEED.c.number).where(FEED.c.number.in_(bindparam("feeds", expanding=True))).with_for_update(
    skip_locked=True)


def stir_pushed(connection: Connection, feed: int, seqs: Collection[int], keys: Collection[int]) -> None:
    """Note rows that were just added and that earlier objects refer to: who sees the row may see those only now.

    A version under the label of one that is there stirs nothing: who sees it saw the other. Before the references of
    the new rows themselves are noted. ``keys`` are hashes of their ids, and maybe of others'. Raises CrossedError: the
    collection's own turn was taken before.
    """
    dialect = connection.dialect
    if not _any_referred(dialect).within(connection, keys=listed(dialect, list(keys))):
        return
    given = {"the_feed": feed, "seqs": listed(dialect, list(seqs))}
    _add(connection, _found(connection, _select_pushed, given), held=feed)


def stir_shown(connection: Connection, numbers: Collection[int], *, itself: bool = True) -> None:
    """Note objects that were held back till now, in their own collections (unless not ``itself``), and as targets."""
    if not numbers:
        return
    dialect, row = connection.dialect, OBJECT.c
    given = {"numbers": listed(dialect, list(numbers))}
    found = _found(connection, _select_referred, given)
    if itself:
        rows = connection.execute(select(row.feed, row.number).where(one_of(dialect, row.number, "numbers")), given)
        found += [(int(where), int(made), 1) for where, made in rows]
    _add(connection, found)


def _found(
    connection: Connection, asked: Callable[[Dialect, int], Prepared], given: Mapping[str, Any]
) -> list[tuple[int, int, int]]:
    """Collections of what refers to the rows, and of what refers to that: as far as references are followed."""
    found: list[tuple[int, int, int]] = []
    for steps in range(1, DEEP + 1):
        rows = asked(connection.dialect, steps).within(connection, **given)
        if not rows:
            break
        found += [(int(where), int(made), 0) for where, made in rows]
    return found


def _add(connection: Connection, rows: Iterable[tuple[int, int, int]], held: int = 0) -> None:
    found = sorted(set(rows))
    feeds = sorted({feed for feed, _, _ in found})
    _check_turns(connection, feeds, held)
    for feed in feeds:
        connection.execute(_REVISE.where(FEED.c.number == feed))
    if found:
        connection.execute(insert(STIR), [
            {"feed": feed, "object": made, "itself": itself} for feed, made, itself in found])


def _check_turns(connection: Connection, feeds: Collection[int], held: int) -> None:
    """Whoever waits for turns waits in the order of their numbers: one before ``held`` is taken if nobody has it.

    Raises CrossedError where somebody has: two pushes into collections that refer to each other would wait for ever.
    """
    before = [feed for feed in feeds if feed < held]
    if before and len(connection.execute(_FREE, {"feeds": before}).all()) < len(before):
        raise CrossedError("Others write to collections that refer to this one.", frozenset(feeds))


@cache
def _any_referred(dialect: Dialect) -> Prepared:
    """Whether anything refers to any of these ids: nothing does, as a rule, and that is all that is asked then."""
    link = REFERENCE.c
    return Prepared(select(link.object).where(one_of(dialect, link.target_key, "keys")).limit(1), dialect)


@cache
def _select_pushed(dialect: Dialect, steps: int) -> Prepared:
    row, other = OBJECT.c, OBJECT.alias("other")
    same = exists().where(
        other.c.id_key == row.id_key, other.c.feed == row.feed, other.c.stix_id == row.stix_id,
        other.c.seq + 0 < row.seq, other.c.label + 0 == row.label,  # + 0: else SQLite goes through all the collection
        other.c.state <= int(State.DISPUTED),
        other.c.closure == int(Closure.FREE), other.c.visible_from.is_(None), other.c.visible_until.is_(None),
    )
    return Prepared(
        _referring(steps).where(row.feed == number("the_feed"), one_of(dialect, row.seq, "seqs"), not_(same)), dialect)


@cache
def _select_referred(dialect: Dialect, steps: int) -> Prepared:
    return Prepared(_referring(steps).where(one_of(dialect, OBJECT.c.number, "numbers")), dialect)


def _referring(steps: int) -> Select[Any]:
    """(collection of an object from which so many references lead to a row of ``object``, number of that row)."""
    joined: FromClause = OBJECT
    last: FromClause = OBJECT
    for step in range(steps):
        link, by = REFERENCE.alias(f"link{step}"), OBJECT.alias(f"by{step}")
        joined = joined.join(link, and_(
            link.c.target_key == last.c.id_key, link.c.target_id == last.c.stix_id,
        )).join(by, by.c.number == link.c.object)
        last = by
    return select(last.c.feed, OBJECT.c.number).select_from(joined).distinct()
