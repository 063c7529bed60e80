"""A way into the web for tests: reaches servers on this machine, never sleeps, gives up soon."""

from __future__ import annotations

from datetime import UTC, datetime

from exchange.outbound.patience import Patience
from exchange.outbound.web import Clocks, Web
from exchange.outbound.wire import Limits


def quick_web(tries: int = 3) -> Web:
    """For peers on 127.0.0.0/8."""
    clocks = Clocks(lambda seconds: None, lambda: 0.0, lambda: datetime(2026, 1, 1, tzinfo=UTC), lambda: 1.0)
    return Web(allow=["127.0.0.0/8"], clocks=clocks, limits=Limits(2, 2, 5), patience=Patience(tries=tries))
