"""What a reader may see of a collection: the one query builder that every way out uses.

Visibility (``visibility``) stands in the WHERE clause, before LIMIT, and where several rows hold one id, so does
which contributor's rows count for this reader (the one whose claim to the id is the oldest among those the reader
may see, so that nobody revises another's object and two who report the same observable learn nothing of each other).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
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
    not_,
    or_,
    select,
)

from exchange.store.arrival_tables import ARRIVAL
from exchange.store.object_tables import FEED, GRANT, LABEL, OBJECT, REFERENCE, WITHHOLDING
from exchange.store.shares import Shares
from exchange.store.statement import Prepared, count, listed, number, one_of, text
from exchange.store.visibility import NOBODY, Reader, id_key, present, reader_values, target_seen, visible

__all__ = ["NOBODY", "Column", "Filter", "ObjectQueries", "Reader", "Versions", "id_key"]

Column = Literal[
    "seq", "body", "stix_id", "version", "version_text", "spec_version", "contributor", "label", "closure", "number",
    "claim", "type", "date",
]
"""``date`` is the date added for the reader: ``seq``, the place among all, unless its seat saw the object later."""


_LINK = REFERENCE.alias("link")
_OTHER = OBJECT.alias("other")
_Order = Literal["common", "early", "late", "named"]
"""Which rows, and in which order: all by ``seq``; those that the seat saw when they were pushed; those that it saw
later, by that date; the few that were asked by id, by either."""


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
    """Ids of objects that are seen in full."""
    numbers: tuple[int, ...] = ()
    """Objects that count besides ``ids``: those whose derived form was asked for by its id."""
    types: tuple[str, ...] | None = None
    spec_versions: tuple[str, ...] | None = None
    versions: Versions = Versions()
    after: int = -1
    limit: int = 1_000


_PREPARED: dict[tuple[str, str], dict[tuple[Any, ...], Prepared]] = {}
"""What was prepared for each dialect and driver: the same for every database of a process."""


class ObjectQueries:
    """Prepared queries for one database dialect, made as they are first asked for."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._prepared = _PREPARED.setdefault((dialect.name, dialect.driver), {})
        self._shares = Shares(dialect)

    def page(
        self, connection: Any, feed: int, reader: Reader, wanted: Filter, columns: tuple[Column, ...]
    ) -> list[tuple[Any, ...]]:
        """Rows in the order of adding, one more than ``wanted.limit`` if there are more.

        ``connection`` is a raw driver connection.
        """
        values = self._values(feed, reader, wanted)
        if not reader.arrived:
            return self._early(connection, feed, reader, wanted, columns, values, "common")
        if wanted.ids is not None:
            return self._statement(wanted, columns, "named").run(connection, **values)
        dated: tuple[Column, ...] = ("date", *columns)
        rows = self._early(connection, feed, reader, wanted, dated, values, "early")
        if wanted.after < reader.arrived:
            rows += self._statement(wanted, dated, "late").run(connection, **values)
            rows.sort(key=lambda row: row[0])
        return [row[1:] for row in rows[: wanted.limit + 1]]

    def _early(
        self, connection: Any, feed: int, reader: Reader, wanted: Filter, columns: tuple[Column, ...],
        values: dict[str, Any], order: _Order,
    ) -> list[tuple[Any, ...]]:
        plain = wanted.ids is None and wanted.types is None and wanted.spec_versions is None
        if plain and self._shares.is_sparse(connection, feed, reader.profile, wanted.after, wanted.limit):
            return self._by_label(connection, wanted, columns, values, order)
        return self._statement(wanted, columns, order).run(connection, **values)

    def _by_label(
        self, connection: Any, wanted: Filter, columns: tuple[Column, ...], values: dict[str, Any], order: _Order
    ) -> list[tuple[Any, ...]]:
        """The same where the reader sees little of the feed: its labels' newest are merged, a batch at a time."""
        candidates = self._once("candidates", lambda: _candidates(self._dialect))
        statement = self._statement(wanted, columns, order, among=True)
        most = wanted.limit + wanted.limit // 4 + 8
        values = dict(values)  # the caller's still begin where the page does
        rows: list[tuple[Any, ...]] = []
        while True:
            batch = [row[0] for row in candidates.run(connection, **{**values, "page": most})]
            if batch:
                left = wanted.limit + 1 - len(rows)
                rows += statement.run(connection, **{**values, "page": left, "seqs": listed(self._dialect, batch)})
            if len(batch) < most or len(rows) > wanted.limit:
                return rows
            values["after"] = batch[-1]

    def _values(self, feed: int, reader: Reader, wanted: Filter) -> dict[str, Any]:
        values: dict[str, Any] = {
            "feed": feed, "after": wanted.after, "page": wanted.limit + 1, "seat": reader.seat,
            **reader_values(self._dialect, reader),
        }
        for name, given in (
            ("ids", wanted.ids), ("types", wanted.types), ("specs", wanted.spec_versions),
            ("times", wanted.versions.times or None), ("added", wanted.versions.added or None),
            ("numbers", wanted.numbers or None),
        ):
            if given is not None:
                values[name] = listed(self._dialect, given)
        if wanted.types is not None and len(wanted.types) == 1:
            values["type"] = wanted.types[0]
        if wanted.ids is not None and len(wanted.ids) == 1:
            values["id"], values["key"] = wanted.ids[0], id_key(wanted.ids[0])
        elif wanted.ids is not None:
            values["keys"] = listed(self._dialect, [id_key(i) for i in wanted.ids])
        return values

    def _statement(
        self, wanted: Filter, columns: tuple[Column, ...], order: _Order, *, among: bool = False
    ) -> Prepared:
        shape = (
            columns, order, wanted.ids is not None, wanted.ids and len(wanted.ids) == 1, bool(wanted.numbers),
            wanted.types and len(wanted.types) == 1,
            wanted.types is not None, wanted.spec_versions is not None,
            wanted.versions.keywords, bool(wanted.versions.times), among,
        )
        prepared = self._prepared.get(shape)
        if prepared is None:
            prepared = self._prepared[shape] = Prepared(
                self._select(wanted, columns, order, among=among), self._dialect)
        return prepared

    def details(
        self, connection: Any, feed: int, seqs: Sequence[int], columns: tuple[Column, ...]
    ) -> list[tuple[Any, ...]]:
        """Columns of rows that were found already, by their dates."""
        row = OBJECT.c
        asked = self._prepared.get(("details", columns)) or Prepared(
            select(*(row[name] for name in columns))
            .where(row.feed == number("feed"), one_of(self._dialect, row.seq, "seqs")), self._dialect
        )
        self._prepared["details", columns] = asked
        return asked.run(connection, feed=feed, seqs=listed(self._dialect, seqs))

    def hidden(self, connection: Any, reader: Reader, numbers: Sequence[int]) -> dict[int, set[str]]:
        """Ids that these objects refer to and that the reader doesn't see in full."""
        link = _LINK
        asked = self._once("hidden", lambda: select(link.c.object, link.c.target_id).where(
            one_of(self._dialect, link.c.object, "numbers"), not_(target_seen(link, self._dialect))
        ))
        found: dict[int, set[str]] = {}
        rows = asked.run(connection, numbers=listed(self._dialect, numbers), **reader_values(self._dialect, reader))
        for made_of, target in rows:
            found.setdefault(made_of, set()).add(target)
        return found

    def grants(
        self, connection: Any, profile: int, labels: Collection[int]
    ) -> Mapping[int, tuple[str, str, str | None]]:
        """What the database says of labels for a profile: digest, facts, and the parts withheld (JSON) or None."""
        asked = self._once("grants", lambda: select(
            LABEL.c.number, LABEL.c.digest, LABEL.c.facts,
            case((GRANT.c.withheld == literal_column("0"), None), else_=func.coalesce(WITHHOLDING.c.parts, "")),
        ).select_from(
            LABEL.join(GRANT, LABEL.c.number == GRANT.c.label)
            .outerjoin(WITHHOLDING, WITHHOLDING.c.number == GRANT.c.withheld)
        ).where(
            GRANT.c.profile == number("profile"), one_of(self._dialect, LABEL.c.number, "labels")
        ))
        rows = asked.run(connection, profile=profile, labels=listed(self._dialect, labels))
        return {label: (digest, facts, parts) for label, digest, facts, parts in rows}

    def revision(self, connection: Any, feed: int) -> int:
        """How often something in the collection was withdrawn or got another version; 0 for an unused one."""
        asked = self._once("revision", lambda: select(FEED.c.revision).where(FEED.c.number == number("feed")))
        rows = asked.run(connection, feed=feed)
        return int(rows[0][0]) if rows else 0

    def next_window(self, connection: Any, feed: int, span: tuple[int, int], now: int) -> int | None:
        """When the window in time of some object in (after, last] opens or closes next, or of one of the same id, which
        hides it or is hidden by it; None: never.

        It is now where one of them refers to others: what becomes of those may show at any time.
        """
        asked = self._once("window", lambda: _windows(OBJECT))
        others = self._once("windows_of_others", lambda: _windows(_OTHER).where(
            OBJECT.c.shared_id != literal_column("0"), _same_id(_OTHER)))
        values = {"feed": feed, "after": span[0], "last": span[1], "now": now}
        found = (*asked.run(connection, **values)[0], *others.run(connection, **values)[0])
        return min((moment for moment in found if moment is not None), default=None)

    def next_date(self, connection: Any, now: int) -> int | None:
        """When the window in time of any object at all opens or closes next; None: never.

        Of all objects, not of those in question: it costs the same two looks at an index whatever is there, and tells
        nothing of a collection. An object's references and the versions beside it are objects, too.
        """
        row = OBJECT.c
        unwiped: ColumnElement[bool] = literal_column(  # as the index ``object_end`` has it: nobody sees the others
            "body <> x''" if self._dialect.name == "sqlite" else "body <> ''::bytea")
        asked = self._once("next_date", lambda: select(
            select(func.min(row.visible_from)).where(row.visible_from > number("now")).scalar_subquery(),
            select(func.min(row.visible_until)).where(
                row.visible_until > number("now"), unwiped).scalar_subquery(),
        ))
        return min((date for date in asked.run(connection, now=now)[0] if date is not None), default=None)

    def _once(self, name: str, make: Callable[[], Select[Any]]) -> Prepared:
        prepared = self._prepared.get((name,))
        if prepared is None:
            prepared = self._prepared[name,] = Prepared(make(), self._dialect)
        return prepared

    def _select(self, wanted: Filter, columns: tuple[Column, ...], order: _Order, *, among: bool) -> Select[Any]:
        row = OBJECT.c
        date = _date(order)
        # Arithmetic on the date keeps the database from walking the whole order where ids are few.
        place = date if wanted.ids is None else date + literal_column("0")
        # Candidates are found by their grants: asked again here, PostgreSQL goes through all grants for each row.
        seen = present(OBJECT, self._dialect) if among else visible(OBJECT, self._dialect)
        conditions = [row.feed == number("feed"), seen]
        conditions.append(one_of(self._dialect, row.seq, "seqs") if among else place > number("after"))
        if wanted.ids is not None:
            conditions.append(self._named(one=len(wanted.ids) == 1, derived=bool(wanted.numbers)))
        if wanted.types is not None:
            # One type alone is walked in order by its own index.
            one = len(wanted.types) == 1
            conditions.append(row.type == text("type") if one else one_of(self._dialect, row.type, "types"))
        if wanted.spec_versions is not None:
            conditions.append(one_of(self._dialect, row.spec_version, "specs"))
        conditions.append(or_(row.shared_id == 0, _claimed(self._dialect)))
        if "all" not in wanted.versions.keywords:
            conditions.append(self._version(wanted.versions, date))
        if order == "early":
            conditions.append(not_(exists().where(ARRIVAL.c.seat == number("seat"), ARRIVAL.c.object == row.number)))
        if order == "late":
            conditions += [ARRIVAL.c.seat == number("seat"), ARRIVAL.c.feed == number("feed"),
                           ARRIVAL.c.object == row.number]
        return (
            select(*(date.label("date") if name == "date" else row[name] for name in columns))
            .where(*conditions)
            .order_by(place)
            .limit(count("page"))
        )

    def _named(self, *, one: bool, derived: bool) -> ColumnElement[bool]:
        """The row bears the id, or one of them, and is seen under it; or its derived form was asked for."""
        row = OBJECT.c
        named = and_(row.id_key == number("key"), row.stix_id == text("id")) if one else and_(
            one_of(self._dialect, row.id_key, "keys"), one_of(self._dialect, row.stix_id, "ids"))
        by_id = and_(named, visible(OBJECT, self._dialect, full=True))
        return or_(by_id, one_of(self._dialect, row.number, "numbers")) if derived else by_id

    def _version(self, versions: Versions, date: ColumnElement[int]) -> ColumnElement[bool]:
        row = OBJECT.c
        choices: list[ColumnElement[bool]] = []
        if "last" in versions.keywords:
            choices.append(or_(row.shared_id == 0, ~_sibling(self._dialect, newer=True)))
        if "first" in versions.keywords:
            choices.append(or_(row.shared_id == 0, ~_sibling(self._dialect, newer=False)))
        if versions.times:
            choices.append(one_of(self._dialect, row.version, "times"))
            choices.append(and_(row.version == "", one_of(self._dialect, date, "added")))
        return or_(*choices) if choices else false()


def _date(order: _Order) -> ColumnElement[int]:
    """The date added, as the seat can tell."""
    row = OBJECT.c
    if order == "late":
        return ARRIVAL.c.date
    if order == "named":
        late = select(ARRIVAL.c.date).where(ARRIVAL.c.seat == number("seat"), ARRIVAL.c.object == row.number)
        return func.coalesce(late.correlate(OBJECT).scalar_subquery(), row.seq)
    return row.seq


def _windows(rows: FromClause) -> Select[Any]:
    """When the windows of ``rows``, which are those between two places or joined to them, open and close next."""
    return select(
        *(func.min(case((column > number("now"), column))) for column in (rows.c.visible_from, rows.c.visible_until)),
        func.min(case((rows.c.closure > literal_column("0"), number("now")))),
    ).where(OBJECT.c.feed == number("feed"), OBJECT.c.seq > number("after"), OBJECT.c.seq <= number("last"))


def _same_id(other: FromClause) -> ColumnElement[bool]:
    return and_(
        other.c.feed == OBJECT.c.feed, other.c.id_key == OBJECT.c.id_key, other.c.stix_id == OBJECT.c.stix_id
    )


def _claimed(dialect: Dialect) -> ColumnElement[bool]:
    """No other contributor has an older claim to the id, among what the reader may see under that id.

    What it sees under an id of its own (P21) competes with nobody.
    """
    other = OBJECT.alias("claimant")
    older = exists().where(_same_id(other), other.c.claim < OBJECT.c.claim, visible(other, dialect, full=True))
    return or_(~older, not_(visible(OBJECT, dialect, full=True)))


def _sibling(dialect: Dialect, *, newer: bool) -> ColumnElement[bool]:
    """The same contributor has a newer (or older) version that the reader may see in some form."""
    other = OBJECT.alias("newer" if newer else "older")
    order = other.c.version > OBJECT.c.version if newer else other.c.version < OBJECT.c.version
    return exists().where(_same_id(other), other.c.claim == OBJECT.c.claim, order, visible(other, dialect))


def _candidates(dialect: Dialect) -> Select[Any]:
    """Dates of the next objects under any of the reader's labels; whether it may see them is asked afterwards."""
    row = OBJECT.c
    if dialect.name == "sqlite":  # CROSS JOIN is its word for this order
        joined = GRANT.join(OBJECT, literal_column("1") == literal_column("1"))
        return select(row.seq).select_from(joined).where(
            GRANT.c.profile == number("profile"), row.feed == number("feed"), row.label == GRANT.c.label,
            row.seq > number("after"),
        ).order_by(row.seq).limit(count("page"))
    of_label = select(row.seq).where(
        row.feed == number("feed"), row.label == GRANT.c.label, row.seq > number("after")
    ).order_by(row.seq).limit(count("page")).correlate(GRANT).lateral("of_label")
    return select(of_label.c.seq).select_from(GRANT.join(of_label, literal_column("true"))).where(
        GRANT.c.profile == number("profile")
    ).order_by(of_label.c.seq).limit(count("page"))
