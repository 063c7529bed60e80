"""Contributors' records in the database: verdicts on their objects, how much they gave each day, who is held."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import Any

from sqlalchemy import Connection, Dialect, func, insert, select, text, update

from exchange.model.state import State
from exchange.store.case_tables import CONTRIBUTOR_DAY, CONTRIBUTOR_HOLD, VERDICT
from exchange.store.object_tables import CONTRIBUTOR, FEED, OBJECT
from exchange.store.pushes import lock_feed
from exchange.store.statement import Prepared, number
from exchange.store.stirs import stir_shown

DAY = 86_400_000_000
"""Microseconds."""


class DayState(IntEnum):
    """What was decided on a contributor's day."""

    USUAL = 0
    HELD = 1
    REJECTED = 2
    RELEASED = 3


@dataclass(frozen=True)
class Judged:
    """One verdict on a contributor's object."""

    campaign_class: str
    word: str
    """confirmed or overturned."""
    at: int


_COUNT = text("""
    INSERT INTO contributor_day (contributor, day, given, held)
    VALUES (:contributor, :day, :given,
            (SELECT count(*) FROM contributor_hold WHERE contributor = :contributor AND ended_at IS NULL))
    ON CONFLICT (contributor, day) DO UPDATE SET given = contributor_day.given + excluded.given
    RETURNING given, held
""")


def count_given(connection: Connection, contributor: int, now: int, given: int) -> tuple[int, DayState]:
    """Add to what a contributor gave today; the sum of the day, and whether its new objects are held."""
    [(total, held)] = _count(connection.dialect).within(
        connection, contributor=contributor, day=now // DAY, given=given)
    return int(total), DayState(held)


@cache
def _count(dialect: Dialect) -> Prepared:
    return Prepared(_COUNT.bindparams(number("contributor"), number("day"), number("given")), dialect)


def usual_days(connection: Connection, contributor: int, before: int) -> list[int]:
    """Objects given on each earlier day with any, apart from days that are held or were rejected."""
    row = CONTRIBUTOR_DAY.c
    return list(connection.execute(select(row.given).where(
        row.contributor == contributor, row.day < before // DAY, row.given > 0,
        row.held.in_((int(DayState.USUAL), int(DayState.RELEASED))),
    )).scalars())


def given_in_all(connection: Connection, contributor: int) -> int:
    """How many objects a contributor gave since the exchange counts."""
    asked = select(func.sum(CONTRIBUTOR_DAY.c.given)).where(CONTRIBUTOR_DAY.c.contributor == contributor)
    return int(connection.execute(asked).scalar() or 0)


def first_day(connection: Connection, contributor: int) -> int | None:
    """The day (microseconds) on which a contributor first gave anything; None: never."""
    asked = select(func.min(CONTRIBUTOR_DAY.c.day)).where(CONTRIBUTOR_DAY.c.contributor == contributor)
    found = connection.execute(asked).scalar()
    return None if found is None else int(found) * DAY


def add_verdict(connection: Connection, *, about: tuple[int, int, str], campaign_class: str, word: str, cause: str,
                at: int, repeated: bool = False) -> bool:
    """Note a verdict on an object; False where it has that verdict already: an object counts once.

    ``repeated``: its contributor had received it, so that it doesn't count in the record.
    """
    feed, producer, stix_id = about
    row = VERDICT.c
    known = connection.execute(select(row.number).where(
        row.producer == producer, row.feed == feed, row.stix_id == stix_id, row.word == word)).first()
    if known is None:
        connection.execute(insert(VERDICT), [{
            "producer": producer, "feed": feed, "stix_id": stix_id, "campaign_class": campaign_class, "word": word,
            "cause": cause, "at": at, "repeated": repeated}])
    return known is None


def verdicts_on(connection: Connection, producer: int) -> list[Judged]:
    """All verdicts on what a contributor found itself, oldest first."""
    row = VERDICT.c
    asked = select(row.campaign_class, row.word, row.at).where(
        row.producer == producer, row.repeated.is_(False)).order_by(row.number)
    return [Judged(*found) for found in connection.execute(asked)]


def was_upheld(connection: Connection, about: tuple[int, int, str]) -> bool:
    """Whether a reviewer let the object stand, and nobody overturned it since."""
    feed, producer, stix_id = about
    row = VERDICT.c
    words = set(connection.execute(select(row.word).where(
        row.producer == producer, row.feed == feed, row.stix_id == stix_id)).scalars())
    return "confirmed" in words and "overturned" not in words


def judged_contributors(connection: Connection) -> list[tuple[int, str]]:
    """Number and organisation of every contributor with a verdict on what it found itself."""
    asked = select(CONTRIBUTOR.c.number, CONTRIBUTOR.c.org).where(
        CONTRIBUTOR.c.number.in_(select(VERDICT.c.producer).where(VERDICT.c.repeated.is_(False)))).order_by(CONTRIBUTOR.c.org)
    return [(int(row[0]), str(row[1])) for row in connection.execute(asked)]


def open_hold(connection: Connection, contributor: int, now: int, reason: str) -> int:
    """Hold a contributor's new objects from now on; the number of the hold, of the open one where there is one."""
    row = CONTRIBUTOR_HOLD.c
    known = connection.execute(select(row.number).where(
        row.contributor == contributor, row.ended_at.is_(None))).scalar()
    if known is not None:
        return int(known)
    made = connection.execute(insert(CONTRIBUTOR_HOLD).values(
        contributor=contributor, since=now, reason=reason).returning(row.number)).scalar_one()
    _mark_days(connection, contributor, now, None, DayState.HELD)
    return int(made)


def close_hold(connection: Connection, hold: dict[str, Any], now: int, outcome: str, person: str) -> None:
    """End a hold as ``released`` or ``rejected``: its days count, or don't, in what is usual from now on."""
    connection.execute(update(CONTRIBUTOR_HOLD).where(CONTRIBUTOR_HOLD.c.number == hold["number"]).values(
        ended_at=now, outcome=outcome, by_person=person))
    after = DayState.RELEASED if outcome == "released" else DayState.REJECTED
    _mark_days(connection, hold["contributor"], hold["since"], now, after)


def _mark_days(connection: Connection, contributor: int, since: int, until: int | None, state: DayState) -> None:
    row = CONTRIBUTOR_DAY.c
    days = [row.contributor == contributor, row.day >= since // DAY]
    if until is not None:
        days.append(row.day <= until // DAY)
    connection.execute(update(CONTRIBUTOR_DAY).where(*days).values(held=int(state)))


def holds(connection: Connection, *, number: int | None = None) -> list[dict[str, Any]]:
    """Holds with their organisation, open ones first, then the newest; one where its number is given."""
    row = CONTRIBUTOR_HOLD.c
    asked = select(CONTRIBUTOR_HOLD, CONTRIBUTOR.c.org).join(
        CONTRIBUTOR, CONTRIBUTOR.c.number == row.contributor).order_by(row.ended_at.is_not(None), row.number.desc())
    if number is not None:
        asked = asked.where(row.number == number)
    return [dict(found._mapping) for found in connection.execute(asked)]


def hold_rows(connection: Connection, feed: int, seqs: Sequence[int]) -> None:
    """Hold objects that were just added."""
    connection.execute(update(OBJECT).where(
        OBJECT.c.feed == feed, OBJECT.c.seq >= min(seqs), OBJECT.c.seq <= max(seqs)).values(state=int(State.HELD)))


def held_bodies(connection: Connection, contributor: int, types: Iterable[str]) -> list[bytes]:
    """Bodies of a contributor's held objects of these types, oldest first."""
    row = OBJECT.c
    found = connection.execute(select(row.body).where(
        row.contributor == contributor, row.state == int(State.HELD), row.type.in_(sorted(types))
    ).order_by(row.seq)).scalars()
    return [bytes(body) for body in found]


def release_rows(connection: Connection, contributor: int, now: int) -> int:
    """Release a contributor's held objects, under dates of now: who follows a collection must get them; how many."""
    released = 0
    for feed in _held_feeds(connection, contributor):
        last = lock_feed(connection, feed)
        numbers = list(connection.execute(_held(contributor, feed)).scalars())
        first = max(now, last + 1)
        connection.execute(
            text("UPDATE object SET seq = :seq, state = :state WHERE number = :number"),
            [{"seq": first + at, "state": int(State.ACTIVE), "number": number} for at, number in enumerate(numbers)],
        )
        connection.execute(update(FEED).where(FEED.c.number == feed).values(
            last_seq=first + len(numbers) - 1, revision=FEED.c.revision + 1))
        stir_shown(connection, numbers, itself=False)
        released += len(numbers)
    return released


def reject_rows(connection: Connection, contributor: int) -> int:
    """Retract a contributor's held objects; nobody but itself ever saw them. How many."""
    rejected = 0
    for feed in _held_feeds(connection, contributor):
        lock_feed(connection, feed)
        numbers = list(connection.execute(_held(contributor, feed)).scalars())
        connection.execute(update(OBJECT).where(
            OBJECT.c.feed == feed, OBJECT.c.contributor == contributor, OBJECT.c.state == int(State.HELD)
        ).values(state=int(State.REVOKED)))
        connection.execute(update(FEED).where(FEED.c.number == feed).values(revision=FEED.c.revision + 1))
        rejected += len(numbers)
    return rejected


def _held(contributor: int, feed: int) -> Any:
    row = OBJECT.c
    return select(row.number).where(
        row.feed == feed, row.contributor == contributor, row.state == int(State.HELD)).order_by(row.seq)


def _held_feeds(connection: Connection, contributor: int) -> list[int]:
    row = OBJECT.c
    return sorted(connection.execute(select(row.feed).where(
        row.contributor == contributor, row.state == int(State.HELD)).distinct()).scalars())


def contributor_number(connection: Connection, org: str) -> int | None:
    """The number of an organisation that has contributed; None: it never did."""
    found = connection.execute(select(CONTRIBUTOR.c.number).where(CONTRIBUTOR.c.org == org)).scalar()
    return None if found is None else int(found)


@dataclass(frozen=True)
class PushedRow:
    """One version that a contributor pushed."""

    number: int
    seq: int
    stix_id: str
    state: int


def pushed_since(connection: Connection, contributor: int, since: int) -> dict[int, list[PushedRow]]:
    """What a contributor pushed from a time on, by collection's number, versions in their order."""
    row = OBJECT.c
    found: dict[int, list[PushedRow]] = {}
    for feed in sorted(connection.execute(select(FEED.c.number).where(FEED.c.last_seq >= since)).scalars()):
        lock_feed(connection, feed)
        asked = select(row.number, row.seq, row.stix_id, row.state).where(
            row.feed == feed, row.seq >= since, row.contributor == contributor).order_by(row.seq)
        rows = [PushedRow(*one) for one in connection.execute(asked)]
        if rows:
            found[feed] = rows
    return found
