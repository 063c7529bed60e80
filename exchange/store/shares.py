"""How much of a collection a profile is granted: which way of finding a page is the shorter one.

Only a choice between two queries that give the same rows, so a sample of the objects is enough: a few hundred are
looked up with each of the first requests, and anew when there are many more objects than then.
"""

from __future__ import annotations

import time
from bisect import bisect_right, insort
from collections.abc import Callable
from typing import Any

from sqlalchemy import Dialect, func, select

from exchange.store.object_tables import GRANT, OBJECT
from exchange.store.statement import Prepared, listed, number, one_of

_SMALL = 2_000
"""Objects after which finding the shorter way is worth it: walking through fewer takes a millisecond or two."""
_SAMPLE = 2_048
_AT_ONCE = 256
"""Rows that one request looks up: each may be a read from the disk."""
_SECONDS = 10.0
"""How often the number of objects is asked for."""
_GROWN = 1.1
_WALKED = {"sqlite": 8.0, "postgresql": 2.0}
"""What a step through the order costs (its label stands in the row), in steps through an index of labels."""
_SPREAD = 0.618_033_988_749_895
"""Multiples of the golden section, modulo 1, lie evenly however many are taken."""


class Shares:
    """A sample of the objects of a store, and what of it a profile is granted."""

    def __init__(self, dialect: Dialect, clock: Callable[[], float] = time.monotonic) -> None:
        row = OBJECT.c
        self._dialect = dialect
        self._clock = clock
        self._walked = _WALKED[dialect.name]
        self._last = Prepared(select(func.max(row.number)), dialect)
        self._some = Prepared(
            select(row.feed, row.seq, row.label).where(one_of(dialect, row.number, "numbers")), dialect)
        self._granted = Prepared(select(GRANT.c.label).where(GRANT.c.profile == number("profile")), dialect)
        self._again = 0.0
        self._begin(0)

    def is_sparse(self, connection: Any, feed: int, profile: int, after: int, limit: int) -> bool:
        """Whether the page after ``after`` is found sooner by the profile's labels than along the order."""
        self._draw(connection)
        sampled = self._sampled.get(feed)
        if self._total < _SMALL or sampled is None or after >= sampled[-1][0]:
            return False  # little is left
        seqs, labels = self._share(connection, feed, profile)
        scale = self._total / self._drawn
        left = (len(sampled) - bisect_right(sampled, (after, self._total))) * scale
        granted = (len(seqs) - bisect_right(seqs, after)) * scale
        walked = left if not granted else min(left, (limit + 1) * left / granted)
        past = walked - (limit + 1)  # those that it sees are read either way
        return granted + 30 * labels + limit < past * self._walked

    def _share(self, connection: Any, feed: int, profile: int) -> tuple[list[int], int]:
        """Dates of the sampled objects that the profile is granted, and how many labels it is."""
        share = self._shares.get((feed, profile))
        if share is None:
            labels = {row[0] for row in self._granted.run(connection, profile=profile)}
            share = [seq for seq, label in self._sampled[feed] if label in labels], len(labels)
            self._shares[feed, profile] = share
        return share

    def _begin(self, total: int) -> None:
        self._total = total
        self._drawn = 0
        self._sampled: dict[int, list[tuple[int, int]]] = {}
        self._shares: dict[tuple[int, int], tuple[list[int], int]] = {}

    def _draw(self, connection: Any) -> None:
        """Go on with the sample, or begin a new one where there are many more objects by now."""
        now = self._clock()
        if now >= self._again:
            self._again = now + _SECONDS
            newest = int(self._last.run(connection)[0][0] or 0)
            if newest > self._total * _GROWN:
                self._begin(newest)
        if self._total < _SMALL or self._drawn >= _SAMPLE:
            return
        places = range(self._drawn + 1, self._drawn + 1 + _AT_ONCE)
        numbers = [1 + int(self._total * (place * _SPREAD % 1.0)) for place in places]
        for feed, seq, label in self._some.run(connection, numbers=listed(self._dialect, numbers)):
            insort(self._sampled.setdefault(feed, []), (seq, label))
        self._drawn += _AT_ONCE
        self._shares.clear()
