"""What members say of each other's objects in the database, and which objects are marked as disputed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, insert, select, update

from exchange.store.case_tables import FLAG, VOICE

Object = tuple[int, int, str]
"""(feed, number of its contributor, STIX id)"""


@dataclass(frozen=True)
class StoredVoice:
    """One organisation's standing word on an object."""

    org: str
    word: str
    affected: bool


def end_voices(connection: Connection, org: str, statements: Sequence[str], at: int) -> list[Object]:
    """Take back what an organisation said by these objects; gives what it was said of."""
    mine = (VOICE.c.statement.in_(statements), VOICE.c.org == org, VOICE.c.ended_at.is_(None))
    rows = connection.execute(select(VOICE.c.feed, VOICE.c.producer, VOICE.c.stix_id).where(*mine)).all()
    if rows:
        connection.execute(update(VOICE).where(*mine).values(ended_at=at))
    return [(row.feed, row.producer, row.stix_id) for row in rows]


def end_voices_about(connection: Connection, about: Object, at: int) -> None:
    """Settle what was said of an object: a reviewer has decided on it."""
    connection.execute(update(VOICE).where(*_about(about), VOICE.c.ended_at.is_(None)).values(ended_at=at))


def add_voice(connection: Connection, about: Object, *, statement: str, org: str, word: str, affected: bool, at: int
              ) -> None:
    """Note what an organisation says of an object."""
    feed, producer, stix_id = about
    connection.execute(insert(VOICE), [{
        "statement": statement, "org": org, "feed": feed, "producer": producer, "stix_id": stix_id, "word": word,
        "affected": affected, "at": at,
    }])


def voices_about(connection: Connection, about: Object) -> list[StoredVoice]:
    """What is said of an object now."""
    asked = select(VOICE.c.org, VOICE.c.word, VOICE.c.affected).where(
        *_about(about), VOICE.c.ended_at.is_(None)).order_by(VOICE.c.number)
    return [StoredVoice(row.org, row.word, bool(row.affected)) for row in connection.execute(asked)]


def is_flagged(connection: Connection, about: Object) -> bool:
    """Whether the object is marked as disputed by what members say."""
    feed, producer, stix_id = about
    return connection.execute(select(FLAG.c.at).where(
        FLAG.c.feed == feed, FLAG.c.producer == producer, FLAG.c.stix_id == stix_id, FLAG.c.lifted_at.is_(None)
    )).first() is not None


def flagged_at(connection: Connection, about: Object) -> int:
    """When the object was last marked. Raises NoResultFound where it never was."""
    feed, producer, stix_id = about
    return int(connection.execute(select(FLAG.c.at).where(
        FLAG.c.feed == feed, FLAG.c.producer == producer, FLAG.c.stix_id == stix_id)).scalar_one())


def put_flag(connection: Connection, about: Object, at: int) -> None:
    """Mark the object, also where a former mark was lifted."""
    feed, producer, stix_id = about
    connection.execute(delete(FLAG).where(
        FLAG.c.feed == feed, FLAG.c.producer == producer, FLAG.c.stix_id == stix_id))
    connection.execute(insert(FLAG), [{"feed": feed, "producer": producer, "stix_id": stix_id, "at": at}])


def lift_flag(connection: Connection, about: Object, at: int) -> None:
    """Take the mark away."""
    feed, producer, stix_id = about
    connection.execute(update(FLAG).where(
        FLAG.c.feed == feed, FLAG.c.producer == producer, FLAG.c.stix_id == stix_id).values(lifted_at=at))


def flags_of(connection: Connection, producer: int) -> int:
    """How many of a contributor's objects are disputed now."""
    return len(connection.execute(select(FLAG.c.stix_id).where(
        FLAG.c.producer == producer, FLAG.c.lifted_at.is_(None))).all())


def _about(about: Object) -> tuple[ColumnElement[bool], ...]:
    feed, producer, stix_id = about
    return VOICE.c.feed == feed, VOICE.c.producer == producer, VOICE.c.stix_id == stix_id
