"""Collections of a community (TAXII 2.1, 5.1 and 5.2)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request

from exchange.model.access import collections_of
from exchange.model.party import Collection
from exchange.web.caller import Caller, current_caller
from exchange.web.negotiation import check_accept
from exchange.web.respond import resource

routes = Blueprint("collections", __name__)
_MEDIA_TYPES = ["application/stix+json;version=2.1"]


@routes.before_request
def _negotiate() -> None:
    check_accept(request.headers.get("Accept"))


@routes.get("/<community>/collections/")
def list_collections(community: str) -> Response:
    """The collections that the caller may use (5.1)."""
    caller = current_caller()
    root = caller.community(community)
    found = [
        _described(caller, collection)
        for collection in collections_of(caller.directory, root, caller.organisation, caller.at)
        if caller.may_read(collection) or caller.may_write(collection)
    ]
    return resource({"collections": found or None})


@routes.get("/<community>/collections/<collection>/")
def show_collection(community: str, collection: str) -> Response:
    """One collection, by id or alias (5.2)."""
    caller = current_caller()
    return resource(_described(caller, caller.collection(community, collection)))


def _described(caller: Caller, collection: Collection) -> dict[str, Any]:
    described = {
        "id": collection.id, "title": collection.title, "description": collection.description,
        "alias": collection.alias, "can_read": caller.may_read(collection),
        "can_write": caller.may_write(collection), "media_types": _MEDIA_TYPES,
    }
    return {name: value for name, value in described.items() if value is not None}
