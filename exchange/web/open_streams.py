"""How many event streams are open: in this worker in all, and of one organisation over all workers and servers."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Protocol

from exchange.errors import ExchangeError, UnavailableError
from exchange.store.openings import AGAIN


class Shared(Protocol):
    """Where workers meet; both raise ExchangeError."""

    def tell(self, counts: Mapping[str, int]) -> None:
        """Say how many this worker has open for each organisation."""

    def elsewhere(self, org: str) -> int:
        """How many the others have."""


class OpenStreams:
    """The streams of one worker; ``clock`` gives seconds that only grow.

    While the store is away or full each worker counts alone: reading goes on.
    """

    def __init__(self, shared: Shared, clock: Callable[[], float] = time.monotonic) -> None:
        self._shared = shared
        self._clock = clock
        self._count: Counter[str] = Counter()
        self._told = clock()

    def enter(self, org: str, most: int, most_of_one: int) -> None:
        """One more; raises UnavailableError (503 with Retry-After) where there are as many as there may be.

        It is told before the others' are asked, so that of two at once both may be refused and never both let in.
        """
        if self._count.total() >= most or self._count[org] >= most_of_one:
            raise _too_many()
        self._count[org] += 1
        try:
            self._shared.tell({org: self._count[org]})
            elsewhere = self._shared.elsewhere(org)
        except ExchangeError:
            elsewhere = 0
        if self._count[org] + elsewhere > most_of_one:
            self.leave(org)
            raise _too_many()

    def leave(self, org: str) -> None:
        """One less."""
        self._count[org] -= 1
        with suppress(ExchangeError):
            self._shared.tell({org: self._count[org]})

    def renew(self) -> None:
        """Tell the others again, where that is due: what nobody says counts no longer."""
        if self._clock() - self._told >= AGAIN:
            self._told = self._clock()
            with suppress(ExchangeError):
                self._shared.tell(self._count)


def _too_many() -> UnavailableError:
    return UnavailableError("Too many streams are open.", fix="Close one, wait, or pull over TAXII.")
