"""The list of erasures outside the database: what a restored backup must not bring back.

One line of JSON for each erasure, without content, on the disk before the erasure is committed and so before it is
acknowledged: a line may stand there whose erasure was never acknowledged, never the other way round.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from exchange.errors import InputError, StorageFullError, UnavailableError
from exchange.settings import Settings
from exchange.stix.timestamp import from_microseconds, microseconds
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
    """What a list says: of which exchange it is, its erasures, and how many lines a crash cut short."""

    exchange: str
    erased: tuple[Erased, ...]
    cut: int


class ErasureList:
    """The list in one file; without a path nothing is kept."""

    def __init__(self, path: Path | None) -> None:
        self.path = path

    def note(self, connection: Connection, erased: Erased) -> None:
        """Put an erasure on the list just before the transaction that makes it is committed.

        The commit raises StorageFullError or UnavailableError where the list can't be written: nothing is erased then.
        """
        if self.path is not None:
            before_commit(connection, lambda: self._append([_line(erased)]))

    def begin(self, engine: Engine, exchange: str) -> bool:
        """Make the list where there is none, with the erasures that the database knows; whether it was made.

        ``exchange`` is the id of the exchange's identity.
        """
        if self.path is None or (self.path.exists() and self.path.stat().st_size):
            return False
        with read(engine) as connection:
            known = all_erasures(connection)
        lines = [_line(Erased(org, collection, stix_id, (), at)) for at, org, collection, stix_id in known]
        self._append([json.dumps({_HEAD: _FORMAT, "exchange": exchange}), *lines])
        return True

    def add(self, erased: Iterable[Erased]) -> None:
        """Put erasures on the list that another list or database told of. Raises as ``note`` does."""
        if self.path is not None:
            self._append(map(_line, erased))

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
            raise UnavailableError("The list of erasures can't be written, so nothing is erased.", why=why) from error


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
    exchange, erased, cut = "", [], 0
    for number, text in enumerate(lines, start=1):
        if not text:
            continue
        if not text.endswith("}"):  # cut short by a crash, so its erasure was never acknowledged
            cut += 1
            continue
        row = _row(path, number, text)
        if row.get(_HEAD) is not None:
            exchange = str(row.get("exchange", ""))
        else:
            erased.append(_erased(path, number, row))
    return Listed(exchange, tuple(erased), cut)


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


def _unreadable(path: Path, number: int) -> InputError:
    return InputError(f"Line {number} of the list of erasures {path} isn't of such a list.",
                      fix="Take a copy of the list that is whole.")


def _line(erased: Erased) -> str:
    return json.dumps({"at": from_microseconds(erased.at), "org": erased.org, "collection": erased.collection,
                       "id": erased.stix_id, "versions": list(erased.digests)})
