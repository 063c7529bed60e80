"""What every endpoint under /api/v1 shares: JSON in, JSON out, and the scope that a credential needs."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response, request

from exchange.errors import BadRequestError, ForbiddenError, UnprocessableError, UnsupportedMediaError
from exchange.stix.fault import StixFault
from exchange.stix.parse import parse_strict
from exchange.web.body import read_body
from exchange.web.caller import Caller, current_caller, current_exchange

_JSON = "application/json"


def json_answer(value: Any, status: int = 200) -> Response:
    """A JSON answer that no cache keeps."""
    response = Response(orjson.dumps(value), status=status, content_type=_JSON)
    response.headers.update({
        "Cache-Control": "no-store", "Vary": "Accept, Authorization", "X-Content-Type-Options": "nosniff",
    })
    return response


def caller_with(scope: str) -> Caller:
    """The caller, whose credential must have the scope. Raises ForbiddenError."""
    caller = current_caller()
    if scope not in caller.credential.scopes:
        raise ForbiddenError(f"This credential doesn't have the scope {scope!r}.",
                             fix="Ask the operator of the exchange for one that has it.")
    return caller


def json_body() -> dict[str, Any]:
    """The request's JSON object, read strictly. Raises UnsupportedMediaError, BadRequestError, TooLargeError,
    UnprocessableError."""
    if request.mimetype != _JSON:
        raise UnsupportedMediaError("The body's Content-Type isn't application/json.", fix="Send application/json.")
    try:
        return parse_strict(read_body(request, current_exchange().settings.max_content_length))
    except StixFault as unreadable:
        raise UnprocessableError(f"The body is no JSON object: {unreadable.sentence}") from unreadable


def one_argument(name: str, default: str | None = None) -> str | None:
    """A query parameter that may be given once. Raises BadRequestError."""
    given = request.args.getlist(name)
    if len(given) > 1:
        raise BadRequestError(f"The parameter {name} is given twice.", fix="Give it once.")
    return given[0] if given else default


