"""What a follower does with changes: files in a folder, lines on the standard output, or the input of a program."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from exchange.client.change import Change
from exchange.client.disk import Batch
from exchange.errors import ExchangeError, InputError, UnavailableError

_ID = re.compile(r"[a-z][a-z0-9-]{1,248}[a-z0-9]--[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\Z")
_NOTICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,299}\Z")
_NO_DIGIT = re.compile(r"[-T:.Z ]")
_DELETES = frozenset({"delete"})


class Taker(Protocol):
    """Takes a batch of changes; what it returned from is taken for good."""

    def take(self, changes: Sequence[Change]) -> None:
        """Raises UnavailableError for what may work later, else ExchangeError; then the batch comes again."""
        ...


class Folder:
    """Keeps objects as stix2's FileSystemStore reads them: ``TYPE/ID/MODIFIED.json``, else ``TYPE/ID.json``.

    A notice is a file of ``notices/``; what it asks to delete is deleted.
    """

    def __init__(self, place: Path, tell: Callable[[str], None] = lambda sentence: None) -> None:
        """``tell`` is given a sentence for an object that can't be kept under its id."""
        self._place = place
        self._tell = tell

    def take(self, changes: Sequence[Change]) -> None:
        """Write each, on the disk when this returns; raises UnavailableError where the disk doesn't take it."""
        batch = Batch(self._place)
        try:
            for change in changes:
                if change.kind == "notice":
                    batch.settle()  # what it asks to delete may have come with it
                    self._heed(change, batch)
                elif _ID.match(change.id):
                    self._keep(change.object, batch)
                else:
                    self._tell(f"An object with the id {change.id[:100]!r} was left out: it is no STIX id.")
            batch.settle()
        except OSError as error:
            raise UnavailableError(f"{self._place} can't be written: {error.strerror or error}.",
                                   fix="Make room, or mend the permissions.") from error

    def _keep(self, item: Mapping[str, Any], batch: Batch) -> None:
        folder = self._place / str(item["id"]).partition("--")[0]
        version = _NO_DIGIT.sub("", str(item.get("modified") or ""))
        path = folder / str(item["id"]) / f"{version}.json" if version.isdigit() else folder / f"{item['id']}.json"
        batch.write(path, msgspec.json.encode(item))

    def _heed(self, change: Change, batch: Batch) -> None:
        if change.obligation in _DELETES:
            for name in filter(_ID.match, change.concerned):
                folder = self._place / name.partition("--")[0]
                shutil.rmtree(folder / name, ignore_errors=True)
                (folder / f"{name}.json").unlink(missing_ok=True)
                batch.gone(folder / name)
                change.done = change.done and not (folder / name).exists()
        if _NOTICE.match(change.id):
            batch.write(self._place / "notices" / f"{change.id}.json", msgspec.json.encode(change.notice))


class Lines:
    """Writes a JSON line for each change: ``{"change", "id", "object" or "notice"}``; into a file, to the disk."""

    def __init__(self, write: Callable[[str], None], file: int | None = None) -> None:
        """``file`` is the handle that ``write`` ends in, where that is one."""
        self._write = write
        self._file = file if file is not None and stat.S_ISREG(os.fstat(file).st_mode) else None

    def take(self, changes: Sequence[Change]) -> None:
        """Write them all. Raises UnavailableError where a file's disk doesn't take them."""
        for change in changes:
            self._write(msgspec.json.encode(change.stated()).decode())
        try:
            if self._file is not None:
                os.fsync(self._file)
        except OSError as error:
            raise UnavailableError(f"The output can't be written: {error.strerror or error}.",
                                   fix="Make room; the lines will come again.") from error


class Program:
    """Runs a program for each batch, with the lines of ``Lines`` on its standard input; exit code 0 takes it."""

    def __init__(self, arguments: Sequence[str]) -> None:
        """Raises InputError for a program that isn't there."""
        if not arguments or shutil.which(arguments[0]) is None:
            raise InputError(f"There is no program {arguments[0] if arguments else ''!r}.", fix="Check --exec.")
        self._arguments = list(arguments)

    def take(self, changes: Sequence[Change]) -> None:
        """Raises UnavailableError where the program fails: the batch comes again."""
        lines = b"".join(msgspec.json.encode(change.stated()) + b"\n" for change in changes)
        try:
            done = subprocess.run(self._arguments, input=lines, check=False)  # noqa: S603 - the person's own program
        except OSError as error:
            raise ExchangeError(f"{self._arguments[0]} can't be run: {error.strerror}.", fix="Check --exec.") from error
        if done.returncode != 0:
            raise UnavailableError(f"{self._arguments[0]} ended with {done.returncode}.",
                                   why="What it was given isn't taken, and will be given again.")
