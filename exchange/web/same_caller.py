"""Who asked just before on a connection, with the same fields: judged anew for each request, without reading them.

Two kinds of answers are given so: an empty page again (``again``), and objects by their ids (``by_id``).
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
from exchange.web.limits import Limits
from exchange.wiring import Exchange

if TYPE_CHECKING:
    from exchange.web.metrics import Metrics

_LONGEST = 60.0
"""Seconds: what else a request notes, such as when its caller last proved itself, is noted as often."""
_NOBODY = Directory(0, {}, {}, {}, {}, {})


@dataclass(frozen=True, slots=True)
class SameCaller:
    """The caller of a request that was answered, and where it is counted."""

    exchange: Exchange
    limits: Limits
    metrics: Metrics | None
    caller: Caller
    """Without its directory."""
    known: ReferenceType[Directory]
    """Its directory, while that is the present one: thousands of idle connections don't keep the former ones."""
    route: str
    until: int | None
    """Microseconds: the next date that may change what the caller is given, or who it is."""
    made: float
    """By the monotonic clock, in seconds."""

    @property
    def directory(self) -> Directory | None:
        """The directory that it was read from; None where that isn't the present one."""
        return self.known()

    def may_ask(self, now: int, elapsed: float) -> bool:
        """Whether nothing ended by date, at a time in microseconds and by the monotonic clock."""
        return not self.exchange.ending and elapsed <= self.made + _LONGEST and (
            self.caller.now <= now < (self.until or now + 1))

    def counted(self, directory: Directory, now: int, elapsed: float) -> bool:
        """Judge the proof by the directory, and count the request; False where either doesn't let it in.

        It is then answered as a new one, which says what is wrong.
        """
        caller = self.caller
        try:
            if caller.proof(directory, self.exchange.moment(now)) is not caller.credential:
                return False
            self.limits.ask_for(caller.credential, caller.organisation, elapsed)
        except ExchangeError:
            return False
        return True

    def note(self, elapsed: float) -> None:
        """Tell the metrics of an answer that was begun then."""
        if self.metrics is not None:
            self.metrics.count_again(self.route, time.monotonic() - elapsed)


def same_caller(caller: Caller, until: int | None) -> SameCaller:
    """The caller of the request being answered, whom nothing changes by date before ``until`` (microseconds)."""
    known = current_app.extensions
    return SameCaller(current_exchange(), known["limits"], known.get("metrics"), replace(caller, directory=_NOBODY),
                      ref(caller.directory), str(request.url_rule), until, time.monotonic())


def is_plain() -> bool:
    """Whether the request is a GET, and isn't traced."""
    return request.method == "GET" and not current_exchange().settings.traces
