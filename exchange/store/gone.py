"""What was there and isn't any more: versions that were deleted, and those whose content was wiped. No content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, select, true

from exchange.model.state import State
from exchange.store.object_tables import CONTRIBUTOR, FEED, OBJECT
from exchange.store.objects import id_key
from exchange.store.obligation_tables import STATE_CHANGE, WITHDRAWN
from exchange.store.states import written

Why = Literal["deleted", "erased", "retention-ended"]


@dataclass(frozen=True)
class Gone:
    """One version by one contributor in one collection; times in microseconds."""

    stix_id: str
    feed: int
    collection: str
    contributor: str
    seq: int
    """When it was added."""
    version: str
    """As its producer wrote it."""
    label: int | None
    number: int | None
    """The number of its row; as the label, unknown where an earlier release deleted it."""
    why: Why
    at: int | None
    """Until when it was there; None: nobody knows."""
    reference: str
    """What the log and notices call the erasure; else empty."""


def gone_of(connection: Connection, stix_id: str, before: int, org: str | None = None) -> list[Gone]:
    """Every version of an object that was added until a time and has no content now, newest first.

    Of one organisation, where it is named: the work is the same whoever else gave any.
    """
    found = [*_deleted(connection, stix_id, before, org), *_wiped(connection, stix_id, before, org)]
    return sorted(found, key=lambda one: (one.feed, -one.seq))


def gone_ids(connection: Connection, numbers: Sequence[int]) -> list[str]:
    """The STIX ids of deleted versions by the numbers that their rows had."""
    asked = select(WITHDRAWN.c.stix_id).where(WITHDRAWN.c.object.in_(list(numbers))).distinct()
    return sorted(connection.execute(asked).scalars())


def _deleted(connection: Connection, stix_id: str, before: int, org: str | None) -> list[Gone]:
    row = WITHDRAWN.c
    asked = (
        select(WITHDRAWN, FEED.c.collection, CONTRIBUTOR.c.org)
        .join(FEED, FEED.c.number == row.feed).join(CONTRIBUTOR, CONTRIBUTOR.c.number == row.contributor)
        .where(row.id_key == id_key(stix_id), row.stix_id == stix_id, row.seq <= before,
               CONTRIBUTOR.c.org == org if org is not None else true())
    )
    return [Gone(stix_id, one.feed, one.collection, one.org, one.seq, one.version, one.label, one.object, "deleted",
                 one.at, "") for one in connection.execute(asked)]


def _wiped(connection: Connection, stix_id: str, before: int, org: str | None) -> list[Gone]:
    row = OBJECT.c
    asked = (
        select(row.number, row.feed, row.contributor, row.seq, row.version, row.version_text, row.label, row.state,
               row.visible_until, row.body, FEED.c.collection, CONTRIBUTOR.c.org)
        .join(FEED, FEED.c.number == row.feed).join(CONTRIBUTOR, CONTRIBUTOR.c.number == row.contributor)
        .where(row.feed.in_(select(FEED.c.number)), row.id_key == id_key(stix_id), row.stix_id == stix_id,
               row.seq <= before, CONTRIBUTOR.c.org == org if org is not None else true())
    )
    found = []
    for one in connection.execute(asked).all():
        if bytes(one.body):
            continue
        change = _erasure(connection, one.feed, one.contributor, stix_id) if one.state == State.ERASED else None
        why: Why = "erased" if one.state == State.ERASED else "retention-ended"
        number, at = change or (0, one.visible_until)
        found.append(Gone(stix_id, one.feed, one.collection, one.org, one.seq,
                          written(one.seq, one.version, one.version_text), one.label, one.number, why, at,
                          f"state-change:{number}" if number else ""))
    return found


def _erasure(connection: Connection, feed: int, contributor: int, stix_id: str) -> tuple[int, int] | None:
    """The number and time (microseconds) of the erasure."""
    row = STATE_CHANGE.c
    found = connection.execute(
        select(row.number, row.at).where(
            row.feed == feed, row.id_key == id_key(stix_id), row.contributor == contributor, row.stix_id == stix_id,
            row.after == int(State.ERASED)).order_by(row.number.desc()).limit(1)).first()
    return None if found is None else (int(found.number), int(found.at))
