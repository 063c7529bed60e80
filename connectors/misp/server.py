"""A MISP server by its REST interface: a list of all events, then each that changed, one by one.

``/events/index`` tells of every event the time of its last change; nothing says how many pages there are, so pages
are asked for until one brings nothing new. An event that is too large for the server (it runs out of memory and
answers 500) or for us is asked for in parts: the event without content, then objects and attributes page by page.
Deleted attributes are asked for too, so that they are withdrawn here.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from connectors.misp import record
from connectors.misp.documents import Found, events, parsed
from connectors.misp.record import Record
from exchange.connect.source import Source
from exchange.errors import InputError
from exchange.outbound.web import Reply

PAGE = 500
MAX_PAGES = 20_000
_ASKED = {"returnFormat": "json", "deleted": [0, 1], "includeWarninglistHits": True, "includeSightings": True}
_FIX = "Check the address of the server (without /events) and what the key may read."


def listed(source: Source) -> Iterator[Found]:
    """Every event that the key may see, those that changed first first; raises as ``Web.request``."""
    stamps: dict[str, str] = {}
    for number in range(1, MAX_PAGES + 1):
        body = {"page": number, "limit": PAGE, "minimal": True, "sort": "timestamp", "direction": "asc"}
        before = len(stamps)
        stamps.update(_entries(_answer(source, "/events/index", body), source))
        if len(stamps) == before:
            break
    else:
        raise InputError(f"{source.url} lists more than {MAX_PAGES:,} pages of events.", fix=_FIX)
    for stamp, key in sorted((stamp, key) for key, stamp in stamps.items()):
        yield Found(f"{key}.json", lambda key=key: _event(source, key), key, stamp)  # type: ignore[misc]


def _entries(document: Any, source: Source) -> dict[str, str]:
    inner = document.get("response", document) if isinstance(document, dict) else document
    if not isinstance(inner, list):
        raise InputError(f"{source.url} doesn't list events.", fix=_FIX)
    found = {}
    for one in inner:
        entry = (record.child(one, "Event") or one) if isinstance(one, dict) else {}
        try:
            found[str(uuid.UUID(record.text(entry, "uuid")))] = _stamp(entry)
        except ValueError:
            raise InputError(f"{source.url} lists an event without a UUID.", fix=_FIX) from None
    return found


def _stamp(entry: Record) -> str:
    """When an event changed, or was sighted: a sighting changes no timestamp of the event."""
    seen = record.text(entry, "sighting_timestamp")
    stamp = record.text(entry, "timestamp").rjust(12, "0")
    return f"{stamp} {seen}" if seen not in ("", "0") else stamp


def _event(source: Source, key: str) -> list[Record]:
    """One event, as a whole or in parts; raises InputError and ForbiddenError."""
    whole = _asked(source, "/events/restSearch", {**_ASKED, "eventid": key})
    if whole is not None and whole.status == 200:
        return _only(events(parsed(whole.body, whole.url), whole.url), key, source)
    if whole is not None and whole.status < 500:
        raise InputError(f"{whole.url} answered {whole.status} for the event {key}.", fix=_FIX)
    return [_in_parts(source, key)]


def _in_parts(source: Source, key: str) -> Record:
    bare = _asked(source, "/events/restSearch", {**_ASKED, "eventid": key, "metadata": True})
    if bare is None or bare.status != 200:
        raise InputError(f"{source.url} can't send the event {key}, not even its head.", fix="Ask who runs the server.")
    item = _only(events(parsed(bare.body, bare.url), bare.url), key, source)[0]
    objects = [record.child(one, "Object") or one for one in _pages(source, "/objects/restSearch", key, "Object")]
    inside = {record.text(part, "uuid") for one in objects for part in record.children(one, "Attribute")}
    alone = [one for one in _pages(source, "/attributes/restSearch", key, "Attribute")
             if record.text(one, "object_id") in ("", "0") and record.text(one, "uuid") not in inside]  # fmt: skip
    return {**item, "Attribute": alone, "Object": objects}


def _pages(source: Source, path: str, key: str, name: str) -> Iterator[Record]:
    """Records of an event, page by page, each once."""
    seen: set[str] = set()
    for number in range(1, MAX_PAGES + 1):
        document = _answer(source, path, {**_ASKED, "eventid": key, "page": number, "limit": PAGE})
        inner = document.get("response", document) if isinstance(document, dict) else document
        inner = inner.get(name, inner) if isinstance(inner, dict) else inner
        fresh = [one for one in (inner if isinstance(inner, list) else []) if isinstance(one, dict)
                 and record.text(record.child(one, name) or one, "uuid") not in seen]  # fmt: skip
        if not fresh:
            return
        seen.update(record.text(record.child(one, name) or one, "uuid") for one in fresh)
        yield from fresh
    raise InputError(f"{source.url} sends more than {MAX_PAGES:,} pages of the event {key}.", fix=_FIX)


def _only(found: list[Record], key: str, source: Source) -> list[Record]:
    if [record.text(one, "uuid").lower() for one in found] != [key]:
        raise InputError(f"{source.url} sent another event than {key}, which it was asked for.", fix=_FIX)
    return found


def _answer(source: Source, path: str, body: Record) -> Any:
    reply = _ask(source, path, body)
    if reply.status != 200:
        raise InputError(f"{reply.url} answered {reply.status}.", fix=_FIX)
    return parsed(reply.body, reply.url)


def _asked(source: Source, path: str, body: Record) -> Reply | None:
    """The reply; None where it is larger than may be held in memory."""
    try:
        return _ask(source, path, body)
    except InputError:
        return None


def _ask(source: Source, path: str, body: Record) -> Reply:
    headers = {"Authorization": source.secret("key"), "Accept": "application/json"}
    return source.web.request("POST", f"{source.url}{path}", headers=headers, json=body, repeatable=True)
