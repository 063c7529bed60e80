"""Suspending an organisation's agreements: a change of the directory that the next request sees."""

from __future__ import annotations

from sqlalchemy import Connection, select

from exchange.model.description import Wanted
from exchange.store.directory_changes import apply, lock_directory
from exchange.store.directory_tables import table


def suspend_agreements(connection: Connection, org: str, now: int) -> list[str]:
    """Suspend an organisation's active agreements at ``now``, in the caller's write transaction; gives their ids."""
    lock_directory(connection)
    rows = table("agreement")
    active = connection.execute(
        select(rows.c.id).where(rows.c.org == org, rows.c.status == "active").order_by(rows.c.id)
    ).scalars().all()
    if active:
        wanted: Wanted = {"agreement": {}}
        for one in active:
            wanted["agreement"][org, str(one)] = {"org": org, "id": one, "status": "suspended"}
        apply(connection, wanted, clock=lambda: now)
    return list(active)
