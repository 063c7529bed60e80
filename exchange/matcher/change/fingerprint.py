"""Fingerprints of what went into a run: the feed's objects, the entity tables' files, and the matcher's own rules."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import msgspec

from exchange.matcher.shapes import SHAPES

WHOLE = 64 * 2**20
"""Bytes up to which a file is read as a whole; of a larger one blocks are read, evenly spread, and its size counts."""
_BLOCK, _BLOCKS = 2**20, 32
_ENDINGS = (".parquet", ".csv", ".tsv", ".csv.gz", ".tsv.gz")


class FeedPrint:
    """Passes a feed's objects on and takes their fingerprint: the same for the same objects in any order."""

    def __init__(self) -> None:
        self.objects = 0
        self._sum = 0
        self._encoder = msgspec.json.Encoder(order="sorted")

    def over(self, objects: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        """The objects as they come."""
        for obj in objects:
            try:
                told = self._encoder.encode(obj)
            except (TypeError, ValueError, OverflowError):  # what JSON can't say any more, such as a huge number
                told = repr(sorted(obj.items())).encode("utf-8", "surrogatepass")
            self._sum += int.from_bytes(hashlib.sha256(told).digest())
            self.objects += 1
            yield obj

    @property
    def digest(self) -> str:
        """Hex, of what was passed on so far."""
        return hashlib.sha256(f"{self.objects} {self._sum}".encode()).hexdigest()


def of_tables(folder: Path, named: Iterable[str] = ()) -> dict[str, dict[str, Any]]:
    """Fingerprint of each entity file in a folder and of those that a mapping names: bytes, sha256, whole."""
    files = {path for path in folder.iterdir() if path.name.endswith(_ENDINGS) and path.is_file()}
    files |= {part for name in SHAPES for part in (folder / name).glob("*.parquet")}
    for name in named:
        path = folder / name
        files |= set(path.glob("*.parquet")) if path.is_dir() else {path} if path.is_file() else set()
    return {path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path): of_file(path)
            for path in sorted(files)}


def of_file(path: Path) -> dict[str, Any]:
    """Fingerprint of one file: bytes, sha256, and whether all of it was read."""
    now = path.stat()
    return dict(_of_bytes(path, now.st_size, now.st_mtime_ns, now.st_ino))


@lru_cache(maxsize=64)
def _of_bytes(path: Path, size: int, *_changed: int) -> dict[str, Any]:
    """Fingerprint of a file as it is now: a run asks for it when it reads the tables, and when it writes what it read.
    """
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        if size <= WHOLE:
            digest.update(file.read())
        else:
            for n in range(_BLOCKS):
                file.seek((size - _BLOCK) * n // (_BLOCKS - 1))
                digest.update(file.read(_BLOCK))
    return {"bytes": size, "sha256": digest.hexdigest(), "whole": size <= WHOLE}


@cache
def of_program() -> str:
    """Digest (hex) of the matcher's code: rules that no table of weights holds."""
    folder = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
