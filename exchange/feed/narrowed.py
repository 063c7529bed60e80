"""A page of which only what a subscriber wants, or got before, leaves: the ledger notes that part, and no more."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from exchange.feed.page import Page, Place
from exchange.feed.query import Asked
from exchange.store.objects import ObjectQueries
from exchange.store.runs import encode_runs

Make = Callable[[ObjectQueries, Any, Place, Asked, int], Page]
Wants = Callable[[Mapping[str, Any]], bool]


class _Envelope(msgspec.Struct):
    objects: list[msgspec.Raw] = []


def raw_objects(page: Page) -> Sequence[bytes]:
    """The objects of a page of objects as they leave, in the order of ``Page.dates``."""
    return [bytes(one) for one in msgspec.json.decode(page.body, type=_Envelope).objects]


def narrowed(make: Make, wants: Wants | None) -> Make:
    """The same pages without what isn't wanted, or was added after the ``until`` that is asked.

    ``first``, ``last`` and ``found`` stay those of the whole page: a subscriber goes on behind what it didn't want.
    """
    def page_of(queries: ObjectQueries, connection: Any, place: Place, asked: Asked, revision: int) -> Page:
        """The page without what isn't wanted; its place is that of the whole page."""
        page = make(queries, connection, place, asked, revision)
        if not page.seqs:
            return page
        objects = raw_objects(page)
        kept = [at for at, (raw, date) in enumerate(zip(objects, page.dates, strict=True))
                if (asked.until is None or date <= asked.until)
                and (wants is None or wants(msgspec.json.decode(raw)))]
        if len(kept) == len(objects):
            return page
        seqs = tuple(page.seqs[at] for at in kept)
        body = b'{"objects":[' + b",".join(objects[at] for at in kept) + b"]}"
        return replace(page, body=body, span=None, seqs=seqs, dates=tuple(page.dates[at] for at in kept),
                       runs=encode_runs(sorted(seqs)), digest=hashlib.sha256(body).digest())

    return page_of
