"""Where a follower stands, in a file: the date after which it asks next, and what its last page held.

The date is that of the page before the last: a server that gives several objects one date may have cut them
apart, so that the last page is asked for once more, and what was on it is left out. The file is written whole or
not at all, and one follower at a time holds it.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from exchange.client.disk import make_folder, write_whole
from exchange.errors import InputError, UnavailableError

FORMAT = 1


@dataclass
class Place:
    """After which date to ask, and which versions were taken since."""

    after: str = ""
    """RFC 3339; empty at the start."""
    last: str = ""
    """Date of the last object that was taken."""
    taken: set[str] = field(default_factory=set)
    """Digests of the versions between the two."""

    def is_taken(self, item: Mapping[str, Any]) -> bool:
        """Whether this version came with the last page."""
        return digest(item) in self.taken

    def step(self, items: list[Mapping[str, Any]], last: str) -> None:
        """A page was taken whole; ``last`` is the date of its last object."""
        found = {digest(item) for item in items}
        if last == self.last:
            self.taken |= found
        else:
            self.after, self.last, self.taken = self.last, last, found


def digest(item: Mapping[str, Any]) -> str:
    """What tells one version of an object from another."""
    told = f"{item.get('id')} {item.get('modified') or item.get('created') or ''}"
    return hashlib.blake2b(told.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


class PlaceFile:
    """The place of one follower of one collection, in a file; a context manager that holds it."""

    def __init__(self, path: Path, feed: str) -> None:
        """``feed`` is the URL of the collection: another one's file is refused."""
        self._path = path
        self._feed = feed
        self._lock = -1

    def __enter__(self) -> Self:
        """Raises InputError where another follower holds the file, or it can't be written."""
        lock = self._path.with_name(self._path.name + ".lock")
        try:
            make_folder(lock.parent)
            self._lock = os.open(lock, os.O_CREAT | os.O_RDWR, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise InputError(f"Another follower uses the checkpoint {self._path}.",
                             fix="End it, or name another file with --checkpoint.") from None
        except OSError as error:
            raise InputError(f"The checkpoint {self._path} can't be written: {error.strerror}.",
                             fix="Name another file with --checkpoint.") from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._lock)

    def load(self) -> Place:
        """The place; that of the start where there is no file. Raises InputError for a file that isn't its own."""
        try:
            record = json.loads(self._path.read_bytes())
            if record["format"] != FORMAT or not all(isinstance(record[key], str) for key in ("after", "last", "feed")):
                raise ValueError
            place = Place(record["after"], record["last"], {str(one) for one in record["taken"]})
        except FileNotFoundError:
            return Place()
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{self._path} is no checkpoint of a follower.",
                             fix="Delete it to begin anew, or name another.") from error
        if record["feed"] != self._feed:
            raise InputError(f"The checkpoint {self._path} is of {record['feed']}.",
                             fix="Name another file with --checkpoint for another collection.")
        return place

    def save(self, place: Place) -> None:
        """Keep the place, durably. Raises UnavailableError where the disk is full, InputError for other reasons."""
        record: dict[str, Any] = {"format": FORMAT, "feed": self._feed, "after": place.after, "last": place.last,
                                  "taken": sorted(place.taken)}
        try:
            write_whole(self._path, json.dumps(record).encode())
        except OSError as error:
            kind = UnavailableError if error.errno in {errno.ENOSPC, errno.EDQUOT} else InputError
            raise kind(f"The checkpoint {self._path} can't be written: {error.strerror}.",
                       fix="Make room; nothing is lost, the last page will come again.") from None
