"""Pages of a collection as TAXII resources: the stored bytes are joined, never parsed again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from exchange.feed.cursor import open_cursor, sign_cursor
from exchange.feed.query import Asked
from exchange.stix.timestamp import from_microseconds
from exchange.store.objects import Column, Filter, ObjectQueries, Reader


@dataclass(frozen=True)
class Page:
    """One answer: its body, and the dates of its first and last object for the X-TAXII headers."""

    body: bytes
    first: str | None
    last: str | None
    found: bool
    """Whether there was anything on it."""
    span: tuple[int, int] | None = None
    """(after, last] in microseconds of a page that more follows: nothing is ever added in between."""


@dataclass(frozen=True)
class Place:
    """Where and for whom a page is made; ``context`` binds cursors to endpoint, collection and member."""

    feed: int
    reader: Reader
    context: str
    secret: str


PageMaker = Callable[[ObjectQueries, Any, Place, Asked], Page]
"""Makes one kind of page over a raw driver connection."""


def objects_page(queries: ObjectQueries, connection: Any, place: Place, asked: Asked) -> Page:
    """An envelope (TAXII 2.1, 3.7) of the objects, as they were sent."""
    rows, token, after = _rows(queries, connection, place, asked, ("seq", "body"))
    page = _page(rows, token, b"objects", [row[1] for row in rows])
    return page if token is None else replace(page, span=(after, rows[-1][0]))


def manifest_page(queries: ObjectQueries, connection: Any, place: Place, asked: Asked) -> Page:
    """A manifest (TAXII 2.1, 5.3.1); ``next`` as in envelopes (cti-taxii2#110)."""
    columns: tuple[Column, ...] = ("seq", "stix_id", "version", "version_text", "spec_version")
    rows, token, _ = _rows(queries, connection, place, asked, columns)
    records = orjson.dumps([
        {
            "id": stix_id, "date_added": from_microseconds(seq), "version": written(seq, version, text),
            "media_type": f"application/stix+json;version={spec}",
        }
        for seq, stix_id, version, text, spec in rows
    ])
    return _page(rows, token, b"objects", [records[1:-1]])


def versions_page(queries: ObjectQueries, connection: Any, place: Place, asked: Asked) -> Page:
    """The versions of one object (TAXII 2.1, 5.8.1), in the order of adding."""
    rows, token, _ = _rows(queries, connection, place, asked, ("seq", "version", "version_text"))
    return _page(rows, token, b"versions", [orjson.dumps([written(*row) for row in rows])[1:-1]])


def written(seq: int, version: str, text: str | None) -> str:
    """A version as its producer wrote it; for objects without one, the date added (3.4.1)."""
    return text or (version + "Z" if version else from_microseconds(seq))


def _rows(
    queries: ObjectQueries, connection: Any, place: Place, asked: Asked, columns: tuple[Column, ...]
) -> tuple[list[tuple[Any, ...]], str | None, int]:
    """The rows of a page, the token for the next one if there is more, and the date after which it begins."""
    wanted = asked.filter
    context = f"{place.context}|{asked.context}"
    if asked.cursor is not None:
        after = max(wanted.after, open_cursor(place.secret, context, asked.cursor))
        wanted = Filter(ids=wanted.ids, types=wanted.types, spec_versions=wanted.spec_versions,
                        versions=wanted.versions, after=after, limit=wanted.limit)
    rows = queries.page(connection, place.feed, place.reader, wanted, columns)
    if len(rows) <= wanted.limit:
        return rows, None, wanted.after
    rows = rows[: wanted.limit]
    return rows, sign_cursor(place.secret, context, rows[-1][0]), wanted.after


def _page(rows: Sequence[tuple[Any, ...]], token: str | None, name: bytes, items: list[bytes]) -> Page:
    """The resource of rows; ``items`` is taken over. The bytes of a page, often a megabyte, are copied once."""
    if not rows:
        return Page(b'{"more":false}', None, None, found=False)
    more = b'"more":false' if token is None else b'"more":true,"next":"' + token.encode() + b'"'
    items[0] = b"".join((b"{", more, b',"', name, b'":[', items[0]))
    items[-1] += b"]}"
    return Page(b",".join(items), from_microseconds(rows[0][0]), from_microseconds(rows[-1][0]), found=True)
