"""Whether the process lives (/healthz) and can answer from its store (/readyz)."""

from __future__ import annotations

import orjson
from flask import Blueprint, Response

from exchange.errors import ExchangeError
from exchange.web.caller import current_exchange

routes = Blueprint("health", __name__)


@routes.get("/healthz")
def healthz() -> Response:
    """The process answers."""
    return _state("ok", 200)


@routes.get("/readyz")
def readyz() -> Response:
    """The store answers too; 503 when it doesn't."""
    try:
        current_exchange().directory()
    except ExchangeError:
        return _state("unavailable", 503)
    return _state("ok", 200)


def _state(word: str, status: int) -> Response:
    return Response(orjson.dumps({"status": word}), status=status, content_type="application/json")
