"""The state of objects: their producer changes its own, the data-protection officer anybody's (P18)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from exchange.errors import ExchangeError, ForbiddenError, NotFoundError, UnprocessableError
from exchange.model.state import State
from exchange.obligations.holds import LEGAL_HOLD
from exchange.obligations.transitions import By, state_word
from exchange.stix.timestamp import microseconds
from exchange.web.api.exchange_json import json_answer, json_body, one_argument
from exchange.web.caller import Caller, current_caller, current_exchange

routes = Blueprint("states", __name__)
_STATES = {"active": State.ACTIVE, "disputed": State.DISPUTED, "restricted": State.RESTRICTED,
           "revoked": State.REVOKED, "erased": State.ERASED}  # fmt: skip
_HOLDS = ("hold", "release")
_KEYS = frozenset({"state", "reason", "citation", "collection", "contributor", "until"})
_FIX = f"Its keys are {', '.join(sorted(_KEYS))}; state is one of {', '.join([*_STATES, *_HOLDS])}."
_OFFICER = "protect"
_SEES_ALL = frozenset({_OFFICER, "operate", "audit"})


@routes.get("/objects/<stix_id>/state")
def show_state(stix_id: str) -> Response:
    """How an object stands, with its history: for its producer; with protect, operate or audit, of everybody's."""
    caller, exchange = current_caller(), current_exchange()
    everybody = bool(_SEES_ALL.intersection(caller.credential.scopes))
    org = one_argument("contributor") if everybody else caller.organisation.id
    found = exchange.obligations.show(_id(stix_id), org, caller.now)
    if not found:
        raise NotFoundError("There is no such object.")
    return json_answer({"objects": found})


@routes.post("/objects/<stix_id>/state")
def change_state(stix_id: str) -> Response:
    """Change it: ``state`` (or hold, release), ``reason``, and for the officer ``contributor``."""
    caller, body = current_caller(), _body()
    officer = _OFFICER in caller.credential.scopes
    if not officer and "write" not in caller.credential.scopes:
        raise ForbiddenError("This credential doesn't have the scope 'write'.",
                             fix="Ask the operator of the exchange for one that has it.")
    org = _contributor(caller, _id(stix_id), body, officer)
    by = By(caller.organisation.id, "officer" if officer else "producer", caller.credential.id)
    if body["state"] in _HOLDS:
        return _hold(stix_id, org, body, by, officer, caller.now)
    changed = current_exchange().obligations.change(
        stix_id, org, _STATES[body["state"]], reason=body["reason"], by=by, now=caller.now,
        collection=body.get("collection"), citation=body.get("citation", ""))
    return json_answer({
        "id": stix_id, "contributor": org, "from": state_word(changed.before), "to": state_word(changed.after),
        "reference": changed.reference, **({"code": LEGAL_HOLD} if changed.sealed else {}),
        **({"notices": len(changed.notices)} if officer else {}),
    })


def _hold(stix_id: str, org: str, body: dict[str, Any], by: By, officer: bool, now: int) -> Response:
    if not officer:
        raise ForbiddenError("This credential doesn't have the scope 'protect'.",
                             why="A legal hold is put and ended by the data-protection officer of the exchange.")
    desk = current_exchange().obligations
    if body["state"] == "release":
        return json_answer({"id": stix_id, "contributor": org, "released": desk.release(stix_id, org, by=by, now=now)})
    until = None
    if "until" in body:
        try:
            until = microseconds(body["until"])
        except ValueError:
            raise UnprocessableError("until is not an RFC 3339 timestamp in UTC.",
                                     fix="It looks like 2026-01-31T12:00:00Z.") from None
    number = desk.hold(stix_id, org, reason=body["reason"], by=by, now=now, until=until)
    return json_answer({"id": stix_id, "contributor": org, "hold": number})


def _contributor(caller: Caller, stix_id: str, body: dict[str, Any], officer: bool) -> str:
    """Whose object is meant; to a producer another's object is one that doesn't exist (P16)."""
    desk = current_exchange().obligations
    if officer:
        return desk.contributor(stix_id, body.get("contributor"))
    try:
        if body.get("contributor") in {None, caller.organisation.id}:
            return desk.contributor(stix_id, caller.organisation.id)
    except ExchangeError:
        pass
    raise NotFoundError("There is no such object.")


def _id(stix_id: str) -> str:
    if len(stix_id) > 512 or not stix_id.isprintable():
        raise NotFoundError("There is no such object.")
    return stix_id


def _body() -> dict[str, Any]:
    body = json_body()
    wrong = [name for name in body if name not in _KEYS or not isinstance(body[name], str)]
    if wrong:
        raise UnprocessableError(f"The body has a key that is unknown or no text: {wrong[0][:60]!r}.", fix=_FIX)
    if body.get("state") not in {*_STATES, *_HOLDS}:
        raise UnprocessableError("The body names no state.", fix=_FIX)
    body.setdefault("reason", "")
    return body
