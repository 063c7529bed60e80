"""Contests in the database: their rows, objects and steps, and what is known of contested objects."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, or_, select, update

from exchange.store.case_tables import CONTEST, CONTEST_OBJECT, CONTEST_STEP
from exchange.store.object_tables import CONTRIBUTOR, FEED, OBJECT
from exchange.store.objects import id_key

_MOST_LISTED = 1_000
_PRODUCER = select(CONTRIBUTOR.c.org).where(CONTRIBUTOR.c.number == CONTEST.c.producer).scalar_subquery().label(
    "producer_org")


@dataclass(frozen=True)
class Given:
    """The newest version of a contributor's object in a collection."""

    number: int
    feed: int
    producer: int
    """Number of the contributor."""
    seq: int
    stix_id: str
    version: str
    state: int
    label: int
    visible_from: int | None
    visible_until: int | None
    body: bytes


def given_objects(connection: Connection, stix_id: str, *, feed: int | None = None, producer: int | None = None
                  ) -> list[Given]:
    """Every contributor's newest version of an object, in one collection or in all, oldest claim first."""
    row = OBJECT.c
    within = row.feed == feed if feed is not None else row.feed.in_(select(FEED.c.number))
    asked = select(
        row.number, row.feed, row.contributor, row.seq, row.stix_id, row.version, row.state, row.label,
        row.visible_from, row.visible_until, row.body,
    ).where(within, row.id_key == id_key(stix_id), row.stix_id == stix_id).order_by(
        row.claim, row.version.desc(), row.seq.desc())
    if producer is not None:
        asked = asked.where(row.contributor == producer)
    newest: dict[tuple[int, int], Given] = {}
    for found in connection.execute(asked):
        newest.setdefault((found.feed, found.contributor), Given(*found[:10], bytes(found[10])))
    return list(newest.values())


def organisation_of(connection: Connection, contributor: int) -> str:
    """The organisation that a contributor's number stands for. Raises KeyError."""
    found = connection.execute(select(CONTRIBUTOR.c.org).where(CONTRIBUTOR.c.number == contributor)).scalar()
    if found is None:
        raise KeyError(contributor)
    return str(found)


def collection_of(connection: Connection, feed: int) -> str:
    """The id of the collection that a feed's number stands for. Raises KeyError."""
    found = connection.execute(select(FEED.c.collection).where(FEED.c.number == feed)).scalar()
    if found is None:
        raise KeyError(feed)
    return str(found)


def add_contest(connection: Connection, row: Mapping[str, Any], objects: Sequence[Mapping[str, Any]]) -> None:
    """A new contest with its objects ({stix_id, campaign_class, state})."""
    connection.execute(insert(CONTEST), [dict(row)])
    connection.execute(insert(CONTEST_OBJECT), [{"contest": row["id"], **one} for one in objects])


def change_contest(connection: Connection, contest: str, values: Mapping[str, Any]) -> None:
    """Write what a step changed."""
    connection.execute(update(CONTEST).where(CONTEST.c.id == contest).values(**values))


def add_step(connection: Connection, row: Mapping[str, Any]) -> None:
    """Note one step ({contest, at, step, role, org, person, statement})."""
    connection.execute(insert(CONTEST_STEP), [dict(row)])


def find_contest(connection: Connection, contest: str, *, lock: bool = False) -> dict[str, Any] | None:
    """A contest's row, with ``evidence`` as a list and ``producer_org``; ``lock`` makes others wait until the
    transaction ends."""
    asked = select(CONTEST, _PRODUCER).where(CONTEST.c.id == contest)
    found = connection.execute(asked.with_for_update(of=CONTEST) if lock else asked).first()
    return None if found is None else _read(found)


def list_contests(connection: Connection, *, party: str | None = None, unfinished: bool = False
                  ) -> list[dict[str, Any]]:
    """The newest contests, newest first, at most 1,000; ``unfinished``: those that nobody has reviewed.

    ``party``: only those that this organisation opened or has to answer. What others contest changes neither the
    answer nor the work (P16).
    """
    asked = select(CONTEST, _PRODUCER).order_by(CONTEST.c.opened_at.desc(), CONTEST.c.id).limit(_MOST_LISTED)
    if party is not None:
        own = select(CONTRIBUTOR.c.number).where(CONTRIBUTOR.c.org == party)
        asked = asked.where(or_(CONTEST.c.contester == party, CONTEST.c.producer.in_(own)))
    if unfinished:
        asked = asked.where(CONTEST.c.ended_at.is_(None))
    return [_read(row) for row in connection.execute(asked)]


def contest_objects(connection: Connection, contest: str) -> list[dict[str, Any]]:
    """The objects of a contest, by id."""
    asked = select(CONTEST_OBJECT).where(CONTEST_OBJECT.c.contest == contest).order_by(CONTEST_OBJECT.c.stix_id)
    return [dict(row._mapping) for row in connection.execute(asked)]


def contest_steps(connection: Connection, contest: str) -> list[dict[str, Any]]:
    """The steps of a contest in their order."""
    asked = select(CONTEST_STEP).where(CONTEST_STEP.c.contest == contest).order_by(CONTEST_STEP.c.number)
    return [dict(row._mapping) for row in connection.execute(asked)]


def _read(row: Row[Any]) -> dict[str, Any]:
    found = dict(row._mapping)
    return {**found, "evidence": json.loads(found["evidence"])}
