"""A clock that isn't believed when it jumps far ahead: what it would end, show or wipe can't be brought back.

Servers note each minute in the database that they ran. A clock that is over a week ahead of the newest of these notes
was set wrong, or nothing ran for so long: a person says which.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection

from exchange.errors import UnavailableError
from exchange.stix.timestamp import from_microseconds
from exchange.store.directory import optional_meta, put_meta
from exchange.store.engine import open_engine, read

FAR = 7 * 86_400_000_000
"""Microseconds."""
_SEEN = "clock.seen"


def seen(connection: Connection) -> int:
    """The newest time at which an exchange ran on this database, in microseconds; 0: none did."""
    return int(optional_meta(connection, _SEEN) or 0)


def note_running(connection: Connection, now: int) -> None:
    """An exchange runs at ``now`` (microseconds); an earlier time than the one that was noted changes nothing."""
    if now > seen(connection):
        put_meta(connection, _SEEN, str(now))


def confirm(connection: Connection, now: int) -> None:
    """A person says that it is ``now`` (microseconds), whatever was noted."""
    put_meta(connection, _SEEN, str(now))


class TrustedClock:
    """The time of ``clock`` (microseconds since the epoch) for one process that serves the database of ``url``.

    The database is asked only where the time is far ahead of what this process saw last, and when it begins.
    """

    def __init__(self, url: str, clock: Callable[[], int]) -> None:
        self._url = url
        self._clock = clock
        self._last: int | None = None

    def __call__(self) -> int:
        """Now. Raises UnavailableError where the clock is too far ahead, and where the database can't be asked."""
        now = self._clock()
        if self._last is None or now - self._last > FAR:
            self._check(now)
        self._last = now
        return now

    def _check(self, now: int) -> None:
        engine = open_engine(self._url)
        try:
            with read(engine) as connection:
                ran = seen(connection)
        finally:
            engine.dispose()
        if ran and now - ran > FAR:
            raise UnavailableError(
                "The server doesn't believe its clock, so nothing is given out, taken in or wiped.",
                why=f"It says {from_microseconds(now)}, and the exchange ran last at {from_microseconds(ran)}.",
                fix="The operator sets the clock right, or where it is right says so: cibx clock confirm.")
