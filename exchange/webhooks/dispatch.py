"""Delivering webhooks: in order for each subscriber, tried for days, then put aside as a dead letter.

What leaves is a page of the collection as the subscriber's key could pull it at that moment: the policy decides anew
for each try, and the ledger notes it. One process at a time holds a webhook, by a lease in the database. A message
is delivered at least once. Where it ends is kept before its first try, so that each try, also of another process, has
its id and its body, less what was taken back meanwhile; what was added since comes in the next one.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import msgspec

from exchange.errors import ExchangeError, ForbiddenError
from exchange.feed.narrowed import raw_objects
from exchange.feed.page import Page, objects_page
from exchange.feed.query import Asked
from exchange.model.access import holds, may_read
from exchange.model.party import Collection, Credential, Organisation
from exchange.model.webhook import signed_headers, signing_secrets
from exchange.obligations.seal import read_seal, seal_path
from exchange.outbound.web import Web
from exchange.spans import span
from exchange.stix.timestamp import from_microseconds, microseconds
from exchange.store import webhooks as stored
from exchange.store.engine import read, write
from exchange.store.objects import Filter
from exchange.webhooks.desk import place_text, wanted
from exchange.wiring import Exchange

SECOND = 1_000_000
PAUSES = (5, 60, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds after each failed try; after the last, three days on, the message becomes a dead letter."""
_LEASE = 120 * SECOND
"""Longer than one try may take (``Web``'s limits)."""
_SKEW = 60 * SECOND
"""By how much the clocks of two servers may differ."""
_LOOK = 2 * SECOND
"""Between two looks where nothing is new."""
_AT_ONCE = 100
"""Objects in one message."""
_DUE = 100
"""Webhooks of one round."""
_ANSWER = 100_000
"""Bytes of an answer that are read."""


@dataclass(frozen=True)
class Dispatcher:
    """The webhooks of one exchange, as one process delivers them; ``web`` makes a way out for one try."""

    exchange: Exchange
    web: Callable[[], Web]

    def due(self) -> list[str]:
        """Ids of webhooks to be looked at now."""
        with read(self.exchange.engine) as connection:
            return stored.due(connection, self.exchange.clock(), _waits(), _DUE)

    def deliver(self, name: str) -> bool:
        """Look at one webhook, and deliver at most one message; whether something was there to deliver."""
        now = self.exchange.clock()
        with write(self.exchange.engine) as connection:
            claimed = stored.claim(connection, name, now, _waits(), now + _LEASE)
        if claimed is None:
            return False
        claimed["next_at"] = now + _LEASE
        moved = False
        try:
            there = self._deliver(claimed, now)
            moved = True
        finally:
            if not moved:  # the process is told to end, or the store is away: others needn't wait for the lease's end
                with suppress(ExchangeError):
                    self._move(claimed, next_at=now)
        return there

    def _deliver(self, claimed: stored.Row, now: int) -> bool:
        try:
            page = self._page(claimed)
        except ForbiddenError as ended:
            self._move(claimed, state="stopped", why=str(ended))
            return False
        except ExchangeError as later:
            self._move(claimed, next_at=now + _LOOK, why=str(later))
            return False
        if not page.found:
            self._move(claimed, until=None, failures=0, next_at=now + _LOOK)
            return False
        last = microseconds(str(page.last))
        if claimed["until"] is not None:  # the lesser where the message's end was taken back
            last = min(last, claimed["until"])
        if not page.seqs:
            self._move(claimed, place=last, until=None, failures=0, next_at=now)
        elif claimed["until"] is not None or self._move(claimed, until=last):
            message = f"msg_{claimed['id']}_{claimed['place'] + 1}_{claimed['until'] or last}"
            self._settle(claimed, page, last, self._failure(claimed, page, last, message))
        return True

    def _page(self, claimed: stored.Row) -> Page:
        """What its key may have next; raises ForbiddenError where it may have nothing any more."""
        exchange = self.exchange
        organisation, credential, collection = self._who(claimed)
        reader = exchange.reader(exchange.directory(), organisation, credential, None, exchange.clock(),
                                 encrypted=claimed["url"].startswith("https://"))
        asked = Asked(Filter(after=claimed["place"], limit=_AT_ONCE), None, "", claimed["until"])
        wants = wanted(claimed)
        return exchange.page(objects_page, collection, reader, "", asked,
                             wants=None if wants.everything else wants.wants)

    def _who(self, claimed: stored.Row) -> tuple[Organisation, Credential, Collection]:
        directory, at = self.exchange.directory(), from_microseconds(self.exchange.clock())
        organisation, credential = directory.organisations.get(claimed["org"]), directory.credentials.get(
            claimed["credential"])
        collection = directory.collections.get(claimed["collection"])
        if (organisation is None or not organisation.active or credential is None or credential.revoked
                or "read" not in credential.scopes or not holds(credential.since, credential.until, at)):
            raise ForbiddenError("The key that made the webhook isn't valid any more.",
                                 fix="Resume it with another key.")
        if collection is None or not may_read(collection, organisation, at):
            raise ForbiddenError("The collection can't be read any more.")
        return organisation, credential, collection

    def _failure(self, claimed: stored.Row, page: Page, last: int, message: str) -> tuple[str, bool]:
        """Send one message; ("", False) when it was taken, else why not, and whether nothing more is wanted.

        Its timestamp is that of the event, as Standard Webhooks has it: when the last of its objects was added.
        """
        body = msgspec.json.encode({
            "type": "objects.added", "timestamp": from_microseconds(last),
            "data": {"webhook": claimed["id"], "collection": claimed["collection"], "last": from_microseconds(last),
                     "after": place_text(claimed["place"]), "objects": [msgspec.Raw(one) for one in raw_objects(page)]},
        })
        try:
            secret = read_seal(seal_path(self.exchange.settings)).open(claimed["secret"], f"webhook {claimed['id']}")
            now = self.exchange.clock()
            headers = signed_headers(signing_secrets(secret.decode(), now), message, now // SECOND, body)
            with self.web() as web, span("webhook"):
                reply = web.request("POST", claimed["url"], headers=headers, body=body, limit=_ANSWER)
        except ExchangeError as error:
            return error.what, False
        if reply.status == 410:
            return "The receiver says that it is gone (410).", True
        return ("", False) if 200 <= reply.status < 300 else (f"The receiver answered {reply.status}.", False)

    def _settle(self, claimed: stored.Row, page: Page, last: int, failure: tuple[str, bool]) -> None:
        now, (why, gone) = self.exchange.clock(), failure
        if not why:
            self._move(claimed, place=last, until=None, failures=0, next_at=now, why="", delivered_at=now,
                       delivered=claimed["delivered"] + len(page.seqs))
        elif gone:
            self._move(claimed, state="stopped", why=why)
        elif claimed["failures"] < len(PAUSES):
            pause = PAUSES[claimed["failures"]] * SECOND
            self._move(claimed, failures=claimed["failures"] + 1, next_at=now + pause, why=why)
        else:
            self._bury(claimed, last, now, why)

    def _bury(self, claimed: stored.Row, last: int, now: int, why: str) -> None:
        with write(self.exchange.engine) as connection:
            if stored.move(connection, claimed, place=last, until=None, failures=0, next_at=now, why=why):
                stored.add_dead_letter(connection, {
                    "webhook": claimed["id"], "at": now, "after": claimed["place"], "until": last,
                    "tries": claimed["failures"] + 1, "why": why})

    def _move(self, claimed: stored.Row, **values: Any) -> bool:
        """Change what is claimed; False where it was changed meanwhile, so that nothing of it is to be sent."""
        with write(self.exchange.engine) as connection:
            return stored.move(connection, claimed, **values)


def _waits() -> tuple[int, ...]:
    """Microseconds for which a webhook waits at most, by its failures: for a lease's end, or the next try."""
    return tuple(max(_LEASE, pause * SECOND) + _SKEW for pause in (0, *PAUSES))
