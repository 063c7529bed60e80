"""A log's tree as tiles of 256 hashes (C2SP tlog-tiles): their paths, how they grow, proofs made from them."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from exchange.audit.fault import LogAlteredError, UnreadableError
from exchange.audit.merkle import EMPTY_ROOT, HASH_BYTES, node_hash

WIDTH = 256
"""Hashes of a full tile."""
_HEIGHT = 8
LONGEST_ENTRY = 65_535
_MOST_LEVELS = 8
"""256**8 leaves are more than any log has."""
_PATH = re.compile(r"(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile's place; ``level`` -1 is a bundle of entries. ``width`` is 1 to 256."""

    level: int
    index: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        """Its path under ``tile/``."""
        parts = [f"{self.index % 1000:03}"]
        rest = self.index // 1000
        while rest:
            parts.insert(0, f"x{rest % 1000:03}")
            rest //= 1000
        level = "entries" if self.level < 0 else str(self.level)
        return f"{level}/{'/'.join(parts)}" + (f".p/{self.width}" if self.width < WIDTH else "")


def read_tile_path(path: str) -> Tile:
    """The tile of a path under ``tile/``. Raises UnreadableError for any other spelling."""
    found = _PATH.fullmatch(path)
    if found is not None:
        level = -1 if found[1] == "entries" else int(found[1])
        tile = Tile(level, int(re.sub("[x/]", "", found[2])), int(found[3] or WIDTH))
        if tile.path == path and level < 64:
            return tile
    raise UnreadableError(f"{path[:80]!r} is no path of a tile.", fix="See C2SP tlog-tiles: tile/0/x001/067.p/5.")


def tiles_of(size: int) -> Iterator[Tile]:
    """Every tile of hashes in a log of ``size`` leaves, level by level."""
    for level in range(_MOST_LEVELS):
        full, rest = divmod(size >> (_HEIGHT * level), WIDTH)
        for index in range(full):
            yield Tile(level, index)
        if rest:
            yield Tile(level, full, rest)


def tiles_near(size: int, place: int) -> Iterator[Tile]:
    """The tiles that proofs about a leaf, or about the log as it ended before it, are made of: few at each level."""
    for level in range(_MOST_LEVELS):
        last = (size - 1) >> (_HEIGHT * (level + 1))
        for index in {min(place >> (_HEIGHT * (level + 1)), last), max(place - 1, 0) >> (_HEIGHT * (level + 1)), last}:
            width = width_in(size, level, index)
            if width > 0:
                yield Tile(level, index, width)


def width_in(size: int, level: int, index: int) -> int:
    """How many hashes the tile has in a log of ``size`` leaves; 0 or less: there is no such tile."""
    return min(WIDTH, (size >> (_HEIGHT * max(level, 0))) - index * WIDTH)


def grow(edge: Mapping[int, bytes], size: int, hashes: Sequence[bytes]) -> dict[tuple[int, int], bytes]:
    """The tiles that change when leaves with these hashes are appended to a log of ``size`` leaves.

    ``edge`` holds the rightmost tile of each level where it is partial. Gives the tiles' whole new contents by
    (level, index).
    """
    changed: dict[tuple[int, int], bytes] = {}
    level, count, rising = 0, size, list(hashes)
    while rising:
        held = edge.get(level, b"")
        if len(held) != count % WIDTH * HASH_BYTES:
            raise LogAlteredError(f"The last tile of level {level} doesn't fit a log of {size} leaves.")
        data, first = held + b"".join(rising), count // WIDTH
        rising = []
        for number, start in enumerate(range(0, len(data), WIDTH * HASH_BYTES), first):
            tile = data[start : start + WIDTH * HASH_BYTES]
            changed[level, number] = tile
            if len(tile) == WIDTH * HASH_BYTES:
                rising.append(full_tile_root(tile))
        level, count = level + 1, first
    return changed


def full_tile_root(tile: bytes) -> bytes:
    """The root over a whole number of hashes that is a power of two."""
    while len(tile) > HASH_BYTES:
        tile = b"".join([sha256(b"\x01" + tile[i : i + 64]).digest() for i in range(0, len(tile), 64)])
    return tile


def split(tile: bytes) -> list[bytes]:
    """A tile's hashes."""
    return [tile[i : i + HASH_BYTES] for i in range(0, len(tile), HASH_BYTES)]


class TileTree:
    """The tree of ``size`` leaves, read from tiles as they are needed.

    ``fetch`` gives the bytes of a tile; of a wider one than asked the first hashes are taken.
    """

    def __init__(self, size: int, fetch: Callable[[Tile], bytes]) -> None:
        self.size = size
        self._fetch = fetch
        self._tiles: dict[tuple[int, int], bytes] = {}

    def root(self, size: int | None = None) -> bytes:
        """The root of the first ``size`` leaves; of all where none is given. Raises UnreadableError."""
        size = self.size if size is None else size
        return self._hash(0, size) if size else EMPTY_ROOT

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """PATH(index, D[size]): the proof that a leaf is in the log. Raises UnreadableError."""
        size = self.size if size is None else size
        if not 0 <= index < size <= self.size:
            raise UnreadableError(f"There is no leaf {index} in a log of {size} leaves.")
        proof: list[bytes] = []
        low, high = 0, size
        while high - low > 1:
            middle = low + _below(high - low)
            if index < middle:
                proof.append(self._hash(middle, high))
                high = middle
            else:
                proof.append(self._hash(low, middle))
                low = middle
        return proof[::-1]

    def consistency(self, old: int, new: int | None = None) -> list[bytes]:
        """PROOF(old, D[new]): the proof that the log of ``new`` leaves continues that of ``old``."""
        new = self.size if new is None else new
        if not 0 <= old <= new <= self.size:
            raise UnreadableError(f"There is no proof between {old} and {new} leaves in a log of {self.size}.")
        if old in (0, new):
            return []
        proof: list[bytes] = []
        low, high, whole = 0, new, True
        while high != old:
            middle = low + _below(high - low)
            if old <= middle:
                proof.append(self._hash(middle, high))
                high = middle
            else:
                proof.append(self._hash(low, middle))
                low, whole = middle, False
        if not whole:
            proof.append(self._hash(low, high))
        return proof[::-1]

    def _hash(self, low: int, high: int) -> bytes:
        """MTH(D[low:high]) of a range that the recursive definition splits off."""
        count = high - low
        if count & (count - 1) == 0:
            return self._node(count.bit_length() - 1, low // count)
        middle = low + _below(count)
        return node_hash(self._hash(low, middle), self._hash(middle, high))

    def _node(self, height: int, number: int) -> bytes:
        """The hash of a whole subtree of 2**height leaves."""
        level, rest = divmod(height, _HEIGHT)
        first = number << rest
        held = self._tile(level, first // WIDTH)
        start = first % WIDTH * HASH_BYTES
        part = held[start : start + (HASH_BYTES << rest)]
        if len(part) != HASH_BYTES << rest:
            raise LogAlteredError(f"The tile {Tile(level, first // WIDTH).path} is too short for a log of"
                                  f" {self.size} leaves.")
        return full_tile_root(part)

    def _tile(self, level: int, index: int) -> bytes:
        held = self._tiles.get((level, index))
        if held is None:
            width = width_in(self.size, level, index)
            held = self._fetch(Tile(level, index, width))
            if len(held) < width * HASH_BYTES:
                raise LogAlteredError(f"The tile {Tile(level, index, width).path} has {len(held)} bytes instead of"
                                      f" {width * HASH_BYTES}.")
            self._tiles[level, index] = held
        return held


def _below(count: int) -> int:
    """The largest power of two below ``count`` (at least 2)."""
    return 1 << ((count - 1).bit_length() - 1)


def bundle(entries: Sequence[bytes]) -> bytes:
    """Entries as a bundle: each after its length in two bytes. Raises ValueError for one that is too long."""
    if any(len(entry) > LONGEST_ENTRY for entry in entries):
        raise ValueError(f"an entry has more than {LONGEST_ENTRY} bytes")
    return b"".join([struct.pack(">H", len(entry)) + entry for entry in entries])


def read_bundle(data: bytes) -> list[bytes]:
    """The entries of a bundle. Raises UnreadableError where it is cut short or has more than a tile's."""
    entries: list[bytes] = []
    at = 0
    while at < len(data):
        if len(data) < at + 2:
            break
        end = at + 2 + int.from_bytes(data[at : at + 2], "big")
        if end > len(data):
            break
        entries.append(data[at + 2 : end])
        at = end
    if at != len(data) or len(entries) > WIDTH:
        raise UnreadableError("A bundle of entries is cut short or has more than 256 of them.")
    return entries
