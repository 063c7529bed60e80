"""What was taken of an allowance by anybody: workers book here what they counted, and are told what all took.

Amounts are shares of what a minute allows, so that a changed limit counts from the next booking on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Dialect, Engine, Float, bindparam, case, literal, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningInsert

from exchange.store.engine import is_sqlite, read, write
from exchange.store.limit_tables import ALLOWANCE
from exchange.store.statement import number
from exchange.store.statement import text as bound_text

_MINUTE = 60_000_000


class Allowances:
    """The allowances in one store; ``clock`` gives microseconds since the epoch."""

    def __init__(self, engine: Engine, clock: Callable[[], int]) -> None:
        self._engine = engine
        self._clock = clock

    def book(self, kind: str, who: str, share: float) -> float:
        """Add what was taken, in minutes' worth (less than nothing gives back); gives what is owed by then.

        Raises UnavailableError and StorageFullError.
        """
        return self.book_all([(kind, who, share)])[0]

    def book_all(self, taken: Sequence[tuple[str, str, float]]) -> list[float]:
        """``book`` of several (kind, who, share) at once; two callers give their kinds in the same order.

        A transaction of its own, which PostgreSQL doesn't wait for the disk for: after a crash a member has at most
        a fraction more.
        """
        with write(self._engine) as connection:
            if not is_sqlite(connection):
                connection.execute(text("SET LOCAL synchronous_commit = off"))
            now = self._clock()
            return [float(connection.execute(_book(connection.dialect), {
                "kind": kind, "who": who, "share": share, "now": now,
            }).scalar_one()) for kind, who, share in taken]

    def owed(self, kind: str, who: str) -> float:
        """What is owed now, in minutes' worth. Raises UnavailableError.

        What was booked by a clock that was set wrong is forgotten until the next booking: nobody who is refused books.
        """
        row = ALLOWANCE.c
        with read(self._engine) as connection:
            found = connection.execute(select(row.owed, row.at).where(row.kind == kind, row.who == who)).first()
        passed = 0 if found is None else self._clock() - found.at
        return 0.0 if found is None or passed < -_MINUTE else max(0.0, found.owed - max(0, passed) / _MINUTE)


@cache
def _book(dialect: Dialect) -> ReturningInsert[Any]:
    """One statement, so that two at once are one after the other.

    Clocks of machines differ: what was booked by one that is ahead counts, and isn't filled again until the others
    are there; one that is ahead by more than a minute was set wrong, and is forgotten.
    """
    row, now, share = ALLOWANCE.c, number("now"), bindparam("share", type_=Float)
    passed = case((row.at > now, literal(0)), else_=now - row.at)
    left = row.owed - passed / literal(float(_MINUTE), Float)
    add = (sqlite if dialect.name == "sqlite" else postgresql).insert(ALLOWANCE).values(
        kind=bound_text("kind"), who=bound_text("who"), owed=share, at=now)
    booked: ReturningInsert[Any] = add.on_conflict_do_update(index_elements=["kind", "who"], set_={
        "owed": case((left > 0, left), else_=literal(0.0, Float)) + share,
        "at": case((row.at > now + _MINUTE, now), (row.at > now, row.at), else_=now),
    }).returning(row.owed)
    return booked
