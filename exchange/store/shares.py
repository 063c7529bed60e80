"""How much of a collection a profile is granted: which way of finding a page is the shorter one.

Only a choice between two queries that give the same rows. Counted once for a collection, then what was added since
is counted now and then; what was withdrawn is noticed with the next full count.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Dialect, func, select

from exchange.store.object_tables import GRANT, OBJECT
from exchange.store.statement import Prepared, number

_SMALL = 2_000
"""Objects after which a collection is worth counting: walking through fewer takes a millisecond or two."""
_SECONDS = 10.0
_FULL_SECONDS = 3_600.0
_WALKED = 8.0
"""What a step through the order costs (its label stands in the row), in steps through an index of labels."""


@dataclass
class _Counted:
    last: int = -1
    labels: Counter[int] = field(default_factory=Counter)
    total: int = 0
    again: float = 0.0
    full_again: float = 0.0
    shares: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Profile: objects under its labels, and how many labels those are."""


class Shares:
    """Counts of labels by collection, and what of them a profile is granted."""

    def __init__(self, dialect: Dialect, clock: Callable[[], float] = time.monotonic) -> None:
        row = OBJECT.c
        self._clock = clock
        self._counts = Prepared(
            select(row.label, func.count(), func.max(row.seq))
            .where(row.feed == number("feed"), row.seq > number("after")).group_by(row.label), dialect)
        self._all = Prepared(
            select(row.label, func.count(), func.max(row.seq)).where(row.feed == number("feed")).group_by(row.label),
            dialect)
        self._granted = Prepared(select(GRANT.c.label).where(GRANT.c.profile == number("profile")), dialect)
        self._counted: dict[int, _Counted] = {}

    def is_sparse(self, connection: Any, feed: int, profile: int, after: int, limit: int) -> bool:
        """Whether the page after ``after`` is found sooner by the profile's labels than along the order."""
        counted = self._counted.get(feed)
        if counted is not None and after >= counted.last:
            return False  # only what came lately is left
        counted = self._count(connection, feed, counted)
        if counted.total < _SMALL:
            return False
        share = counted.shares.get(profile)
        if share is None:
            labels = [row[0] for row in self._granted.run(connection, profile=profile)]
            share = sum(counted.labels[label] for label in labels), sum(label in counted.labels for label in labels)
            counted.shares[profile] = share
        objects, labels_there = share
        walked = counted.total if not objects else min(counted.total, (limit + 1) * counted.total / objects)
        return objects + 30 * labels_there + limit < walked * _WALKED

    def _count(self, connection: Any, feed: int, counted: _Counted | None) -> _Counted:
        now = self._clock()
        if counted is not None and now < counted.again:
            return counted
        if counted is None or now >= counted.full_again:
            counted = self._counted[feed] = _Counted(full_again=now + _FULL_SECONDS)
            rows = self._all.run(connection, feed=feed)
        else:
            rows = self._counts.run(connection, feed=feed, after=counted.last)
        for label, many, last in rows:
            counted.labels[label] += many
            counted.total += many
            counted.last = max(counted.last, last)
        counted.shares.clear()
        counted.again = self._clock() + _SECONDS
        return counted
