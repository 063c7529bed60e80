"""Contests of shared objects (R27): open, answer, restrict, review; shown to their parties alone (P16)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response

from exchange.cases.contest import Actor, Step
from exchange.cases.contests import Opening
from exchange.errors import BadRequestError, NotFoundError, UnprocessableError
from exchange.web.api.exchange_json import json_answer, json_body, one_argument
from exchange.web.caller import Caller, current_caller, current_exchange

routes = Blueprint("cases", __name__)
_OUTCOMES = {"upheld": Step.UPHOLD, "corrected": Step.CORRECT, "reversed": Step.REVERSE}
_OPENING: Mapping[str, type] = {
    "collection": str, "objects": list, "grounds": str, "evidence": list, "for_person": bool,
}


@routes.get("/cases")
def list_cases() -> Response:
    """The cases that the caller is a party of; ``?stage=unfinished`` leaves out those that have ended."""
    stage = one_argument("stage", "all")
    if stage not in {"all", "unfinished"}:
        raise BadRequestError("The parameter stage is all or unfinished.")
    caller, actor = _acting()
    found = current_exchange().cases.contests.list(actor, caller.now, unfinished=stage == "unfinished")
    return json_answer({"cases": found})


@routes.post("/cases")
def open_case() -> Response:
    """Contest objects: ``collection`` (id), ``objects`` (ids), ``grounds``, ``evidence`` (SHA-256 hashes); the operator
    ``for_person``."""
    caller, actor = _acting()
    body = body_of(_OPENING)
    exchange = current_exchange()
    opening = Opening(
        collection=body.get("collection", ""), objects=_texts(body, "objects"), grounds=body.get("grounds", ""),
        evidence=_texts(body, "evidence"), for_person=body.get("for_person", False),
    )
    collection = caller.directory.collections.get(opening.collection)
    speaks_for = opening.for_person and "operate" in actor.scopes
    if collection is None or not (speaks_for or caller.may_read(collection)):
        raise NotFoundError("There is no such object.")
    reader = exchange.reader(caller.directory, caller.organisation, caller.credential, caller.narrower_purpose,
                             caller.now)
    made = exchange.cases.open_contest(actor, opening, reader, caller.now)
    return json_answer(exchange.cases.contests.show(actor, made, caller.now), 201)


@routes.get("/cases/<case>")
def show_case(case: str) -> Response:
    """One case as the caller's role in it shows it."""
    caller, actor = _acting()
    return json_answer(current_exchange().cases.contests.show(actor, case, caller.now))


@routes.post("/cases/<case>/restriction")
def restrict(case: str) -> Response:
    """Restrict the contested objects until the review: by their producer, a reviewer or the operator."""
    return _step(case, Step.RESTRICT, body_of({"statement": str}))


@routes.post("/cases/<case>/answer")
def answer(case: str) -> Response:
    """The producer's ``statement``."""
    return _step(case, Step.ANSWER, body_of({"statement": str}))


@routes.post("/cases/<case>/review")
def review(case: str) -> Response:
    """The reviewer's ``outcome`` (upheld, corrected or reversed) with a ``statement``; ``erase`` wipes what is
    reversed."""
    body = body_of({"statement": str, "outcome": str, "erase": bool})
    step = _OUTCOMES.get(body.get("outcome", ""))
    if step is None:
        raise UnprocessableError("The body names no outcome.", fix=f"It is one of {', '.join(_OUTCOMES)}.")
    shown = _step(case, step, body)
    current_exchange().publish_records()
    return shown


def _step(case: str, step: Step, body: Mapping[str, Any]) -> Response:
    caller, actor = _acting()
    contests = current_exchange().cases.contests
    contests.take(actor, case, step, body.get("statement", ""), caller.now, erase=body.get("erase", False))
    return json_answer(contests.show(actor, case, caller.now))


def _acting() -> tuple[Caller, Actor]:
    caller = current_caller()
    return caller, current_exchange().cases.members().actor(caller.credential)


def body_of(kinds: Mapping[str, type]) -> dict[str, Any]:
    """The request's JSON object with these keys alone, each of its kind. Raises UnprocessableError."""
    body = json_body()
    for name, value in body.items():
        if name not in kinds or not isinstance(value, kinds[name]):
            raise UnprocessableError(f"The body has a key that is unknown or of the wrong kind: {name[:60]!r}.",
                                     fix=f"Its keys are {', '.join(kinds)}.")
    return body


def _texts(body: Mapping[str, Any], name: str) -> tuple[str, ...]:
    given = body.get(name, [])
    if not all(isinstance(item, str) and len(item) <= 512 for item in given):
        raise UnprocessableError(f"{name} is a list of texts.")
    return tuple(given)
