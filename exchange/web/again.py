"""The same question on the same connection: an empty page is given again while nothing was committed and no date came.

Pollers ask the same all day and hear that there is nothing. Whether that is so still hangs on the database, whose
changes are told by a sign (``store.changes``), and on dates: a release, the end of an object, a membership, an
agreement, a key. What a request does besides is done each time: its proof is judged, and it is counted.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from weakref import ReferenceType, ref

from flask import current_app, request

from exchange.errors import ExchangeError
from exchange.model.party import Directory
from exchange.web.caller import Caller, current_exchange
from exchange.web.connection import AGAIN, REPEATED
from exchange.web.limits import Limits
from exchange.wiring import Exchange

if TYPE_CHECKING:
    from exchange.web.metrics import Metrics

_LONGEST = 60.0
"""Seconds: what else a request notes, such as when its caller last proved itself, is noted as often."""
_NOBODY = Directory(0, {}, {}, {}, {}, {})


@dataclass(frozen=True, slots=True)
class StillEmpty:
    """Asked by the connection before it gives the answer again."""

    exchange: Exchange
    limits: Limits
    metrics: Metrics | None
    caller: Caller
    """Without its directory."""
    directory: ReferenceType[Directory]
    """Its directory, while that is the present one: thousands of idle connections don't keep the former ones."""
    route: str
    until: int | None
    """Microseconds: the next date that may change the answer."""
    made: float
    """By the monotonic clock, in seconds."""

    def __call__(self) -> bool:
        """Whether the answer is the same now; then the request is counted."""
        caller, exchange, now, elapsed = self.caller, self.exchange, self.exchange.clock(), time.monotonic()
        if exchange.ending or elapsed > self.made + _LONGEST or not caller.now <= now < (self.until or now + 1):
            return False
        try:
            if caller.seen is None or not exchange.is_as(caller.seen):
                return False
            directory = self.directory()
            if directory is None or caller.proof(directory, exchange.moment(now)) is not caller.credential:
                return False
            self.limits.ask_for(caller.credential, caller.organisation, elapsed)
        except ExchangeError:  # it is answered as a new request, which says what is wrong
            return False
        if self.metrics is not None:
            self.metrics.count_again(self.route, time.monotonic() - elapsed)
        return True


def may_be_offered() -> bool:
    """Whether it is worth finding out how long an empty page stays so: it was asked for twice, and isn't traced."""
    return bool(request.environ.get(REPEATED)) and request.method == "GET" and not current_exchange().settings.traces


def offer_again(caller: Caller, stays: bool, until: int | None) -> None:
    """Let the connection give the answer of this request again, until a date (microseconds) or a change."""
    if stays:
        known = current_app.extensions
        request.environ[AGAIN] = StillEmpty(
            current_exchange(), known["limits"], known.get("metrics"), replace(caller, directory=_NOBODY),
            ref(caller.directory), str(request.url_rule), until, time.monotonic())
