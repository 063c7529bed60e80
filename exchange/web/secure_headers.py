"""Headers by which a browser does no harm with an answer: on every one, errors and what no route answered too.

Nothing here is a page, so nothing may run, be framed, or be kept; what an endpoint says of itself stays.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import Response, request

ALWAYS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
TLS_STAYS = ("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
"""RFC 6797: where an answer came by HTTPS. Over http browsers don't heed it."""


def with_secure_headers(response: Response, *, complete: bool = False) -> Response:
    """The response with those it doesn't have yet; ``complete``: it was made with those of ``ALWAYS``."""
    for name, value in () if complete else ALWAYS.items():
        response.headers.setdefault(name, value)
    if request.is_secure:
        response.headers.setdefault(*TLS_STAYS)
    return response
