"""What a checkpoint remembers: each event's last change and terms, what it made, and where an unfinished run stands.

The keys of what events made (16 bytes each) are kept for the latest ``MAX_KEYS``: an attribute that vanishes from an
older event is withdrawn only when the source says that it was deleted.
"""

from __future__ import annotations

import base64
import binascii
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.misp.event import Event, Known

FORMAT = 1
MAX_KEYS = 50_000
_TAKEN = 3
"""Entries of an event that was taken, not passed over."""


@dataclass(frozen=True)
class At:
    """Where an unfinished run stands."""

    name: str = ""
    """The document."""
    number: int = 0
    """Events of it that are done."""
    stamp: str = ""
    """Version of the event under way; another one begins anew."""
    batches: int = 0
    """Batches of the event that are done."""


@dataclass
class Memory:
    """The checkpoint under way."""

    events: dict[str, list[str]] = field(default_factory=dict)
    """Of each event by its key: its stamp; where it was taken also the digest of its terms, and its floor."""
    keys: dict[str, str] = field(default_factory=dict)
    """Keys of what it made: 16 bytes each, in base64; the events longest ago first."""
    at: At = At()
    _held: int = 0

    def known(self, key: str) -> Known | None:
        """What is remembered of an event."""
        entry = self.events.get(key, [])
        return Known(entry[1], entry[2], _unpacked(self.keys.get(key, ""))) if len(entry) == _TAKEN else None

    def stamp(self, key: str) -> str:
        """The stamp under which an event was read last; empty for one that never was."""
        return self.events[key][0] if key in self.events else ""

    def remember(self, event: Event, stamp: str) -> None:
        """An event is through."""
        stamp = "" if event.waits else stamp  # to be read again: publishing changes no stamp
        if not event.terms:
            self.events[event.key] = [stamp]
            return
        self.events[event.key] = [stamp, event.terms, event.floor]
        self.forget_keys(event.key)
        packed = base64.b64encode(b"".join(uuid.UUID(one).bytes for one in event.keys)).decode()
        self.keys[event.key] = packed
        self._held += len(packed)
        while self._held > MAX_KEYS * 22 and len(self.keys) > 1:
            self.forget_keys(next(iter(self.keys)))

    def forget(self, key: str) -> None:
        """An event is no more."""
        self.events.pop(key, None)
        self.forget_keys(key)

    def forget_keys(self, key: str) -> None:
        """What an event made isn't remembered any more."""
        self._held -= len(self.keys.pop(key, ""))

    def record(self) -> dict[str, Any]:
        """As JSON values."""
        found = {"format": FORMAT, "events": dict(self.events), "keys": dict(self.keys)}
        return found | ({"at": [self.at.name, self.at.number, self.at.stamp, self.at.batches]} if self.at.name else {})


def read(checkpoint: Mapping[str, Any] | None) -> Memory:
    """The memory of a checkpoint; an empty one where it makes no sense."""
    found = Memory()
    if not checkpoint or checkpoint.get("format") != FORMAT:
        return found
    events, keys, at = (checkpoint.get(name) for name in ("events", "keys", "at"))
    for key, entry in (events.items() if isinstance(events, Mapping) else ()):
        if isinstance(entry, list) and len(entry) in (1, _TAKEN) and all(isinstance(one, str) for one in entry):
            found.events[key] = entry
    for key, packed in (keys.items() if isinstance(keys, Mapping) else ()):
        if isinstance(packed, str) and len(found.events.get(key, ())) == _TAKEN:
            found.keys[key] = packed
            found._held += len(packed)
    if isinstance(at, list) and [type(one) for one in at] == [str, int, str, int]:
        found.at = At(*at)
    return found


def _unpacked(packed: str) -> tuple[str, ...]:
    try:
        data = base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError):
        return ()
    return tuple(str(uuid.UUID(bytes=data[at : at + 16])) for at in range(0, len(data) - 15, 16))
