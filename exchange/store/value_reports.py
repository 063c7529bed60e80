"""Which objects report which value: filled in behind the pushes, so that a push pays nothing for it.

Values are 64-bit keyed hashes: the table alone tells nobody what was reported.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, insert, select, text, update

from exchange.model.state import State
from exchange.store.case_tables import VALUE_MARK, VALUE_REPORT
from exchange.store.engine import is_sqlite
from exchange.store.object_tables import CONTRIBUTOR, FEED, LABEL, OBJECT
from exchange.store.visibility import Reader, id_key, reader_values, visible

REPORTING = ("indicator", "user-account", "domain-name", "url", "email-addr", "ipv4-addr", "ipv6-addr", "file")
"""Types of objects that report values."""
_LOCK = 0x_C1B_0029


@dataclass(frozen=True)
class Reported:
    """One version that reports a value."""

    value: int
    feed: int
    seq: int
    contributor: int
    org: str
    stix_id: str
    label: str
    """Canonical facts of its label."""


def unread_objects(connection: Connection, most: int) -> tuple[list[tuple[int, int, bytes]], dict[int, int]]:
    """Objects (feed, seq, body) that weren't looked at, at most ``most``, and how far each collection is read then."""
    if not is_sqlite(connection):
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    marks = {row.feed: row.seq for row in connection.execute(select(VALUE_MARK))}
    found: list[tuple[int, int, bytes]] = []
    read: dict[int, int] = {}
    for feed, last in connection.execute(select(FEED.c.number, FEED.c.last_seq).order_by(FEED.c.number)).all():
        mark = marks.get(feed, 0)
        if last <= mark or len(found) >= most:
            continue
        row = OBJECT.c
        rows = connection.execute(select(row.seq, row.type, row.body).where(
            row.feed == feed, row.seq > mark).order_by(row.seq).limit(most)).all()
        found += [(feed, seq, bytes(body)) for seq, kind, body in rows if kind in REPORTING]
        read[feed] = int(rows[-1].seq) if len(rows) == most else last
    return found, read


def add_reports(connection: Connection, reports: Sequence[Mapping[str, int]], read: Mapping[int, int]) -> None:
    """Note ({value, feed, seq}) what was read, and how far."""
    if reports:
        connection.execute(insert(VALUE_REPORT), [dict(one) for one in reports])
    for feed, seq in read.items():
        known = connection.execute(update(VALUE_MARK).where(VALUE_MARK.c.feed == feed).values(seq=seq)).rowcount
        if not known:
            connection.execute(insert(VALUE_MARK), [{"feed": feed, "seq": seq}])


def is_read(connection: Connection) -> bool:
    """Whether every object was looked at."""
    rows = connection.execute(select(FEED.c.last_seq, VALUE_MARK.c.seq).outerjoin(
        VALUE_MARK, VALUE_MARK.c.feed == FEED.c.number))
    return all((mark or 0) >= last for last, mark in rows)


def first_given(connection: Connection, feed: int, contributor: int, stix_id: str) -> tuple[int, bytes] | None:
    """Place and content of the first version of a contributor's object; None where it gave none there."""
    row = OBJECT.c
    found = connection.execute(select(row.seq, row.body).where(
        row.feed == feed, row.contributor == contributor, row.id_key == id_key(stix_id), row.stix_id == stix_id,
    ).order_by(row.seq).limit(1)).first()
    return None if found is None else (int(found.seq), bytes(found.body))


def earlier_reports(connection: Connection, values: Collection[int], before: int, contributor: int
                    ) -> dict[tuple[int, int], list[int]]:
    """(value, feed) to the places of others' versions that report it and came before; whoever sees them."""
    row, report = OBJECT.c, VALUE_REPORT.c
    found = dict[tuple[int, int], list[int]]()
    asked = select(report.value, report.feed, report.seq).select_from(VALUE_REPORT).join(
        OBJECT, and_(row.feed == report.feed, row.seq == report.seq),
    ).where(report.value.in_(values), report.seq < before, row.contributor != contributor).order_by(report.seq)
    for value, feed, seq in connection.execute(asked):
        found.setdefault((value, feed), []).append(seq)
    return found


def reports_of(connection: Connection, values: Collection[int], feeds: Collection[int], reader: Reader
               ) -> list[Reported]:
    """Every version that reports one of the values, as far as the reader sees it whole; oldest first."""
    row, report, dialect = OBJECT.c, VALUE_REPORT.c, connection.dialect
    asked = select(
        report.value, row.feed, row.seq, row.contributor, CONTRIBUTOR.c.org, row.stix_id, LABEL.c.facts
    ).select_from(VALUE_REPORT).join(OBJECT, and_(row.feed == report.feed, row.seq == report.seq)).join(
        CONTRIBUTOR, CONTRIBUTOR.c.number == row.contributor
    ).join(LABEL, LABEL.c.number == row.label).where(
        report.value.in_(values), report.feed.in_(feeds), visible(OBJECT, dialect, full=True),
        row.state.in_((int(State.ACTIVE), int(State.DISPUTED))),
    ).order_by(row.seq, row.feed)
    return [Reported(*found) for found in connection.execute(asked, reader_values(dialect, reader))]
