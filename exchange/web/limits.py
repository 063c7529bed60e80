"""How much one member may ask for: requests of a credential, bytes and objects that an organisation sends, a minute.

Buckets, filled evenly, each holding one minute's worth. They are counted in this worker's memory and booked in the
database, where all workers and servers meet, whenever a hundredth of the limit was counted here: what all took
together is known then. So a member gets at most a hundredth more for each other worker, and nothing more where the
limit is below 200. What costs is known only afterwards for bytes and objects, so a bucket may go below nothing, and
the next request waits until it is filled again; before a push each worker looks what others booked, once a second.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any, Protocol

from exchange.errors import ExchangeError, TooManyRequestsError
from exchange.model.party import Credential, Organisation
from exchange.settings import Settings

COUNTED = "cibx.counted"
"""Where the application finds, in a request's environment, that the request was counted already."""
_MOST_BUCKETS = 20_000
_ON_TRUST = 0.01
"""Part of a limit that a worker counts before it books it."""
_AGAIN = 1.0
"""Seconds in which a worker counts alone after the database took no booking, and between two looks at a sender's."""
_ROUNDING = 1e-6
_SAID = {
    "requests": "requests of this credential", "bytes": "bytes that this organisation sends",
    "objects": "objects that this organisation sends",
}


def own_limits(organisation: Organisation) -> Mapping[str, Any]:
    """The amounts that were agreed with an organisation, by kind."""
    return organisation.facts.get("limits") or {}


class Shared(Protocol):
    """Where workers meet; amounts are parts of what a minute allows. Both raise ExchangeError."""

    def book(self, kind: str, who: str, share: float) -> float:
        """Add what was taken; gives what all together owe."""

    def owed(self, kind: str, who: str) -> float:
        """What all together owe now."""


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float
    unbooked: float = 0.0
    looked: float = float("-inf")


class Limits:
    """The buckets of one worker; ``settings`` give each kind's amount per minute, 0 for no limit.

    Without ``shared`` the worker counts alone.
    """

    def __init__(self, settings: Settings, shared: Shared | None = None) -> None:
        self._default = {
            "requests": settings.requests_per_minute, "bytes": settings.bytes_per_minute,
            "objects": settings.objects_per_minute,
        }
        self._shared = shared
        self._alone_until = float("-inf")
        self._filled: OrderedDict[tuple[str, str], _Bucket] = OrderedDict()

    def ask_for(self, credential: Credential, organisation: Organisation, now: float) -> None:
        """Count a request of a credential; those that run the exchange have no limit. Raises TooManyRequestsError."""
        if "operate" not in credential.scopes:
            self.ask(credential.id, now, own_limits(organisation))

    def ask(self, credential: str, now: float, own: Mapping[str, Any]) -> None:
        """Count a request; ``own`` are the organisation's own amounts, ``now`` is in seconds.

        Raises TooManyRequestsError, which tells the limit and when to come back.
        """
        self._check("requests", credential, now, own)
        self.take("requests", credential, 1, now, own)
        bucket = self._filled.get(("requests", credential))
        if bucket is not None and bucket.left < -_ROUNDING:  # others took it meanwhile: this one is given back
            bucket.left += 1
            bucket.unbooked -= 1
            self._check("requests", credential, now, own)

    def check_sender(self, org: str, now: float, own: Mapping[str, Any]) -> None:
        """Raise TooManyRequestsError where an organisation has sent more bytes or objects than it may."""
        for kind in ("bytes", "objects"):
            self._look(kind, org, now, own)
            self._check(kind, org, now, own)

    def take(self, kind: str, who: str, amount: int, now: float, own: Mapping[str, Any]) -> None:
        """Count what was sent, also beyond what is left."""
        most = self._most(kind, own)
        if not most:
            return
        bucket = self._bucket(kind, who, most, now)
        bucket.left, bucket.at = self._left(kind, who, most, now) - amount, now
        bucket.unbooked += amount
        if bucket.unbooked >= max(1.0, most * _ON_TRUST):
            self._settle(bucket, kind, who, most, now)

    def _bucket(self, kind: str, who: str, most: int, now: float) -> _Bucket:
        bucket = self._filled.setdefault((kind, who), _Bucket(float(most), now))
        self._filled.move_to_end((kind, who))
        while len(self._filled) > _MOST_BUCKETS:
            self._filled.popitem(last=False)
        return bucket

    def _look(self, kind: str, who: str, now: float, own: Mapping[str, Any]) -> None:
        """Learn what all owe, where that wasn't learned just now."""
        most = self._most(kind, own)
        if not most or self._shared is None or now < self._alone_until:
            return
        bucket = self._bucket(kind, who, most, now)
        if now - bucket.looked >= _AGAIN:
            try:
                self._learn(bucket, self._shared.owed(kind, who), most, now)
            except ExchangeError:
                self._alone_until = now + _AGAIN

    def _settle(self, bucket: _Bucket, kind: str, who: str, most: int, now: float) -> None:
        """Book what was counted here, and learn what all took; where that can't be, the worker counts alone."""
        if self._shared is None or now < self._alone_until:
            return
        amount, bucket.unbooked = bucket.unbooked, 0.0
        try:
            self._learn(bucket, self._shared.book(kind, who, amount / most), most, now)
        except ExchangeError:
            bucket.unbooked += amount
            self._alone_until = now + _AGAIN

    def _learn(self, bucket: _Bucket, owed: float, most: int, now: float) -> None:
        """What is left by what all owe and what is counted here, also by other requests while the store was asked."""
        bucket.left, bucket.at, bucket.looked = most * (1 - owed) - bucket.unbooked, max(bucket.at, now), now

    def _check(self, kind: str, who: str, now: float, own: Mapping[str, Any]) -> None:
        most = self._most(kind, own)
        left = self._left(kind, who, most, now) if most else 1.0
        if left < 1 - _ROUNDING:
            wait = max(1, ceil((1 - left) * 60 / most - _ROUNDING))
            raise TooManyRequestsError(f"The limit of {most} {_SAID[kind]} in a minute is reached.", retry_after=wait,
                                       fix=f"Come back in {wait} s, or ask the operator of the exchange for more.")

    def _most(self, kind: str, own: Mapping[str, Any]) -> int:
        return int(own.get(kind, self._default[kind]))

    def _left(self, kind: str, who: str, most: int, now: float) -> float:
        bucket = self._filled.get((kind, who))
        return float(most) if bucket is None else min(float(most), bucket.left + (now - bucket.at) * most / 60)
