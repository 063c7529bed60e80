"""Pages of objects that can't change any more, kept in memory: several members follow the same long collection.

A page that more follows is settled: dates only grow, so nothing is added within it, and grants of a profile never
change. What can change it has its sign: withdrawing an object or adding a version raises the collection's
``revision``, and the next opening or closing of an object's window in time is asked for when the page is kept.

Where all room is taken by pages that were used just now a page isn't kept: whoever goes round a collection of which
half finds room is given that half from memory, not nothing, as if each new page drove out the one that is asked next.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from exchange.feed.page import Page, Place, objects_page
from exchange.feed.query import LAST, Asked
from exchange.store.objects import ObjectQueries

_IN_USE = 60.0
"""Seconds that a page stays after it was asked for, whatever else is."""
_PER_PAGE, _PER_OBJECT = 1_500, 80
"""Bytes that a kept page takes besides its body (measured): its key and cursors, and the dates of its objects."""


@dataclass(slots=True)
class _Kept:
    page: Page
    revision: int
    until: int | None
    """Microseconds: when a window in time opens or closes."""
    used: float


class PageCache:
    """Kept pages of one process, at most ``most_bytes`` in memory; the page unused for longest goes first.

    ``clock`` gives seconds that never go back.
    """

    def __init__(self, most_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most_bytes
        self._clock = clock
        self._size = 0
        self._kept: OrderedDict[tuple[object, ...], _Kept] = OrderedDict()

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
        if revision is None:
            revision = queries.revision(connection, place.feed)
        kept, elapsed = self._kept.get(key), self._clock()
        if kept is not None and kept.revision == revision and (kept.until is None or place.reader.now < kept.until):
            kept.used = elapsed
            self._kept.move_to_end(key)
            return kept.page
        self._drop(key)
        page = objects_page(queries, connection, place, asked)
        if page.span is not None and self._has_room(_size(page), elapsed):
            until = queries.next_window(connection, place.feed, page.span, place.reader.now)
            if until is None or place.reader.now < until:
                self._drop(key)  # another request may have kept the same page while the database was asked
                self._size += _size(page)
                self._kept[key] = _Kept(page, revision, until, elapsed)
        return page

    def _has_room(self, size: int, elapsed: float) -> bool:
        """Make room, as far as it is taken by pages that nobody uses."""
        if size > self._most:
            return False
        while self._size + size > self._most:
            key, oldest = next(iter(self._kept.items()))
            if oldest.used > elapsed - _IN_USE:
                return False
            self._drop(key)
        return True

    def _drop(self, key: tuple[object, ...]) -> None:
        dropped = self._kept.pop(key, None)
        self._size -= _size(dropped.page) if dropped else 0


def _size(page: Page) -> int:
    return len(page.body) + _PER_PAGE + _PER_OBJECT * len(page.seqs)
