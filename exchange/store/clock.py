"""Whether a clock is believed before content is wiped by it: not one that jumps far ahead, until it has run for a day.

Servers note each minute in the database that they run. A clock over a week ahead of the newest of these notes was set
wrong, or nothing ran for so long. What is shown and dated follows it at once; what can't be brought back waits.
"""

from __future__ import annotations

from sqlalchemy import Connection

from exchange.store.directory import optional_meta, put_meta

FAR = 7 * 86_400_000_000
STEADY = 86_400_000_000
"""Microseconds, both."""
_SEEN, _DOUBTED = "clock.seen", "clock.doubted"


def seen(connection: Connection) -> int:
    """The newest time at which an exchange ran on this database by a clock that was believed, in microseconds; 0: none
    did.
    """
    return int(optional_meta(connection, _SEEN) or 0)


def is_believed(connection: Connection, now: int) -> bool:
    """Whether what ends at ``now`` (microseconds) may be wiped."""
    ran = seen(connection)
    return not ran or now - ran <= FAR


def note_running(connection: Connection, now: int) -> None:
    """An exchange runs at ``now`` (microseconds); an earlier time than the one that was noted changes nothing.

    One that is far ahead is doubted, and noted once the exchange has run by it for a day without another jump.
    """
    if is_believed(connection, now):
        if now > seen(connection):
            put_meta(connection, _SEEN, str(now))
        return
    since, last = map(int, (optional_meta(connection, _DOUBTED) or "0 0").split())
    if not last <= now <= last + STEADY:
        since = now
    put_meta(connection, _DOUBTED, f"{since} {now}")
    if now - since >= STEADY:
        confirm(connection, now)


def confirm(connection: Connection, now: int) -> None:
    """It is ``now`` (microseconds), whatever was noted: a person or a day of running says so."""
    put_meta(connection, _SEEN, str(now))
