"""How much one member may ask for: requests of a credential, bytes and objects that an organisation sends, a minute.

Token buckets in this worker's memory, filled evenly, each holding one minute's worth. What costs is known only
afterwards for bytes and objects, so a bucket may go below nothing, and the next request waits until it is filled again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from math import ceil
from typing import Any

from exchange.errors import TooManyRequestsError
from exchange.settings import Settings

_MOST_BUCKETS = 20_000
_SAID = {
    "requests": "requests of this credential", "bytes": "bytes that this organisation sends",
    "objects": "objects that this organisation sends",
}


class Limits:
    """The buckets of one worker; ``settings`` give each kind's amount per minute, 0 for no limit."""

    def __init__(self, settings: Settings) -> None:
        self._default = {
            "requests": settings.requests_per_minute, "bytes": settings.bytes_per_minute,
            "objects": settings.objects_per_minute,
        }
        self._filled: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    def ask(self, credential: str, now: float, own: Mapping[str, Any]) -> None:
        """Count a request; ``own`` are the organisation's own amounts, ``now`` is in seconds.

        Raises TooManyRequestsError, which tells the limit and when to come back.
        """
        self._check("requests", credential, now, own)
        self.take("requests", credential, 1, now, own)

    def check_sender(self, org: str, now: float, own: Mapping[str, Any]) -> None:
        """Raise TooManyRequestsError where an organisation has sent more bytes or objects than it may."""
        self._check("bytes", org, now, own)
        self._check("objects", org, now, own)

    def take(self, kind: str, who: str, amount: int, now: float, own: Mapping[str, Any]) -> None:
        """Count what was sent, also beyond what is left."""
        most = self._most(kind, own)
        if most:
            self._filled[kind, who] = (self._left(kind, who, most, now) - amount, now)
            self._filled.move_to_end((kind, who))
            while len(self._filled) > _MOST_BUCKETS:
                self._filled.popitem(last=False)

    def _check(self, kind: str, who: str, now: float, own: Mapping[str, Any]) -> None:
        most = self._most(kind, own)
        left = self._left(kind, who, most, now) if most else 1.0
        if left < 1:
            wait = max(1, ceil((1 - left) * 60 / most))
            raise TooManyRequestsError(f"The limit of {most} {_SAID[kind]} in a minute is reached.", retry_after=wait,
                                       fix=f"Come back in {wait} s, or ask the operator of the exchange for more.")

    def _most(self, kind: str, own: Mapping[str, Any]) -> int:
        return int(own.get(kind, self._default[kind]))

    def _left(self, kind: str, who: str, most: int, now: float) -> float:
        left, since = self._filled.get((kind, who), (float(most), now))
        return min(float(most), left + (now - since) * most / 60)
