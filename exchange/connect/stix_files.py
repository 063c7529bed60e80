"""STIX in files: the objects of a file, or of the .json files of a folder, one by one with their places.

Each object is taken, mended or put into quarantine as ``exchange.connect.stix_objects`` says. A row is an object
of a file, counted from 1; a file that holds none is one row, ``blank``. Whoever knows more of a source's objects
may study a file first and make further objects of those that are taken.
"""

from __future__ import annotations

import codecs
import hashlib
import os
import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from mmap import ACCESS_READ, mmap
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from exchange.connect.contract import Batch, Outcome, Row
from exchange.connect.files_left import files_left
from exchange.connect.json_elements import Data, Element, Places, elements
from exchange.connect.stix_objects import Object, Seen, as_told, parsed, take
from exchange.connect.unread import HEAD, why_unread
from exchange.errors import InputError
from exchange.stix.fault import StixFault

MAX_FILE_BYTES = 256 * 1024 * 1024
"""Largest file."""
_PIECE = 1024 * 1024
BATCH = 500
"""Objects between two checkpoints."""

Derive = Callable[[Object, Row], tuple[list[Object], Row]]
"""Of an object that was taken, and its row: what else goes in with it, and the row that tells so.

It may change the object, and raises StixFault where it mustn't go in."""
Study = Callable[[Iterable[bytes]], Derive]
"""Looks at all objects of a file, as JSON that may be broken, before the first is taken."""

_FIRST = re.compile(rb'"type"\s*:\s*"(?:marking-definition|extension-definition)"')
_MARKS = (  # longest first: UTF-32's mark begins with UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF8, ""),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)
_REMEDY = "Name a STIX file or a folder of them."


def _nothing_more(_item: Object, row: Row) -> tuple[list[Object], Row]:
    return [], row


def read(place: Path, checkpoint: Mapping[str, Any] | None, study: Study | None = None) -> Iterator[Batch]:
    """Read a file, or the .json files of a folder in a fixed order.

    The checkpoint names a file, the digest of its content and how many of its objects are done; a file that
    changed since is read anew. Raises InputError when there is nothing to read, and for a single file that holds
    no JSON; such a file in a folder is one quarantined row.
    """
    single = not place.is_dir()
    found = [place] if single else listed(place)
    for left in files_left(place, found, checkpoint):
        try:
            data, digest = _opened(left.path)
        except InputError as error:
            if single:
                raise
            row = Row(left.name, 1, "quarantined", reason=str(error))
            yield Batch((), (row,), {"file": left.name, "digest": "", "done": 1}, sum(left.share))
            continue
        done = int(left.mark.get("done", 0)) if left.mark.get("digest") == digest else 0
        yield from _batches(_File(left.name, data, digest, Places(data)), done, left.share, study)


def listed(folder: Path) -> list[Path]:
    """The .json files below a folder; first those of markings, by their path: others may refer to them."""
    found = [path for path in folder.rglob("*.[jJ][sS][oO][nN]") if path.is_file()]
    found = [path for path in found if not any(part[0] == "." for part in path.relative_to(folder).parts)]
    if not found:
        raise InputError(f"The folder {folder} holds no .json file.", fix=_REMEDY)
    return sorted(found, key=lambda path: ("marking-definition" not in path.as_posix(), path.as_posix()))


def content(path: Path) -> tuple[bytes, str]:
    """Content as UTF-8 without byte order mark, and its digest; raises InputError when it can't hold STIX."""
    data, digest = _opened(path)
    return data[:], digest


def _opened(path: Path) -> tuple[Data, str]:
    """The same, mapped rather than read where it can be: a copy of our own, which nobody cuts while it is read."""
    digest = hashlib.sha256()
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise InputError(
                f"{path} has {size:,} bytes; at most {MAX_FILE_BYTES:,} are read.",
                fix="Split the bundle into several files and name their folder.",
            )
        if not path.is_file():
            raise InputError(f"{path} is not a file.", fix=_REMEDY)
        with path.open("rb") as source, TemporaryFile() as copy:
            while (piece := source.read(min(_PIECE, size))):
                digest.update(piece)
                copy.write(piece)
                size -= len(piece)
            copy.flush()
            begin = os.pread(copy.fileno(), 4, 0)
            plain = begin and not any(begin.startswith(mark) for mark, _ in _MARKS)
            data: Data = (mmap(copy.fileno(), 0, access=ACCESS_READ) if plain
                          else _as_utf8(path.read_bytes(), path))
    except OSError as error:
        raise InputError(
            f"{path} can't be read.", why=f"{error.strerror or type(error).__name__}.",
            fix="Check the path and its permissions.",
        ) from error
    _check_json(data, path)
    return data, digest.hexdigest()


def _as_utf8(data: bytes, path: Path) -> bytes:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            try:
                return data.decode(encoding).encode() if encoding else data.removeprefix(mark)
            except UnicodeError as error:
                raise InputError(f"{path} begins like {encoding.upper()} but isn't.", why=f"{error}.",
                                 fix="Save it as UTF-8.") from error
    return data


def _check_json(data: Data, path: Path) -> None:
    """Raise InputError when the document isn't even the beginning of an object or list."""
    start = data[:1_000_000].lstrip(b" \t\r\n")
    if not start:
        raise InputError(f"{path} is empty.", fix="Name a file that holds STIX objects.")
    if (other := why_unread(start[:HEAD])) is not None:
        raise InputError(f"{path} is {other[0]}; only STIX 2.0 and 2.1 in JSON are read.", fix=other[1])
    if start[:1] not in (b"{", b"["):
        line, column = Places(data).at(data.find(start[:1]))
        raise InputError(
            f"{path} is not JSON.", why=f"It must begin with {{ or [ at line {line}, column {column}.",
            fix="Name a STIX bundle, a list of STIX objects or one object.",
        )


class _Found:
    """The elements of a file in some 20 bytes each."""

    def __init__(self, data: Data) -> None:
        self._data = data
        self._starts, self._ends, self._cut = array("Q"), array("Q"), set[int]()
        for at, one in enumerate(elements(data)):
            self._starts.append(one.start)
            self._ends.append(one.end)
            if not one.complete:
                self._cut.add(at)

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, at: int) -> Element:
        return Element(self._starts[at], self._ends[at], at not in self._cut)

    def __iter__(self) -> Iterator[Element]:
        return map(self.__getitem__, range(len(self)))

    def order(self) -> array[int]:
        """Their places, those of markings first."""
        first, others = array("L"), array("L")
        for at in range(len(self)):
            is_first = _FIRST.search(self._data, self._starts[at], self._ends[at])
            (first if is_first else others).append(at)
        return first + others


@dataclass
class _File:
    """One file under way: what is needed to tell an object's place and to know it when it comes twice."""

    name: str
    data: Data
    digest: str
    places: Places
    seen: Seen = field(default_factory=Seen)
    derive: Derive = _nothing_more


def _batches(file: _File, done: int, share: tuple[float, float], study: Study | None) -> Iterator[Batch]:
    """The objects of one file, markings first, from the object after ``done`` on.

    What is done is looked at again, to know objects that come twice: a resumed run says the same of each.
    """
    found = _Found(file.data)
    order = found.order()
    if not found:
        row = Row(file.name, 1, "blank", reason="The file holds no object.")
        yield Batch((), (row,), {"file": file.name, "digest": file.digest, "done": 1}, sum(share))
    if study is not None:
        file.derive = study(file.data[one.start : one.end] for one in found)
    for begin in range(0, len(order), BATCH):
        end = min(begin + BATCH, len(order))
        upserts: list[Object] = []
        rows = []
        for at in order[begin:end]:
            items, row = _element(file, found[at], at + 1)
            upserts += items
            rows.append(row)
        if end > done:
            skipped = max(done - begin, 0)
            part = share[0] + share[1] * end / len(order)
            mark = {"file": file.name, "digest": file.digest, "done": end}
            yield Batch(tuple(upserts), tuple(rows[skipped:]), mark, part)


def _element(file: _File, element: Element, number: int) -> tuple[list[Object], Row]:
    """What goes in of one element, and its row."""
    line, column = file.places.at(element.start)
    place = f"line {line}, column {column}"
    raw = file.data[element.start : element.end]
    if not element.complete:
        what = "in the middle of this object" if raw else "before its list does: objects may be missing"
        reason = f"{place}: the file ends {what}."
        return [], Row(file.name, number, "quarantined", reason=reason, raw=as_told(raw))
    try:
        if b'"bundle"' in raw and (nested := _nested(file, element, raw, number, place)):
            return nested
        taken = take(parsed(raw, line, column))
    except StixFault as fault:
        reason = f"{place}: {fault.code}: {fault.sentence}"
        return [], Row(file.name, number, "quarantined", reason=reason, raw=as_told(raw))
    row = Row(file.name, number, taken.outcome, (taken.item["id"],), taken.note)
    fresh, row = file.seen.once(taken.item, row)
    if not fresh:
        return [], row
    try:
        more, row = file.derive(taken.item, row)
    except StixFault as fault:
        reason = f"{place}: {fault.code}: {fault.sentence}"
        return [], Row(file.name, number, "quarantined", reason=reason, raw=as_told(raw))
    return [taken.item, *more], row


def _nested(
    file: _File, element: Element, raw: bytes, number: int, place: str
) -> tuple[list[Object], Row] | None:
    """A bundle where an object should be: its objects go in, and its row tells of all of them."""
    inner = list(elements(raw))
    if len(inner) == 1 and inner[0].start == 0:
        return None  # an object that only mentions the word
    upserts: list[Object] = []
    ids: list[str] = []
    faults: list[str] = []
    for one in inner:
        shifted = Element(one.start + element.start, one.end + element.start, one.complete)
        items, row = _element(file, shifted, number)
        upserts += items
        ids += row.ids
        if row.outcome == "quarantined":
            faults.append(row.reason)
    reason = f"{place}: a bundle inside the bundle; {len(ids)} of its {len(inner)} objects were taken."
    outcome: Outcome = "quarantined" if faults else "repaired"
    return upserts, Row(file.name, number, outcome, tuple(ids), " ".join([reason, *faults[:3]]))
