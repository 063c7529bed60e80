"""What a follower does with changes: files in a folder, lines on the standard output, or the input of a program."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import msgspec

from exchange.client.change import Change
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
        """Write each; raises UnavailableError where the disk doesn't take it."""
        try:
            for change in changes:
                if change.kind == "notice":
                    self._heed(change)
                elif _ID.match(change.id):
                    self._keep(change.object)
                else:
                    self._tell(f"An object with the id {change.id[:100]!r} was left out: it is no STIX id.")
        except OSError as error:
            raise UnavailableError(f"{self._place} can't be written: {error.strerror or error}.",
                                   fix="Make room, or mend the permissions.") from error

    def _keep(self, item: Mapping[str, Any]) -> None:
        folder = self._place / str(item["id"]).partition("--")[0]
        version = _NO_DIGIT.sub("", str(item.get("modified") or ""))
        path = folder / str(item["id"]) / f"{version}.json" if version.isdigit() else folder / f"{item['id']}.json"
        _write(path, msgspec.json.encode(item))

    def _heed(self, change: Change) -> None:
        if change.obligation in _DELETES:
            for name in filter(_ID.match, change.concerned):
                folder = self._place / name.partition("--")[0]
                shutil.rmtree(folder / name, ignore_errors=True)
                (folder / f"{name}.json").unlink(missing_ok=True)
                change.done = change.done and not (folder / name).exists()
        if _NOTICE.match(change.id):
            _write(self._place / "notices" / f"{change.id}.json", msgspec.json.encode(change.notice))


class Lines:
    """Writes a JSON line for each change: ``{"change", "id", "object" or "notice"}``."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    def take(self, changes: Sequence[Change]) -> None:
        """Write them all."""
        for change in changes:
            self._write(msgspec.json.encode(change.stated()).decode())


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


def _write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.new")
    try:
        new.write_bytes(data)
    except OSError:
        new.unlink(missing_ok=True)
        raise
    new.replace(path)
