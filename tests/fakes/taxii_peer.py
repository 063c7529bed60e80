"""A TAXII 2.1 server with the faults that servers have: each manner is a switch.

    with TaxiiPeer(objects(7)) as peer:
        peer.collection_url, peer.page_size = …
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from tests.fakes.web_peer import Answer, Asked, WebPeer

ID = "91a7b528-80eb-42ed-a74d-c6fbd5a26116"
OTHER_ID = "52892447-4d7e-4f70-b94d-d7f22742ff63"
MEDIA = "application/taxii+json;version=2.1"


def domain(number: int) -> dict[str, Any]:
    """A made-up observable."""
    return {"type": "domain-name", "spec_version": "2.1", "value": f"d{number}.example",
            "id": f"domain-name--0d3a4c0e-7ad0-4b8b-9b1f-{number:012x}"}


def stamp(seconds: float) -> str:
    """A date of adding, so many seconds after noon."""
    whole, part = divmod(round(seconds * 1_000_000), 1_000_000)
    minutes, rest = divmod(whole, 60)
    return f"2026-03-01T{12 + minutes // 60:02}:{minutes % 60:02}:{rest:02}.{part:06}Z"


@dataclass
class TaxiiPeer:
    """The server: ``held`` are pairs of date added and object (or its bytes), in the order of adding."""

    held: list[tuple[str, Any]]
    page_size: int = 3
    nexts: Literal["right", "none", "alone", "ignored", "refused", "ignored with date"] = "right"
    """How ``next`` is given and taken; alone: refused together with added_after, as one issue of OpenCTI tells."""
    more: Literal["right", "always", "unsaid", "never"] = "right"
    largest: int = 0
    """A limit beyond it is refused; 0: none is."""
    partial: int = 200
    """Status of a page that isn't the last."""
    headers: bool = True
    manifest: bool = True
    inclusive: bool = False
    """added_after also gives what was added at that very time."""
    caps: bool = True
    """Whether a page is never larger than page_size, whatever limit is asked for."""
    media: str = MEDIA
    token: str = ""
    blank_pages: int = 0
    """So many empty pages with ``more`` and a new ``next`` come before each page with objects."""
    spell: Callable[[str], str] = str
    """How dates are written in headers."""
    extra: list[bytes] = field(default_factory=list)
    """Raw texts that stand in each page's list after its objects."""
    web: WebPeer = field(default_factory=WebPeer)

    def __post_init__(self) -> None:
        self.web.fallback = self._answer

    def __enter__(self) -> Self:
        self.web.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.web.__exit__(*_)

    @property
    def discovery(self) -> str:
        return self.web.url("/taxii2/")

    @property
    def root(self) -> str:
        return self.web.url("/root/")

    @property
    def collection_url(self) -> str:
        return self.web.url(f"/root/collections/{ID}/")

    def pages_asked(self) -> list[Asked]:
        """Requests for objects."""
        return [asked for asked in self.web.asked if asked.path.endswith("/objects/")]

    def _answer(self, asked: Asked) -> Answer:
        basic = base64.b64encode(f"user:{self.token}".encode()).decode()
        if self.token and asked.headers.get("authorization") not in (f"Bearer {self.token}", f"Basic {basic}"):
            return self._resource({"title": "who are you"}, 401)
        if asked.path == "/taxii2/":
            return self._resource({"title": "fake", "api_roots": ["/root/"]})
        if asked.path == "/root/":
            return self._resource({"title": "root", "versions": [MEDIA], "max_content_length": 1_000_000})
        if asked.path == "/root/collections/":
            return self._resource({"collections": [
                {"id": ID, "title": "Lorem", "alias": "lorem", "can_read": True, "can_write": False},
                {"id": OTHER_ID, "title": "Ipsum", "can_read": True, "can_write": False},
                {"id": "9cfa669c-ee94-4ece-afd2-f8edac37d8fd", "title": "Box", "can_read": False, "can_write": True}]})
        if asked.path == f"/root/collections/{ID}/objects/":
            return self._objects({name: values[0] for name, values in asked.query.items()})
        if asked.path == f"/root/collections/{ID}/manifest/" and self.manifest:
            wanted = asked.query["match[id]"][0]
            return self._resource({"objects": [
                {"id": wanted, "date_added": date, "version": date} for date, one in self.held if one["id"] == wanted]})
        return self._resource({"title": "no such thing"}, 404)

    def _objects(self, query: dict[str, str]) -> Answer:
        after, token = query.get("added_after", ""), query.get("next", "")
        if self.nexts == "alone" and after and token:
            return self._resource({"title": "next and added_after don't go together"}, 400)
        if token and self.nexts == "refused":
            return self._resource({"title": "unknown token"}, 400)
        if self.nexts in ("none", "ignored") or (self.nexts == "ignored with date" and after):
            token = ""
        began, _, blank = token.partition(" ")
        date, _, start = began.rpartition("|")
        after = date or after if self.nexts == "alone" else after
        found = [pair for pair in self.held if not after or pair[0] > after or (self.inclusive and pair[0] == after)]
        if self.blank_pages and int(blank or 0) < self.blank_pages:
            return self._resource({"more": True, "next": f"{began} {int(blank or 0) + 1}"})
        at, asked = int(start or 0), int(query.get("limit", "100"))
        size = min(asked, self.page_size) if self.caps else asked
        if self.largest and "limit" in query and asked > self.largest:
            return self._resource({"title": "limit is too large"}, 400)
        page = found[at : at + size]
        more = at + size < len(found) or self.more == "always"
        envelope: dict[str, Any] = {"objects": [one for _, one in page]} if page else {}
        if self.more != "unsaid":
            envelope["more"] = more and self.more != "never"
        if more and self.nexts != "none":
            envelope["next"] = f"{after}|{at + len(page)}"
        headers = {"X-TAXII-Date-Added-First": self.spell(page[0][0]),
                   "X-TAXII-Date-Added-Last": self.spell(page[-1][0])} if page and self.headers else {}
        text = json.dumps(envelope)
        if self.extra:
            text = text.replace('"objects": [', '"objects": [' + ", ".join(map(bytes.decode, self.extra)) + ", ")
        return Answer(self.partial if more else 200, text.encode(), {"Content-Type": self.media, **headers})

    def _resource(self, value: dict[str, Any], status: int = 200) -> Answer:
        return Answer(status, json.dumps(value).encode(), {"Content-Type": self.media})


def held(seconds: Sequence[float]) -> list[tuple[str, Any]]:
    """One observable for each date."""
    return [(stamp(at), domain(number)) for number, at in enumerate(seconds)]
