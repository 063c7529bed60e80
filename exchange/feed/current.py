"""A page is made for the reader as its seat stands, once the seat took in what it sees since its last look."""

from __future__ import annotations

from dataclasses import replace

from exchange.errors import StorageFullError, UnavailableError
from exchange.feed.delivery import LookedAgainError, deliver
from exchange.feed.narrowed import Wants, narrowed
from exchange.feed.page import Page, PageMaker, Place, objects_page
from exchange.feed.page_cache import PageCache
from exchange.feed.query import Asked
from exchange.store.arrivals import Arrivals, Standing
from exchange.store.engine import raw
from exchange.store.ledger import Ledger
from exchange.store.objects import ObjectQueries

_TRIES = 5


class CurrentPages:
    """Pages of one process; ``kept_bytes`` of those that are settled stay in memory."""

    def __init__(self, ledger: Ledger, queries: ObjectQueries, arrivals: Arrivals, kept_bytes: int) -> None:
        self._ledger = ledger
        self._queries = queries
        self._arrivals = arrivals
        self._kept = PageCache(kept_bytes)

    def page(self, make: PageMaker, place: Place, asked: Asked, *, leaves: bool, wants: Wants | None) -> Page:
        """One page; where it ``leaves`` and holds objects it is noted. Raises WrongGrantError, UnavailableError."""
        behind = False
        for _ in range(_TRIES):
            try:
                return self._page(make, place, asked, leaves, wants, behind)
            except LookedAgainError:
                behind = not self._catch_up(place, again=behind)
        raise UnavailableError("What you may read changes faster than it is read.", fix="Try again shortly.")

    def _page(
        self, make: PageMaker, place: Place, asked: Asked, leaves: bool, wants: Wants | None, behind: bool
    ) -> Page:
        """Raises LookedAgainError where the seat must catch up, or did meanwhile; ``behind``: it can't now."""
        with raw(self._arrivals.engine) as connection:
            def look() -> Standing | None:
                return self._arrivals.standing(connection, place.feed, place.reader, behind=behind)

            before = look()
            if before is None:
                raise LookedAgainError
            if make is objects_page and leaves:
                pages = self._kept.objects_page
                return deliver(pages if wants is None else narrowed(pages, wants), self._ledger, self._queries,
                               connection, place, asked, before, look)
            page = make(self._queries, connection, replace(place, reader=before.reader), asked)
            if page.found and ((after := look()) is None or after.reader != before.reader):
                raise LookedAgainError
            return page

    def _catch_up(self, place: Place, *, again: bool) -> bool:
        """Give what the seat sees since its last look its place; False where the disk is full, and that must wait.

        Raises UnavailableError where it must and doesn't help, ``again``: it never looked, so it has no place to keep.
        """
        try:
            self._arrivals.catch_up(place.feed, place.reader)
        except StorageFullError as full:
            if again:
                raise UnavailableError("The store can't take in a new reader of the collection now.", why=full.what,
                                       fix="Free some space.") from full
            return False
        return True
