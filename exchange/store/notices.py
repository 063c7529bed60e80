"""Notices in the database: what was sent to whom, who answered, what is overdue."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, insert, select, update

from exchange.store.obligation_tables import ACKNOWLEDGEMENT, NOTICE

_AT_ONCE = 500
"""Ids in one query."""


def known_notices(connection: Connection, ids: Sequence[str]) -> set[str]:
    """Those ids that were sent already."""
    found: set[str] = set()
    for first in range(0, len(ids), _AT_ONCE):
        some = ids[first : first + _AT_ONCE]
        found.update(connection.execute(select(NOTICE.c.id).where(NOTICE.c.id.in_(some))).scalars())
    return found


def add_notice(connection: Connection, row: Mapping[str, Any]) -> None:
    """Keep a notice; the columns of ``NoticeRow``."""
    connection.execute(insert(NOTICE), dict(row))


def find_notice(connection: Connection, notice_id: str, *, org: str | None = None) -> dict[str, Any] | None:
    """A notice by its id; with ``org`` only if it was sent to that organisation."""
    query = select(NOTICE).where(NOTICE.c.id == notice_id)
    if org is not None:
        query = query.where(NOTICE.c.org == org)
    row = connection.execute(query).mappings().first()
    return None if row is None else dict(row)


def list_notices(
    connection: Connection, *, org: str | None = None, states: Collection[str] | None = None,
    due_before: int | None = None, reference: str | None = None, limit: int = 1_000,
) -> list[dict[str, Any]]:
    """Notices, the newest first; every filter that is given must hold."""
    query = select(NOTICE).order_by(NOTICE.c.at.desc(), NOTICE.c.id).limit(limit)
    if org is not None:
        query = query.where(NOTICE.c.org == org)
    if states is not None:
        query = query.where(NOTICE.c.state.in_(states))
    if due_before is not None:
        query = query.where(NOTICE.c.deadline <= due_before)
    if reference is not None:
        query = query.where(NOTICE.c.reference == reference)
    return [dict(row) for row in connection.execute(query).mappings()]


def set_notice_state(connection: Connection, notice_id: str, state: str, *, escalated: int | None = None) -> None:
    """Change the state of a notice; ``escalated`` is the time of its escalation."""
    values: dict[str, Any] = {"state": state}
    if escalated is not None:
        values["escalated"] = escalated
    connection.execute(update(NOTICE).where(NOTICE.c.id == notice_id).values(values))


def add_acknowledgement(
    connection: Connection, *, notice: str, at: int, done: bool, statement: str, by_key: str
) -> None:
    """Keep an answer to a notice."""
    connection.execute(insert(ACKNOWLEDGEMENT), {
        "notice": notice, "at": at, "done": done, "statement": statement, "by_key": by_key,
    })


def acknowledgements(connection: Connection, notice_id: str) -> list[dict[str, Any]]:
    """The answers to a notice, the oldest first."""
    rows = ACKNOWLEDGEMENT
    query = select(rows).where(rows.c.notice == notice_id).order_by(rows.c.number)
    return [dict(row) for row in connection.execute(query).mappings()]
