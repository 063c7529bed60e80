"""A limit on wrong guesses of a credential: by name and address, by address, by name; in this process's memory.

Names are those that were sent, known here or not. Where a caller proved itself in the last hour, wrong guesses made
elsewhere don't lock it out, whatever it shows now (a provider's tokens are new ones each time), and those made at the
same address don't while it shows the same. So that nobody shuts a member out by naming it from many addresses, the
limit by name alone is wide; above it a member waits where it wasn't within the hour.
"""

from __future__ import annotations

from collections import OrderedDict
from hashlib import sha256

from exchange.errors import TooManyRequestsError

_WRONG_GUESSES = 8
"""By one account and address; with two worker processes that is at most 16 in a window."""
_WRONG_BY_ADDRESS = 100
_WRONG_BY_NAME = 200
_WINDOW_SECONDS = 60
_PROVEN_SECONDS = 3600
_MOST_ENTRIES = 50_000


class GuessLimit:
    """Counts wrong guesses in fixed windows; memory is bounded by dropping the oldest entries."""

    def __init__(self) -> None:
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._proven: OrderedDict[str, float] = OrderedDict()

    def check(self, account: str, address: str, proof: str, now: float) -> None:
        """Raise TooManyRequestsError where too many wrong guesses were made; ``now`` in seconds."""
        if not self._wrong:
            return
        if self._proven.get(_key("proof", account, address, proof), 0) > now:
            return
        limits = [_WRONG_GUESSES, _WRONG_BY_ADDRESS]
        if self._proven.get(_key("place", account, address), 0) <= now:
            limits.append(_WRONG_BY_NAME)
        for key, most in zip(_keys(account, address), limits, strict=False):
            wrong, end = self._wrong.get(key, (0, 0.0))
            if wrong >= most and end > now:
                raise TooManyRequestsError("Too many wrong credentials.", retry_after=int(end - now) + 1,
                                           fix="Wait, then try again with the right one.")

    def wrong(self, account: str, address: str, now: float) -> None:
        """Count a wrong guess."""
        for key in _keys(account, address):
            count, end = self._wrong.get(key, (0, 0.0))
            if end <= now:
                count, end = 0, now + _WINDOW_SECONDS
            self._wrong[key] = (count + 1, end)
        while len(self._wrong) > _MOST_ENTRIES:
            self._wrong.popitem(last=False)

    def right(self, account: str, address: str, proof: str, now: float) -> None:
        """Note that the caller proved itself; ``proof`` is what it sent."""
        for key in (_key("proof", account, address, proof), _key("place", account, address)):
            self._proven[key] = now + _PROVEN_SECONDS
        while len(self._proven) > _MOST_ENTRIES:
            self._proven.popitem(last=False)


def _keys(account: str, address: str) -> tuple[str, str, str]:
    return _key("both", account, address), _key("address", address), _key("name", account)


def _key(*parts: str) -> str:
    """A digest: nothing that was typed as a secret stays in memory in the clear."""
    return sha256("\x00".join(part.casefold() if i < 3 else part for i, part in enumerate(parts))
                  .encode("utf-8", "surrogatepass")).hexdigest()
