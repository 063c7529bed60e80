"""Server-sent events of a collection (``/api/v1/collections/ID/stream``): TAXII's order, TAXII's policy, as they come.

Each event is an object: ``id`` is its date of adding, ``event`` is ``object`` or ``revoked``, ``data`` the object's
JSON. A client resumes by Last-Event-ID, or begins ``?added_after=DATE``. Format: WHATWG HTML, 9.2. Who reads is looked
up again for each step, so that what is revoked or expires ends a stream as it ends a pull.
"""

from __future__ import annotations

import re
import secrets
import select
import socket
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import msgspec
from flask import Blueprint, Response, current_app, request

from exchange.errors import BadRequestError, ExchangeError, ForbiddenError, NotFoundError
from exchange.feed.interest import FILTERS, Interest, read_interest
from exchange.feed.narrowed import raw_objects
from exchange.feed.page import Page, objects_page
from exchange.feed.query import Asked
from exchange.model.credential import RefusedError
from exchange.model.party import Collection
from exchange.stix.timestamp import from_microseconds, microseconds
from exchange.store.objects import Filter
from exchange.store.openings import Openings
from exchange.web.caller import Caller, current_caller, current_exchange
from exchange.web.open_streams import OpenStreams
from exchange.wiring import Exchange

if TYPE_CHECKING:
    from exchange.web.metrics import Metrics

routes = Blueprint("streams", __name__)
_ALLOWED = frozenset({"added_after", *(f"match[{name}]" for name in FILTERS)})
_LINE_END = re.compile(rb"\r\n|\r|\n")
_STEP = 200
"""Objects of one look into the store."""
_LOOK = 1.0
"""Seconds between two looks where nothing is new."""
_HEARTBEAT = 15.0
"""Seconds of silence after which a comment is sent, so that proxies keep the connection and clients know it lives."""
_RETRY = 5
"""Seconds after which a client comes back."""


class _Head(msgspec.Struct):
    revoked: bool = False


@routes.get("/collections/<collection>/stream")
def stream(collection: str) -> Response:
    """Objects of a collection (id or alias) as events, from the beginning or from where the client says."""
    caller, exchange = current_caller(), current_exchange()
    target = _readable(caller, collection)
    unknown = [name for name in request.args if name not in _ALLOWED]
    if unknown:
        raise BadRequestError(f"A stream has no parameter {unknown[0][:60]!r}.",
                              fix=f"It has {', '.join(sorted(_ALLOWED))}.")
    wanted = read_interest(request.args.items(multi=True))
    after = _after(request.headers.get("Last-Event-ID") or request.args.get("added_after"))
    opened = _opened(exchange)
    opened.enter(caller.organisation.id, exchange.settings.streams, exchange.settings.streams_of_one)
    events = _Stream(exchange, caller, target, wanted, request.is_secure, after, opened)
    connection = request.environ.get("gunicorn.socket")
    response = Response(events.written(lambda: connection is not None and _is_closed(connection)),
                        content_type="text/event-stream; charset=utf-8")
    metrics: Metrics | None = current_app.extensions.get("metrics")
    if metrics is not None:
        metrics.streams.inc()
        response.call_on_close(metrics.streams.dec)
    response.call_on_close(lambda: opened.leave(caller.organisation.id))
    response.headers.update({"Cache-Control": "no-store", "X-Accel-Buffering": "no",
                             "X-Content-Type-Options": "nosniff", "Vary": "Accept, Authorization"})
    return response


def _opened(exchange: Exchange) -> OpenStreams:
    """The streams of this worker."""
    known: OpenStreams | None = current_app.extensions.get("streams")
    if known is None:
        shared = Openings(exchange.engine, exchange.clock, secrets.token_hex(8))
        known = current_app.extensions["streams"] = OpenStreams(shared)
    return known


class _Stream:
    """One client's events."""

    def __init__(self, exchange: Exchange, caller: Caller, collection: Collection, wanted: Interest, secure: bool,
                 after: int, opened: OpenStreams) -> None:
        self._exchange = exchange
        self._caller = caller
        self._collection = collection
        self._wanted = wanted
        self._secure = secure
        self._after = after
        self._opened = opened

    def written(self, is_closed: Callable[[], bool]) -> Iterator[bytes]:
        """The bytes of the stream; ends when the server stops, or the caller is gone or may not read any more."""
        yield b": the exchange\nretry: %d\n\n" % (_RETRY * 1000)
        silent = time.monotonic()
        while not self._exchange.ending:
            if is_closed():
                return
            self._opened.renew()
            try:
                page = self._page()
            except ExchangeError as refused:
                yield _event("end", str(refused).encode())
                return
            if page.found:
                yield self._events(page)
                silent = time.monotonic()
                continue
            if time.monotonic() - silent >= _HEARTBEAT:
                yield b":\n\n"
                silent = time.monotonic()
            time.sleep(_LOOK)
        yield _event("end", b"The server is being restarted: come back.")

    def _page(self) -> Page:
        """What was added since; raises an ExchangeError where the caller may not read any more."""
        exchange, caller = self._exchange, self._renewed()
        reader = exchange.reader(caller.directory, caller.organisation, caller.credential, caller.narrower_purpose,
                                 caller.now, encrypted=self._secure)
        asked = Asked(Filter(after=self._after, limit=min(_STEP, exchange.settings.page_size)), None, "")
        wants = None if self._wanted.everything else self._wanted.wants
        return exchange.page(objects_page, self._collection, reader, "", asked, wants=wants)

    def _renewed(self) -> Caller:
        """The caller as the directory has it now, judged as a request is: what it showed may have ended."""
        try:
            caller = self._caller.renewed(self._exchange)
        except RefusedError:
            raise ForbiddenError("The credential isn't valid any more.", fix="Get a new one.") from None
        if caller.credential.id != self._caller.credential.id:  # it proves another now
            raise ForbiddenError("The credential isn't valid any more.", fix="Come back with the new one.")
        collection = caller.directory.collections.get(self._collection.id)
        if collection is None or not caller.may_read(collection):
            raise ForbiddenError("The collection can't be read any more.")
        return caller

    def _events(self, page: Page) -> bytes:
        parts = [
            _event("revoked" if msgspec.json.decode(raw, type=_Head).revoked else "object", raw,
                   from_microseconds(date))
            for date, raw in zip(page.dates, raw_objects(page), strict=True)
        ]
        self._after = microseconds(str(page.last))
        if not page.dates or page.dates[-1] != self._after:
            parts.append(_event("place", b"{}", str(page.last)))  # nothing wanted: the client goes on behind it
        return b"".join(parts)


def _is_closed(connection: socket.socket) -> bool:
    """Whether the client closed the connection: without asking, that shows only when the next event is written."""
    readable, _, _ = select.select([connection], [], [], 0)
    try:
        return bool(readable) and not connection.recv(1, socket.MSG_PEEK)
    except OSError:
        return True


def _event(name: str, data: bytes, identifier: str = "") -> bytes:
    lines = b"".join(b"data: " + line + b"\n" for line in _LINE_END.split(data))
    head = f"id: {identifier}\n" if identifier else ""
    return f"{head}event: {name}\n".encode() + lines + b"\n"


def _readable(caller: Caller, name: str) -> Collection:
    """The collection by id or alias; raises NotFoundError where it can't be read, or the alias names several."""
    found = [c for c in caller.directory.collections.values() if name in {c.id, c.alias} and caller.may_read(c)]
    if len(found) != 1:
        raise NotFoundError("There is no such collection.")
    return found[0]


def _after(text: str | None) -> int:
    if not text:
        return -1
    try:
        return microseconds(text)
    except ValueError:
        raise BadRequestError("Last-Event-ID or added_after is no date of adding.",
                              fix="It looks like 2026-01-31T12:00:00.000000Z.") from None

