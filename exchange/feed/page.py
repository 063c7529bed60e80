"""Pages of a collection as TAXII resources: the stored bytes are joined, never parsed again.

What may not leave as it is (``leaving``) is replaced or left out before the page is filled, so that nothing of a
page's shape tells of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from exchange.feed.cursor import open_cursor, sign_cursor
from exchange.feed.leaving import Form, Leaving
from exchange.feed.query import Asked
from exchange.stix.references import Closure
from exchange.stix.timestamp import from_microseconds
from exchange.store.changes import Seen
from exchange.store.objects import Column, Filter, ObjectQueries, Reader
from exchange.store.runs import encode_runs


@dataclass(frozen=True)
class Page:
    """One answer: its body, and the dates of its first and last object for the X-TAXII headers."""

    body: bytes
    first: str | None
    last: str | None
    found: bool
    """Whether there was anything on it."""
    span: tuple[int, int] | None = None
    """(after, last] in microseconds of a page that more follows: nothing is ever added in between. None also where
    something on it came late, or refers to what may be gone at any time."""
    seqs: tuple[int, ...] = ()
    """Places in the collection's common order of the objects whose content is on it, in the order of the page."""
    dates: tuple[int, ...] = ()
    """Their dates added as the reader can tell, rising; the same but for what it saw later than it was pushed."""
    runs: bytes = b""
    """The places as ``runs.encode_runs`` codes them."""
    digest: bytes = b""
    """SHA-256 of the body. Both are for the ledger, made once for a page that is kept."""
    receipt: str = ""
    """What the ledger calls its delivery; empty where nothing was delivered."""


@dataclass(frozen=True)
class Place:
    """Where and for whom a page is made; ``context`` binds cursors to endpoint, collection and member."""

    feed: int
    reader: Reader
    context: str
    secret: str
    leaving: Leaving
    seen: Seen | None = None
    """How the database was when the request came, or shortly before it is asked for the page."""
    sign: object | None = None
    """The sign of a look before the page is made (``Changes``); None where there is none."""


PageMaker = Callable[[ObjectQueries, Any, Place, Asked], Page]
"""Makes one kind of page over a raw driver connection."""


@dataclass(slots=True)
class _Found:
    """The rows of a page, the forms of those that don't leave as they are, and where it begins and goes on."""

    rows: list[tuple[Any, ...]]
    forms: dict[int, Form]
    after: int
    token: str | None = None


def objects_page(queries: ObjectQueries, connection: Any, place: Place, asked: Asked) -> Page:
    """An envelope (TAXII 2.1, 3.7) of the objects, as they were sent."""
    found = _find(queries, connection, place, asked, ("body",))
    rows, forms = found.rows, found.forms
    bodies = [row[4] for row in rows] if not forms else [
        form.derived.body if (form := forms.get(row[0])) is not None and form.derived is not None else row[4]
        for row in rows
    ]
    page, seqs = _page(rows, found.token, b"objects", bodies), tuple([row[0] for row in rows])
    if not seqs:
        return page
    dates = tuple([row[3] for row in rows])
    stays = found.token is not None and dates == seqs and max([row[2] for row in rows]) == Closure.FREE
    span = (found.after, seqs[-1]) if stays else None
    return Page(page.body, page.first, page.last, page.found, span, seqs, dates, encode_runs(sorted(seqs)),
                hashlib.sha256(page.body).digest())


def manifest_page(queries: ObjectQueries, connection: Any, place: Place, asked: Asked) -> Page:
    """A manifest (TAXII 2.1, 5.3.1); ``next`` as in envelopes (cti-taxii2#110)."""
    columns: tuple[Column, ...] = ("stix_id", "version", "version_text", "spec_version")
    found = _find(queries, connection, place, asked, columns)
    records = orjson.dumps([
        {
            "id": _id(found.forms.get(seq), stix_id), "date_added": from_microseconds(date),
            "version": written(date, version, text), "media_type": f"application/stix+json;version={spec}",
        }
        for seq, _, _, date, stix_id, version, text, spec in found.rows
    ])
    return _page(found.rows, found.token, b"objects", [records[1:-1]])


def _id(form: Form | None, stix_id: str) -> str:
    return stix_id if form is None or form.derived is None else form.derived.id


def versions_page(queries: ObjectQueries, connection: Any, place: Place, asked: Asked) -> Page:
    """The versions of one object (TAXII 2.1, 5.8.1), in the order of adding."""
    found = _find(queries, connection, place, asked, ("version", "version_text"))
    texts = orjson.dumps([written(date, version, text) for _, _, _, date, version, text in found.rows])
    return _page(found.rows, found.token, b"versions", [texts[1:-1]])


def is_there(queries: ObjectQueries, connection: Any, place: Place, wanted: Filter) -> bool:
    """Whether the reader may see anything of what is wanted."""
    return bool(_find(queries, connection, place, Asked(replace(wanted, limit=1), None, ""), ()).rows)


def written(date: int, version: str, text: str | None) -> str:
    """A version as its producer wrote it; for objects without one, the date added (3.4.1)."""
    return text or (version + "Z" if version else from_microseconds(date))


def _find(
    queries: ObjectQueries, connection: Any, place: Place, asked: Asked, columns: tuple[Column, ...]
) -> _Found:
    """The rows (seq, label, closure, date, ...) of a page, in the order of adding."""
    wanted, context = asked.filter, f"{place.context}|{asked.context}"
    if asked.cursor is not None:
        wanted = replace(wanted, after=max(wanted.after, open_cursor(place.secret, context, asked.cursor)))
    if wanted.ids is not None:
        wanted = place.leaving.with_derived(queries, connection, place.feed, place.reader, wanted)
    found = _Found([], {}, wanted.after)
    after, more = wanted.after, True
    while more and len(found.rows) <= wanted.limit:
        part = wanted if not found.rows and after == wanted.after else replace(
            wanted, after=after, limit=wanted.limit - len(found.rows))
        rows = queries.page(connection, place.feed, place.reader, part,
                            ("seq", "label", "closure", "date", *columns))
        more = len(rows) > part.limit
        forms = place.leaving.forms(queries, connection, place.feed, place.reader, rows, place.sign)
        if forms:
            after = rows[-1][3]
            rows = [row for row in rows if (form := forms.get(row[0])) is None or form.derived is not None]
            found.forms.update(forms)
        elif more:
            after = rows[-1][3]
        found.rows += rows
    if len(found.rows) > wanted.limit:
        found.rows = found.rows[: wanted.limit]
        found.token = sign_cursor(place.secret, context, found.rows[-1][3])
    return found


def _page(rows: Sequence[tuple[Any, ...]], token: str | None, name: bytes, items: list[bytes]) -> Page:
    """The resource of rows; ``items`` is taken over. The bytes of a page, often a megabyte, are copied once."""
    if not rows:
        return Page(b'{"more":false}', None, None, found=False)
    more = b'"more":false' if token is None else b'"more":true,"next":"' + token.encode() + b'"'
    items[0] = b"".join((b"{", more, b',"', name, b'":[', items[0]))
    items[-1] += b"]}"
    first = from_microseconds(rows[0][3])
    last = first if len(rows) == 1 else from_microseconds(rows[-1][3])
    return Page(b",".join(items), first, last, found=True)
