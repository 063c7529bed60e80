"""Webhooks in a worker of the server: each that is due in a greenlet of its own, so that a slow one delays no other."""

from __future__ import annotations

import logging

import gevent
from gevent.pool import Pool

from exchange.errors import ExchangeError
from exchange.outbound.patience import Patience
from exchange.outbound.web import Web
from exchange.outbound.wire import Limits
from exchange.settings import Settings
from exchange.webhooks.dispatch import Dispatcher

_LOG = logging.getLogger("exchange.web")
_AT_ONCE = 50
"""Webhooks that one worker delivers at the same time."""
_LAST = 5.0
"""Seconds that a message has which is under way when the worker is told to end."""
_LOOK = 1.0
"""Seconds between two rounds."""


class Deliveries:
    """What one worker delivers."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._under_way: set[str] = set()
        self._pool = Pool(_AT_ONCE)

    def follow(self) -> None:
        """Deliver what is due, until the process ends."""
        while not self._dispatcher.exchange.ending:
            try:
                for name in self._dispatcher.due():
                    if name not in self._under_way:
                        self._under_way.add(name)
                        self._pool.spawn(self._deliver, name)
            except ExchangeError as error:
                _LOG.warning("webhooks wait: %s", error)
            gevent.sleep(_LOOK)

    def stop(self) -> None:
        """Give what is under way some time to end; what doesn't is given back, for another worker to send."""
        self._pool.join(_LAST)
        self._pool.kill()

    def _deliver(self, name: str) -> None:
        try:
            while self._dispatcher.deliver(name) and not self._dispatcher.exchange.ending:
                pass
        except ExchangeError as error:
            _LOG.warning("the webhook %s waits: %s", name, error)
        finally:
            self._under_way.discard(name)


def way_out(settings: Settings) -> Web:
    """One try's way out: no second try (the schedule is the webhook's), short limits, public addresses only."""
    allow = tuple(one.strip() for one in settings.webhook_networks.split(",") if one.strip())
    return Web(allow=allow, patience=Patience(tries=1), limits=Limits(connect=10.0, idle=20.0, total=40.0), redirects=0)
