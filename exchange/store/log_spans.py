"""Where events stand in the log: runs of event numbers that have consecutive places, one row for each run.

On SQLite numbers and places grow together, so one row tells all; on PostgreSQL transactions commit out of order,
and each time that shows begins another run.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select, update

from exchange.store.log_tables import SPAN

_ROW = SPAN.c
_TOGETHER = 4_096
"""Events of short runs that are fetched at once."""


@dataclass(frozen=True, slots=True)
class Span:
    """The leaves from ``place`` on are the events from ``number`` on, ``count`` of them."""

    place: int
    number: int
    count: int


def runs(numbers: Sequence[int], place: int) -> list[Span]:
    """Growing numbers that get consecutive places from ``place`` on, as runs."""
    found: list[Span] = []
    start = 0
    for at in range(1, len(numbers) + 1):
        if at == len(numbers) or numbers[at] != numbers[at - 1] + 1:
            found.append(Span(place + start, numbers[start], at - start))
            start = at
    return found


def add_runs(connection: Connection, made: Sequence[Span]) -> None:
    """Keep runs that follow everything placed so far; the first lengthens the last one kept where it continues it."""
    rest = list(made)
    last = connection.execute(select(SPAN).order_by(_ROW.place.desc()).limit(1)).first() if rest else None
    kept = Span(**last._mapping) if last is not None else None
    if kept is not None and (rest[0].place, rest[0].number) == (kept.place + kept.count, kept.number + kept.count):
        grown = kept.count + rest.pop(0).count
        connection.execute(update(SPAN).where(_ROW.place == kept.place).values(count=grown))
    if rest:
        connection.execute(insert(SPAN), [{"place": s.place, "number": s.number, "count": s.count} for s in rest])


def spans_between(connection: Connection, first: int, end: int | None = None) -> Iterator[Span]:
    """The runs of places from ``first`` to before ``end`` in order, cut to it."""
    begin = select(func.max(_ROW.place)).where(_ROW.place <= first).scalar_subquery()
    wanted = select(SPAN).where(_ROW.place >= func.coalesce(begin, first)).order_by(_ROW.place)
    if end is not None:
        wanted = wanted.where(_ROW.place < end)
    for place, number, count in connection.execute(wanted).all():
        skipped = max(first - place, 0)
        until = place + count if end is None else min(place + count, end)
        if place + skipped < until:
            yield Span(place + skipped, number + skipped, until - place - skipped)


def groups(spans: Iterator[Span]) -> Iterator[list[Span]]:
    """Short runs that are neighbours together, long ones each alone."""
    group: list[Span] = []
    for span in spans:
        if group and sum(s.count for s in group) + span.count > _TOGETHER:
            yield group
            group = []
        group.append(span)
    if group:
        yield group


def place_in(group: Sequence[Span], number: int) -> int | None:
    """The place of an event by runs in the order of their numbers; None where it is in none of them."""
    at = bisect_right(group, number, key=lambda span: span.number) - 1
    if at < 0 or number >= group[at].number + group[at].count:
        return None
    return group[at].place + number - group[at].number


def place_of(connection: Connection, number: int) -> int | None:
    """The place of one event; None where it waits for one."""
    wanted = select(SPAN).where(_ROW.number <= number).order_by(_ROW.number.desc()).limit(1)
    return place_in([Span(*row) for row in connection.execute(wanted)], number)
