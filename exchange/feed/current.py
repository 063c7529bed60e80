"""A page is made for the reader as its seat stands, once the seat took in what it sees since its last look."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from typing import Any

from exchange.errors import StorageFullError, UnavailableError
from exchange.feed.delivery import LookedAgainError, deliver
from exchange.feed.narrowed import Wants, narrowed
from exchange.feed.page import Page, PageMaker, Place, objects_page
from exchange.feed.page_cache import PageCache
from exchange.feed.query import Asked
from exchange.model.changed import changed
from exchange.store.arrivals import Arrivals, Standing
from exchange.store.changes import Changes
from exchange.store.engine import raw
from exchange.store.ledger import Ledger
from exchange.store.objects import ObjectQueries

_TRIES = 5
_MOST_STANDING = 10_000


class CurrentPages:
    """Pages of one process; ``kept_bytes`` of those that are settled stay in memory."""

    def __init__(
        self, ledger: Ledger, queries: ObjectQueries, arrivals: Arrivals, changes: Changes, kept_bytes: int
    ) -> None:
        self._ledger = ledger
        self._changes = changes
        self._stood: OrderedDict[tuple[object, ...], tuple[object, Standing]] = OrderedDict()
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
                behind, place = not self._catch_up(place, again=behind), replace(place, seen=None)
        raise UnavailableError("What you may read changes faster than it is read.", fix="Try again shortly.")

    def empty_until(self, place: Place, asked: Asked) -> tuple[bool, int | None]:
        """Whether a page that was empty stays so while nothing is committed, and until which date (microseconds).

        That isn't known where the page was asked for by cursor or by id, or the seat saw something late behind it.
        """
        reader, after = place.reader, asked.filter.after
        if asked.cursor is not None or asked.filter.ids is not None:
            return False, None
        with raw(self._arrivals.engine) as connection:
            stands = self._standing(connection, place, behind=False, sign=self._changes.sign())
            if stands is None or stands.reader.arrived > after:
                return False, None
            shows = self._queries.next_date(connection, reader.now)
        dates = [date for date in (shows, reader.changes) if date is not None]
        return all(date > reader.now for date in dates), min(dates, default=None)

    def _page(
        self, make: PageMaker, place: Place, asked: Asked, leaves: bool, wants: Wants | None, behind: bool
    ) -> Page:
        """Raises LookedAgainError where the seat must catch up, or did meanwhile; ``behind``: it can't now."""
        with raw(self._arrivals.engine) as connection:
            sign = None if behind else self._changes.sign_of(place.seen)
            before = self._standing(connection, place, behind, sign)
            if before is None:
                raise LookedAgainError
            place = changed(place, reader=before.reader, sign=sign)

            def look() -> Standing | None:
                """How the seat stands now; None where it must catch up."""
                now = None if behind else self._changes.sign(soon=True)
                if now is not None and now == sign:
                    return before
                return self._standing(connection, place, behind, now)

            if make is objects_page and leaves:
                pages = self._kept.objects_page
                whole = wants is None and asked.until is None
                return deliver(pages if whole else narrowed(pages, wants), self._ledger, self._queries,
                               connection, place, asked, before, look)
            page = make(self._queries, connection, place, asked)
            if page.found and ((after := look()) is None or after.reader != before.reader):
                raise LookedAgainError
            return page

    def _standing(self, connection: Any, place: Place, behind: bool, sign: object | None) -> Standing | None:
        """How the seat stands, from memory where nothing was committed and no release date came since it was asked.

        ``sign`` was read just before; None where there is none.
        """
        reader = place.reader
        if sign is None:
            return self._arrivals.standing(connection, place.feed, reader, behind=behind)
        key = place.feed, reader.seat, reader.profile, reader.collections
        known = self._stood.get(key)
        if known is not None and known[0] == sign and (known[1].opens or reader.now + 1) > reader.now:
            return known[1].at(reader)
        found = self._arrivals.standing(connection, place.feed, reader)
        if found is not None:
            self._stood[key] = sign, found
            if len(self._stood) > _MOST_STANDING:
                self._stood.popitem(last=False)
        return found

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
