"""An OpenCTI platform as far as its live stream goes, with the faults that streams have."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Self

from tests.fakes.web_peer import Answer, Asked, WebPeer

OCTI = "extension-definition--ea279b3e-5c71-4632-ac08-831c66a786ba"
_HEARTBEAT = b'event: heartbeat\ndata: "2026-03-01T12:00:00.000Z"\n\n'


def told(event: str, item: Any, *, scope: str = "external", **context: Any) -> tuple[str, dict[str, Any]]:
    """An event's name and data."""
    data = {"version": "4", "type": event, "scope": scope, "message": "made up", "origin": {}, "data": item}
    return event, data | ({"context": context} if context else {})


@dataclass
class OpenCtiPeer:
    """``happened`` are the events of the stream, the n-th with the id ``1700000000000 + n * 1000``-0."""

    happened: list[tuple[str, Any]]
    holds: list[Any] = field(default_factory=list)
    """Objects that a recovery sends, as events of one millisecond each."""
    trimmed: int = 0
    """So many of the first events are no longer in the stream."""
    token: str = ""
    heartbeats: int = 3
    """After the events; then the server hangs up."""
    cut: bool = False
    """Whether the last event is cut off in its midst."""
    web: WebPeer = field(default_factory=WebPeer)

    def __post_init__(self) -> None:
        self.happened = list(self.happened)
        self.web.routes["/stream/lorem"] = self._stream

    def __enter__(self) -> Self:
        self.web.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.web.__exit__(*_)

    @property
    def url(self) -> str:
        return self.web.url("/stream/lorem")

    def _stream(self, asked: Asked) -> Answer:
        if self.token and asked.headers.get("authorization") != f"Bearer {self.token}":
            return Answer(401, b'{"status": "unauthorized"}')
        return Answer(200, self.lines(asked), {"Content-Type": "text/event-stream; charset=utf-8"})

    def lines(self, asked: Asked) -> Iterator[bytes]:
        """What the stream says to who asks so."""
        after = asked.query["from"][0]
        first = {"firstEventId": event_id(self.trimmed), "lastEventId": event_id(len(self.happened) - 1),
                 "connectionId": "made-up", "streamSize": len(self.happened)}
        yield b"event: connected\ndata: " + json.dumps(first).encode() + b"\n\n" + _HEARTBEAT
        if "recover" in asked.query:
            for number, item in enumerate(self.holds):
                if (told_at := f"16{number:011}-0") > after:
                    yield _event(told_at, told("create", item))
        events = [(event_id(number), one) for number, one in enumerate(self.happened) if number >= self.trimmed]
        for identifier, one in events:
            if identifier > after:
                raw = _event(identifier, one)
                yield raw[: len(raw) // 2] if self.cut and (identifier, one) == events[-1] else raw
        for _ in range(0 if self.cut else self.heartbeats):
            yield _HEARTBEAT


def event_id(number: int) -> str:
    """The id of the n-th event."""
    return f"{1_700_000_000_000 + number * 1_000}-0"


def _event(identifier: str, one: tuple[str, Any]) -> bytes:
    name, data = one
    text = data if isinstance(data, str) else json.dumps(data)
    return f"id: {identifier}\nevent: {name}\ndata: {text}\n\n".encode()
