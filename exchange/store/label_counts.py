"""How many object versions bear each label now, collection by collection, and a few of them as samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from exchange.model.state import State
from exchange.store.object_tables import FEED, LABEL, OBJECT


@dataclass(frozen=True)
class LabelCount:
    """Object versions that bear one label in one collection and may be read at all at that moment."""

    feed: int
    collection: str
    label: int
    count: int


def label_counts(connection: Connection, now: int) -> tuple[list[LabelCount], dict[int, str]]:
    """The counts at ``now`` (microseconds), and the canonical facts of the labels by their numbers."""
    row = OBJECT.c
    found = connection.execute(
        select(row.feed, FEED.c.collection, row.label, func.count())
        .join(FEED, FEED.c.number == row.feed)
        .where(_readable(now)).group_by(row.feed, FEED.c.collection, row.label).order_by(row.feed, row.label)
    )
    counts = [LabelCount(*one) for one in found]
    used = {count.label for count in counts}
    facts = {number: text for number, text in connection.execute(select(LABEL.c.number, LABEL.c.facts))
             if number in used}
    return counts, facts


def samples(connection: Connection, feed: int, label: int, now: int, most: int) -> list[str]:
    """Ids of some objects that bear the label, the newest first."""
    row = OBJECT.c
    found = connection.execute(
        select(row.stix_id).where(row.feed == feed, row.label == label, _readable(now))
        .order_by(row.seq.desc()).limit(most)
    )
    return list(found.scalars())


def versions_with(connection: Connection, feed: int, label: int) -> Sequence[tuple[int, str, str]]:
    """(date added in microseconds, id, version) of every object version with the label."""
    row = OBJECT.c
    found = connection.execute(
        select(row.seq, row.stix_id, row.version, row.version_text).where(row.feed == feed, row.label == label)
        .order_by(row.seq)
    )
    return [(seq, stix_id, text or (version + "Z" if version else "")) for seq, stix_id, version, text in found]


def _readable(now: int) -> ColumnElement[bool]:
    row = OBJECT.c
    return and_(
        row.state <= int(State.DISPUTED),
        or_(row.visible_from.is_(None), row.visible_from <= now),
        or_(row.visible_until.is_(None), row.visible_until > now),
    )
