"""Legal holds and their sealed copies in the database."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, delete, insert, or_, select, update

from exchange.store.object_tables import CONTRIBUTOR
from exchange.store.objects import id_key
from exchange.store.obligation_tables import HOLD, SEALED
from exchange.store.states import Version


def add_hold(
    connection: Connection, *, contributor: int, stix_id: str, since: int, until: int | None, by_org: str,
    by_key: str, reason: str,
) -> int:
    """Note a hold; gives its number."""
    made = insert(HOLD).values(
        contributor=contributor, id_key=id_key(stix_id), stix_id=stix_id, since=since, until=until, by_org=by_org,
        by_key=by_key, reason=reason,
    ).returning(HOLD.c.number)
    return int(connection.execute(made).scalar_one())


def holds_on(connection: Connection, *, stix_id: str, now: int, org: str | None = None) -> list[RowMapping]:
    """The holds on an id that are in force, with the contributor's organisation as ``org``."""
    query = (
        select(HOLD, CONTRIBUTOR.c.org).select_from(HOLD.join(CONTRIBUTOR, HOLD.c.contributor == CONTRIBUTOR.c.number))
        .where(HOLD.c.id_key == id_key(stix_id), HOLD.c.stix_id == stix_id, _standing(now)).order_by(HOLD.c.number)
    )
    if org is not None:
        query = query.where(CONTRIBUTOR.c.org == org)
    return list(connection.execute(query).mappings())


def ended_holds(connection: Connection, now: int) -> list[RowMapping]:
    """Holds whose end has come and that weren't released yet, with the contributor's organisation as ``org``."""
    joined = HOLD.join(CONTRIBUTOR, HOLD.c.contributor == CONTRIBUTOR.c.number)
    query = select(HOLD, CONTRIBUTOR.c.org).select_from(joined).where(HOLD.c.released.is_(None), HOLD.c.until <= now)
    return list(connection.execute(query.order_by(HOLD.c.number)).mappings())


def release(connection: Connection, hold: int, at: int) -> None:
    """End a hold and overwrite its sealed copies."""
    connection.execute(update(HOLD).where(HOLD.c.number == hold).values(released=at))
    connection.execute(delete(SEALED).where(SEALED.c.hold == hold))


def add_sealed(connection: Connection, hold: int, copies: Sequence[tuple[Version, bytes]], key: str) -> None:
    """Keep sealed copies (encrypted already) of versions that have none under this hold."""
    there = {
        (row.feed, row.seq)
        for row in connection.execute(select(SEALED.c.feed, SEALED.c.seq).where(SEALED.c.hold == hold))
    }
    rows = [
        {"hold": hold, "feed": version.feed, "seq": version.seq, "version": version.version, "key": key, "body": body}
        for version, body in copies if (version.feed, version.seq) not in there
    ]
    if rows:
        connection.execute(insert(SEALED), rows)


def sealed_copies(connection: Connection, hold: int) -> list[RowMapping]:
    """The sealed copies of a hold."""
    return list(connection.execute(select(SEALED).where(SEALED.c.hold == hold).order_by(SEALED.c.number)).mappings())


def _standing(now: int) -> ColumnElement[bool]:
    return and_(HOLD.c.released.is_(None), or_(HOLD.c.until.is_(None), HOLD.c.until > now))
