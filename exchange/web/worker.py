"""The gunicorn worker: gevent, with faults that come before the application told as TAXII errors too."""

from __future__ import annotations

import contextlib
import ctypes
import logging
from typing import Any

import orjson
from gunicorn.http import errors as faults
from gunicorn.workers.ggevent import GeventWorker

from exchange.web.negotiation import TAXII

_LOG = logging.getLogger("exchange.web")
_STATUS: tuple[tuple[type[Exception], int, str], ...] = (
    (faults.LimitRequestLine, 414, "URI Too Long"),
    (faults.LimitRequestHeaders, 431, "Request Header Fields Too Large"),
    (faults.ExpectationFailed, 417, "Expectation Failed"),
    (faults.UnsupportedTransferCoding, 501, "Not Implemented"),
    (faults.ParseException, 400, "Bad Request"),
)


_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
_KEPT = 32 * 1024 * 1024


class TaxiiWorker(GeventWorker):  # type: ignore[misc]
    """Slow and idle clients cost a greenlet, not a thread."""

    def init_process(self) -> None:
        """Set the process up before it serves."""
        _keep_freed_memory()
        super().init_process()

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer a request that isn't HTTP, without repeating what it held."""
        status, reason = next(
            ((status, reason) for kind, status, reason in _STATUS if isinstance(exc, kind)),
            (500, "Internal Server Error"),
        )
        if status >= 500 and not isinstance(exc, faults.ParseException):
            _LOG.error("worker error", exc_info=exc)
        body = orjson.dumps({
            "title": reason, "error_code": f"http-{status}", "http_status": str(status),
            "description": "The request isn't HTTP/1.1 as this server takes it.",
        })
        head = (f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\nContent-Type: {TAXII}\r\n"
                f"Content-Length: {len(body)}\r\n\r\n")
        with contextlib.suppress(OSError):  # the client may be gone
            client.sendall(head.encode() + body)


def _keep_freed_memory() -> None:
    """Let glibc keep some freed memory: else each page of a megabyte is taken from the kernel and given back."""
    with contextlib.suppress(OSError, AttributeError):  # another C library
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_THRESHOLD, _KEPT)
        libc.mallopt(_M_TRIM_THRESHOLD, 2 * _KEPT)
