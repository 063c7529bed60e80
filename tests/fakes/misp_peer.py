"""A MISP server that speaks as much of its REST interface as we use, with the manners that real ones have.

    with MispPeer([event(…)]) as peer:
        peer.url, peer.too_large.add(uuid), peer.sent

Lists have no total and no "pages left"; a page beyond the last is empty. An event in ``too_large`` exhausts the
server's memory (500) when it is asked for as a whole.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Self

from exchange.connect.source import Source
from tests.fakes.quick_web import quick_web
from tests.fakes.web_peer import Answer, Asked, WebPeer

Record = dict[str, Any]
KEY = "lorem-ipsum-key-0123456789"


@dataclass
class MispPeer:
    """The server: ``events`` as MISP holds them, with deleted attributes."""

    events: list[Record]
    largest_page: int = 3
    """Whatever limit is asked for, a page of the list holds no more."""
    ignores_page: bool = False
    """The first page comes again for every page."""
    too_large: set[str] = field(default_factory=set)
    forbidden: set[str] = field(default_factory=set)
    """Events that are listed and refused (403)."""
    sighted: dict[str, str] = field(default_factory=dict)
    """When an event was sighted last."""
    swapped: bool = False
    """Another event is sent than the one that was asked for."""
    frozen: bool = False
    """Nothing may be written (403)."""
    broken: int = 0
    """Status of every write, where it isn't 0."""
    written: list[tuple[str, Record]] = field(default_factory=list)
    """Path and event of each write."""
    asked: list[tuple[str, Record]] = field(default_factory=list)
    web: WebPeer = field(default_factory=WebPeer)

    def __post_init__(self) -> None:
        self.web.fallback = self._answer

    @property
    def url(self) -> str:
        return self.web.url("")

    def source(self, **options: str) -> Source:
        """The source, with the right key."""
        return Source(self.url, options, {"key": KEY}, quick_web())

    def __enter__(self) -> Self:
        self.web.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.web.__exit__()

    def _answer(self, asked: Asked) -> Answer:
        if asked.headers.get("authorization") != KEY:
            return Answer(401 if "authorization" not in asked.headers else 403, b'{"name":"Authentication failed"}')
        body = json.loads(asked.body or b"{}")
        self.asked.append((asked.path, body))
        route = {"/events/index": self._index, "/events/restSearch": self._search,
                 "/objects/restSearch": self._objects, "/attributes/restSearch": self._attributes}.get(asked.path)
        if route is not None:
            return route(body)
        return self._write(asked.path, body) if asked.path.startswith(("/events/add", "/events/edit/")) else Answer(404)

    def _page(self, found: list[Any], body: Record) -> list[Any]:
        size = min(int(body.get("limit", 60)), self.largest_page)
        first = 0 if self.ignores_page else (int(body.get("page", 1)) - 1) * size
        return found[first : first + size]

    def _index(self, body: Record) -> Answer:
        rows = [{"id": str(number), "uuid": one["uuid"], "timestamp": one["timestamp"], "published": one["published"],
                 "sighting_timestamp": self.sighted.get(one["uuid"], "0"), "orgc_uuid": one["Orgc"]["uuid"]} for number, one in enumerate(self.events, 1)]
        rows.sort(key=lambda row: row["timestamp"])
        return _json(self._page(rows, body))

    def _one(self, body: Record) -> Record | None:
        wanted = str(body["eventid"])
        if self.swapped:
            return next((one for one in self.events if one["uuid"] != wanted), None)
        return next((one for one in self.events if one["uuid"] == wanted), None)

    def _search(self, body: Record) -> Answer:
        one = self._one(body)
        if one is None:
            return _json({"response": []})
        if one["uuid"] in self.forbidden:
            return Answer(403, b'{"message":"You do not have permission"}')
        if body.get("metadata"):
            return _json({"response": [{"Event": {k: v for k, v in one.items() if k not in ("Attribute", "Object")}}]})
        if one["uuid"] in self.too_large:
            return Answer(500, b"<html>Allowed memory size exhausted</html>")
        return _json({"response": [{"Event": _seen(one, body)}]})

    def _objects(self, body: Record) -> Answer:
        one = self._one(body)
        found = _seen(one, body).get("Object", []) if one else []
        return _json({"response": [{"Object": each} for each in self._page(found, body)]})

    def _attributes(self, body: Record) -> Answer:
        one = self._one(body)
        seen = _seen(one, body) if one else {}
        found = [{"object_id": "0", **each} for each in seen.get("Attribute", [])]
        found += [{"object_id": "9", **each} for thing in seen.get("Object", []) for each in thing["Attribute"]]
        return _json({"response": {"Attribute": self._page(found, body)}})

    def _write(self, path: str, body: Record) -> Answer:
        if self.frozen:
            return Answer(403, b'{"message":"You do not have permission"}')
        if self.broken:
            return Answer(self.broken, b"<html>broken</html>")
        event = body["Event"]
        known = [one for one in self.events if one["uuid"] != event["uuid"]]
        if path == "/events/add" and len(known) != len(self.events):
            return Answer(403, b'{"message":"Event already exists"}')
        self.events = [*known, event]
        self.written.append((path, event))
        return _json({"Event": event})


def _seen(one: Record, body: Record) -> Record:
    """The event as it is sent: deleted attributes only where they were asked for."""
    if 1 in body.get("deleted", []):
        return one
    return one | {"Attribute": [each for each in one["Attribute"] if not each.get("deleted")]}


def _json(value: Any) -> Answer:
    return Answer(200, json.dumps(value).encode(), {"Content-Type": "application/json"})
