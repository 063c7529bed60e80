"""A page leaves only when the ledger has it, and only if nothing of it changed meanwhile.

Who erases or restricts an object raises its collection's revision in the same transaction, and asks the ledger
again after its commit. Here the revision is read before a page is made and after its delivery is noted: where it
is the same, the delivery was noted before that commit, so that it is found by whoever asks after it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from exchange.errors import UnavailableError
from exchange.feed.page import Page, Place
from exchange.feed.query import Asked
from exchange.model.changed import changed
from exchange.store.arrivals import Standing
from exchange.store.ledger import Delivery, Ledger, Receiver
from exchange.store.objects import ObjectQueries, Reader

_TRIES = 5


class LookedAgainError(Exception):
    """The reader may see other things than when the page was begun: it is made anew for the reader as it is now."""


def deliver(
    make: Callable[[ObjectQueries, Any, Place, Asked, int], Page], ledger: Ledger, queries: ObjectQueries,
    connection: Any, place: Place, asked: Asked, before: Standing, look: Callable[[], Standing | None],
) -> Page:
    """The page with its receipt; an empty one needs none. ``make`` is told the collection's revision before it.

    ``before`` is how the reader of ``place`` stood just now, and ``look`` how it stands. Raises LookedAgainError where
    that isn't the same reader any more once the page is made, and UnavailableError where the ledger can't take it or
    the collection changes faster than it is read.
    """
    for _ in range(_TRIES):
        page = make(queries, connection, place, asked, before.revision)
        if not page.found:
            return page
        noted = ledger.note(_receiver(place.reader), _delivery(place, page)) if page.seqs else None
        after = look()
        if after == before or (noted is None and after is not None and after.reader == before.reader):
            return page if noted is None else changed(page, receipt=noted.receipt)
        if noted is not None:
            ledger.take_back(noted)
        if after is None or after.reader != before.reader:
            raise LookedAgainError
        before, place = after, changed(place, sign=None)
    raise UnavailableError("The collection changes faster than it can be read.", fix="Try again shortly.")


def _receiver(reader: Reader) -> Receiver:
    return Receiver(reader.org, reader.credential, reader.purpose, reader.profile, reader.policy)


def _delivery(place: Place, page: Page) -> Delivery:
    return Delivery(at=place.reader.now, feed=place.feed, first=min(page.seqs), last=max(page.seqs),
                    count=len(page.seqs), seqs=page.runs, digest=page.digest)
