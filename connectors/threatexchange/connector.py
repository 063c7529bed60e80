"""Follows a privacy group of Meta ThreatExchange: its updates in the order of time, deletions included.

The list of updates (``threat_updates``) is read from the time of the last one seen. Deletions are kept there for 90
days: a checkpoint that is older than 85 counts as lost, and everything is fetched again. Where a group has no such
list, ``--option feed=threat_descriptors`` reads the search of descriptors, which tells of no deletion.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, ClassVar

from connectors.threatexchange.opinion import ids, opinion
from connectors.threatexchange.terms import Circle, Object
from exchange.connect.contract import Batch, Connector, Outcome, Row
from exchange.connect.graph import Graph, next_cursor
from exchange.connect.source import Option, Source
from exchange.connect.threatexchange import NAME, pairs, seconds
from exchange.errors import InputError

FORMAT = 1
STALE_DAYS = 85
_DAY = 86_400
_PAGE = 200
"""Records per page: each comes with all its descriptors."""
_MAX_OWNERS = 2_000
"""Owners that are remembered, to know what a deletion takes back."""
_DESCRIPTOR = ("id", "raw_indicator", "type", "owner", "status", "severity", "confidence", "description", "share_level",
               "privacy_type", "privacy_members", "added_on", "last_updated", "expired_on", "tags", "reactions",
               "my_reactions")  # fmt: skip
_FIELDS = {
    "threat_updates": f"id,indicator,type,last_updated,should_delete,descriptors{{{','.join(_DESCRIPTOR)}}}",
    "threat_descriptors": ",".join(("indicator", *_DESCRIPTOR)),
}
_RANK: tuple[Outcome, ...] = ("quarantined", "indicator", "note")


@dataclass
class Standing:
    """Where the reading of a source stands."""

    since: int = 0
    """Unix seconds that this run begins at."""
    latest: int = 0
    """The latest time of an update that was seen."""
    begun: int = 0
    """When this run began; of a finished one: how fresh the copy is."""
    cursor: Mapping[str, str] | None = None
    row: int = 0
    """Records without an id so far."""
    owners: dict[str, None] = field(default_factory=dict)
    again: bool = False
    """Whether an earlier run brought something, so that what is missing now may have to be withdrawn."""

    def record(self, done: bool) -> dict[str, Any]:
        """JSON values for a checkpoint; never an address or a token."""
        known = {"format": FORMAT, "latest": self.latest, "begun": self.begun, "owners": list(self.owners)}
        if done:
            return known
        return {**known, "since": self.since, "cursor": dict(self.cursor or {}), "row": self.row, "again": self.again}


def standing(checkpoint: Mapping[str, Any] | None, now: int) -> tuple[Standing, int]:
    """Where to go on, and how many days too old the checkpoint was (0: it can be used)."""
    fresh = Standing(begun=now)
    said = checkpoint or {}
    numbers = [said.get(name) for name in ("latest", "begun")]
    owners = said.get("owners")
    if said.get("format") != FORMAT or not all(type(one) is int and one >= 0 for one in numbers):
        return fresh, 0
    fresh.owners = {str(one): None for one in owners} if isinstance(owners, list) else {}
    fresh.again = True
    age = (now - int(said["begun"])) // _DAY
    if age >= STALE_DAYS:
        return fresh, age
    cursor, since, row = said.get("cursor"), said.get("since"), said.get("row")
    latest, begun = int(said["latest"]), int(said["begun"])
    if isinstance(cursor, Mapping) and type(since) is int and type(row) is int:
        told = {str(name): str(value) for name, value in cursor.items()}
        return Standing(since, latest, begun, told or None, row, fresh.owners, said.get("again") is True), 0
    return Standing(max(latest - 1, 0), latest, now, None, 0, fresh.owners, True), 0


class ThreatExchange(Connector):
    """The connector ``threatexchange``."""

    name = NAME
    title = "Meta ThreatExchange: a privacy group's updates (https://graph.facebook.com/vNN.0/PRIVACY_GROUP)"
    options: ClassVar[Mapping[str, Option]] = {
        "feed": Option("threat_updates, or threat_descriptors where the group has no updates", "threat_updates"),
        "types": Option("types of indicators, with commas; all where empty"),
        "groups": Option("which sharing group here stands for a privacy group: 123=trust-circle,456=…"),
        "members": Option("which organisation here stands for an app on a whitelist: 123=org-alpha,456=…"),
    }
    secrets: ClassVar[Mapping[str, str]] = {"token": "access token of the app: APP_ID|APP_SECRET"}
    lasting = True
    stale_after = timedelta(days=2)

    def fetch(self, source: Source, checkpoint: Mapping[str, Any] | None) -> Iterator[Batch]:
        """A batch per page, from the time of the last update on.

        A row is a record of the list; its number is the id that it has there, so that a later run that brings it
        again settles the same row (one without an id is counted). Raises InputError, UnauthorizedError,
        ForbiddenError or UnavailableError for the list as a whole.
        """
        feed = source.option("feed") or "threat_updates"
        if feed not in _FIELDS:
            raise InputError(f"The option feed is {feed!r}.", fix=f"Use one of {', '.join(_FIELDS)}.")
        place, group = _place(source.url, feed)
        circle = Circle(group, pairs(source.option("groups"), "groups"), pairs(source.option("members"), "members"))
        graph = Graph(source.web, source.secret("token"))
        now = int(source.now().timestamp())
        state, stale = standing(checkpoint, now)
        name = f"{group}/{feed}" if group else feed
        if stale:
            told = Row(name, 0, "note", (), _REFETCH.format(stale))
            yield Batch(rows=(told,), checkpoint=state.record(False))
        for page in graph.pages(f"{place}/{feed}", _params(source, feed, state), state.cursor):
            whole = [_completed(graph, place.rpartition("/")[0], record) for record in page.records]
            yield _batch(whole, page.cursor, name, circle, state, now)


_REFETCH = (
    "The last run is {} days old, and deletions are told for 90 days: everything is fetched again. What was deleted"
    " meanwhile stays here until its retention ends; withdraw it by hand where that is known."
)


def _place(url: str, feed: str) -> tuple[str, str]:
    """The address above the list, and the privacy group; raises InputError where there is none."""
    place = url.removesuffix(f"/{feed}").rstrip("/")
    last = place.rpartition("/")[2]
    if feed == "threat_descriptors":
        return place, ""
    if not re.fullmatch(r"(?!v\d+(?:\.\d+)?\Z)[\w-]+", last):
        raise InputError(f"{url} names no privacy group.", fix="Name it like https://graph.facebook.com/v25.0/123456789.")
    return place, last


def _params(source: Source, feed: str, state: Standing) -> dict[str, str]:
    params = {"fields": _FIELDS[feed], "limit": str(_PAGE)}
    types = ",".join(filter(None, (one.strip() for one in source.option("types").split(","))))
    if types:
        params["types" if feed == "threat_updates" else "type"] = types
    if feed == "threat_descriptors":
        params["include_expired"] = "true"
    if state.since:
        params["start_time" if feed == "threat_updates" else "since"] = str(state.since)
    return params


def _completed(graph: Graph, root: str, record: Any) -> Any:
    """The record with all its descriptors, where the list holds only the first of them."""
    part = record.get("descriptors") if isinstance(record, Mapping) else None
    if not isinstance(part, Mapping) or not isinstance(part.get("data"), list):
        return record
    rest = next_cursor(part, root)
    if rest is None:
        return record
    more = [one for page in graph.pages(f"{root}/{record.get('id')}/descriptors", {}, rest) for one in page.records]
    return {**record, "descriptors": {"data": [*part["data"], *more]}}


def _batch(
    records: Sequence[Any], cursor: Mapping[str, str] | None, name: str, circle: Circle, state: Standing, now: int
) -> Batch:
    objects: dict[str, Object] = {}
    rows: list[Row] = []
    withdrawn: dict[str, None] = {}
    for record in records:
        made, row, gone = _record(record, Row(name, _number(record, state), "note"), circle, state)
        for one in made:
            objects[one["id"]] = one
        withdrawn |= dict.fromkeys(gone)
        rows.append(row)
    state.cursor = cursor
    done = cursor is None
    past = max(state.latest - state.since, 0)
    share = 1.0 if done else past / (now - state.since) if state.since and now > state.since else None
    left = tuple(one for one in withdrawn if one not in objects)
    return Batch(tuple(objects.values()), tuple(rows), state.record(done), share, left)


def _number(record: Any, state: Standing) -> int:
    number = str(record.get("id")) if isinstance(record, Mapping) else ""
    if number.isascii() and number.isdigit() and len(number) < 19:
        return int(number)
    state.row += 1
    return state.row


def _record(record: Any, row: Row, circle: Circle, state: Standing) -> tuple[list[Object], Row, list[str]]:
    """What goes in of one record, its row, and what it takes back."""
    thing, descriptors = _opened(record)
    if not thing:
        return [], replace(row, outcome="quarantined", reason="The record has no id of a thing.", raw=_raw(record)), []
    state.latest = max(state.latest, seconds(record.get("last_updated")) or 0)
    if record.get("should_delete") is True:
        gone = [one for owner in state.owners for one in ids(circle, thing, owner)]
        return [], Row(row.file, row.row, "note", (), f"{thing}: deleted there, so it is withdrawn."), gone
    if not descriptors:  # they come and go (facebook/ThreatExchange#834); a deletion would say so
        return [], Row(row.file, row.row, "note", (), f"{thing}: no descriptor that can be seen; nothing changes."), []
    owners: dict[str, list[Mapping[str, Any]]] = {}
    for one in sorted(descriptors, key=lambda told: (seconds(told.get("last_updated")) or 0, str(told.get("id")))):
        stated = one.get("owner")
        owners.setdefault(str(stated.get("id") or "") if isinstance(stated, Mapping) else "", []).append(one)
    found = {owner: opinion(circle, {**record, "id": thing}, owner, ones) for owner, ones in owners.items()}
    state.owners |= dict.fromkeys(list(found)[: _MAX_OWNERS - len(state.owners)])
    made = {one["id"]: one for told in found.values() for one in told.objects}
    known = state.owners if state.again else ()
    gone = [one for owner in known for one in ids(circle, thing, owner) if one not in made]
    outcome = next(rank for rank in _RANK if any(told.outcome == rank for told in found.values()))
    reasons = dict.fromkeys(told.reason for told in found.values() if told.reason)
    stands = tuple(one for told in found.values() for one in told.ids)
    reason = "; ".join([thing, *reasons]) if reasons else ""
    raw = _raw(record) if outcome == "quarantined" else ""
    return list(made.values()), Row(row.file, row.row, outcome, stands, reason, raw), gone


def _raw(record: Any) -> str:
    return json.dumps(record, ensure_ascii=False)


def _opened(record: Any) -> tuple[str, list[Mapping[str, Any]]]:
    """Id of the thing and its descriptors, of an update or of a descriptor that tells its thing."""
    if not isinstance(record, Mapping):
        return "", []
    thing = record.get("indicator")
    if isinstance(thing, Mapping):
        return str(thing.get("id") or ""), [{**record, "raw_indicator": record.get("raw_indicator")
                                             or thing.get("indicator"), "type": record.get("type")
                                             or thing.get("type")}]  # fmt: skip
    stated = record.get("descriptors")
    if isinstance(stated, Mapping):
        stated = stated.get("data")
    found = [one for one in stated if isinstance(one, Mapping)] if isinstance(stated, list) else []
    return str(record.get("id") or ""), found
