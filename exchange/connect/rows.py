"""The account of a run as a file: rows.jsonl, one line per row of the source.

Each line is ``{"file", "row", "outcome", "ids", "reason"}``; row 1 is a table's header or the first object.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import msgspec

from exchange.connect.contract import Row
from exchange.errors import InputError

ROWS_NAME = "rows.jsonl"


class OutputFile:
    """A file that stands under its name only when it is whole: written aside, renamed at the end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._aside = path.with_name(path.name + ".part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: IO[bytes] = self._aside.open("wb")
        except OSError as error:
            raise InputError(
                f"{path} can't be written.", why=f"{error.strerror}.", fix="Name another folder with --out."
            ) from error

    def write(self, data: bytes) -> None:
        """Append bytes; raises OSError when the disk is full."""
        self._file.write(data)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.finish()
        self._file.close()
        if kind is None:
            self._aside.replace(self.path)
        else:
            self._aside.unlink(missing_ok=True)

    def finish(self) -> None:
        """What still has to be written before the file is whole."""


class RowsFile(OutputFile):
    """Writes rows.jsonl into a folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / ROWS_NAME)

    def add(self, rows: Iterable[Row]) -> None:
        """One line per row."""
        for row in rows:
            self.write(msgspec.json.encode(row) + b"\n")
