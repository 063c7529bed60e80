"""TAXII 2.1 pull: a collection's objects, page by page, each taken, mended or put into quarantine.

A row is an object of the collection, counted in the order of its coming from the first run on; what a page brings
again isn't counted again. TAXII knows no deletions: a version with ``revoked`` takes back what its object said.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import urljoin

from connectors.taxii.paging import Page, Step, Walk, read_standing
from exchange.connect.contract import Batch, Connector, Row
from exchange.connect.json_elements import elements
from exchange.connect.source import Option, Source
from exchange.connect.stix_objects import Object, as_told, parsed, take
from exchange.connect.taxii_server import Collection, Server, auth_of
from exchange.errors import InputError
from exchange.outbound.web import Reply
from exchange.stix.fault import StixFault
from exchange.stix.timestamp import version_key

_MATCHES = {"types": "match[type]", "ids": "match[id]", "versions": "match[version]",
            "spec-versions": "match[spec_version]"}  # fmt: skip


class Taxii(Connector):
    """The connector ``taxii``."""

    name = "taxii"
    title = "TAXII 2.1: pull a collection (URL of the collection, of its API root, or of discovery)"
    options: ClassVar[Mapping[str, Option]] = {
        "collection": Option("Collection by id, alias or title, where the URL isn't a collection's."),
        "since": Option("Begin with what was added after this time, such as 2026-01-31T00:00:00Z."),
        "types": Option("Only objects of these STIX types, such as indicator,campaign."),
        "ids": Option("Only objects with these ids."),
        "versions": Option("last, first, all, or times of versions; the server's default is last."),
        "spec-versions": Option("Only objects of these versions of STIX, such as 2.1."),
        "limit": Option("Objects on a page, at most; lower it where pages get too large.", default="500"),
        "pages": Option("Pages in one run, at most; the next run goes on.", default="10000"),
    }
    secrets: ClassVar[Mapping[str, str]] = {
        "token": "bearer token", "user": "user name, with 'password'", "password": "password of 'user'"}
    lasting = True
    stale_after = timedelta(days=2)

    def fetch(self, source: Source, checkpoint: Mapping[str, Any] | None) -> Iterator[Batch]:
        """All pages from the checkpoint on; one batch a page.

        The checkpoint holds collection, date, token and digests of the objects at the boundary. Raises
        UnauthorizedError, ForbiddenError, NotFoundError, InputError and UnavailableError as the server answers.
        """
        limit, most = (_number(source, name) for name in ("limit", "pages"))
        filters = _filters(source)
        server = Server(source.web, source.url, auth_of(source))
        collection = server.collection(source.option("collection"))
        known = checkpoint if checkpoint and checkpoint.get("collection") == collection.url else None
        if known is None or known.get("filters") != filters:
            known = {"format": 1, "since": source.option("since"), "next": "", "last": "", "seen": [], "rows": 0,
                     "way": "both"}  # fmt: skip
        reader = _Reader(server, collection, filters)
        walk = Walk(reader.page, reader.added, source.now(), limit, read_standing(known))
        before = walk.at.rows
        for step in walk.steps(most):
            record = {**step.standing.as_record(), "collection": collection.url, "filters": filters}
            yield _batch(collection, before, step, record)
            before = step.standing.rows


class _Reader:
    """Asks one collection for pages and dates."""

    def __init__(self, server: Server, collection: Collection, filters: Mapping[str, str]) -> None:
        self._server = server
        self._url = collection.url
        self._filters = filters

    def page(self, query: Mapping[str, str]) -> Page:
        """One page of objects (TAXII 2.1, 5.4)."""
        return _page(self._server.get(urljoin(self._url, "objects/"), {**self._filters, **query}))

    def added(self, raw: bytes) -> str:
        """The last date at which the manifest (5.3) says that an object was added."""
        try:
            identifier = parsed(raw).get("id")
            if not isinstance(identifier, str):
                return ""
            found = self._server.resource(urljoin(self._url, "manifest/"), {"match[id]": identifier})
        except (InputError, StixFault):
            return ""
        records = found.get("objects")
        dates = [one.get("date_added") for one in records if isinstance(one, dict)] if isinstance(records, list) else []
        return max((date for date in dates if isinstance(date, str)), default="")


def _page(reply: Reply) -> Page:
    """Read an envelope (3.7) so that an object that is broken spoils neither its neighbours nor the paging."""
    body = reply.body.removeprefix(b"\xef\xbb\xbf")
    found = list(elements(body))
    inside = [one for one in found if one.start > 0]
    rest = body[: inside[0].start] + body[inside[-1].end :] if inside else body
    try:
        envelope = json.loads(rest) if rest.strip() else {}  # an empty answer is an empty page
    except (ValueError, RecursionError):
        envelope = None
    if not isinstance(envelope, dict) or not isinstance(envelope.get("objects", []), list):
        raise InputError(f"{reply.url} answers with no envelope of TAXII 2.1.", fix="Check the address.")
    more, token = envelope.get("more"), envelope.get("next")
    return Page(tuple(body[one.start : one.end] for one in inside) if "objects" in envelope else (),
                more if isinstance(more, bool) else None, str(token) if isinstance(token, str | int) else "",
                reply.headers.get("x-taxii-date-added-first", ""), reply.headers.get("x-taxii-date-added-last", ""))


def _batch(collection: Collection, before: int, step: Step, record: dict[str, Any]) -> Batch:
    upserts: list[Object] = []
    rows = []
    place = f"collections/{collection.id}"
    for number, raw in enumerate(step.fresh, before + 1):
        try:
            taken = take(parsed(raw))
        except StixFault as fault:
            reason = f"{fault.code}: {fault.sentence}"
            rows.append(Row(place, number, "quarantined", reason=reason, raw=as_told(raw)))
            continue
        upserts.append(taken.item)
        rows.append(Row(place, number, taken.outcome, (taken.item["id"],), taken.note))
    if step.gap:
        rows.append(Row(place, before + len(step.fresh) + 1, "quarantined", reason=step.gap))
    upserts.sort(key=lambda item: item["type"] not in ("marking-definition", "extension-definition"))
    return Batch(tuple(upserts), tuple(rows), record)


def _number(source: Source, name: str) -> int:
    text = source.option(name) or Taxii.options[name].default
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= 10_000_000:
        raise InputError(f"The option {name} is {text[:40]!r}, no number from 1 on.", fix=f"Such as {name}=500.")
    return int(text)


def _filters(source: Source) -> dict[str, str]:
    since = source.option("since")
    if since:
        try:
            version_key(since)
        except ValueError:
            raise InputError(f"The option since is {since[:40]!r}, no time in UTC.",
                             fix="Write it like 2026-01-31T00:00:00Z.") from None
    return {parameter: source.option(name) for name, parameter in _MATCHES.items() if source.option(name)}
