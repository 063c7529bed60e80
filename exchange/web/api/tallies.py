"""Whether a member has everything (``/api/v1/collections/ID/tally``): count and root of what it may have up to a date.

The last version that the caller may see of each object counts, as in a TAXII manifest without filters. A client that
applied all revisions and notices comes to the same root (``exchange.stix.tally``).
"""

from __future__ import annotations

import orjson
from flask import Blueprint, Response, request

from exchange.errors import BadRequestError, NotFoundError
from exchange.feed.page import manifest_page
from exchange.feed.query import Asked
from exchange.stix.tally import Tally
from exchange.stix.timestamp import from_microseconds, microseconds
from exchange.store.objects import Filter
from exchange.web.api.exchange_json import json_answer, one_argument
from exchange.web.caller import current_caller, current_exchange

routes = Blueprint("tallies", __name__)


@routes.get("/collections/<collection>/tally")
def tally(collection: str) -> Response:
    """``until`` is a date of adding, that one included; without it everything counts."""
    caller, exchange = current_caller(), current_exchange()
    found = [c for c in caller.directory.collections.values() if collection in {c.id, c.alias} and caller.may_read(c)]
    if len(found) != 1:
        raise NotFoundError("There is no such collection.")
    until = _until(one_argument("until"))
    reader = exchange.reader(caller.directory, caller.organisation, caller.credential, caller.narrower_purpose,
                             caller.now, encrypted=request.is_secure)
    tallied, place, seen = Tally(), -1, -1
    while place < until:
        asked = Asked(Filter(after=place, limit=exchange.settings.page_size), None, "")
        page = exchange.page(manifest_page, found[0], reader, "", asked)
        if not page.found:
            break
        for record in orjson.loads(page.body)["objects"]:
            added = microseconds(record["date_added"])
            if added <= until:
                seen = added
                has_version = record["version"] != record["date_added"] and not _unversioned(record["id"])
                tallied.add(record["id"], record["version"] if has_version else "")
        place = microseconds(str(page.last))
    return json_answer({"collection": found[0].id, "until": None if seen < 0 else from_microseconds(seen),
                        "count": tallied.count, "root": tallied.root})


def _unversioned(stix_id: str) -> bool:
    """Whether the object has no ``modified``: its version in a manifest is ``created``."""
    return stix_id.startswith("marking-definition--")


def _until(text: str | None) -> int:
    if text is None:
        return 1 << 62
    try:
        return microseconds(text)
    except ValueError:
        raise BadRequestError("until is no date of adding.", fix="It looks like 2026-01-31T12:00:00.000000Z.") from None
