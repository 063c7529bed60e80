"""The description of this interface (``GET /api/v1/openapi.json``), open to anybody: it is the same for everybody."""

from __future__ import annotations

from functools import cache

import orjson
from flask import Blueprint, Response

from exchange.web.openapi.document import document

PATH = "/api/v1/openapi.json"
routes = Blueprint("openapi", __name__)


@routes.get("/openapi.json")
def show_description() -> Response:
    """The document (OpenAPI 3.1)."""
    return Response(_written(), content_type="application/json", headers={"X-Content-Type-Options": "nosniff"})


@cache
def _written() -> bytes:
    return orjson.dumps(document())
