"""A limit on wrong guesses of a credential: by name and address, by address, by name; over all workers and servers.

Names are those that were sent, known here or not. Where a caller proved itself in the last hour, wrong guesses made
elsewhere don't lock it out, whatever it shows now (a provider's tokens are new ones each time), and those made at the
same address don't while it shows the same. So that nobody shuts a member out by naming it from many addresses, the
limit by name alone is wide; above it a member waits where it wasn't within the hour.

A worker refuses by what it counted itself, without asking anybody; each wrong guess is booked where all workers meet,
and what they all counted is known then. So each worker beyond the first lets in at most one guess more. So that
strangers don't keep the database busy a worker books five a second, a hundred at once, and counts others alone.
"""

from __future__ import annotations

import hmac
from collections import OrderedDict
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Protocol

from exchange.errors import ExchangeError, TooManyRequestsError

_WRONG_GUESSES = 8
"""By one account and address."""
_WRONG_BY_ADDRESS = 100
_WRONG_BY_NAME = 200
_MOST = (_WRONG_GUESSES, _WRONG_BY_ADDRESS, _WRONG_BY_NAME)
_KINDS = ("guess-both", "guess-address", "guess-name")
_WINDOW_SECONDS = 60
_PROVEN_SECONDS = 3600
_MOST_ENTRIES = 50_000
_BOOKED_AT_ONCE = 100.0
_BOOKED_PER_SECOND = 5.0
_AGAIN = 1.0
"""Seconds in which a worker counts alone after the database took no booking."""
_ROUNDING = 1e-6


class Shared(Protocol):
    """Where workers meet; shares are parts of what a minute allows, names are digests. Raises ExchangeError."""

    def book_all(self, taken: Sequence[tuple[str, str, float]]) -> Sequence[float]:
        """Add (kind, who, share); gives what all together owe of each."""


class GuessLimit:
    """Counts wrong guesses in fixed windows; memory is bounded by dropping the oldest entries.

    Without ``shared`` the worker counts alone.
    """

    def __init__(self, shared: Shared | None = None) -> None:
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._proven: OrderedDict[str, float] = OrderedDict()
        self._shared = shared
        self._alone_until = float("-inf")
        self._bookings, self._booked_at = _BOOKED_AT_ONCE, 0.0

    def check(self, account: str, address: str, proof: str, now: float) -> None:
        """Raise TooManyRequestsError where too many wrong guesses were made; ``now`` in seconds. Asks nobody."""
        if not self._wrong:
            return
        if self._proven.get(_key("proof", account, address, proof), 0) > now:
            return
        limits = _MOST if self._proven.get(_key("place", account, address), 0) <= now else _MOST[:2]
        for key, most in zip(_keys(account, address), limits, strict=False):
            wrong, end = self._wrong.get(key, (0, 0.0))
            if wrong >= most and end > now:
                raise TooManyRequestsError("Too many wrong credentials.", retry_after=int(end - now) + 1,
                                           fix="Wait, then try again with the right one.")

    def wrong(self, account: str, address: str, now: float) -> None:
        """Count a wrong guess, here and where all workers meet."""
        keys = _keys(account, address)
        for key in keys:
            count, end = self._wrong.get(key, (0, 0.0))
            if end <= now:
                count, end = 0, now + _WINDOW_SECONDS
            self._wrong[key] = (count + 1, end)
        while len(self._wrong) > _MOST_ENTRIES:
            self._wrong.popitem(last=False)
        self._book(keys, now)

    def _book(self, keys: Sequence[str], now: float) -> None:
        """Tell the others, and take in what they told: who made too many of all is locked out here too."""
        if self._shared is None or now < self._alone_until or not self._may_book(now):
            return
        try:
            owed = self._shared.book_all([(kind, key, 1 / most)
                                          for kind, key, most in zip(_KINDS, keys, _MOST, strict=True)])
        except ExchangeError:
            self._alone_until = now + _AGAIN
            return
        for key, most, part in zip(keys, _MOST, owed, strict=True):
            if part >= 1 - _ROUNDING and self._wrong.get(key, (0, 0.0))[0] < most:
                self._wrong[key] = (most, now + _WINDOW_SECONDS)

    def _may_book(self, now: float) -> bool:
        left = min(_BOOKED_AT_ONCE, self._bookings + (now - self._booked_at) * _BOOKED_PER_SECOND)
        self._bookings, self._booked_at = (left - 1 if left >= 1 else left), now
        return left >= 1

    def right(self, account: str, address: str, proof: str, now: float) -> None:
        """Note that the caller proved itself; ``proof`` is what it sent."""
        for key in (_key("proof", account, address, proof), _key("place", account, address)):
            self._proven[key] = now + _PROVEN_SECONDS
        while len(self._proven) > _MOST_ENTRIES:
            self._proven.popitem(last=False)


class Keyed:
    """Books under digests with a key: who has the database alone can't try out which names and addresses they are of.

    ``key`` is asked for at the first booking and kept; it may raise ExchangeError.
    """

    def __init__(self, shared: Shared, key: Callable[[], bytes]) -> None:
        self._shared = shared
        self._ask = key
        self._key = b""

    def book_all(self, taken: Sequence[tuple[str, str, float]]) -> Sequence[float]:
        """As ``Shared`` says."""
        key = self._key = self._key or self._ask()
        return self._shared.book_all([
            (kind, hmac.digest(key, f"{kind} {who}".encode(), "sha256").hex(), share) for kind, who, share in taken])


def _keys(account: str, address: str) -> tuple[str, str, str]:
    return _key("both", account, address), _key("address", address), _key("name", account)


def _key(*parts: str) -> str:
    """A digest: nothing that was typed as a secret stays in memory in the clear."""
    return sha256("\x00".join(part.casefold() if i < 3 else part for i, part in enumerate(parts))
                  .encode("utf-8", "surrogatepass")).hexdigest()
