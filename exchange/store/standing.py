"""How an object stands, now and at any earlier time: its versions with labels, windows, states, references."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, and_, exists, select

from exchange.model.state import State
from exchange.store.object_tables import CONTRIBUTOR, FEED, LABEL, OBJECT, RECIPIENT, REFERENCE
from exchange.store.objects import id_key
from exchange.store.obligation_tables import HOLD, STATE_CHANGE


@dataclass(frozen=True)
class Row:
    """One version of an object by one contributor in one collection; times in microseconds."""

    number: int
    stix_id: str
    feed: int
    collection: str
    seq: int
    claim: int
    contributor: str
    contributor_number: int
    label: str
    """The label's canonical facts."""
    label_number: int
    version: str
    version_text: str | None
    visible_from: int | None
    visible_until: int | None
    state: State
    body: bytes
    refs: tuple[str, ...]


def rows_of(connection: Connection, stix_id: str, at: int, feeds: Sequence[int] | None = None) -> list[Row]:
    """Every version of an object that was there at a time, with its state then; newest version first.

    What was withdrawn since then isn't found any more.
    """
    row = OBJECT.c
    wanted = and_(
        row.feed.in_(select(FEED.c.number) if feeds is None else list(feeds)),
        row.id_key == id_key(stix_id), row.stix_id == stix_id, row.seq <= at,
    )
    found = connection.execute(
        select(OBJECT, FEED.c.collection, CONTRIBUTOR.c.org, LABEL.c.facts)
        .join(FEED, FEED.c.number == row.feed).join(CONTRIBUTOR, CONTRIBUTOR.c.number == row.contributor)
        .join(LABEL, LABEL.c.number == row.label).where(wanted).order_by(row.feed, row.version.desc(), row.seq.desc())
    ).all()
    return [
        Row(one.number, stix_id, one.feed, one.collection, one.seq, one.claim, one.org, one.contributor,
            one.facts, one.label, one.version,
            one.version_text, one.visible_from, one.visible_until,
            _state(connection, one.feed, one.contributor, stix_id, State(one.state), at), bytes(one.body),
            tuple(connection.execute(
                select(REFERENCE.c.target_id).where(REFERENCE.c.object == one.number).order_by(REFERENCE.c.target_id)
            ).scalars()))
        for one in found
    ]


def has_given(connection: Connection, stix_id: str, org: str) -> bool:
    """Whether an organisation gave any version of an object, anywhere; the work is the same whoever else did."""
    row = OBJECT.c
    own = select(CONTRIBUTOR.c.number).where(CONTRIBUTOR.c.org == org)
    asked = select(row.number).where(row.feed.in_(select(FEED.c.number)), row.id_key == id_key(stix_id),
                                     row.stix_id == stix_id, row.contributor.in_(own)).limit(1)
    return connection.execute(asked).first() is not None


def ids_of(connection: Connection, numbers: Sequence[int]) -> list[str]:
    """The STIX ids of objects by their numbers."""
    asked = select(OBJECT.c.stix_id).where(OBJECT.c.number.in_(list(numbers))).distinct()
    return sorted(connection.execute(asked).scalars())


def _state(connection: Connection, feed: int, contributor: int, stix_id: str, now: State, at: int) -> State:
    """The state at a time: what the first change after it changed from; without any, the present one."""
    row = STATE_CHANGE.c
    before = connection.execute(select(row.before).where(
        row.feed == feed, row.id_key == id_key(stix_id), row.contributor == contributor, row.stix_id == stix_id,
        row.at > at,
    ).order_by(row.at, row.number).limit(1)).scalar()
    return now if before is None else State(before)


def was_told(connection: Connection, number: int, org: str) -> bool:
    """Whether an organisation counts as an earlier recipient of a revoked object."""
    row = RECIPIENT.c
    who = select(CONTRIBUTOR.c.number).where(CONTRIBUTOR.c.org == org).scalar_subquery()
    return bool(connection.execute(select(exists().where(row.object == number, row.org == who))).scalar())


def is_held(connection: Connection, stix_id: str, contributor: str, at: int) -> bool:
    """Whether a legal hold lay on the object at a time."""
    row = HOLD.c
    who = select(CONTRIBUTOR.c.number).where(CONTRIBUTOR.c.org == contributor).scalar_subquery()
    holds = connection.execute(select(row.since, row.until, row.released).where(
        row.id_key == id_key(stix_id), row.contributor == who, row.stix_id == stix_id))
    return any(h.since <= at and (h.until is None or at < h.until) and (h.released is None or at < h.released)
               for h in holds)
