"""Where the objects of a JSON document stand, found without parsing them.

A bundle, a list, a single object, or one object after the other: each object gets its place, so that one
that is broken spoils none of its neighbours and its fault can be told with line and column. Works on bytes in
one pass, in time linear in the document's length and without recursion, whatever the document holds, and holds on to
none of the elements: a document may be a file that is mapped into memory.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from mmap import mmap

Data = bytes | mmap
"""A document: UTF-8 without byte order mark."""

# A string ends at its quote, or where its line does: a lost quote costs one object, not the whole document.
_STRING = rb'"(?:[^"\\\n]++|\\.)*+"?'
_TOKEN = re.compile(_STRING + rb"|[{}\[\]]", re.DOTALL)
_STRING_ONLY = re.compile(_STRING, re.DOTALL)
_SPACE = re.compile(rb"[ \t\r\n]*+")
_GAP = re.compile(rb"[ \t\r\n,]*+")
_SCALAR = re.compile(rb"[^\s,\[\]{}\"]++")
_KEY = re.compile(rb'"((?:[^"\\\n]++|\\.)*+)"[ \t\r\n]*+:[ \t\r\n]*+', re.DOTALL)
_OPEN = frozenset(b"{[")


@dataclass(frozen=True, slots=True)
class Element:
    """One element of the document: an object, or what stands where an object should."""

    start: int
    """Offset of its first byte."""
    end: int
    """Offset after its last byte."""
    complete: bool = True
    """False: the document ends before the element does (or, for an empty one, before its list does)."""


def elements(data: Data) -> Iterator[Element]:
    """The elements of a document, in order: of the list ``objects`` where it has one, of a list, or itself.

    Commas between elements are not checked. UTF-8 only, without byte order mark.
    """
    position = _past(_GAP, data, 0)
    while position < len(data):
        if data[position] == 0x7B:
            inside, end, closed = yield from _members(data, position)
            if not inside.listed:
                yield Element(position, end, closed)
            elif not closed and inside.whole:
                yield Element(end, end, False)
        elif data[position] == 0x5B:
            whole, end, closed = yield from _list(data, position)
            if not closed and whole:
                yield Element(end, end, False)
        else:
            end = _value_end(data, position)[0]
            yield Element(position, end)
        position = _past(_GAP, data, end)


class Places:
    """Line and column of offsets in a document; quick when asked for rising offsets."""

    def __init__(self, data: Data) -> None:
        self._data = data
        self._offset = self._line_start = 0
        self._line = 1

    def at(self, offset: int) -> tuple[int, int]:
        """Line and column, both from 1; columns count bytes."""
        if offset < self._offset:
            self._offset = self._line_start = 0
            self._line = 1
        self._line += self._data[self._offset : offset].count(b"\n")
        self._line_start = max(self._data.rfind(b"\n", self._offset, offset) + 1, self._line_start)
        self._offset = offset
        return self._line, offset - self._line_start + 1


@dataclass(slots=True)
class _Inside:
    """What the lists ``objects`` of an object held."""

    listed: bool = False
    whole: bool = True
    """Whether the last element of the last one is complete, or there is none."""


def _members(data: Data, start: int) -> Generator[Element, None, tuple[_Inside, int, bool]]:
    """Of the object at ``start``: yields the elements of its lists ``objects``; its end, and whether it is closed."""
    inside = _Inside()
    position = _past(_GAP, data, start + 1)
    while position < len(data) and data[position] != 0x7D:
        key = _KEY.match(data, position)
        if key is None:  # not a member: go over it, the parser will say what is wrong
            position = _past(_GAP, data, _value_end(data, position)[0])
            continue
        position = key.end()
        if key[1] == b"objects" and data[position : position + 1] == b"[":
            inside.listed = True
            whole, position, closed = yield from _list(data, position)
            inside.whole = whole
        else:
            position, closed = _value_end(data, position)
        if not closed:
            return inside, position, False
        position = _past(_GAP, data, position)
    return inside, min(position + 1, len(data)), position < len(data)


def _list(data: Data, start: int) -> Generator[Element, None, tuple[bool, int, bool]]:
    """Yields the elements of the list at ``start``; whether the last one is complete, its end, whether it is closed."""
    whole = True
    position = _past(_GAP, data, start + 1)
    while position < len(data) and data[position] != 0x5D:
        if data[position] == 0x7D:  # a brace that nothing opened: the object around the list ends here
            return whole, position, False
        end, whole = _value_end(data, position)
        yield Element(position, end, whole)
        position = _past(_GAP, data, end)
    return whole, min(position + 1, len(data)), position < len(data)


def _value_end(data: Data, start: int) -> tuple[int, bool]:
    """End of the value at ``start`` (beyond it, unless the data ends there) and whether it is closed."""
    if start >= len(data):
        return len(data), False
    first = data[start]
    if first in _OPEN:
        return _container_end(data, start)
    match = (_STRING_ONLY if first == 0x22 else _SCALAR).match(data, start)
    return (match.end() if match else start + 1), True


def _container_end(data: Data, start: int) -> tuple[int, bool]:
    depth = 0
    for match in _TOKEN.finditer(data, start):
        token = data[match.start()]
        if token in _OPEN:
            depth += 1
        elif token != 0x22:
            depth -= 1
            if depth == 0:
                return match.end(), True
    return len(data), False


def _past(pattern: re.Pattern[bytes], data: Data, position: int) -> int:
    match = pattern.match(data, position)
    return match.end() if match else position
