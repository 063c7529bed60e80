"""How the store stands, in figures for those who watch it: webhooks, dead letters, the log, overdue notices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, case, func, select

from exchange.store import log
from exchange.store.log_tables import PENDING, SIGNED
from exchange.store.obligation_tables import NOTICE
from exchange.store.webhook_tables import DEAD_LETTER, WEBHOOK

_LATE = 60_000_000
"""Microseconds after its time at which a webhook counts as due: nobody looked at it."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One moment's figures."""

    webhooks: Mapping[str, int]
    """active, failing (tries of the present message failed), due (over a minute late), stopped."""
    dead_letters: int
    pending: int
    """Events without a place in the log."""
    leaves: int
    ledger_taken: int
    checkpoint_age: float | None
    """Seconds; None where the log was never signed."""
    overdue: int
    """Notices."""


def figures(connection: Connection, now: int) -> Figures:
    """What is counted at ``now`` (microseconds)."""
    hook = WEBHOOK.c
    active = hook.state == "active"
    kinds = {
        "active": active, "failing": active & (hook.failures > 0), "due": active & (hook.next_at < now - _LATE),
        "stopped": ~active,
    }
    hooks = connection.execute(select(*(
        func.coalesce(func.sum(case((condition, 1), else_=0)), 0).label(name) for name, condition in kinds.items()
    ))).mappings().one()
    signed = connection.execute(select(func.max(SIGNED.c.at))).scalar()
    late = select(func.count()).select_from(NOTICE).where(
        NOTICE.c.state.in_(("open", "not-done", "escalated")), NOTICE.c.deadline < now)
    return Figures(
        {name: int(count) for name, count in hooks.items()}, _count(connection, DEAD_LETTER),
        _count(connection, PENDING), log.cursor(connection, "size"), log.cursor(connection, "ledger"),
        None if signed is None else max(0.0, (now - int(signed)) / 1e6), int(connection.execute(late).scalar_one()),
    )


def _count(connection: Connection, table: object) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())  # type: ignore[arg-type]
