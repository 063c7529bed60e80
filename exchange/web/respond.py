"""Answers: TAXII resources with their media type, error resources (TAXII 2.1, 3.6.1), gzip where accepted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import orjson
from flask import Request, Response, request
from isal import igzip

from exchange.errors import ExchangeError, TooManyRequestsError
from exchange.web.auth.header import CHALLENGE
from exchange.web.negotiation import TAXII
from exchange.web.secure_headers import ALWAYS

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_TITLES = {
    400: "The request can't be understood", 401: "Authentication is needed", 403: "Not permitted",
    404: "Not found", 405: "Method not allowed", 406: "Not acceptable", 408: "The request took too long",
    409: "Conflict", 411: "Length required", 413: "The body is too large",
    415: "Unsupported media type", 422: "The body isn't what this endpoint takes",
    429: "Too many requests", 500: "Internal error", 503: "Unavailable", 507: "The storage is full",
}
_OURS = 500
"""From this status on an error is this side's, and tells the id by which its operator finds it. Refusals are the same
bytes whatever is there and whoever asks; a client that wants to name one sends X-Request-ID of its own."""
_FIELDS = (("Content-Type", TAXII), ("Vary", "Accept, Accept-Encoding, Authorization"), *ALWAYS.items())
"""Headers of every TAXII resource."""
_SMALL = 1_000
"""Bodies below this size, in bytes, aren't worth compressing."""


class Answer(Response):
    """A response that has all its headers from the beginning: each that is set later is looked for among the others."""

    def get_wsgi_response(
        self, environ: WSGIEnvironment
    ) -> tuple[Iterable[bytes], str, list[tuple[str, str]]]:
        """As it stands; there is nothing that would follow from the environment."""
        return self.get_app_iter(environ), self.status, list(self.headers)


def answer(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A TAXII resource, compressed if the client accepts gzip."""
    body, fields = body_and_fields(body, gzip=len(body) >= _SMALL and takes_gzip(request))
    if headers:
        fields += headers.items()
    return Answer([body], status=status, headers=fields)


def body_and_fields(body: bytes, *, gzip: bool) -> tuple[bytes, list[tuple[str, str]]]:
    """What is sent of a TAXII resource, and the headers that each has; ``gzip``: its client takes that."""
    fields = list(_FIELDS)
    if gzip and len(body) >= _SMALL:
        body = igzip.compress(body, compresslevel=1, mtime=0)
        fields.append(("Content-Encoding", "gzip"))
    fields.append(("Content-Length", str(len(body))))
    return body, fields


def takes_gzip(asked: Request) -> bool:
    """Whether the request's Accept-Encoding names gzip."""
    words = asked.headers.get("Accept-Encoding", "").lower()
    return ("gzip" in words or "*" in words) and asked.accept_encodings["gzip"] > 0


def resource(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A TAXII resource from plain values; properties that are None are left out."""
    if isinstance(value, dict):
        value = {name: item for name, item in value.items() if item is not None}
    return answer(orjson.dumps(value), status, headers)


def error_response(error: ExchangeError, error_id: str) -> Response:
    """The TAXII error resource of an error; ``error_id`` is what the log calls it.

    Of a fault of this side only what is told: why, and how to mend it, names hosts and files of the operator.
    """
    headers = {"WWW-Authenticate": CHALLENGE} if error.status == 401 else {}
    if isinstance(error, TooManyRequestsError):
        headers["Retry-After"] = str(error.retry_after)
    elif error.status in {503, 507}:
        headers["Retry-After"] = "5"
    told = error.what if error.status >= 500 else str(error)
    return _error(error.status, told, error.code, error_id, headers)


def http_error_response(
    status: int, description: str, error_id: str, headers: Mapping[str, str]
) -> Response:
    """The TAXII error resource of an error that the framework found."""
    return _error(status, description, f"http-{status}", error_id, headers)


def _error(
    status: int, description: str, code: str, error_id: str, headers: Mapping[str, str]
) -> Response:
    shown = error_id if error_id and status >= _OURS else None
    if shown:
        headers = {**headers, "X-Request-ID": shown}
    return resource({
        "title": _TITLES.get(status, "Error"), "description": description or None,
        "error_id": shown,
        "error_code": code, "http_status": str(status),
    }, status, headers)
