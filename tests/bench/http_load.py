"""Load for one server on the loopback address: prebuilt requests on kept connections, and what they cost.

Knows HTTP/1.1 with Content-Length or chunks (http.client does that); nothing of the server's making.
"""

from __future__ import annotations

import base64
import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

MEDIA = "application/taxii+json;version=2.1"
TIMEOUT_SECONDS = 600


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Feed:
    """One collection of one server, over one kept connection."""

    host: str
    port: int
    path: str
    """Path of the collection's objects, with a slash at the end."""
    user: str | None = None
    secret: str = ""
    _connection: HTTPConnection | None = field(default=None, repr=False)

    def headers(self, body: bool) -> dict[str, str]:
        found = {"Accept": MEDIA, "Accept-Encoding": "identity"}
        if body:
            found["Content-Type"] = MEDIA
        if self.user is not None:
            text = base64.b64encode(f"{self.user}:{self.secret}".encode()).decode()
            found["Authorization"] = f"Basic {text}"
        return found

    def again(self) -> Feed:
        """The same feed over a connection of its own."""
        return Feed(self.host, self.port, self.path, self.user, self.secret)

    def ask(self, method: str, path: str, body: bytes | None = None) -> Answer:
        """One request; a connection that the server closed is opened anew once."""
        for attempt in (1, 2):
            if self._connection is None:
                self._connection = HTTPConnection(self.host, self.port, timeout=TIMEOUT_SECONDS)
                self._connection.connect()
                self._connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                self._connection.request(method, path, body, self.headers(body is not None))
                response = self._connection.getresponse()
                return Answer(response.status, dict(response.headers), response.read())
            except (HTTPException, ConnectionError):
                self._connection.close()
                self._connection = None
                if attempt == 2:
                    raise
        raise AssertionError("unreachable")

    def get(self, identity: str = "", **query: object) -> Answer:
        """Objects, or one object; raises where the answer isn't 200."""
        path = self.path + (f"{identity}/" if identity else "") + (f"?{urlencode(query)}" if query else "")
        answer = self.ask("GET", path)
        if answer.status != 200:
            raise RuntimeError(f"GET {path}: {answer.status} {answer.body[:300]!r}")
        return answer

    def push(self, objects: list[bytes]) -> None:
        """One envelope; raises where an object isn't taken."""
        answer = self.ask("POST", self.path, b'{"objects":[' + b",".join(objects) + b"]}")
        if answer.status != 202 or answer.json().get("failure_count"):
            raise RuntimeError(f"POST {self.path}: {answer.status} {answer.body[:600]!r}")

    def pages(self, limit: int, most: int, **query: object) -> Iterator[Answer]:
        """Pages from the beginning (or from ``added_after``), at most so many."""
        for _ in range(most):
            answer = self.get(limit=limit, **query)
            yield answer
            end = answer.json()
            if not end.get("more") or not end.get("next"):
                return
            query["next"] = end["next"]

    def last_date(self) -> str:
        """Date of the last object, found by going to the end with large pages."""
        last = "2000-01-01T00:00:00.000000Z"
        while True:
            answer = self.get(limit=1000, added_after=last)
            found = answer.headers.get("X-TAXII-Date-Added-Last")
            if found is None or found == last:
                return last
            last = found


def made_up_objects(count: int, size: int = 1_000) -> Iterator[tuple[str, bytes]]:
    """Indicators of ``size`` bytes: (id, JSON)."""
    for _ in range(count):
        word = uuid4()
        head = {
            "type": "indicator", "spec_version": "2.1", "id": f"indicator--{word}",
            "created": "2026-01-15T08:00:00.000Z", "modified": "2026-01-15T08:00:00.000Z",
            "name": f"Made-up domain {word.hex}", "indicator_types": ["malicious-activity"], "pattern_type": "stix",
            "pattern": f"[domain-name:value = '{word.hex}.example']", "valid_from": "2026-01-15T08:00:00Z",
            "confidence": 70, "description": "",
        }
        missing = size - len(json.dumps(head, separators=(",", ":")))
        head["description"] = ("Made up for a measurement; nobody and nothing of that name exists. " * 40)[:missing]
        yield str(head["id"]), json.dumps(head, separators=(",", ":")).encode()


@dataclass
class Polled:
    """What pollers saw: seconds of each answer, and the time they took together."""

    seconds: list[float]
    elapsed: float

    @property
    def rate(self) -> float:
        """Requests per second."""
        return len(self.seconds) / self.elapsed

    def quantile(self, share: float) -> float:
        """Seconds below which this share of the answers came."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def poll_together(feed: Feed, pollers: int, seconds: float, pause: float, **query: object) -> Polled:
    """Pollers on connections of their own ask the same for a time, with a pause between two questions."""
    end = time.perf_counter() + seconds
    taken: list[list[float]] = [[] for _ in range(pollers)]

    def poll(mine: list[float]) -> None:
        own = feed.again()
        while (start := time.perf_counter()) < end:
            own.get(**query)
            mine.append(time.perf_counter() - start)
            if pause:
                time.sleep(pause)

    begin = time.perf_counter()
    threads = [threading.Thread(target=poll, args=(mine,)) for mine in taken]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Polled([one for mine in taken for one in mine], time.perf_counter() - begin)
