"""AI labs' cluster reports by POST (``/api/v1/ai-cluster-reports``): all of a form goes in, or nothing does.

A form with faults is answered with every one of them; what the policy refuses is told object by object, as for a
push. The same form twice adds nothing.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import orjson
from flask import Blueprint, Response, current_app, request

from exchange.ailab.check import MOST_BYTES, checked
from exchange.ailab.convert import to_stix
from exchange.ailab.fault import FormRefusedError
from exchange.ailab.terms import PACK
from exchange.errors import (
    BadRequestError,
    ExchangeError,
    ForbiddenError,
    NotFoundError,
    TooLargeError,
    UnavailableError,
)
from exchange.intake.status import Told
from exchange.model.party import Collection
from exchange.store.objects import Filter, Versions
from exchange.web.api.exchange_json import caller_with, json_answer, json_body, one_argument
from exchange.web.caller import Caller, current_exchange

routes = Blueprint("ai_cluster_reports", __name__)
_AT_ONCE = 2


class ReportOutdatedError(ExchangeError):
    """Another version of the report is here already, or it was withdrawn."""

    status = 409
    code = "report-outdated"
    exit_code = 2


@routes.post("/ai-cluster-reports")
def take_report() -> Response:
    """Take a form into ``collection`` (id or alias; may be left out by who writes to one only)."""
    caller = caller_with("write")
    collection = _collection(caller, one_argument("collection"))
    if (request.content_length or 0) > MOST_BYTES:
        raise TooLargeError(f"A report has at most {MOST_BYTES:,} bytes.", fix="Send several reports.")
    try:
        with _reading(caller.organisation.id):
            form = checked(json_body(), _let_others)
    except FormRefusedError as refused:
        return json_answer({
            "title": "The report has faults; nothing of it was stored.", "http_status": "422",
            "error_code": refused.code, "faults": [fault.as_json() for fault in refused.faults],
        }, 422)
    objects = to_stix(form)
    _check_standing(caller, collection, objects)
    return _store(caller, collection, form, objects)


@contextmanager
def _reading(org: str) -> Iterator[None]:
    """Raises UnavailableError (503 with Retry-After) while a worker reads two reports of the organisation: to look
    through all its texts takes seconds."""
    open_now: Counter[str] = current_app.extensions.setdefault("reports", Counter())
    if open_now[org] >= _AT_ONCE:
        raise UnavailableError("Reports of your organisation are being read.", fix="Send one after the other.")
    open_now[org] += 1
    try:
        yield
    finally:
        open_now[org] -= 1


def _let_others() -> None:
    """Other requests of this worker have their turn."""
    time.sleep(0)


def _store(
    caller: Caller, collection: Collection, form: Mapping[str, Any], objects: Sequence[Mapping[str, Any]]
) -> Response:
    exchange, receipt = current_exchange(), str(uuid4())
    packs = exchange.policy.of(caller.organisation.id)
    if PACK not in packs.sharing:
        raise ForbiddenError(f"This exchange takes no cluster reports: its policy has no pack {PACK}.",
                             fix="Ask its operator.")
    terms = packs.terms(PACK)
    told = exchange.add(caller.organisation, caller.credential, collection, [orjson.dumps(one) for one in objects],
                        caller.now, terms=terms, status_id=receipt, whole=True)
    if len(told) == len(objects):
        told = _renewed(caller, collection, objects, told, terms)
    rows = [_row(one) for one in told]
    if len(told) < len(objects):
        return json_answer({
            "title": "The policy refuses objects of the report; nothing of it was stored.", "http_status": "422",
            "error_code": rows[0]["code"], "objects": rows,
        }, 422)
    states = [row["outcome"] for row in rows]
    answer = json_answer({
        "report_id": form["report_id"], "version": form["version"], "status": "complete", "receipt": receipt,
        "total_count": len(rows), "added": states.count("added"), "unchanged": states.count("unchanged"),
        "refused": states.count("refused"), "objects": rows,
    })
    answer.headers["CIBX-Receipt"] = receipt
    return answer


def _renewed(
    caller: Caller, collection: Collection, objects: Sequence[Mapping[str, Any]], told: Sequence[Told],
    terms: Mapping[str, Any],
) -> list[Told]:
    """Accounts of which this report tells other identifiers than before: observables have no versions (STIX 2.1, 3.6),
    so the new telling takes the place of the old one, and whoever pulls gets it."""
    exchange, answers = current_exchange(), list(told)
    for place, (one, said) in enumerate(zip(objects, told, strict=True)):
        if one["type"] != "user-account" or said.outcome.state != "unchanged" or not said.outcome.sentence:
            continue
        known = _known(caller, collection, one)
        if known is None or known[1] == one:
            continue
        every = Filter(ids=(one["id"],), versions=Versions(frozenset({"all"})))
        exchange.withdraw(caller.organisation, caller.credential, collection, one["id"], every, caller.now)
        answers[place], = exchange.add(caller.organisation, caller.credential, collection, [orjson.dumps(one)],
                                       caller.now, terms=terms)
    return answers


def _row(told: Told) -> dict[str, Any]:
    outcome = told.outcome
    row = {"id": outcome.id, "version": told.version, "outcome": outcome.state}
    return row | {name: word for name, word in (("code", outcome.code), ("sentence", outcome.sentence)) if word}


def _check_standing(caller: Caller, collection: Collection, objects: Sequence[Mapping[str, Any]]) -> None:
    """Raise ReportOutdatedError where a newer version is here, the same one says something else, or it is withdrawn.

    Looked at are the report and its campaign; of the rest the answer tells object by object.
    """
    report = objects[-1]
    found = _known(caller, collection, report)
    if found is None:
        return
    state, known = found
    if known == report:
        for one in objects:
            other = _known(caller, collection, one) if one["type"] == "campaign" else None
            if other and other[1]["modified"] == one["modified"] and other[1] != one:
                raise _said()
        return
    if state == "revoked" or known.get("revoked"):
        raise ReportOutdatedError("report_id: this report was withdrawn, and no version follows that.",
                                  fix="Send what is new under a report_id of its own.")
    if known["modified"] > report["modified"]:
        raise ReportOutdatedError("version: a newer version of this report is here already.",
                                  fix="Send the newest version, with a later time in published.")
    if known["modified"] == report["modified"]:
        raise _said()


def _said() -> ReportOutdatedError:
    return ReportOutdatedError("version: this version of the report is here already and says something else.",
                               fix="Raise version, and published with it.")


def _known(
    caller: Caller, collection: Collection, one: Mapping[str, Any]
) -> tuple[str, Mapping[str, Any]] | None:
    """State and content of the newest version that the caller gave of an object."""
    found = current_exchange().obligations.newest_body(one["id"], caller.organisation.id, collection.id)
    return None if found is None else (found[0], orjson.loads(found[1]))


def _collection(caller: Caller, name: str | None) -> Collection:
    found = [c for c in caller.directory.collections.values() if name in {None, c.id, c.alias} and caller.may_write(c)]
    if len(found) == 1:
        return found[0]
    if name is None:
        raise BadRequestError("The parameter collection is missing.", fix="Name the collection by id or alias.")
    raise NotFoundError("There is no such collection that this credential may write to.",
                        fix="Name one by its id." if found else "")
