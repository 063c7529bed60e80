"""The list of erasures outside the database: what a restored backup must not bring back.

One line of JSON for each erasure, and for what else was taken back (``taken_back``), without content, on the disk
before it is committed and so before it is acknowledged: a line may stand there whose change was never acknowledged,
never the other way round.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from exchange.errors import InputError, StorageFullError, UnavailableError
from exchange.obligations.taken_back import TakenBack
from exchange.settings import Settings
from exchange.stix.timestamp import from_microseconds, microseconds
from exchange.store.directory import meta_value
from exchange.store.engine import before_commit, read
from exchange.store.erasures import all_erasures

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_HEAD = "cibx-erasures"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Erased:
    """An object that was erased in a collection; ``digests`` are the SHA-256 of its versions, ``at`` microseconds."""

    org: str
    collection: str
    stix_id: str
    digests: tuple[str, ...]
    at: int


@dataclass(frozen=True, slots=True)
class Listed:
    """What a list says: of which exchange it is, its erasures, how many lines a crash cut short, and what else was
    taken back, in its order."""

    exchange: str
    erased: tuple[Erased, ...]
    cut: int
    taken: tuple[TakenBack, ...] = ()


class ErasureList:
    """The list in one file; without a path nothing is kept."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._waiting: WeakKeyDictionary[Any, list[Erased | TakenBack]] = WeakKeyDictionary()
        """What each transaction that is open takes back: its lines are written together."""

    def note(self, connection: Connection, *noted: Erased | TakenBack) -> None:
        """Put what is taken back on the list just before the transaction that does it is committed.

        The commit raises StorageFullError or UnavailableError where the list can't be written: nothing is changed then.
        """
        if self.path is None or not noted:
            return
        transaction = connection.get_transaction()
        if transaction not in self._waiting:
            waiting = self._waiting[transaction] = list[Erased | TakenBack]()
            before_commit(connection, lambda: self._append(
                [*self._beginning(connection, waiting), *map(_line, waiting)]))
        self._waiting[transaction] += noted

    def begin(self, engine: Engine) -> bool:
        """Make the list where there is none, with the erasures that the database knows; whether it was made."""
        if self.path is None:
            return False
        with read(engine) as connection:
            lines = self._beginning(connection, ())
        if lines:
            self._append(lines)
        return bool(lines)

    def _beginning(self, connection: Connection, noted: Sequence[Erased | TakenBack]) -> list[str]:
        """The first lines, where there is no list yet: whose it is, and the erasures of before but those ``noted``."""
        if self.path is None or (self.path.exists() and self.path.stat().st_size):
            return []
        fresh = {(one.org, one.collection, one.stix_id) for one in noted if isinstance(one, Erased)}
        known = [Erased(org, collection, stix_id, (), at) for at, org, collection, stix_id in all_erasures(connection)
                 if (org, collection, stix_id) not in fresh]
        head = {_HEAD: _FORMAT, "exchange": meta_value(connection, "exchange.identity")}
        return [json.dumps(head), *map(_line, known)]

    def add(self, noted: Sequence[Erased | TakenBack]) -> None:
        """Put on the list what another list or database told of. Raises as ``note`` does."""
        if self.path is not None and noted:
            self._append(map(_line, noted))

    def _append(self, lines: Iterable[str]) -> None:
        text = "".join(f"{line}\n" for line in lines).encode()
        try:
            handle = os.open(str(self.path), os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                _append_whole(handle, text)
            finally:
                os.close(handle)
        except OSError as error:
            why = f"{self.path}: {error.strerror}."
            if error.errno in {28, 122}:  # ENOSPC, EDQUOT
                raise StorageFullError("The list of erasures can't be written: the disk is full.", why=why) from error
            raise UnavailableError("The list of erasures can't be written, so nothing is changed.", why=why) from error


def _append_whole(handle: int, text: bytes) -> None:
    """All of the text or nothing of it, on the disk when this returns; a line that a crash cut short is ended first."""
    size = os.fstat(handle).st_size
    if size and os.pread(handle, 1, size - 1) != b"\n":
        text = b"\n" + text
    try:
        left = memoryview(text)
        while left:
            left = left[os.write(handle, left) :]
        os.fsync(handle)
    except OSError:
        with suppress(OSError):  # what can't be taken back is a line cut short
            os.ftruncate(handle, size)
        raise


def erasures_path(settings: Settings) -> Path | None:
    """Where the list lies: CIBX_ERASURES, else beside the SQLite file; None on PostgreSQL."""
    if settings.erasures:
        return Path(settings.erasures)
    found = re.fullmatch(r"sqlite:///(.+)", settings.database_url)
    return Path(found[1] + "-erasures") if found else None


def read_erasures(path: Path) -> Listed:
    """What a list says. Raises InputError for a file that isn't one, or with a line that isn't of one."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise InputError(f"The list of erasures {path} can't be read.",
                         fix="Give the file that stood beside the database, or of CIBX_ERASURES.") from None
    exchange, erased, taken, cut = "", [], [], 0
    for number, text in enumerate(lines, start=1):
        if not text:
            continue
        if not text.endswith("}"):  # cut short by a crash, so its erasure was never acknowledged
            cut += 1
            continue
        row = _row(path, number, text)
        if row.get(_HEAD) is not None:
            exchange = str(row.get("exchange", ""))
        elif "kind" in row:
            taken.append(_taken(path, number, row))
        else:
            erased.append(_erased(path, number, row))
    return Listed(exchange, tuple(erased), cut, tuple(taken))


def _row(path: Path, number: int, text: str) -> dict[str, object]:
    try:
        row = json.loads(text)
    except ValueError:
        row = None
    if not isinstance(row, dict):
        raise _unreadable(path, number)
    return row


def _erased(path: Path, number: int, row: dict[str, object]) -> Erased:
    digests = row.get("versions")
    try:
        at = microseconds(str(row["at"]))
        if not isinstance(digests, list):
            raise _unreadable(path, number)
        return Erased(str(row["org"]), str(row["collection"]), str(row["id"]), tuple(map(str, digests)), at)
    except (KeyError, ValueError):
        raise _unreadable(path, number) from None


def _taken(path: Path, number: int, row: dict[str, object]) -> TakenBack:
    try:
        at = microseconds(str(row.pop("at")))
    except (KeyError, ValueError):
        raise _unreadable(path, number) from None
    return TakenBack(at, str(row.pop("kind")), row)


def _unreadable(path: Path, number: int) -> InputError:
    return InputError(f"Line {number} of the list of erasures {path} isn't of such a list.",
                      fix="Take a copy of the list that is whole.")


def _line(noted: Erased | TakenBack) -> str:
    if isinstance(noted, TakenBack):
        return json.dumps({"at": from_microseconds(noted.at), "kind": noted.kind, **noted.said})
    return json.dumps({"at": from_microseconds(noted.at), "org": noted.org, "collection": noted.collection,
                       "id": noted.stix_id, "versions": list(noted.digests)})
