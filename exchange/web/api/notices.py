"""Notices of the caller's own organisation and its answers to them (``/api/v1/notices``); former members too."""

from __future__ import annotations

from flask import Blueprint, Response

from exchange.errors import BadRequestError, ForbiddenError, UnprocessableError
from exchange.web.api.exchange_json import json_answer, json_body, one_argument
from exchange.web.caller import current_caller, current_exchange

routes = Blueprint("notices", __name__)
_SHOWN = ("awaited", "overdue", "all")
_OVERSEERS = frozenset({"operate", "audit", "protect"})


@routes.get("/notices")
def list_notices() -> Response:
    """The caller's notices to which an answer is awaited; ``show``: awaited, overdue or all.

    With ``of=everyone`` those of all organisations, for the scopes operate, audit and protect.
    """
    caller, exchange = current_caller(), current_exchange()
    show = one_argument("show", "awaited")
    if show not in _SHOWN:
        raise BadRequestError("The parameter show is unknown.", fix=f"Use one of {', '.join(_SHOWN)}.")
    org: str | None = caller.organisation.id
    if one_argument("of") == "everyone":
        if not _OVERSEERS.intersection(caller.credential.scopes) or not caller.organisation.active:
            raise ForbiddenError("This credential sees the notices of its own organisation only.",
                                 fix="Ask the operator of the exchange for one with the scope audit.")
        org = None
    found = exchange.obligations.notices(org, awaited=show == "awaited",
                                         overdue_at=caller.now if show == "overdue" else None)
    return json_answer({"notices": found})


@routes.get("/notices/<notice>")
def show_notice(notice: str) -> Response:
    """One notice with its answers."""
    caller = current_caller()
    return json_answer(current_exchange().obligations.notice(notice, caller.organisation.id))


@routes.post("/notices/<notice>/acknowledgement")
def acknowledge(notice: str) -> Response:
    """Answer a notice: ``done`` true or false, with a ``statement``; gives the notice as it is then."""
    caller, body = current_caller(), json_body()
    unknown = [name for name in body if name not in {"done", "statement"}]
    if unknown or not isinstance(body.get("done"), bool) or not isinstance(body.get("statement", ""), str):
        raise UnprocessableError("The body is no answer to a notice.",
                                 fix='Send {"done": true or false, "statement": "what was done"}.')
    return json_answer(current_exchange().obligations.acknowledge(
        notice, org=caller.organisation.id, key=caller.credential.id, done=body["done"],
        statement=body.get("statement", ""), now=caller.now))
