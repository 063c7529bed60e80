"""Pages of objects that can't change any more, kept in memory: several members follow the same long collection.

A page that more follows is settled: dates only grow, so nothing is added within it, and grants of a profile never
change. What can change it has its sign: withdrawing an object or adding a version raises the collection's
``revision``, and the next opening or closing of an object's window in time is asked for when the page is kept.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from exchange.feed.page import Page, Place, objects_page
from exchange.feed.query import LAST, Asked
from exchange.store.objects import ObjectQueries

_MOST_ASKED = 1_000


@dataclass(frozen=True)
class _Kept:
    page: Page
    revision: int
    until: int | None
    """Microseconds: when a window in time opens or closes."""


class PageCache:
    """Kept pages of one process, at most ``most_bytes`` of bodies; the page unused for longest goes first."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._size = 0
        self._kept: OrderedDict[tuple[object, ...], _Kept] = OrderedDict()
        self._asked: OrderedDict[tuple[object, ...], None] = OrderedDict()

    def objects_page(
        self, queries: ObjectQueries, connection: Any, place: Place, asked: Asked, revision: int | None = None
    ) -> Page:
        """As ``page.objects_page``, from memory where nothing can have changed.

        ``revision`` is the collection's, where the caller read it just before: a change meanwhile shows next time.
        """
        wanted = asked.filter
        if wanted.ids is not None or wanted.types or wanted.spec_versions or wanted.versions != LAST:
            return objects_page(queries, connection, place, asked)
        key = (place.feed, place.reader.profile, place.reader.seat, place.reader.arrived, place.context, place.secret,
               asked.cursor, wanted.after, wanted.limit)
        if key not in self._asked:
            page = objects_page(queries, connection, place, asked)
            if page.span is not None:
                self._note(key)
            return page
        if revision is None:
            revision = queries.revision(connection, place.feed)
        kept = self._kept.get(key)
        if kept is not None and kept.revision == revision and (kept.until is None or place.reader.now < kept.until):
            self._kept.move_to_end(key)
            return kept.page
        page = objects_page(queries, connection, place, asked)
        if page.span is not None:
            until = queries.next_window(connection, place.feed, page.span, place.reader.now)
            if until is None or place.reader.now < until:
                self._keep(key, _Kept(page, revision, until))
        return page

    def _note(self, key: tuple[object, ...]) -> None:
        """Remember that the page was asked for: what is read once isn't worth asking when it changes."""
        self._asked[key] = None
        if len(self._asked) > _MOST_ASKED:
            forgotten, _ = self._asked.popitem(last=False)
            kept = self._kept.pop(forgotten, None)
            self._size -= len(kept.page.body) if kept else 0

    def _keep(self, key: tuple[object, ...], kept: _Kept) -> None:
        former = self._kept.pop(key, None)
        self._size += len(kept.page.body) - (len(former.page.body) if former else 0)
        self._kept[key] = kept
        while self._size > self._most:
            _, oldest = self._kept.popitem(last=False)
            self._size -= len(oldest.page.body)
