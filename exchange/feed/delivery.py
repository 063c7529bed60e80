"""A page leaves only when the ledger has it, and only if nothing of it changed meanwhile.

Who erases or restricts an object raises its collection's revision in the same transaction, and asks the ledger
again after its commit. Here the revision is read before a page is made and after its delivery is noted: where it
is the same, the delivery was noted before that commit, so that it is found by whoever asks after it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from exchange.errors import UnavailableError
from exchange.feed.page import Page, Place
from exchange.feed.query import Asked
from exchange.store.ledger import Delivery, Ledger, Receiver
from exchange.store.objects import ObjectQueries, Reader

_TRIES = 5


class LookedAgainError(Exception):
    """The reader may see other things than when the page was begun: it is made anew for the reader as it is now."""


def deliver(
    make: Callable[[ObjectQueries, Any, Place, Asked, int], Page], ledger: Ledger, queries: ObjectQueries,
    connection: Any, place: Place, asked: Asked, is_current: Callable[[], bool] = lambda: True,
) -> Page:
    """The page with its receipt; an empty one needs none. ``make`` is told the collection's revision before it.

    Raises LookedAgainError where the reader isn't ``is_current`` any more once the page is made, and UnavailableError
    where the ledger can't take it or the collection changes faster than it is read.
    """
    for _ in range(_TRIES):
        revision = queries.revision(connection, place.feed)
        page = make(queries, connection, place, asked, revision)
        if not page.seqs:
            if page.found and not is_current():
                raise LookedAgainError
            return page
        noted = ledger.note(_receiver(place.reader), _delivery(place, page))
        current = is_current()
        if current and queries.revision(connection, place.feed) == revision:
            return replace(page, receipt=noted.receipt)
        ledger.take_back(noted)
        if not current:
            raise LookedAgainError
    raise UnavailableError("The collection changes faster than it can be read.", fix="Try again shortly.")


def _receiver(reader: Reader) -> Receiver:
    return Receiver(reader.org, reader.credential, reader.purpose, reader.profile, reader.policy)


def _delivery(place: Place, page: Page) -> Delivery:
    return Delivery(at=place.reader.now, feed=place.feed, first=min(page.seqs), last=max(page.seqs),
                    count=len(page.seqs), seqs=page.runs, digest=page.digest)
