"""OpenCTI's live stream: each event in its order, until the stream is idle, and on from there the next time.

Events (version 4) come as ``create`` and ``update`` with the object as it is now, ``delete``, and ``merge`` with the
objects that went into another. The id of the last event that was dealt with is the checkpoint; a replay makes the
same objects again. A first run, and one whose last event the server's stream no longer holds, asks for recovery: all
objects up to now, then the live events (OpenCTI takes ``from`` and ``recover`` for both).

A stream shows one object at a time, so an indicator is made only where one relationship says who operates what, and
its value came in the same run (OpenCTI sends what a relationship needs before it) or is told with it, unmarked.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec

from connectors.opencti import reach
from connectors.opencti.derive import LEGITIMATE, derive, indicator_id, made_of
from connectors.opencti.memory import Standing, read_standing
from connectors.opencti.operated import ACTORS, VALUES, direct, kind_of, read_link, victim
from exchange.connect.contract import Batch, Outcome, Row
from exchange.connect.source import Option, Source
from exchange.connect.sse import MAX_EVENT_BYTES, Event, events
from exchange.connect.stix_objects import Object, as_told, parsed, take
from exchange.errors import InputError, UnavailableError
from exchange.outbound.call import shown
from exchange.stix.fault import StixFault

OPTIONS: Mapping[str, Option] = {
    "idle": Option("A stream: end the run after this many seconds without an event.", default="30"),
    "seconds": Option("A stream: end the run after this many seconds; the next one goes on.", default="600"),
    "events": Option("A stream: end the run after this many events.", default="1000000"),
    "from": Option("A stream: the first run begins after this event id, such as 1620249512318-0, without recovery."),
}
_RECORDS = frozenset({"create", "update", "delete", "merge"})
_OF_STREAM = frozenset({"connected", "no-recover"})
_ID = re.compile(r"(\d{1,16})(?:-(\d{1,16}))?")
_CHANGES_ALL = ("/object_marking_refs", "/revoked", "/labels", "/name", "/value", "/account_login", "/user_id")
"""Changes of a value after which what was made of it no longer holds, unless it is made anew."""


class _Told(msgspec.Struct):
    """An event's data; what isn't needed is left out."""

    data: msgspec.Raw = msgspec.Raw(b"null")
    scope: str = "external"
    context: dict[str, Any] | None = None


def follow(source: Source, checkpoint: Mapping[str, Any] | None) -> Iterator[Batch]:
    """The stream's events from the checkpoint on, one batch each, until one of the options ends the run.

    Raises InputError for an address that is no stream, and as ``Web`` does.
    """
    limits = {name: _number(source, name) for name in ("idle", "seconds", "events")}
    at = read_standing(checkpoint)
    if not at.id:
        at.id = source.option("from")
        at.recover = "" if at.id else _iso(source.now())
    reader = _Reader(urlsplit(source.url).path, at)
    for again in (False, True):
        missed = False
        with closing(_listen(source, reader.at, limits)) as heard:
            for event in heard:
                if event.name in _RECORDS:
                    yield reader.take(event)
                elif event.name == "no-recover":
                    at.recover = ""
                    yield reader.tell("The stream is filtered by origin, so OpenCTI recovers nothing: objects from"
                                      " before this run didn't come. Bring them by an export.")
                elif at.id and not at.recover and not again and _missed(event, at.id):
                    missed = True
                    break
        if not missed:
            return
        at.recover = _iso(source.now())
        yield reader.tell(f"The stream begins after event {at.id[:40]}, the last that was read. Objects are recovered;"
                          " what was deleted in between isn't known: compare with an export, and run more often.")


def _listen(source: Source, at: Standing, limits: Mapping[str, int]) -> Generator[Event, None, None]:
    """The events that matter, until the stream is idle, has gone on for long, or ends."""
    params = {"from": at.id or "0-0", "listen-delete": "true", "no-dependencies": "false", "with-inferences": "false"}
    if at.recover:
        params["recover"] = at.recover
    headers = {"Accept": "text/event-stream", **({"Last-Event-ID": at.id} if at.id else {})}
    begun = latest = source.now()
    done, spoke = 0, False
    try:
        with source.web.stream(source.url, params=params, headers=headers, auth=source.secrets.get("token") or None,
                               idle_seconds=float(limits["idle"]), limit=MAX_EVENT_BYTES) as lines:
            for event in events(lines):
                now, spoke = source.now(), True
                if event.name in _RECORDS or event.name in _OF_STREAM:
                    latest = now
                    done += event.name in _RECORDS
                    yield event
                if (done >= limits["events"] or (now - latest).total_seconds() >= limits["idle"]
                        or (now - begun).total_seconds() >= limits["seconds"]):
                    return
    except UnavailableError:
        if not spoke or (source.now() - latest).total_seconds() < limits["idle"]:
            raise  # broken, and not only silent
    if not spoke:  # OpenCTI begins every stream with an event
        raise InputError(f"{shown(source.url)} is no stream of events.",
                         fix="Name the stream's address, which ends in /stream/ID, as OpenCTI shows it.")


class _Reader:
    """Makes a batch of each event."""

    def __init__(self, place: str, at: Standing) -> None:
        self.at = at
        self._place = place
        self._known = at.memory

    def take(self, event: Event) -> Batch:
        """What one event brings; whatever is wrong with it, it is one row."""
        self.at.rows += 1
        row = Row(self._place, self.at.rows, "note", (), f"Event {event.id[:40]}: {event.name}.")
        withdrawn: list[str] = []
        upserts: list[Object] = []
        try:
            told = msgspec.json.decode(event.data, type=_Told)
            if told.scope == "internal":
                row = replace(row, outcome="blank", reason=f"{row.reason} It is OpenCTI's own affair.")
            elif event.name == "delete":
                withdrawn = self._deleted(parsed(bytes(told.data)))
                row = replace(row, reason=f"{row.reason} Its source took it back.")
            else:
                upserts, withdrawn, row = self._changed(told, row)
        except (msgspec.DecodeError, RecursionError):
            row = replace(row, outcome="quarantined", reason=f"{row.reason} Its data can't be read.",
                          raw=as_told(event.data.encode()))
        except StixFault as fault:
            row = replace(row, outcome="quarantined", reason=f"{row.reason} {fault.code}: {fault.sentence}",
                          raw=as_told(event.data.encode()))
        if event.id:
            self.at.id = event.id
            if self.at.recover and _time_of(event.id) >= _milliseconds(self.at.recover):
                self.at.recover = ""
        return Batch(tuple(upserts), (row,), self.at.as_record(), None, tuple(dict.fromkeys(withdrawn)))

    def tell(self, reason: str) -> Batch:
        """What no event brings but a person has to know, as a row in quarantine."""
        self.at.rows += 1
        return Batch((), (Row(self._place, self.at.rows, "quarantined", reason=reason),), self.at.as_record())

    def _changed(self, told: _Told, row: Row) -> tuple[list[Object], list[str], Row]:
        taken = take(parsed(bytes(told.data)))
        item, context = taken.item, told.context or {}
        identifier = str(item["id"])
        withdrawn = self._replaced(identifier, context)
        fault = reach.restriction(item)
        if fault is not None:  # what was there before goes too
            raw = as_told(bytes(told.data))
            return [], withdrawn + self._deleted(item), replace(
                row, outcome="quarantined", reason=f"{row.reason} {fault.code}: {fault.sentence}", raw=raw)
        note = reach.without_foreign_names(item)
        made: list[Object] = []
        reason = ""
        if item["type"] == "relationship":
            made, gone, reason = self._related(item)
            withdrawn += gone
        elif item["type"] in VALUES:
            self._known.value(item)
            made, reason = self._made(identifier)
            if not made and (item.get("revoked") is True or _touched(context, _CHANGES_ALL)):
                withdrawn += made_of(identifier, self._known.actors)
            elif made and made[0]["indicator_types"] == ["benign"]:
                others = made_of(identifier, self._known.actors)
                withdrawn += [one for one in others if one != indicator_id(identifier, "")]
        words = " ".join(filter(None, (row.reason, taken.note, note, reason)))
        outcome: Outcome = "indicator" if made else "repaired" if note else taken.outcome
        return [item, *made], withdrawn, replace(
            row, outcome=outcome, ids=(identifier, *(one["id"] for one in made)), reason=words)

    def _related(self, item: Object) -> tuple[list[Object], list[str], str]:
        """What a relationship makes of its value, what it takes back, and why it makes nothing."""
        link = read_link(item)
        if link is None:
            return [], self._unsaid(item), ""
        hit = victim(link)
        if hit:
            self._known.victim(hit)
            return [], list(made_of(hit, self._known.actors)), ""
        claim = direct(link)
        if claim is None or not claim.actor:
            return [], [], ""
        self._known.claim(claim)
        if claim.value not in self._known.values:
            alone = _value_of(item, claim.value)
            if alone is None:
                return [], [], ("No indicator: the value didn't come lately, and its markings aren't known;"
                                " a recovery or an export brings it.")
            made, reason = derive(alone, [claim])
            return made, [], reason
        made, reason = self._made(claim.value)
        return made, [], reason

    def _made(self, value: str) -> tuple[list[Object], str]:
        item, claims = self._known.values[value], self._known.claims.get(value, {})
        if value in self._known.victims or item.get("revoked") is True:
            return [], ""
        if not claims and not {label.casefold() for label in reach.labels(item)} & LEGITIMATE:
            return [], ""
        return derive(item, claims.values())

    def _deleted(self, item: Object) -> list[str]:
        """Ids that go with an object that its source deleted, or that no longer fits the stream."""
        identifier = item.get("id")
        if not isinstance(identifier, str):
            raise StixFault("stix-id-invalid", "id", "A deletion without an id deletes nothing.")
        gone = [identifier]
        kind = kind_of(identifier)
        if kind == "relationship":
            gone += self._unsaid(item)
        elif kind in VALUES:
            self._known.forget(identifier)
            gone += made_of(identifier, self._known.actors)
        elif kind in ACTORS:
            for value, claims in self._known.claims.items():
                if claims.pop(identifier, None) is not None:
                    gone += _of_claim(value, identifier)
        return gone

    def _unsaid(self, item: Mapping[str, Any]) -> list[str]:
        """What was made because of a relationship that holds no longer."""
        link = read_link({**item, "revoked": False})
        claim = direct(link) if link else None
        if claim is None or not claim.actor:
            return []
        self._known.claims.get(claim.value, {}).pop(claim.actor, None)
        return _of_claim(claim.value, claim.actor)

    def _replaced(self, identifier: str, context: Mapping[str, Any]) -> list[str]:
        """Ids under which the object was known before: of merged objects, and its own former one."""
        sources = context.get("sources")
        former = [one.get("id") for one in sources if isinstance(one, dict)] if isinstance(sources, list) else []
        former += [one.get("value") for one in _patches(context.get("reverse_patch")) if one.get("path") == "/id"]
        gone: list[str] = []
        for old in former:
            if isinstance(old, str) and old != identifier and "--" in old:
                gone += self._deleted({"id": old}) if kind_of(old) != "relationship" else [old]
        return gone


def _of_claim(value: str, actor: str) -> list[str]:
    return [one for one in made_of(value, [actor]) if one not in made_of(value, [])]


def _value_of(relationship: Mapping[str, Any], value: str) -> Object | None:
    """The value as OpenCTI tells it with the relationship, where it says that it bears no marking; else None."""
    told = reach.octi(relationship)
    side = "source" if relationship.get("source_ref") == value else "target"
    text = told.get(f"{side}_value")
    if not isinstance(text, str) or not reach.is_open(told, side):
        return None
    return {"type": kind_of(value), "id": value, "name": text, "value": text}


def _touched(context: Mapping[str, Any], paths: Iterable[str]) -> bool:
    return any(str(one.get("path")).startswith(tuple(paths)) for one in _patches(context.get("patch")))


def _patches(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _missed(connected: Event, last: str) -> bool:
    """Whether the server's stream begins after the event that came last: those between them are lost."""
    try:
        first = msgspec.json.decode(connected.data).get("firstEventId")
    except (msgspec.DecodeError, AttributeError):
        return False
    return isinstance(first, str) and _time_of(first) > _time_of(last) > 0


def _time_of(identifier: str) -> int:
    """Milliseconds since 1970 of an event id; 0 for another kind of id."""
    match = _ID.fullmatch(identifier)
    return int(match[1]) if match else 0


def _milliseconds(text: str) -> int:
    try:
        return int(datetime.fromisoformat(text).timestamp() * 1_000)
    except ValueError:
        return 0


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _number(source: Source, name: str) -> int:
    text = source.option(name) or OPTIONS[name].default
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= 100_000_000:
        raise InputError(f"The option {name} is {text[:40]!r}, no number from 1 on.", fix=f"Such as {name}=60.")
    return int(text)
