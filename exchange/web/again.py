"""The same question on the same connection: an empty page is given again while nothing was committed and no date came.

Pollers ask the same all day and hear that there is nothing. Whether that is so still hangs on the database, whose
changes are told by a sign (``store.changes``), and on dates: a release, the end of an object, a membership, an
agreement, a key. What a request does besides is done each time: its proof is judged, and it is counted.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from flask import request

from exchange.errors import ExchangeError
from exchange.web.caller import Caller
from exchange.web.connection import AGAIN, HEAD, REPEATED
from exchange.web.same_caller import SameCaller, is_plain, same_caller


@dataclass(frozen=True, slots=True)
class StillEmpty:
    """Asked by the connection before it gives the answer again."""

    same: SameCaller

    def __call__(self) -> bool:
        """Whether the answer is the same now; then the request is counted."""
        same, exchange, elapsed = self.same, self.same.exchange, time.monotonic()
        now, seen = exchange.clock(), self.same.caller.seen
        try:
            if not same.may_ask(now, elapsed) or seen is None or not exchange.is_as(seen):
                return False
        except ExchangeError:
            return False
        directory = same.directory
        if directory is None or not same.counted(directory, now, elapsed):
            return False
        same.note(elapsed)
        return True


def may_be_offered() -> bool:
    """Whether it is worth finding out how long an empty page stays so: it was asked for twice."""
    return request.environ.get(REPEATED) == HEAD and is_plain()


def offer_again(caller: Caller, stays: bool, until: int | None) -> None:
    """Let the connection give the answer of this request again, until a date (microseconds) or a change."""
    if stays:
        request.environ[AGAIN] = StillEmpty(same_caller(caller, until))
