"""Who would get what is about to be pushed, and why (``POST /api/v1/previews``); nothing is stored."""

from __future__ import annotations

from flask import Blueprint, Response, request

from exchange.errors import BadRequestError, NotFoundError, UnsupportedMediaError
from exchange.model.party import Collection
from exchange.web.api.exchange_json import json_answer, one_argument
from exchange.web.body import read_body
from exchange.web.caller import Caller, current_caller, current_exchange

routes = Blueprint("previews", __name__)
_TYPES = frozenset({"application/json", "application/taxii+json"})


@routes.post("/previews")
def previews() -> Response:
    """The body is a TAXII envelope, as for a push to ``collection`` (id or alias)."""
    caller, exchange = current_caller(), current_exchange()
    collection = _collection(caller, one_argument("collection"))
    if request.mimetype not in _TYPES:
        raise UnsupportedMediaError("The body's Content-Type isn't TAXII JSON.",
                                    fix="Send application/taxii+json;version=2.1.")
    body = read_body(request, exchange.settings.max_content_length)
    return json_answer(exchange.preview(caller.organisation, caller.credential, collection, body, caller.now))


def _collection(caller: Caller, name: str | None) -> Collection:
    if not name:
        raise BadRequestError("The parameter collection is missing.", fix="Name the collection by id or alias.")
    found = [c for c in caller.directory.collections.values() if name in {c.id, c.alias} and caller.may_write(c)]
    if len(found) != 1:
        raise NotFoundError("There is no such collection that this credential may write to.",
                            fix="Name one by its id." if found else "")
    return found[0]
