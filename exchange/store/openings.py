"""What workers have open for members, such as event streams: each tells its own number where all of them meet.

The rows stand among the allowances: ``who`` is the organisation and the worker, ``owed`` the number, ``at`` when it
was told last. A worker that was killed tells nothing more, and what it had open counts no longer a minute later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import Dialect, Engine, func, select
from sqlalchemy.dialects import postgresql, sqlite

from exchange.store.engine import read, write
from exchange.store.limit_tables import ALLOWANCE

AGAIN = 20.0
"""Seconds after which a worker tells its numbers again."""
_HOLDS = 60_000_000
"""Microseconds for which a number counts that was told."""
_KIND = "streams"


class Openings:
    """One worker's, by a name that no other has; ``clock`` gives microseconds since the epoch."""

    def __init__(self, engine: Engine, clock: Callable[[], int], worker: str) -> None:
        self._engine = engine
        self._clock = clock
        self._worker = worker

    def tell(self, counts: Mapping[str, int]) -> None:
        """Say how many this worker has open for each organisation. Raises UnavailableError and StorageFullError."""
        rows = [{"kind": _KIND, "who": f"{org} {self._worker}", "owed": float(count), "at": self._clock()}
                for org, count in sorted(counts.items())]
        with write(self._engine) as connection:
            connection.execute(_tell(connection.dialect), rows)

    def elsewhere(self, org: str) -> int:
        """How many the other workers have open for an organisation. Raises UnavailableError."""
        row, now, name = ALLOWANCE.c, self._clock(), f"{org} "
        asked = select(func.sum(row.owed)).where(
            row.kind == _KIND, func.substr(row.who, 1, len(name)) == name, row.who != name + self._worker,
            row.at > now - _HOLDS, row.at < now + _HOLDS)
        with read(self._engine) as connection:
            return int(connection.execute(asked).scalar() or 0)


def _tell(dialect: Dialect) -> sqlite.Insert | postgresql.Insert:
    made = sqlite.insert(ALLOWANCE) if dialect.name == "sqlite" else postgresql.insert(ALLOWANCE)
    return made.on_conflict_do_update(index_elements=["kind", "who"],
                                      set_={"owed": made.excluded.owed, "at": made.excluded.at})
