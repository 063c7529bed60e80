"""A Graph API server with one ThreatExchange privacy group, in the shapes that Meta documents.

    with GraphPeer() as peer:
        peer.say(thing(1, "DOMAIN", "lorem.example"), at=1_700_000_000)
        peer.group_url
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode

from tests.fakes.web_peer import Answer, Asked, WebPeer

TOKEN = "5551234567|made-up_secret_of_an_app"
GROUP = "303636684709969"
VERSION = "v25.0"
Spoil = Callable[[dict[str, Any]], Any]


def descriptor(number: int, **more: Any) -> dict[str, Any]:
    """An opinion as the API tells it; ``None`` leaves a field out."""
    said = {
        "id": str(90_000 + number), "owner": {"id": "101", "name": "Lorem Platforms", "email": "te@lorem.example"},
        "status": "MALICIOUS", "severity": "WARNING", "confidence": 75, "share_level": "AMBER",
        "privacy_type": "HAS_PRIVACY_GROUP", "added_on": "2026-03-01T08:00:00+0000",
        "last_updated": "2026-03-02T08:00:00+0000", "description": f"lorem {number}",
        "tags": {"data": [{"id": "7", "text": "made_up_op"}]}, "reactions": [], "my_reactions": [],
    }  # fmt: skip
    return {name: value for name, value in {**said, **more}.items() if value is not None}


def thing(number: int, kind: str, value: str, *descriptors: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """An update of a thing with its descriptors, one where none are given."""
    told = [dict(one) for one in descriptors] or [descriptor(number)]
    return {"id": str(number), "indicator": value, "type": kind, "should_delete": False,
            "descriptors": {"data": told}, **more}  # fmt: skip


class GraphPeer(WebPeer):
    """Serves updates in the order of their time; ``spoil`` may change each answer before it goes out."""

    def __init__(self) -> None:
        super().__init__()
        self.updates: dict[str, dict[str, Any]] = {}
        self.posted: dict[str, dict[str, str]] = {}
        """Descriptors of this app by their id."""
        self.refuse: dict[str, tuple[int, dict[str, Any]]] = {}
        """Value to the answer that a post of it gets."""
        self.spoil: Spoil = lambda body: body
        self.page = 3
        self.fallback = self._answer

    @property
    def group_url(self) -> str:
        return self.url(f"/{VERSION}/{GROUP}")

    def say(self, record: Mapping[str, Any], at: int) -> None:
        """Move a thing to the end of the updates, as of a time."""
        self.updates.pop(str(record["id"]), None)
        self.updates[str(record["id"])] = {**record, "last_updated": at}

    def delete(self, number: int, at: int) -> None:
        """Tell that a thing is gone: nothing but its id and value is left."""
        known = self.updates[str(number)]
        self.say({name: known[name] for name in ("id", "indicator", "type")} | {"should_delete": True}, at)

    def _answer(self, asked: Asked) -> Answer:
        form = {name: ones[0] for name, ones in parse_qs(asked.body.decode()).items()}
        query = {name: ones[0] for name, ones in asked.query.items()}
        if {**form, **query}.get("access_token") != TOKEN:
            return _json(400, _error(190, "OAuthException", "Malformed access token"))
        place = asked.path.removeprefix(f"/{VERSION}/")
        if asked.method == "POST" and place == "threat_descriptors":
            return self._post({**query, **form})
        if place == f"{GROUP}/threat_updates":
            since = int(query.get("start_time", 0))
            types = query.get("types", "").split(",")
            found = [one for one in self.updates.values() if one["last_updated"] >= since
                     and (types == [""] or one["type"] in types)]  # fmt: skip
            return _json(200, self.spoil(self._page(asked.path, found, query)))
        if place == "threat_descriptors":
            return _json(200, self.spoil(self._page(asked.path, self._descriptors(query.get("text")), query)))
        if asked.method == "DELETE" and place in self.posted:
            del self.posted[place]
            return _json(200, {"success": True})
        return _json(400, _error(100, "GraphMethodException", f"Unsupported get request to {place}"))

    def _descriptors(self, text: str | None) -> list[dict[str, Any]]:
        if text is not None:
            return [{"id": number, "description": one["description"]} for number, one in self.posted.items()
                    if text in one["description"]]  # fmt: skip
        return [
            {**one, "raw_indicator": update["indicator"], "type": update["type"],
             "indicator": {"id": update["id"], "indicator": update["indicator"], "type": update["type"]}}
            for update in self.updates.values() for one in update.get("descriptors", {}).get("data", ())
        ]  # fmt: skip

    def _page(self, path: str, found: list[dict[str, Any]], query: Mapping[str, str]) -> dict[str, Any]:
        begin = int(base64.b64decode(query["after"])) if "after" in query else 0
        end = begin + min(self.page, int(query.get("limit", 25)))
        body: dict[str, Any] = {"data": found[begin:end]}
        if end < len(found):
            after = base64.b64encode(str(end).encode()).decode()
            link = self.url(path) + "?" + urlencode({**query, "after": after})
            body["paging"] = {"cursors": {"before": "MAZDZD", "after": after}, "next": link}
        return body

    def _post(self, form: dict[str, str]) -> Answer:
        missing = {"indicator", "type", "description", "share_level", "status", "privacy_type"} - form.keys()
        if missing:
            return _json(400, _error(100, "OAuthException", f"Missing fields {','.join(sorted(missing))}"))
        if form["indicator"] in self.refuse:
            status, body = self.refuse[form["indicator"]]
            return _json(status, body)
        told = {name: value for name, value in form.items() if name != "access_token"}
        same = [number for number, one in self.posted.items() if one["indicator"] == form["indicator"]]
        number = same[0] if same else str(700_000 + len(self.posted))
        self.posted[number] = {**self.posted.get(number, {}), **told}
        return _json(200, {"success": True, "id": number})


def _error(code: int, kind: str, message: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "code": code, "fbtrace_id": "AbCdEf"}}


def _json(status: int, body: Any) -> Answer:
    return Answer(status, json.dumps(body).encode(), {"Content-Type": "application/json; charset=UTF-8"})
