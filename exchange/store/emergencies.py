"""Declared emergencies in the database."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert, select, text, update

from exchange.store.case_tables import EMERGENCY
from exchange.store.engine import is_sqlite

_LOCK = 0x_C1B_0028
"""Key of the PostgreSQL advisory lock under which emergencies are declared one by one."""


def lock_emergencies(connection: Connection) -> None:
    """Wait for others who declare, end or review; SQLite has one writer anyway."""
    if not is_sqlite(connection):
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def add_emergency(connection: Connection, row: Mapping[str, Any]) -> None:
    """A new emergency; ``people`` and ``collections`` are lists."""
    connection.execute(insert(EMERGENCY), [{
        **row, "people": json.dumps(row["people"]), "collections": json.dumps(row["collections"])}])


def change_emergency(connection: Connection, emergency: str, values: Mapping[str, Any]) -> None:
    """Write its end or its review."""
    connection.execute(update(EMERGENCY).where(EMERGENCY.c.id == emergency).values(**values))


def list_emergencies(connection: Connection) -> list[dict[str, Any]]:
    """All emergencies, newest first."""
    rows = connection.execute(select(EMERGENCY).order_by(EMERGENCY.c.declared_at.desc(), EMERGENCY.c.id))
    return [
        {**row._mapping, "people": json.loads(row.people), "collections": json.loads(row.collections)} for row in rows
    ]
