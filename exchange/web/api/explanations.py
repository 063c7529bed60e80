"""Why an organisation may, or may not, see an object (``GET /api/v1/explanations``)."""

from __future__ import annotations

from flask import Blueprint, Response, request

from exchange.errors import BadRequestError, InputError, NotFoundError
from exchange.governance.explanation import Question
from exchange.stix.timestamp import microseconds
from exchange.web.api.exchange_json import json_answer, one_argument
from exchange.web.caller import Caller, current_caller, current_exchange

routes = Blueprint("explanations", __name__)
_ARGUMENTS = frozenset({"object", "for", "purpose", "person", "at", "collection"})
_UNKNOWN = "There is no such object."


@routes.get("/explanations")
def explanations() -> Response:
    """Every version's decision with all reasons, and what is gone; what a caller may not know is unknown (P16)."""
    caller, exchange = current_caller(), current_exchange()
    unknown = [name for name in request.args if name not in _ARGUMENTS]
    if unknown:
        raise BadRequestError(f"There is no parameter {unknown[0][:60]!r}.",
                              fix=f"Parameters: {', '.join(sorted(_ARGUMENTS))}.")
    question = _question(caller)
    try:
        told = exchange.explanations(caller.now).told(
            question, org=caller.organisation.id, audit="audit" in caller.credential.scopes,
            recipient=_is_own(caller, question),
            pulls=question.at == caller.now and question.purpose == caller.credential.purpose,
        )
    except InputError as fault:
        # The directory is not for everybody: who may not ask of another hears what it hears of an unknown id.
        if question.org == caller.organisation.id or "audit" in caller.credential.scopes:
            raise BadRequestError(fault.what, fix=fault.fix) from fault
        raise NotFoundError(_UNKNOWN) from fault
    return json_answer(told)


def _is_own(caller: Caller, question: Question) -> bool:
    """Whether the question is of the caller's organisation and person, and its credential reads."""
    own = caller.credential
    return "read" in own.scopes and (question.org, question.person) == (own.org, own.person)


def _question(caller: Caller) -> Question:
    stix_id = one_argument("object")
    if not stix_id or len(stix_id) > 512 or not stix_id.isprintable():
        raise BadRequestError("The parameter object is missing or no STIX id.", fix="Give the id of one object.")
    org = one_argument("for") or caller.organisation.id
    own = org == caller.organisation.id
    return Question(
        object=stix_id, org=org, at=_moment(one_argument("at"), caller.now),
        purpose=one_argument("purpose") or (caller.credential.purpose if own else None),
        person=one_argument("person") or (caller.credential.person if own else None),
        collection=one_argument("collection"), encrypted=request.is_secure,
    )


def _moment(text: str | None, now: int) -> int:
    if text is None:
        return now
    try:
        return min(microseconds(text), now)
    except ValueError:
        raise BadRequestError("The parameter at is not an RFC 3339 timestamp in UTC.",
                              fix="It looks like 2026-01-31T12:00:00Z.") from None
