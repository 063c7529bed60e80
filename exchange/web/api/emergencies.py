"""The crisis lane (R28): emergencies are declared, ended and reviewed by named people."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from exchange.cases.contest import Actor
from exchange.errors import UnprocessableError
from exchange.stix.timestamp import microseconds
from exchange.web.api.cases import body_of
from exchange.web.api.exchange_json import json_answer
from exchange.web.caller import current_caller, current_exchange

routes = Blueprint("emergencies", __name__)


@routes.get("/emergencies")
def list_emergencies() -> Response:
    """All emergencies with their status; to credentials that judge, run, audit or work in them."""
    return json_answer({"emergencies": current_exchange().cases.emergencies.list(_actor(), current_caller().now)})


@routes.post("/emergencies")
def declare() -> Response:
    """Declare one: ``people``, ``since`` (default: now), ``until``, ``reason``, ``collections`` (ids, or *)."""
    body = body_of({"people": list, "since": str, "until": str, "reason": str, "collections": list})
    now = current_caller().now
    made = current_exchange().cases.emergencies.declare(
        _actor(), people=_texts(body, "people"), since=_moment(body, "since", now), until=_moment(body, "until", None),
        reason=body.get("reason", ""), collections=_texts(body, "collections"), now=now)
    return json_answer(made, 201)


@routes.post("/emergencies/<emergency>/end")
def end(emergency: str) -> Response:
    """End one before its time."""
    body_of({})
    return json_answer(current_exchange().cases.emergencies.end(_actor(), emergency, current_caller().now))


@routes.post("/emergencies/<emergency>/review")
def review(emergency: str) -> Response:
    """Review one that is over, by somebody who took no part: ``findings``."""
    findings = body_of({"findings": str}).get("findings", "")
    return json_answer(current_exchange().cases.emergencies.review(_actor(), emergency, findings, current_caller().now))


def _actor() -> Actor:
    return current_exchange().cases.members().actor(current_caller().credential)


def _moment(body: dict[str, Any], name: str, default: int | None) -> int:
    if name not in body and default is not None:
        return default
    try:
        return microseconds(body.get(name, ""))
    except ValueError:
        raise UnprocessableError(f"{name} is not an RFC 3339 timestamp in UTC.",
                                 fix="It looks like 2026-01-31T12:00:00Z.") from None


def _texts(body: dict[str, Any], name: str) -> list[str]:
    given = body.get(name, [])
    if not all(isinstance(item, str) and 0 < len(item) <= 200 for item in given) or len(given) > 100:
        raise UnprocessableError(f"{name} is a list of at most 100 texts.")
    return list(given)
