"""The JSON schemas of our STIX extensions, open to anybody: a stock consumer resolves them from a definition."""

from __future__ import annotations

import orjson
from flask import Blueprint, Response

from exchange.errors import NotFoundError
from exchange.stix.extensions import NAMES, schema

PREFIX = "/schemas/"
routes = Blueprint("schemas", __name__)


@routes.get(f"{PREFIX}<name>.json")
def show_schema(name: str) -> Response:
    """The schema of one extension, by its name."""
    if name not in NAMES.values():
        raise NotFoundError("There is no such schema.", fix=f"There are: {', '.join(sorted(NAMES.values()))}.")
    return Response(orjson.dumps(schema(name)), content_type="application/schema+json")
