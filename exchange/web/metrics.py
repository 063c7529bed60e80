"""What Prometheus is told: requests, objects, streams, webhooks, the log's lag, the pool; on an address of its own.

Every worker counts in files that all of them read (prometheus_client's multiprocess mode), so that whichever answers
tells of all. What stands in the database is read when it is asked for. No label names a member, a key or an object.
"""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Iterable, Sequence

from flask import Flask, Response, g, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from exchange.errors import ExchangeError, NotFoundError, UnavailableError
from exchange.intake.status import Told
from exchange.model.party import Organisation
from exchange.store.engine import read, watch_pool
from exchange.store.standing_figures import Figures, figures
from exchange.wiring import Exchange

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
SHARED = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable with the folder in which workers count; prometheus_client must be imported after it is set."""


class Metrics:
    """The counters of one worker."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._registry = CollectorRegistry()
        self.requests = Histogram(
            "cibx_request_seconds", "Time until an answer begins, by route, method and class of status.",
            ["route", "method", "status"], buckets=_SECONDS, registry=self._registry)
        self.objects = Counter(
            "cibx_objects", "Objects that were sent, by what became of them and the code of a refusal.",
            ["outcome", "code"], registry=self._registry)
        self.streams = Gauge("cibx_streams_open", "Event streams that are open.", multiprocess_mode="livesum",
                             registry=self._registry)
        self.pool = Gauge("cibx_store_connections_in_use", "Connections to the database that are in use.",
                          multiprocess_mode="livesum", registry=self._registry)

    def watch(self, app: Flask) -> None:
        """Count what the application does from here on."""
        self._exchange.observers.append(self._count_objects)
        watch_pool(self._exchange.engine, self.pool.inc, self.pool.dec)
        app.after_request(self._count_request)

    def _count_objects(self, _organisation: Organisation, told: Sequence[Told]) -> None:
        for one in told:
            self.objects.labels(one.outcome.state, one.outcome.code or "").inc()

    def _count_request(self, response: Response) -> Response:
        route = "none" if request.url_rule is None else request.url_rule.rule
        method = request.method if request.method in _METHODS else "other"
        began = g.get("began", time.perf_counter())
        self.requests.labels(route, method, f"{response.status_code // 100}xx").observe(time.perf_counter() - began)
        return response

    def count_again(self, route: str, seconds: float) -> None:
        """Count a page that was given again without asking the application."""
        self.requests.labels(route, "GET", "2xx").observe(seconds)

    def text(self) -> bytes:
        """Everything, in Prometheus' text format."""
        registry = CollectorRegistry()
        registry.register(_OfStore(self._exchange))
        own = _of_workers() if os.environ.get(SHARED) else generate_latest(self._registry)
        return bytes(own + generate_latest(registry))


def _of_workers() -> bytes:
    """What all workers counted; raises UnavailableError where their files can't be read.

    A worker that counts something for the first time makes or lengthens its file while this reads it: a moment later
    it is whole.
    """
    for pause in (0.01, 0.05, 0.2, 0.5):
        registry = CollectorRegistry()
        try:
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
            return bytes(generate_latest(registry))
        except (struct.error, ValueError, IndexError, RuntimeError):
            time.sleep(pause)
    raise UnavailableError("The workers' figures can't be read now.", fix="Ask again shortly.")


class _OfStore(Collector):
    """What the database says now; where it can't be asked, that alone."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Gauges."""
        exchange = self._exchange
        yield GaugeMetricFamily("cibx_erasure_list", "1 where a list of erasures is kept beside the database.",
                                value=int(exchange.erasures.path is not None))
        try:
            with read(exchange.engine) as connection:
                found = figures(connection, exchange.clock())
            behind = exchange.ledger.last() - found.ledger_taken
        except ExchangeError:
            yield GaugeMetricFamily("cibx_store_up", "1 where the database answers.", value=0)
            return
        yield GaugeMetricFamily("cibx_store_up", "1 where the database answers.", value=1)
        yield from _gauges(found, max(0, behind))


def _gauges(found: Figures, behind: int) -> Iterable[GaugeMetricFamily]:
    hooks = GaugeMetricFamily("cibx_webhooks", "Webhooks by how they stand.", labels=["state"])
    for state, count in found.webhooks.items():
        hooks.add_metric([state], count)
    yield hooks
    for name, help_text, value in (
        ("cibx_dead_letters", "Messages to webhooks that failed for days.", found.dead_letters),
        ("cibx_log_pending_events", "Events without a place in the log.", found.pending),
        ("cibx_log_leaves", "Leaves of the log.", found.leaves),
        ("cibx_log_ledger_lag", "Deliveries that the log hasn't taken from the ledger yet.", behind),
        ("cibx_notices_overdue", "Notices that weren't answered in time.", found.overdue),
    ):
        yield GaugeMetricFamily(name, help_text, value=value)
    if found.checkpoint_age is not None:
        yield GaugeMetricFamily("cibx_log_checkpoint_age_seconds", "Time since the log was signed.",
                                value=found.checkpoint_age)


def register(app: Flask, exchange: Exchange) -> Metrics | None:
    """Answer ``/metrics`` on the address of CIBX_METRICS and nothing else there; None where no address is set."""
    if not exchange.settings.metrics:
        return None
    port = int(exchange.settings.metrics.rpartition(":")[2])
    metrics = Metrics(exchange)

    @app.before_request
    def apart() -> Response | None:
        """Answer on the metrics' own address. Raises NotFoundError for all but /metrics there."""
        g.began = time.perf_counter()
        link = request.environ.get("gunicorn.socket")
        if link is None or link.getsockname()[1] != port:
            return None
        if request.path != "/metrics" or request.method not in {"GET", "HEAD"}:
            raise NotFoundError("There is nothing here but /metrics.")
        return Response(metrics.text(), content_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})

    metrics.watch(app)
    return metrics
