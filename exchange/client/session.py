"""One member's way to an exchange in Python: push, pull, follow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from exchange.client.change import Change
from exchange.client.follow import Follower, Pace
from exchange.client.push import Fate, Pushing
from exchange.client.snapshot import Format, Snapshot, take_snapshot
from exchange.client.taxii import Client as TaxiiClient


class Client(TaxiiClient):
    """A member's client of one exchange; ``token`` (Bearer) or ``user`` and ``password`` (Basic).

    It serves one thread.
    """

    def push(self, objects: Iterable[Mapping[str, Any]], collection: str | None = None) -> list[Fate]:
        """Push STIX objects, in parts that the server takes; what became of each.

        Raises NotFoundError where there is no such collection (or several, and none is named), UnauthorizedError,
        ForbiddenError, UnavailableError; pushing again adds nothing twice.
        """
        ordered = sorted(objects, key=lambda one: one.get("type") != "marking-definition")
        return list(Pushing(self, collection).push([msgspec.json.encode(one) for one in ordered]))

    def pull(self, collection: str | None = None, *, added_after: str | None = None) -> Iterator[dict[str, Any]]:
        """Every object that the member may have, in the order of adding; raises as ``pages``."""
        return self.objects(collection, added_after=added_after)

    def snapshot(self, out: Path | str, collection: str | None = None, form: Format | None = None) -> Snapshot:
        """All that the member may have now, as Parquet and bundle with a description; raises as ``take_snapshot``.

        Begin to follow behind it with ``begin_follower``, or ``cibx follow --from-snapshot``.
        """
        return take_snapshot(self, collection, Path(out), form)

    def follow(
        self, collection: str | None = None, *, checkpoint: Path | str = "follow.json", pace: Pace | None = None,
        notices: bool = True,
    ) -> Iterator[Change]:
        """What is new, for ever, each change at least once: it counts as taken when its batch was gone through.

        Whatever is raised in the loop's body leaves the batch untaken, and it comes again at the next start.
        """
        follower = Follower(lambda: self, collection, Path(checkpoint), pace or Pace(), notices)
        for batch in follower.batches():
            yield from batch
