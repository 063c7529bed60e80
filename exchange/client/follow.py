"""Following a collection: catch up, then stay current, without a miss, over restarts of either side.

At least once: what was handed over counts as taken when the next batch is asked for, and only then is the place
kept and a notice acknowledged. A follower that dies in between is given the same again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from exchange.client.change import Change, of_notice, of_object
from exchange.client.follow_place import PlaceFile
from exchange.client.notices import Notices
from exchange.client.taxii import Client, Pulled
from exchange.errors import ExchangeError, ForbiddenError, NotFoundError, UnauthorizedError, UnavailableError

LONGEST_PAUSE = 60.0
"""Seconds: back-off after failures grows up to this."""


@dataclass(frozen=True)
class Pace:
    """When a follower asks; times in seconds."""

    poll: float = 10.0
    """Between two looks where nothing is new."""
    once: bool = False
    """Catch up and end; failures end it too."""
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class Follower:
    """One collection of one server, followed by one member."""

    reconnect: Callable[[], Client]
    """A client with the credential as it is now: called at the start, and once more when one isn't accepted."""
    collection: str | None
    checkpoint: Path
    pace: Pace = Pace()
    notices: bool = True
    """Whether the member's notices are handed over and acknowledged too, where the server has such."""
    tell: Callable[[str], None] = lambda sentence: None
    """Given a sentence for people when the server is gone, and when it is back."""

    def batches(self) -> Iterator[Sequence[Change]]:
        """What is new, page by page, then the notices; ends only with ``pace.once``.

        Raises UnauthorizedError when the credential isn't accepted, ForbiddenError, NotFoundError, LogAlteredError;
        with ``once`` also UnavailableError.
        """
        client, url = self._connect()
        with PlaceFile(self.checkpoint, url) as file:
            failed, renewed = 0, False
            answered: set[str] = set()
            while True:
                try:
                    yield from self._look(client, url, file, answered)
                    if failed:
                        self.tell(f"{url} answers again.")
                    failed, renewed = 0, False
                except UnauthorizedError as refused:
                    if renewed:
                        raise UnauthorizedError(
                            f"{url} doesn't accept the credential any more.",
                            why="It may have expired or been revoked.",
                            fix=f"Get a new one and run the same command: it goes on from {self.checkpoint}.",
                        ) from refused
                    client, renewed = self.reconnect(), True
                    continue
                except UnavailableError as gone:
                    if self.pace.once:
                        raise
                    failed += 1
                    if failed == 1:
                        self.tell(f"{gone} Trying again until it answers.")
                if self.pace.once:
                    return
                pause = self.pace.poll if not failed else min(2.0 ** min(failed - 1, 10), LONGEST_PAUSE)
                self.pace.sleep(pause)

    def _connect(self) -> tuple[Client, str]:
        """The client and the collection's URL, as soon as the server answers."""
        client, failed = self.reconnect(), 0
        while True:
            try:
                return client, client.collection_url(self.collection)
            except UnavailableError as gone:
                if self.pace.once:
                    raise
                if not failed:
                    self.tell(f"{gone} Trying again until it answers.")
                failed += 1
                self.pace.sleep(min(2.0 ** min(failed - 1, 10), LONGEST_PAUSE))

    def _look(
        self, client: Client, url: str, file: PlaceFile, answered: set[str]
    ) -> Iterator[Sequence[Change]]:
        place = file.load()
        for page in client.pages(url, added_after=place.after or None):
            fresh = [item for item in page.objects if not place.is_taken(item)]
            if fresh:
                yield [of_object(item) for item in fresh]
            place.step(list(page.objects), _date(page, url))
            if fresh:
                file.save(place)
        if self.notices:
            yield from self._owed(client, answered)

    def _owed(self, client: Client, answered: set[str]) -> Iterator[Sequence[Change]]:
        """The notices to which an answer is awaited; each is answered once, when it was taken."""
        desk = client.notices()
        try:
            awaited = desk.awaited()
        except (ForbiddenError, NotFoundError):
            return  # another kind of server has none
        for change in reversed([of_notice(one) for one in awaited if one.get("id") not in answered]):
            yield [change]
            _answer(desk, change)
            answered.add(change.id)


def _answer(desk: Notices, change: Change) -> None:
    said = change.statement or ("Applied by the follower." if change.done else "It couldn't be applied.")
    try:
        desk.acknowledge(change.id, done=change.done, statement=said)
    except NotFoundError:
        pass  # lifted meanwhile
    except UnavailableError:
        raise
    except ExchangeError as refused:
        raise UnavailableError(f"The notice {change.id} can't be acknowledged: {refused}") from refused


def _date(page: Pulled, url: str) -> str:
    if page.last_added is None:
        raise NotFoundError(f"{url} doesn't say when it added what it sends: it can't be followed.",
                            fix="Ask who runs it for X-TAXII-Date-Added-Last, which TAXII 2.1 demands.")
    return page.last_added
