"""The JSON schemas of the forms that this exchange reads (``/api/v1/schemas``), open to anybody; they never change."""

from __future__ import annotations

import orjson
from flask import Blueprint, Response

from exchange.ailab.published import TITLES, schema
from exchange.errors import NotFoundError
from exchange.web.api.exchange_json import json_answer

PATH = "/api/v1/schemas"
routes = Blueprint("forms", __name__)


@routes.get("/schemas")
def list_schemas() -> Response:
    """Name, version, title and address of each."""
    return json_answer({"schemas": [
        {"name": name, "version": version, "title": title, "url": f"{PATH}/{name}/{version}"}
        for (name, version), title in sorted(TITLES.items())
    ]})


@routes.get("/schemas/<name>/<version>")
def show_form(name: str, version: str) -> Response:
    """One schema (JSON Schema 2020-12)."""
    found = schema(name, version)
    if found is None:
        known = ", ".join("/".join(one) for one in sorted(TITLES))
        raise NotFoundError("There is no such schema.", fix=f"There are: {known}.")
    return Response(orjson.dumps(found), content_type="application/schema+json")
