"""Traces for OpenTelemetry (extra ``otel``): a span for each request, and in it those of the policy and the store.

The client's own trace is continued (W3C Trace Context, ``traceparent``); baggage isn't read. A span says route, method,
status and how long; it names no member, key, object, person or address. What went wrong is told by its status alone.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from contextvars import ContextVar
from importlib.util import find_spec
from typing import TYPE_CHECKING

from flask import Flask, Response, g, request

from exchange import spans
from exchange.errors import SettingError
from exchange.settings import Settings
from exchange.store.engine import watch_pool
from exchange.wiring import Exchange

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Tracer

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_NEEDED = ("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http")
_open_stores: ContextVar[tuple[AbstractContextManager[object], ...]] = ContextVar("open_stores", default=())


def check_traces(settings: Settings) -> None:
    """Raise SettingError where CIBX_TRACES is set and the extra isn't installed.

    Nothing is imported: gevent hasn't set up the process yet.
    """
    if settings.traces and not all(map(_is_there, _NEEDED)):
        raise SettingError("CIBX_TRACES is set, but OpenTelemetry isn't installed.",
                           fix="Install cib-exchange[otel], or leave CIBX_TRACES out.")


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # not even the package that it is in
        return False


def provider_of(settings: Settings) -> TracerProvider:
    """Makes spans and sends them to CIBX_TRACES in the background; OTEL_* variables say the rest."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    provider = TracerProvider(resource=Resource.create({"service.name": "cib-exchange"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=settings.traces)))
    return provider


def register(app: Flask, exchange: Exchange, provider: TracerProvider) -> None:
    """Trace what the application does from here on, and everything else of this process that makes spans."""
    from opentelemetry import trace  # noqa: PLC0415
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

    tracer, propagator = provider.get_tracer("exchange"), TraceContextTextMapPropagator()

    def begin() -> None:
        """Begin the request's span, behind the client's ``traceparent`` (W3C Trace Context)."""
        method = request.method if request.method in _METHODS else "other"
        route = "none" if request.url_rule is None else request.url_rule.rule
        g.span = tracer.start_as_current_span(
            f"{method} {route}", context=propagator.extract({"traceparent": request.headers.get("traceparent", "")}),
            kind=trace.SpanKind.SERVER, attributes={"http.request.method": method, "http.route": route},
            record_exception=False, set_status_on_exception=False)
        g.span.__enter__()

    app.before_request_funcs.setdefault(None, []).insert(0, begin)  # before the caller is looked up, who may be refused

    @app.after_request
    def note_status(response: Response) -> Response:
        """The answer's status, as a span says it."""
        current = trace.get_current_span()
        current.set_attribute("http.response.status_code", response.status_code)
        if response.status_code >= 500:
            current.set_status(trace.StatusCode.ERROR)
        return response

    @app.teardown_request
    def end(_error: BaseException | None) -> None:
        """End the request's span, whatever became of it."""
        made = g.pop("span", None)
        if made is not None:
            made.__exit__(None, None, None)

    spans.trace_with(lambda name: _inner(tracer, name))
    watch_pool(exchange.engine, lambda: _store_begins(tracer), _store_ends)


def _inner(tracer: Tracer, name: str) -> AbstractContextManager[object]:
    return tracer.start_as_current_span(name, record_exception=False, set_status_on_exception=False)


def _store_begins(tracer: Tracer) -> None:
    """A connection is taken out: what follows in this thread until it is put back is the store's."""
    made = _inner(tracer, "store")
    made.__enter__()
    _open_stores.set((*_open_stores.get(), made))


def _store_ends() -> None:
    """The newest connection of this thread is put back; one of another thread has no span here."""
    held = _open_stores.get()
    if held:
        _open_stores.set(held[:-1])
        held[-1].__exit__(None, None, None)
