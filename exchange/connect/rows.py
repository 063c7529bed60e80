"""The account of a run as a file: rows.jsonl, one line per row of the source.

Each line is ``{"file", "row", "outcome", "ids", "reason"}``; row 1 is a table's header or the first object.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import IO, Literal, Self

import msgspec

from exchange.connect.contract import Row
from exchange.errors import ExchangeError, InputError

ROWS_NAME = "rows.jsonl"
Mode = Literal["whole", "fresh", "append"]


class OutputFile:
    """A file that a run writes, in one of three modes.

    ``whole``: it stands under its name only when it is complete. ``fresh`` and ``append``: it begins anew, or
    grows, under its own name, and keeps what was written when something goes wrong.
    """

    def __init__(self, path: Path, mode: Mode = "whole") -> None:
        self.path = path
        self._aside = path.with_name(path.name + ".part") if mode == "whole" else path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file: IO[bytes] = self._aside.open("ab" if mode == "append" else "wb")
        except OSError as error:
            raise InputError(
                f"{path} can't be written.", why=f"{error.strerror}.", fix="Name another folder with --out."
            ) from error

    def write(self, data: bytes) -> None:
        """Append bytes; raises ExchangeError when the disk is full."""
        try:
            self._file.write(data)
            if self._aside == self.path:
                self._file.flush()  # what was written has to survive a crash
        except OSError as error:
            raise ExchangeError(
                f"{self.path} can't be written to.", why=f"{error.strerror}.", fix="Make room and run again."
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.finish()
        self._file.close()
        if self._aside == self.path:
            return
        if kind is None:
            self._aside.replace(self.path)
        else:
            self._aside.unlink(missing_ok=True)

    def finish(self) -> None:
        """What still has to be written before the file is whole."""


class RowsFile(OutputFile):
    """Writes rows.jsonl into a folder.

    A run that goes on from an interrupted one appends: both make one account together, in which a crash may
    leave the rows of one step twice. A line that the crash tore is cut off: its row is told again.
    """

    def __init__(self, folder: Path, mode: Mode = "whole") -> None:
        if mode == "append":
            _cut_torn_line(folder / ROWS_NAME)
        super().__init__(folder / ROWS_NAME, mode)

    def add(self, rows: Iterable[Row]) -> None:
        """One line per row, out of this process's hands at the end: a checkpoint may say that they are told."""
        self.write(b"".join(msgspec.json.encode(
            {"file": row.file, "row": row.row, "outcome": row.outcome, "ids": row.ids, "reason": row.reason}
        ) + b"\n" for row in rows))


def _cut_torn_line(path: Path) -> None:
    try:
        with path.open("rb+") as file:
            end = file.seek(0, 2)
            while end:  # step back block by block to the last line feed
                begin = max(end - 65_536, 0)
                file.seek(begin)
                found = file.read(end - begin).rfind(b"\n")
                if found >= 0:
                    end = begin + found + 1
                    break
                end = begin
            file.truncate(end)
    except FileNotFoundError:
        return
