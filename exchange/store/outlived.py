"""Rows that have served their turn: notes of what was shown late that every seat has taken in, allowances long filled.

A note (``stir``) is kept until each seat that reads its collection has looked since, whenever that is: that what is
seen late comes once is a promise. So that a seat which never looks again costs little, of several notes that say the
same the newest alone is kept: no more than two for each object and collection.
"""

from __future__ import annotations

from sqlalchemy import Connection, delete, func, or_, select

from exchange.store.arrival_tables import LOOK, STIR
from exchange.store.directory import optional_meta, put_meta
from exchange.store.limit_tables import ALLOWANCE
from exchange.store.object_tables import OBJECT

_DROPPED = "outlived.dropped"
_HOUR = 3_600_000_000
_MINUTE = 60_000_000


def is_due(connection: Connection, now: int) -> bool:
    """Whether it is an hour (or the clock was set back) since ``drop_outlived``; ``now`` in microseconds."""
    return abs(now - int(optional_meta(connection, _DROPPED) or 0)) >= _HOUR


def drop_outlived(connection: Connection, now: int) -> int:
    """Forget what has served its turn at ``now`` (microseconds); gives the number of rows."""
    put_meta(connection, _DROPPED, str(now))
    return _drop_stirs(connection) + _drop_allowances(connection, now)


def _drop_stirs(connection: Connection) -> int:
    """The newest of all stays: SQLite would give its number out again, and seats believe that they have passed it."""
    row = STIR.c
    newest = connection.execute(select(func.max(row.number))).scalar()
    if newest is None:
        return 0
    looks = select(LOOK.c.feed, func.min(LOOK.c.stirred)).group_by(LOOK.c.feed)
    passed = {int(feed): int(stirred) for feed, stirred in connection.execute(looks)}
    gone = 0
    for feed in connection.execute(select(row.feed).distinct()).scalars().all():
        up_to = min(passed.get(feed, newest), newest - 1)
        gone += connection.execute(delete(STIR).where(row.feed == feed, row.number <= up_to)).rowcount
    last = select(func.max(row.number)).group_by(row.feed, row.object, row.itself)
    return gone + connection.execute(delete(STIR).where(row.number < newest, or_(
        row.number.not_in(last), row.object.not_in(select(OBJECT.c.number))))).rowcount


def _drop_allowances(connection: Connection, now: int) -> int:
    """Those that were full an hour ago, and those of a clock that was an hour ahead."""
    row = ALLOWANCE.c
    return connection.execute(delete(ALLOWANCE).where(
        or_(row.at + row.owed * _MINUTE < now - _HOUR, row.at > now + _HOUR))).rowcount
