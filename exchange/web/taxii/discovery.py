"""Discovery, API roots and statuses (TAXII 2.1, chapter 4)."""

from __future__ import annotations

import re

from flask import Blueprint, Response, request

from exchange.errors import NotFoundError
from exchange.model.access import sees_community
from exchange.web.caller import current_caller, current_exchange
from exchange.web.negotiation import TAXII, check_accept
from exchange.web.respond import answer, resource

routes = Blueprint("discovery", __name__)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@routes.before_request
def _negotiate() -> None:
    check_accept(request.headers.get("Accept"))


@routes.get("/")
def discovery() -> Response:
    """The API roots that the caller may know of (4.1)."""
    caller, exchange = current_caller(), current_exchange()
    base = exchange.settings.public_url.rstrip("/") or request.host_url.rstrip("/")
    roots = [
        f"{base}/taxii2/{community.id}/"
        for community in exchange.communities(caller.directory)
        if sees_community(caller.directory, community, caller.organisation, caller.at)
    ]
    return resource({
        "title": exchange.settings.title, "contact": exchange.settings.contact or None,
        "default": roots[0] if roots else None, "api_roots": roots or None,
    })


@routes.get("/<community>/")
def api_root(community: str) -> Response:
    """One community (4.2)."""
    root, settings = current_caller().community(community), current_exchange().settings
    return resource({
        "title": root.title, "description": root.description, "versions": [TAXII],
        "max_content_length": settings.max_content_length,
    })


@routes.get("/<community>/status/<status_id>/")
def status(community: str, status_id: str) -> Response:
    """What became of a push (4.3); its pusher's organisation alone may ask."""
    caller, exchange = current_caller(), current_exchange()
    root = caller.community(community)
    found = None
    if _UUID.fullmatch(status_id):
        found = exchange.status(status_id, root, caller.organisation, caller.now)
    if found is None:
        raise NotFoundError("There is no such status.", why="It doesn't exist, isn't yours or has expired.")
    return answer(found)
