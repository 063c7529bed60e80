"""Under which labels the objects of a page that left stand: those that are there, and those that were deleted since."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Dialect, Table, select

from exchange.store.object_tables import LABEL, OBJECT
from exchange.store.obligation_tables import WITHDRAWN
from exchange.store.statement import Prepared, listed, number, one_of

_FEW = 8
"""Runs of dates that are walked one by one; of more each date is named."""


def labels_of_page(connection: Connection, feed: int, runs: Sequence[tuple[int, int]]) -> Counter[int | None]:
    """Number of each label to how many of a collection's versions bear it, by (first, last) dates, both inclusive.

    None: versions that an earlier release deleted, of which the label isn't known.
    """
    found: Counter[int | None] = Counter()
    dialect, wanted = connection.dialect, sum(last - first + 1 for first, last in runs)
    for table in (OBJECT, WITHDRAWN):
        if found.total() >= wanted:
            break
        if len(runs) <= _FEW:
            for first, last in runs:
                found.update(label for label, in _between(table, dialect).within(
                    connection, feed=feed, first=first, last=last))
        else:
            seqs = listed(dialect, [seq for first, last in runs for seq in range(first, last + 1)])
            found.update(label for _, label, _ in _among(table, dialect).within(connection, feed=feed, seqs=seqs))
    return found


def labels_of_versions(connection: Connection, feed: int, seqs: Sequence[int]) -> dict[int, int | None]:
    """Label of each of a collection's versions by its date; None as above. Those that were never there aren't in it."""
    found: dict[int, int | None] = {}
    for table in (OBJECT, WITHDRAWN):
        left = [seq for seq in seqs if seq not in found]
        if left:
            found.update((seq, label) for seq, label, _ in _among(table, connection.dialect).within(
                connection, feed=feed, seqs=listed(connection.dialect, left)))
    return found


def objects_of_labels(connection: Connection, labels: Sequence[int]) -> dict[int, dict[str, Any]]:
    """What each label says of its objects, as JSON values, by its number."""
    rows = connection.execute(select(LABEL.c.number, LABEL.c.facts).where(LABEL.c.number.in_(labels)))
    return {int(number): json.loads(facts)["object"] for number, facts in rows}


@cache
def _between(table: Table, dialect: Dialect) -> Prepared:
    """Ungrouped: SQLite would walk the whole collection along its index by label to spare itself the sorting."""
    row = table.c
    return Prepared(select(row.label).where(
        row.feed == number("feed"), row.seq >= number("first"), row.seq <= number("last")), dialect)


@cache
def _among(table: Table, dialect: Dialect) -> Prepared:
    """The version is asked for since no index has it: along the one by label SQLite would walk the whole collection."""
    row = table.c
    return Prepared(select(row.seq, row.label, row.version).where(
        row.feed == number("feed"), one_of(dialect, row.seq, "seqs")), dialect)
