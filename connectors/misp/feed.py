"""A MISP feed: manifest.json says which events there are and when each changed; each is a file UUID.json.

A folder or a web address. ``hashes.csv`` is for those who look values up; reading the events needs it not.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from connectors.misp import record
from connectors.misp.documents import MAX_BYTES, Found, content, events, parsed, read_file
from connectors.misp.record import Record
from exchange.connect.source import Source
from exchange.errors import InputError

MANIFEST = "manifest.json"
_FIX = "Name the folder or address that holds manifest.json, or give a server's key as the secret key."


def is_feed(place: Path) -> bool:
    """Whether a folder is a feed, or a path is that of a feed's manifest."""
    return (place / MANIFEST).is_file() or (place.name == MANIFEST and place.is_file())


def in_folder(place: Path) -> Iterator[Found]:
    """The events of a feed's folder, those that changed first first."""
    folder = place.parent if place.name == MANIFEST else place
    path = folder / MANIFEST
    manifest = parsed(content(path), str(path))
    yield from _listed(manifest, str(path), lambda name: read_file(folder / name))


def at_address(source: Source) -> Iterator[Found]:
    """The events of a feed at a web address, or the one that the address is of; raises as ``Web.request``."""
    base = source.url.removesuffix(f"/{MANIFEST}")
    if base.lower().endswith(".json"):
        yield Found(base.rpartition("/")[2], lambda: _fetched(source, base))
        return
    address = f"{base}/{MANIFEST}"
    manifest = parsed(_body(source, address), address)
    yield from _listed(manifest, address, lambda name: _fetched(source, f"{base}/{name}"))


def _listed(manifest: Any, where: str, read: Callable[[str], list[Record]]) -> Iterator[Found]:
    if not isinstance(manifest, dict) or not all(isinstance(one, dict) for one in manifest.values()):
        raise InputError(f"{where} is no manifest of a MISP feed.", fix=_FIX)
    entries = sorted((record.text(entry, "timestamp").rjust(12, "0"), key) for key, entry in manifest.items())
    for stamp, key in entries:
        name = _file(key)
        if name:
            yield Found(name, lambda name=name: read(name), name.removesuffix(".json"),  # type: ignore[misc]
                        stamp.lstrip("0") or "0")  # fmt: skip
        else:
            yield Found(f"{MANIFEST}#{key[:100]}", lambda key=key: _odd(key))  # type: ignore[misc]


def _file(key: str) -> str:
    """The name of an event's file; empty for a key that is no UUID, which might name any file."""
    try:
        return f"{uuid.UUID(key)}.json"
    except ValueError:
        return ""


def _odd(key: str) -> list[Record]:
    raise InputError(f"The manifest names {key[:100]!r}, which is no UUID of an event.")


def _fetched(source: Source, address: str) -> list[Record]:
    return events(parsed(_body(source, address), address), address)


def _body(source: Source, address: str) -> bytes:
    key = source.secrets.get("key", "")
    headers = {"Accept": "application/json"} | ({"Authorization": key} if key else {})
    reply = source.web.request("GET", address, headers=headers, limit=MAX_BYTES)
    if reply.status != 200:
        raise InputError(f"{reply.url} answered {reply.status}.", fix=_FIX)
    return reply.body
