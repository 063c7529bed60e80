"""Contributors' records, and how far an object may be relied on (R29)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from exchange.cases.ownership import is_public_authority, ownership_groups
from exchange.errors import NotFoundError
from exchange.model.party import Organisation
from exchange.web.api.exchange_json import caller_with, json_answer
from exchange.web.caller import current_caller, current_exchange

routes = Blueprint("records", __name__)


@routes.get("/objects/<stix_id>/standing")
def standing(stix_id: str) -> Response:
    """Stage, contributors and their records, by what the caller sees; an invisible object is an unknown one (P16)."""
    caller, exchange = caller_with("read"), current_exchange()
    if len(stix_id) > 512 or not stix_id.isprintable():
        raise NotFoundError("There is no such object.")
    readable = [one.id for one in caller.directory.collections.values() if caller.may_read(one)]
    reader = exchange.reader(caller.directory, caller.organisation, caller.credential, caller.narrower_purpose,
                             caller.now)
    return json_answer(exchange.cases.standing(stix_id, readable, reader, caller.now))


@routes.get("/records")
def records() -> Response:
    """The caller's own record in full, and what all members may know of every contributor's.

    ``group`` names the first of the listed contributors that belong together; ``exchange`` is the STIX identity whose
    marks of dispute are the exchange's own.
    """
    caller, exchange = current_caller(), current_exchange()
    found = exchange.cases.records.published(caller.now)
    groups = ownership_groups(caller.directory.organisations.values())
    first: dict[str, str] = {}
    for one in sorted(found, key=lambda record: record.org):
        first.setdefault(groups.get(one.org, one.org), one.org)
    return json_answer({
        "own": exchange.cases.records.own(caller.organisation.id, caller.now),
        "exchange": exchange.identity,
        "records": [{"org": one.org, "confirmed": one.confirmed, "overturned": one.overturned,
                     **_who(caller.directory.organisations.get(one.org), first[groups.get(one.org, one.org)])}
                    for one in found],
    })


def _who(organisation: Organisation | None, group: str) -> dict[str, Any]:
    """What a matcher needs to know a contributor's objects in a feed, and whose word is whose."""
    if organisation is None:
        return {}
    return {"public_authority": is_public_authority(organisation), "group": group,
            **({"identity": organisation.identity} if organisation.identity else {})}
