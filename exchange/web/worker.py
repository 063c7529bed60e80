"""The gunicorn worker: gevent, with faults that come before the application told as TAXII errors too."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import logging
import secrets
import socket
import ssl
import sys
import time
from typing import Any

import gevent
import orjson
from gunicorn.http import errors as faults
from gunicorn.http import wsgi
from gunicorn.http.parser import RequestParser
from gunicorn.workers.ggevent import GeventWorker

from exchange.errors import SettingError
from exchange.web.connection import AGAIN, ALIKE, REPEATED, Alike, Answered, OneAnswer, OneRequest, Remembered
from exchange.web.negotiation import TAXII
from exchange.web.secure_headers import ALWAYS

_LOG = logging.getLogger("exchange.web")
_REQUESTS = logging.getLogger("exchange.web.requests")
_STATUS: tuple[tuple[type[Exception], int, str], ...] = (
    (faults.LimitRequestLine, 414, "URI Too Long"),
    (faults.LimitRequestHeaders, 431, "Request Header Fields Too Large"),
    (faults.ExpectationFailed, 417, "Expectation Failed"),
    (faults.UnsupportedTransferCoding, 501, "Not Implemented"),
    (faults.ParseException, 400, "Bad Request"),
)


_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
_KEPT = 32 * 1024 * 1024
_NEW_OBJECTS = 10_000
"""Objects made, less those that are gone, between two looks for cycles among them: a third of an envelope's."""
_JUST_NOW = 0.5
"""Seconds after an answer in which the next request may be on its way when the server stops."""
_MOST_AFTER_ANSWER = 16_000_000
"""Bytes of a body that are still taken after its answer."""
_SILENT_AFTER_ANSWER = 10.0
"""Seconds."""
_PART = 65_536
_UNREAD_MILLISECONDS = 120_000
"""A client that takes nothing of its answer for so long is given up: its answer stands in memory all the while."""
_AGAIN = 2.0
"""Seconds between two tries to begin where the files of TLS are being changed."""
_IN_A_ROW, _TURN = 16, 0.000_01
"""Requests of one connection that are answered one after the other, and then seconds for others."""
_HANDSHAKE = 10.0
"""Seconds in which a client must have agreed on TLS."""


class TaxiiWorker(GeventWorker):  # type: ignore[misc]
    """Slow and idle clients cost a greenlet, not a thread."""

    cfg: Any

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        """Serve a connection; where this server ends TLS itself, agree on it first, in good time or not at all.

        The address of the metrics has none: it is inside.
        """
        if self._tls is not None and listener.getsockname()[1] != self._metrics_port:
            try:
                client.settimeout(_HANDSHAKE)
                client = self._tls.wrap_socket(client, server_side=True)
            except OSError:  # no TLS, too slow, or a certificate of nobody here
                client.close()
                return
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
            with contextlib.suppress(OSError):  # no TCP
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNREAD_MILLISECONDS)
        super().handle(listener, client, addr)

    def handle_request(self, listener_name: Any, req: OneRequest, sock: Any, addr: Any) -> None:
        """Answer; then read away what the client still sends, so that it can see the answer, but not for ever.

        gunicorn would read the rest of the body without a bound before the next request. It would also log each
        request and call hooks, of which this server has none.
        """
        if isinstance(sock, ssl.SSLSocket):
            req.scheme = "https"
        try:
            told: dict[str, Any] = {}
            if not self.alive or not (req.answer_again(sock) or req.answer_alike(sock, told)):
                self._answer(listener_name, req, sock, addr, told)
            if req.is_unread:
                _read_away(req, sock)
            _give_way(req)
        except (gevent.GreenletExit, SystemExit):  # the server's patience is over
            raise StopIteration from None

    def _answer(self, listener_name: Any, req: OneRequest, sock: Any, addr: Any, told: dict[str, Any]) -> None:
        """Let the application answer, and tell it what is known of the request.

        Raises StopIteration, gunicorn's word for closing the connection.
        """
        req.answered = None
        answer, environ = wsgi.create(req, sock, addr, listener_name, self.cfg, response_class=OneAnswer)
        environ["wsgi.multithread"] = True
        environ[REPEATED] = req.repeats
        environ.update(told)
        if not self.alive:
            answer.force_close()
        parts, complete = self.wsgi(environ, answer.start_response), False
        try:
            for part in parts:
                answer.write(part)
            answer.close()
            complete = True
        finally:
            if hasattr(parts, "close"):
                parts.close()
            if not complete and answer.headers_sent:  # a second answer on top of this one would make nonsense
                sock.close()
        if answer.should_close():
            raise StopIteration
        if answer.whole is not None and answer.status_code == 200:
            before, behind = answer.whole
            if AGAIN in environ:
                req.answered = Answered(before, behind, environ[AGAIN])
            if ALIKE in environ:
                req.alike = Alike(before, environ[ALIKE])

    def init_process(self) -> None:
        """Set the process up before it serves."""
        _keep_freed_memory()
        self._idle: dict[gevent.Greenlet, float] = {}
        self._tls: ssl.SSLContext | None = None
        self._metrics_port = self.app.metrics_port
        self.cfg = Remembered(self.cfg)
        super().init_process()

    def patch(self) -> None:
        """Put gevent's parts in, and with them make what TLS needs.

        Where its files are wrong meanwhile this worker ends and another tries: a fault of gunicorn's "boot" would end
        the whole server.
        """
        super().patch()
        RequestParser.mesg_class = OneRequest
        try:
            self._tls = self.app.tls()
        except SettingError as error:
            _LOG.error("a worker can't begin: %s", error)
            time.sleep(_AGAIN)
            sys.exit(1)

    def timeout_ctx(self) -> _Waiting:
        """Around the wait for a connection's next request: it ends after ``keepalive``, or when the server stops."""
        return _Waiting(self._idle)

    def run(self) -> None:
        """Serve; then end what the application does besides."""
        _leave_loaded_alone()
        super().run()
        for end in self.wsgi.extensions.get("ends", ()):
            end()

    def notify(self) -> None:
        """Called each second: connections on which nothing came for long end, and where the worker was told to stop
        all on which nothing is under way."""
        super().notify()
        if not self.alive:
            self.wsgi.extensions["exchange"].ending = True
        gevent.get_hub().loop.run_callback(self._end_idle, self.cfg.keepalive if self.alive else _JUST_NOW)

    def _end_idle(self, longest: float) -> None:
        """Runs in gevent's hub, so that each of these greenlets is certainly waiting."""
        latest = time.monotonic() - longest
        for greenlet, since in list(self._idle.items()):
            if since < latest:
                greenlet.throw(_NothingCameError)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer a request that isn't HTTP, without repeating what it held."""
        status, reason = next(
            ((status, reason) for kind, status, reason in _STATUS if isinstance(exc, kind)),
            (500, "Internal Server Error"),
        )
        if status >= 500 and not isinstance(exc, faults.ParseException):
            _LOG.error("worker error", exc_info=exc)
        error_id = secrets.token_hex(8)
        _REQUESTS.info("request refused",
                       extra={"error_id": error_id, "status": status, "code": f"http-{status}"})
        body = orjson.dumps({
            "title": reason, "error_id": error_id, "error_code": f"http-{status}", "http_status": str(status),
            "description": "The server failed; its operator finds this error by its id." if status == 500
            else "The request isn't HTTP/1.1 as this server takes it.",
        })
        head = (f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\nContent-Type: {TAXII}\r\n"
                f"X-Request-ID: {error_id}\r\nContent-Length: {len(body)}\r\n"
                + "".join(f"{name}: {value}\r\n" for name, value in ALWAYS.items()) + "\r\n")
        with contextlib.suppress(OSError):  # the client may be gone
            client.sendall(head.encode() + body)


class _NothingCameError(BaseException):
    """Thrown into a greenlet that waited for a request for too long."""


class _Waiting:
    """The greenlet waits for a request as long as this lasts, and no longer where ``_NothingCameError`` ends it.

    A timer for each request costs a tenth of answering one; one look a second at all of them nothing.
    """

    def __init__(self, idle: dict[gevent.Greenlet, float]) -> None:
        self._idle = idle

    def __enter__(self) -> None:
        self._idle[gevent.getcurrent()] = time.monotonic()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> bool:
        del self._idle[gevent.getcurrent()]
        return kind is _NothingCameError


def _give_way(req: OneRequest) -> None:
    """Let others have their turn after some requests that were there already.

    Who sends without waiting for answers is never waited for: gevent would read from nobody else, all the while.
    """
    looked, connection = gevent.get_hub().loop.iteration, req.unreader
    since, answered = getattr(connection, "in_a_row", (looked, 0))
    connection.in_a_row = looked, (answered + 1 if since == looked else 1)
    if connection.in_a_row[1] >= _IN_A_ROW:
        gevent.sleep(_TURN)


def _read_away(req: OneRequest, sock: Any) -> None:
    """Take what is left of a request's body, within bounds; raises StopIteration where it isn't over then."""
    left = _MOST_AFTER_ANSWER
    try:
        sock.settimeout(_SILENT_AFTER_ANSWER)
        while left > 0 and (part := req.body.read(_PART)):
            left -= len(part)
        sock.settimeout(None)
    except (faults.ParseException, OSError):
        left = 0
    if left <= 0:
        raise StopIteration


def _keep_freed_memory() -> None:
    """Let glibc keep some freed memory: else each page of a megabyte is taken from the kernel and given back."""
    with contextlib.suppress(OSError, AttributeError):  # another C library
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_THRESHOLD, _KEPT)
        libc.mallopt(_M_TRIM_THRESHOLD, 2 * _KEPT)


def _leave_loaded_alone() -> None:
    """Spare the garbage collector what was loaded, which stays, and let it look less often at what is new.

    An envelope of 1,000 objects made it go through everything several times: a fifth of the push's work, and pauses of
    a tenth of a second for all others.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, 10, 10)
