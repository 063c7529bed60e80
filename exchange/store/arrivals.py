"""What a reader sees later than it was pushed, in the order in which it came to see it.

An embargo ends, a membership, an agreement or the policy permits more, a restriction is lifted, what an object refers
to is shown: followers have passed the object's own date. For the *seat* that sees it now it stands at a date of the
day it came (``arrival``), given out by the collection's counter. It is found when the seat looks again: what it may
see is compared with what it might see at its last look (``look``), by the labels, release dates and rows of ``stir``
that differ, and nothing else. No page is made before that, and none leaves if it changed meanwhile (``standing``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Dialect, Engine, Insert, Select, and_, exists, func, insert, not_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from exchange.errors import UnavailableError
from exchange.model.changed import changed
from exchange.store.arrival_tables import ARRIVAL, LOOK, STIR
from exchange.store.engine import write
from exchange.store.object_tables import FEED, GRANT, OBJECT, REFERENCE
from exchange.store.pushes import lock_feed
from exchange.store.statement import Prepared, listed, number, one_of
from exchange.store.visibility import DEEP, Reader, present, reader_values, visible

_AT_A_TIME = 1_000
_LATELY = 60_000_000
"""Microseconds: a request that began so shortly before another look of its seat may know an older directory."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a seat stands in a collection, and how often something was withdrawn there or got another version."""

    reader: Reader
    revision: int = 0
    opens: int | None = field(default=None, compare=False)
    """Microseconds: when the next release date comes, of any object; None: never, or nobody keeps the seat's place."""

    def at(self, reader: Reader) -> Standing:
        """The same for a later request of the seat, before the next release date, nothing having changed."""
        opened = reader.now if self.reader.opened is None else max(self.reader.opened, reader.now)
        now = changed(reader, opened=opened if reader.seat else None, arrived=self.reader.arrived)
        return Standing(now, self.revision, self.opens)


class Arrivals:
    """Keeps what seats saw; ``pause`` is called every few objects, so that others have their turn."""

    def __init__(self, engine: Engine, pause: Callable[[], None] = lambda: None) -> None:
        self.engine = engine
        self._pause = pause
        look = LOOK.c
        newest = select(func.max(STIR.c.number)).where(STIR.c.feed == number("feed")).scalar_subquery()
        opening = select(func.min(OBJECT.c.visible_from)).where(OBJECT.c.visible_from > look.opened).scalar_subquery()
        self._look = Prepared(
            select(FEED.c.revision, look.profile, look.collections, look.opened, look.stirred, look.arrived, newest,
                   opening)
            .select_from(FEED.outerjoin(LOOK, and_(look.seat == number("seat"), look.feed == FEED.c.number)))
            .where(FEED.c.number == number("feed")), engine.dialect)

    def standing(self, connection: Any, feed: int, reader: Reader, *, behind: bool = False) -> Standing | None:
        """The reader as its seat stands in the collection; None where it must ``catch_up`` first.

        ``connection`` is a raw one: one statement, since every page asks this twice. With ``behind`` as it stood at
        its last look, where there was one: what came since then isn't shown by its date.
        """
        rows = self._look.run(connection, seat=reader.seat, feed=feed, now=reader.now) if feed else []
        if not rows:
            return Standing(reader)
        revision, profile, collections, opened, stirred, arrived, newest, opening = rows[0]
        if not reader.seat:
            return Standing(reader, revision)
        if profile is None:
            return None
        same = profile == reader.profile and collections == _stated(reader.collections)
        if not behind and (not same or (opening or reader.now + 1) <= reader.now or (newest or 0) > stirred):
            return None
        opened = opened if behind else max(opened, reader.now)
        return Standing(replace(reader, opened=opened, arrived=arrived), revision, opening)

    def catch_up(self, feed: int, reader: Reader) -> int:
        """Give what the seat sees since its last look its place; gives how much that is.

        Raises UnavailableError where the reader is of an older directory than that look, or the store can't write.
        """
        with write(self.engine) as connection:
            last = lock_feed(connection, feed)
            where = (LOOK.c.seat == reader.seat, LOOK.c.feed == feed)
            look = connection.execute(select(LOOK).where(*where)).mappings().first()
            now = reader.now if look is None else max(reader.now, look["opened"])
            seen = {
                "profile": reader.profile, "collections": _stated(reader.collections), "directory": reader.directory,
                "opened": now, "stirred": _newest_stir(connection, feed),
            }
            if look is None:
                connection.execute(insert(LOOK), {"seat": reader.seat, "feed": feed, "arrived": 0, **seen})
                return 0
            if look["profile"] != reader.profile and (
                    look["directory"] > reader.directory or 0 < look["opened"] - reader.now < _LATELY):
                raise UnavailableError("What you may read has just changed.", fix="Try again at once.")
            late = _Late(connection, feed, replace(reader, now=now, opened=now), dict(look)).numbers()
            first = date = max(now, last + 1)
            for some in _some(late):
                connection.execute(_place(connection.dialect), [
                    {"seat": reader.seat, "object": one, "feed": feed, "date": date + at}
                    for at, one in enumerate(some)])
                date += len(some)
                self._pause()
            if date > first:
                connection.execute(update(FEED).where(FEED.c.number == feed).values(last_seq=date - 1))
                seen["arrived"] = date - 1
            connection.execute(update(LOOK).where(*where).values(**seen))
        return date - first


@dataclass(frozen=True)
class _Late:
    """What one seat sees of one collection now and didn't at its last look."""

    connection: Connection
    feed: int
    reader: Reader
    look: Mapping[str, Any]

    def numbers(self) -> Iterator[int]:
        """The objects' numbers; what they refer to comes before them."""
        labels = self._new_labels()
        for label in labels:
            yield from self._under(label)
        values = self._values()
        yield from self._numbers(_select_shown(self.connection.dialect), values)
        shown = self._targets(labels, values)
        for _ in range(DEEP):
            found = self._dependants(shown, values) if shown else {}
            yield from (one for one, where in found.items() if where == self.feed)
            shown = shown | found.keys()

    def _values(self) -> dict[str, Any]:
        dialect = self.connection.dialect
        had = set(json.loads(self.look["collections"]))
        return {
            **reader_values(dialect, self.reader), "feed": self.feed, "stirred": self.look["stirred"],
            "since": self.look["opened"],
            "fresh": listed(dialect, [one for one in self.reader.collections if one not in had]),
        }

    def _numbers(self, statement: Select[Any], values: Mapping[str, Any]) -> list[int]:
        return [int(row[0]) for row in self.connection.execute(statement, dict(values))]

    def _new_labels(self) -> list[int]:
        """Labels that the profile is granted, and the former one wasn't, or not with the same parts."""
        if self.look["profile"] == self.reader.profile:
            return []
        former = GRANT.alias("former")
        same = exists().where(former.c.profile == self.look["profile"], former.c.label == GRANT.c.label,
                              former.c.withheld == GRANT.c.withheld)
        asked = select(GRANT.c.label).where(GRANT.c.profile == self.reader.profile, not_(same))
        return [int(label) for label in self.connection.execute(asked.order_by(GRANT.c.label)).scalars()]

    def _under(self, label: int) -> Iterator[int]:
        """Objects with a label that the reader is granted."""
        values = {**self._values(), "label": label, "after": -1}
        while rows := self.connection.execute(_select_labelled(self.connection.dialect), values).all():
            yield from (int(row.number) for row in rows)
            values["after"] = rows[-1].seq

    def _targets(self, labels: Collection[int], values: Mapping[str, Any]) -> set[int]:
        """Objects that others refer to and that may be seen since the last look."""
        dialect = self.connection.dialect
        found = set(self._numbers(_select_stirred(dialect), values))
        for some in _some(labels):
            found.update(self._numbers(_select_referred(dialect), {**values, "labels": listed(dialect, some)}))
        if values["fresh"] != listed(dialect, []):
            found.update(self._numbers(_select_readable(dialect), values))
        return found

    def _dependants(self, shown: Collection[int], values: Mapping[str, Any]) -> dict[int, int]:
        """Objects, with their collections, that refer to what only those of ``shown`` let the reader see."""
        dialect = self.connection.dialect
        every = listed(dialect, sorted(shown))
        rows = self.connection.execute(_select_dependants(dialect), {**values, "shown": every})
        return {int(row.number): int(row.feed) for row in rows}


@lru_cache(maxsize=1_024)
def _stated(collections: tuple[str, ...]) -> str:
    return json.dumps(sorted(collections))


def _newest_stir(connection: Connection, feed: int) -> int:
    return int(connection.execute(select(func.max(STIR.c.number)).where(STIR.c.feed == feed)).scalar() or 0)


def _some(numbers: Iterable[int]) -> Iterator[list[int]]:
    left = iter(numbers)
    while some := list(islice(left, _AT_A_TIME)):
        yield some


@cache
def _place(dialect: Dialect) -> Insert:
    """An object that came, went and comes again has the date of its last coming."""
    made = (sqlite.insert if dialect.name == "sqlite" else postgresql.insert)(ARRIVAL)
    return made.on_conflict_do_update(
        index_elements=[ARRIVAL.c.seat, ARRIVAL.c.object], set_={"date": made.excluded.date})


@cache
def _select_labelled(dialect: Dialect) -> Select[Any]:
    row = OBJECT.c
    return select(row.number, row.seq).where(
        row.feed == number("feed"), row.label == number("label"), row.seq > number("after"), present(OBJECT, dialect),
    ).order_by(row.seq).limit(_AT_A_TIME)


@cache
def _select_shown(dialect: Dialect) -> Select[Any]:
    """Rows of the collection that are released or no longer held back since the last look, and that are seen."""
    row = OBJECT.c
    stirred = select(STIR.c.object).where(
        STIR.c.feed == number("feed"), STIR.c.number > number("stirred"), STIR.c.itself == 1)
    released = select(row.number).where(row.visible_from > number("since"), row.visible_from <= number("now"))
    return select(row.number).where(
        row.number.in_(stirred.union(released)), row.feed == number("feed"), visible(OBJECT, dialect),
    ).order_by(row.seq)


@cache
def _select_stirred(dialect: Dialect) -> Select[Any]:
    row = OBJECT.c
    stirred = select(STIR.c.object).where(STIR.c.feed == number("feed"), STIR.c.number > number("stirred"))
    released = select(row.number).where(row.visible_from > number("since"), row.visible_from <= number("now"))
    found = stirred.union(released).subquery()
    return select(found.c[0])


@cache
def _select_referred(dialect: Dialect) -> Select[Any]:
    return _pointed_at(dialect, "collections").where(one_of(dialect, OBJECT.c.label, "labels"))


@cache
def _select_readable(dialect: Dialect) -> Select[Any]:
    return _pointed_at(dialect, "fresh")


def _pointed_at(dialect: Dialect, collections: str) -> Select[Any]:
    """Rows of the collections bound to a name that something refers to."""
    row = OBJECT.c
    feeds = select(FEED.c.number).where(one_of(dialect, FEED.c.collection, collections))
    return select(row.number).where(row.feed.in_(feeds), exists().where(
        REFERENCE.c.target_key == row.id_key, REFERENCE.c.target_id == row.stix_id))


@cache
def _select_dependants(dialect: Dialect) -> Select[Any]:
    """What is seen and refers to an id of which the reader sees in full a row that was shown, and no other."""
    row, target, other = OBJECT.c, OBJECT.alias("target"), OBJECT.alias("other")
    feeds = select(FEED.c.number).where(one_of(dialect, FEED.c.collection, "collections"))
    before = exists().where(
        other.c.id_key == target.c.id_key, other.c.stix_id == target.c.stix_id, other.c.feed.in_(feeds),
        not_(one_of(dialect, other.c.number, "shown")), visible(other, dialect, full=True),
    )
    pointed = and_(REFERENCE.c.target_key == target.c.id_key, REFERENCE.c.target_id == target.c.stix_id)
    return select(row.number, row.feed).distinct().select_from(
        target.join(REFERENCE, pointed).join(OBJECT, row.number == REFERENCE.c.object)
    ).where(
        one_of(dialect, target.c.number, "shown"), target.c.feed.in_(feeds), visible(target, dialect, full=True),
        not_(before), visible(OBJECT, dialect),
    ).order_by(row.feed, row.number)
