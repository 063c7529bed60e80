"""Server-sent events: from the lines of a stream to events (WHATWG HTML, 9.2, "Server-sent events").

An event counts only when a blank line ends it: what a broken connection cut off is not one. Comments, which
servers send to keep a connection open, come out as signs of life, so that a reader can look at the clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from exchange.errors import InputError

MAX_EVENT_BYTES = 32 * 1024 * 1024
"""Most data of one event: nothing else ends an event that a hostile server never ends."""
_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Event:
    """One event; ``name`` is empty for a comment, which is only a sign of life."""

    id: str
    """The last id that the stream told, also by an earlier event; empty where it told none."""
    name: str
    data: str
    """The data lines, joined by line feeds."""


def events(lines: Iterable[bytes]) -> Iterator[Event]:
    """The events of a stream's lines (without their ends), in order.

    Bytes that aren't UTF-8 become U+FFFD, as the specification says. Raises InputError for an event over 32 MiB.
    """
    last_id, name = "", ""
    data: list[str] = []
    size = 0
    for number, raw in enumerate(lines):
        line = (raw.removeprefix(_MARK) if number == 0 else raw).rstrip(b"\r").decode("utf-8", "replace")
        if not line:
            if data:
                yield Event(last_id, name or "message", "\n".join(data))
            name, data, size = "", [], 0
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not field:
            yield Event(last_id, "", "")
        elif field == "data":
            size += len(value) + 1
            if size > MAX_EVENT_BYTES:
                raise InputError(f"An event of the stream has more than {MAX_EVENT_BYTES:,} bytes of data.",
                                 fix="Narrow the stream's filter on the other side, or leave this object out of it.")
            data.append(value)
        elif field == "event":
            name = value
        elif field == "id" and "\0" not in value:
            last_id = value
