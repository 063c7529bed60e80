"""Webhooks of the caller's own organisation (``/api/v1/webhooks``), signed as Standard Webhooks says."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from exchange.errors import NotFoundError, UnprocessableError
from exchange.feed.interest import FILTERS
from exchange.model.party import Collection
from exchange.stix.timestamp import microseconds
from exchange.web.api.exchange_json import caller_with, json_answer, json_body
from exchange.web.caller import Caller, current_exchange
from exchange.webhooks.desk import WebhookDesk

routes = Blueprint("webhooks", __name__)
_LONGEST_OVERLAP = 30 * 24


@routes.get("/webhooks")
def list_webhooks() -> Response:
    """All of them, without their secrets."""
    return json_answer({"webhooks": _desk().every(caller_with("read").organisation.id)})


@routes.post("/webhooks")
def make_webhook() -> Response:
    """A new one: ``collection`` (id or alias), ``url``, and perhaps ``match`` (filter to values) and ``after``."""
    caller, body = caller_with("read"), json_body()
    _refuse_unknown(body, {"collection", "url", "match", "after"})
    if not isinstance(body.get("url"), str):
        raise UnprocessableError("The webhook has no url.", fix='Send {"collection": "…", "url": "https://…"}.')
    made = _desk().make(caller.credential, _collection(caller, body.get("collection")), body["url"],
                        _filters(body.get("match", {})), _place(body.get("after"), -1) or -1)
    return json_answer(made, 201)


@routes.get("/webhooks/<name>")
def show_webhook(name: str) -> Response:
    """One, with its dead letters."""
    return json_answer(_desk().show(caller_with("read").organisation.id, name))


@routes.delete("/webhooks/<name>")
def drop_webhook(name: str) -> Response:
    """Forget one."""
    _desk().drop(caller_with("read").organisation.id, name)
    return json_answer({})


@routes.post("/webhooks/<name>/stop")
def stop_webhook(name: str) -> Response:
    """Send nothing more until it is resumed."""
    return json_answer(_desk().stop(caller_with("read").organisation.id, name))


@routes.post("/webhooks/<name>/resume")
def resume_webhook(name: str) -> Response:
    """Go on with the caller's key, from where it stood or (``after``) from a date of adding."""
    caller, body = caller_with("read"), json_body()
    _refuse_unknown(body, {"after"})
    return json_answer(_desk().resume(caller.organisation.id, name, caller.credential, _place(body.get("after"), None)))


@routes.post("/webhooks/<name>/secret")
def new_secret(name: str) -> Response:
    """A new secret; for ``overlap_hours`` (24) the one before it signs too."""
    caller, body = caller_with("read"), json_body()
    _refuse_unknown(body, {"overlap_hours"})
    hours = body.get("overlap_hours", 24)
    if not isinstance(hours, int) or isinstance(hours, bool) or not 0 <= hours <= _LONGEST_OVERLAP:
        raise UnprocessableError("The overlap of the webhook's secrets is no number of hours.",
                                 fix=f"It is a whole number from 0 to {_LONGEST_OVERLAP}.")
    return json_answer(_desk().new_secret(caller.organisation.id, name, hours))


@routes.post("/webhooks/<name>/dead-letters/<int:number>/replay")
def replay_letter(name: str, number: int) -> Response:
    """Go back to where a dead letter begins."""
    return json_answer(_desk().replay(caller_with("read").organisation.id, name, number))


def _desk() -> WebhookDesk:
    return WebhookDesk(current_exchange())


def _refuse_unknown(body: dict[str, Any], known: set[str]) -> None:
    unknown = sorted(set(body) - known)
    if unknown:
        raise UnprocessableError(f"A webhook has no {unknown[0][:60]!r}.", fix=f"It has {', '.join(sorted(known))}.")


def _collection(caller: Caller, name: object) -> Collection:
    found = [c for c in caller.directory.collections.values() if name in (c.id, c.alias) and caller.may_read(c)]
    if len(found) != 1:
        raise NotFoundError("There is no such collection.", fix="Name one by its id." if found else "")
    return found[0]


def _filters(given: object) -> dict[str, list[str]]:
    """Filters by name; raises UnprocessableError for what is none."""
    if not isinstance(given, dict) or not all(
            name in FILTERS and isinstance(values, list) and 0 < len(values) <= 100
            and all(isinstance(one, str) and one for one in values) for name, values in given.items()):
        raise UnprocessableError("The webhook's match can't be read.",
                                 fix=f"It maps {', '.join(FILTERS)} to lists of at most 100 texts.")
    return given


def _place(text: object, absent: int | None) -> int | None:
    if text is None:
        return absent
    try:
        return microseconds(str(text))
    except ValueError:
        raise UnprocessableError("The webhook's after is no date of adding.",
                                 fix="It looks like 2026-01-31T12:00:00.000000Z.") from None
