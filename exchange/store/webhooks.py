"""Webhooks in the database: kept, claimed by one process at a time, moved on, and their dead letters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, delete, insert, or_, select, update

from exchange.store.webhook_tables import DEAD_LETTER, WEBHOOK

Row = dict[str, Any]


def add_webhook(connection: Connection, row: Mapping[str, Any]) -> None:
    """Keep a new one; the columns of ``WebhookRow``."""
    connection.execute(insert(WEBHOOK), dict(row))


def webhooks_of(connection: Connection, org: str, name: str | None = None) -> list[Row]:
    """An organisation's, oldest first; with ``name`` that one alone."""
    query = select(WEBHOOK).where(WEBHOOK.c.org == org).order_by(WEBHOOK.c.created_at, WEBHOOK.c.id)
    if name is not None:
        query = query.where(WEBHOOK.c.id == name)
    return [dict(row) for row in connection.execute(query).mappings()]


def due(connection: Connection, now: int, waits: Sequence[int], most: int) -> list[str]:
    """Ids of those to be looked at, the longest overdue first.

    ``waits`` is how long one may wait at most after so many failures, in microseconds: one that is to wait longer was
    told so before the clock was set back.
    """
    query = select(WEBHOOK.c.id).where(_is_due(now, waits))
    return list(connection.execute(query.order_by(WEBHOOK.c.next_at).limit(most)).scalars())


def claim(connection: Connection, name: str, now: int, waits: Sequence[int], until: int) -> Row | None:
    """Take one that is ``due``, until a moment at which others may: two processes never deliver one at once."""
    taken = connection.execute(update(WEBHOOK).where(WEBHOOK.c.id == name, _is_due(now, waits)).values(next_at=until))
    if taken.rowcount != 1:
        return None
    row = connection.execute(select(WEBHOOK).where(WEBHOOK.c.id == name)).mappings().one()
    return dict(row)


def _is_due(now: int, waits: Sequence[int]) -> ColumnElement[bool]:
    ahead = WEBHOOK.c.next_at - now
    longest = case(dict(enumerate(waits)), value=WEBHOOK.c.failures, else_=max(waits))
    return and_(WEBHOOK.c.state == "active", or_(ahead <= 0, ahead > longest))


def move(connection: Connection, claimed: Row, **values: Any) -> bool:
    """Change one that this process claimed; False where it was changed meanwhile, by its owner or another claim."""
    changed = connection.execute(update(WEBHOOK).where(
        WEBHOOK.c.id == claimed["id"], WEBHOOK.c.next_at == claimed["next_at"], WEBHOOK.c.state == "active",
    ).values(**values))
    return bool(changed.rowcount == 1)


def change_webhook(connection: Connection, name: str, **values: Any) -> None:
    """Change one, whatever it was."""
    connection.execute(update(WEBHOOK).where(WEBHOOK.c.id == name).values(**values))


def hand_webhooks(connection: Connection, old: str, new: str) -> int:
    """Let what a credential subscribed to go on with another; how many there were."""
    return int(connection.execute(update(WEBHOOK).where(WEBHOOK.c.credential == old).values(credential=new)).rowcount)


def drop_webhook(connection: Connection, name: str) -> None:
    """Forget one with its dead letters."""
    connection.execute(delete(DEAD_LETTER).where(DEAD_LETTER.c.webhook == name))
    connection.execute(delete(WEBHOOK).where(WEBHOOK.c.id == name))


def add_dead_letter(connection: Connection, row: Mapping[str, Any]) -> None:
    """Keep a message that failed; the columns of ``DeadLetterRow`` but its number."""
    connection.execute(insert(DEAD_LETTER), dict(row))


def dead_letters(connection: Connection, name: str, number: int | None = None) -> list[Row]:
    """One webhook's dead letters, oldest first; with ``number`` that one alone."""
    query = select(DEAD_LETTER).where(DEAD_LETTER.c.webhook == name).order_by(DEAD_LETTER.c.number)
    if number is not None:
        query = query.where(DEAD_LETTER.c.number == number)
    return [dict(row) for row in connection.execute(query).mappings()]


def drop_dead_letter(connection: Connection, number: int) -> None:
    """Forget one that was delivered after all."""
    connection.execute(delete(DEAD_LETTER).where(DEAD_LETTER.c.number == number))
