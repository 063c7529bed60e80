"""How long to wait before a request is tried again: as the server says, else longer each time, with chance in it.

RFC 9110, 10.2.3 (Retry-After as seconds or as a date). Chance keeps many clients that failed together from coming
back together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from exchange.errors import UnavailableError

LATER = frozenset({429, 502, 503, 504})
"""Statuses after which the same request may work."""


class BusyError(UnavailableError):
    """A server that says, or shows, that it may work later; ``retry_after`` in seconds, None where it didn't say."""

    def __init__(self, what: str, *, retry_after: float | None = None, why: str = "", fix: str = "") -> None:
        super().__init__(what, why=why, fix=fix)
        self.retry_after = retry_after


@dataclass(frozen=True)
class Patience:
    """How often, and how long in all, a request is waited for; seconds."""

    tries: int = 5
    first: float = 1.0
    longest: float = 60.0
    in_all: float = 180.0

    def pause(self, failed: int, asked: float | None, waited: float, chance: Callable[[], float]) -> float | None:
        """Seconds to wait after the ``failed``-th failure; None: give up.

        ``asked`` is what the server asked for, ``waited`` what was waited already, ``chance`` gives 0 to 1.
        """
        if failed >= self.tries:
            return None
        step = min(self.first * 2.0 ** (failed - 1), self.longest)
        seconds = step * (0.5 + chance() / 2) if asked is None else asked + chance() * self.first
        return seconds if waited + seconds <= self.in_all else None


def retry_after(text: str | None, now: datetime) -> float | None:
    """Seconds that a Retry-After asks for, never negative; None where there is none or it can't be read.

    ``now`` is the server's own Date where it tells one: its clock may be off.
    """
    if text is None:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    when = http_date(text)
    return None if when is None else max(0.0, (when - now).total_seconds())


def http_date(text: str | None) -> datetime | None:
    """A date of HTTP in UTC; None for what is none."""
    try:
        when = parsedate_to_datetime(text or "")
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
