"""What a reader may see of a collection: the one query builder that every way out uses.

Visibility stands in the WHERE clause, before LIMIT: the label's grant, the object's window in time, and where
several rows hold one id, which contributor's rows count for this reader (the one whose claim to the id is the
oldest among those the reader may see, so that nobody revises another's object and two who report the same
observable learn nothing of each other).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Dialect,
    FromClause,
    Select,
    and_,
    case,
    exists,
    false,
    func,
    literal_column,
    or_,
    select,
)

from exchange.model.state import State
from exchange.store.object_tables import FEED, GRANT, OBJECT, RECIPIENT
from exchange.store.statement import Prepared, count, listed, number, one_of, text

Column = Literal["seq", "body", "stix_id", "version", "version_text", "spec_version", "contributor"]


_FREE = literal_column(str(int(State.DISPUTED)))
"""States up to this one are seen by whoever is granted the label."""
NOBODY = 0
"""The profile that is granted nothing: numbers begin at 1."""


@dataclass(frozen=True)
class Reader:
    """Who asks, as a profile number, and when, in microseconds since the epoch."""

    profile: int
    now: int
    org: int = 0
    """Number of the organisation as contributor; 0: none, nothing is its own."""
    collections: tuple[str, ...] = ()
    """Ids of the collections that it may read: where the targets of references are looked for (P20)."""
    facts: str = ""
    """The profile's canonical facts, for decisions anew."""


@dataclass(frozen=True)
class Versions:
    """The versions asked for: the keywords first, last, all, and points in time (sortable texts)."""

    keywords: frozenset[str] = frozenset({"last"})
    times: tuple[str, ...] = ()
    """Sortable version texts."""
    added: tuple[int, ...] = ()
    """The same times as microseconds: the version of an object without ``modified`` is its date added."""


@dataclass(frozen=True)
class Filter:
    """What is asked of one collection; ``after`` is exclusive, in microseconds."""

    ids: tuple[str, ...] | None = None
    types: tuple[str, ...] | None = None
    spec_versions: tuple[str, ...] | None = None
    versions: Versions = Versions()
    after: int = -1
    limit: int = 1_000


def id_key(stix_id: str) -> int:
    """64 bits (signed) of a hash of the id, for the short index; never enough to identify the object."""
    return int.from_bytes(hashlib.blake2b(stix_id.encode(), digest_size=8).digest(), signed=True)


class ObjectQueries:
    """Prepared queries for one database dialect, made as they are first asked for."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._prepared: dict[tuple[Any, ...], Prepared] = {}

    def page(
        self, connection: Any, feed: int, reader: Reader, wanted: Filter, columns: tuple[Column, ...]
    ) -> list[tuple[Any, ...]]:
        """Rows in the order of adding, one more than ``wanted.limit`` if there are more.

        ``connection`` is a raw driver connection.
        """
        shape = (
            columns, wanted.ids is not None, wanted.types and len(wanted.types) == 1, wanted.types is not None,
            wanted.spec_versions is not None,
            wanted.versions.keywords, bool(wanted.versions.times),
        )
        prepared = self._prepared.get(shape)
        if prepared is None:
            prepared = self._prepared[shape] = Prepared(self._select(wanted, columns), self._dialect)
        values: dict[str, Any] = {
            "feed": feed, "after": wanted.after, "page": wanted.limit + 1, **reader_values(reader),
        }
        for name, given in (
            ("ids", wanted.ids), ("types", wanted.types), ("specs", wanted.spec_versions),
            ("times", wanted.versions.times), ("added", wanted.versions.added),
        ):
            if given is not None:
                values[name] = listed(self._dialect, given)
        if wanted.types is not None and len(wanted.types) == 1:
            values["type"] = wanted.types[0]
        if wanted.ids is not None:
            values["keys"] = listed(self._dialect, [id_key(i) for i in wanted.ids])
        return prepared.run(connection, **values)

    def revision(self, connection: Any, feed: int) -> int:
        """How often something in the collection was withdrawn or got another version; 0 for an unused one."""
        asked = self._once("revision", select(FEED.c.revision).where(FEED.c.number == number("feed")))
        rows = asked.run(connection, feed=feed)
        return int(rows[0][0]) if rows else 0

    def next_window(self, connection: Any, feed: int, span: tuple[int, int], now: int) -> int | None:
        """When the window in time of some object in (after, last] opens or closes next; None: never."""
        row = OBJECT.c
        asked = self._once("window", select(
            *(func.min(case((column > number("now"), column))) for column in (row.visible_from, row.visible_until))
        ).where(row.feed == number("feed"), row.seq > number("after"), row.seq <= number("last")))
        found = asked.run(connection, feed=feed, after=span[0], last=span[1], now=now)[0]
        return min((moment for moment in found if moment is not None), default=None)

    def _once(self, name: str, statement: Select[Any]) -> Prepared:
        prepared = self._prepared.get((name,))
        if prepared is None:
            prepared = self._prepared[name,] = Prepared(statement, self._dialect)
        return prepared

    def _select(self, wanted: Filter, columns: tuple[Column, ...]) -> Select[Any]:
        row = OBJECT.c
        # Arithmetic on seq keeps the database from walking the whole order where ids are few.
        seq = row.seq if wanted.ids is None else row.seq + literal_column("0")
        conditions = [row.feed == number("feed"), seq > number("after"), visible(OBJECT)]
        if wanted.ids is not None:
            conditions.append(one_of(self._dialect, row.id_key, "keys"))
            conditions.append(one_of(self._dialect, row.stix_id, "ids"))
        if wanted.types is not None:
            # One type alone is walked in order by its own index.
            one = len(wanted.types) == 1
            conditions.append(row.type == text("type") if one else one_of(self._dialect, row.type, "types"))
        if wanted.spec_versions is not None:
            conditions.append(one_of(self._dialect, row.spec_version, "specs"))
        conditions.append(or_(row.shared_id == 0, _claimed()))
        if "all" not in wanted.versions.keywords:
            conditions.append(self._version(wanted.versions))
        return (
            select(*(row[name] for name in columns))
            .where(*conditions)
            .order_by(seq)
            .limit(count("page"))
        )

    def _version(self, versions: Versions) -> ColumnElement[bool]:
        row = OBJECT.c
        choices: list[ColumnElement[bool]] = []
        if "last" in versions.keywords:
            choices.append(or_(row.shared_id == 0, ~_sibling(newer=True)))
        if "first" in versions.keywords:
            choices.append(or_(row.shared_id == 0, ~_sibling(newer=False)))
        if versions.times:
            choices.append(one_of(self._dialect, row.version, "times"))
            choices.append(and_(row.version == "", one_of(self._dialect, row.seq, "added")))
        return or_(*choices) if choices else false()


def reader_values(reader: Reader) -> dict[str, Any]:
    """What ``visible`` binds."""
    return {"profile": reader.profile, "now": reader.now, "org": reader.org}


def visible(rows: FromClause) -> ColumnElement[bool]:
    """The reader's profile is granted the row's label, its state admits the reader, its window in time holds now.

    Arithmetic on the label keeps the database from walking by label where another index gives the order.
    """
    granted = select(GRANT.c.label).where(GRANT.c.profile == number("profile"))
    return and_(
        (rows.c.label + literal_column("0")).in_(granted),
        or_(rows.c.state <= _FREE, _by_state(rows)),
        or_(rows.c.visible_from.is_(None), rows.c.visible_from <= number("now")),
        or_(rows.c.visible_until.is_(None), rows.c.visible_until > number("now")),
    )


def _by_state(rows: FromClause) -> ColumnElement[bool]:
    """Its contributor sees its restricted, held and revoked objects; earlier recipients the revoked; nobody erased."""
    told = exists().where(RECIPIENT.c.object == rows.c.number, RECIPIENT.c.org == number("org"))
    own = and_(rows.c.contributor == number("org"), rows.c.state != literal_column(str(int(State.ERASED))))
    return or_(own, and_(rows.c.state == literal_column(str(int(State.REVOKED))), told))


def _same_id(other: FromClause) -> ColumnElement[bool]:
    return and_(
        other.c.feed == OBJECT.c.feed, other.c.id_key == OBJECT.c.id_key, other.c.stix_id == OBJECT.c.stix_id
    )


def _claimed() -> ColumnElement[bool]:
    """No other contributor has an older claim to the id, among what the reader may see."""
    other = OBJECT.alias("claimant")
    return ~exists().where(_same_id(other), other.c.claim < OBJECT.c.claim, visible(other))


def _sibling(*, newer: bool) -> ColumnElement[bool]:
    """The same contributor has a newer (or older) version that the reader may see."""
    other = OBJECT.alias("newer" if newer else "older")
    order = other.c.version > OBJECT.c.version if newer else other.c.version < OBJECT.c.version
    return exists().where(_same_id(other), other.c.claim == OBJECT.c.claim, order, visible(other))
