"""The files of a source that a run still has before it, with the names and shares by which its batches tell of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class FileLeft:
    """One file to be read."""

    path: Path
    name: str
    """As rows and checkpoints name it: inside of the source, in letters that UTF-8 can write."""
    mark: Mapping[str, Any]
    """The checkpoint, where this file was under way; else empty."""
    share: tuple[float, float]
    """How much of the source lies before it, and how much it is, by the number of files."""


def files_left(place: Path, found: Sequence[Path], checkpoint: Mapping[str, Any] | None) -> Iterator[FileLeft]:
    """The files ``found`` at a place (itself, or below it) from the one on that the checkpoint's ``file`` names.

    All of them where it names none that is there: what went in before is found unchanged.
    """
    names = [(path.name if path == place else path.relative_to(place).as_posix()).encode(errors="replace").decode()
             for path in found]  # fmt: skip
    mark = checkpoint or {}
    under_way = mark.get("file") if mark.get("file") in names else None
    first = names.index(under_way) if under_way is not None else 0
    for number in range(first, len(found)):
        own = mark if under_way is not None and number == first else {}
        yield FileLeft(found[number], names[number], own, (number / len(found), 1 / len(found)))
