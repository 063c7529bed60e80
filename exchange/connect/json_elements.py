"""Where the objects of a JSON document stand, found without parsing them.

A bundle, a list, a single object, or one object after the other: each object gets its place, so that one
that is broken spoils none of its neighbours and its fault can be told with line and column. Works on bytes in
one pass, in time linear in the document's length and without recursion, whatever the document holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

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


def elements(data: bytes) -> Iterator[Element]:
    """The elements of a document, in order: of the list ``objects`` where it has one, of a list, or itself.

    Commas between elements are not checked. UTF-8 only, without byte order mark.
    """
    position = _past(_GAP, data, 0)
    while position < len(data):
        if data[position] == 0x7B:
            lists, end, closed = _members(data, position)
            yield from lists if lists is not None else [Element(position, end, closed)]
            if lists is not None and not closed and (not lists or lists[-1].complete):
                yield Element(end, end, False)
        elif data[position] == 0x5B:
            found, end, closed = _list(data, position)
            yield from found
            if not closed and (not found or found[-1].complete):
                yield Element(end, end, False)
        else:
            end = _value_end(data, position)[0]
            yield Element(position, end)
        position = _past(_GAP, data, end)


class Places:
    """Line and column of offsets in a document; quick when asked for rising offsets."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._offset = self._line_start = 0
        self._line = 1

    def at(self, offset: int) -> tuple[int, int]:
        """Line and column, both from 1; columns count bytes."""
        if offset < self._offset:
            self._offset = self._line_start = 0
            self._line = 1
        self._line += self._data.count(b"\n", self._offset, offset)
        self._line_start = max(self._data.rfind(b"\n", self._offset, offset) + 1, self._line_start)
        self._offset = offset
        return self._line, offset - self._line_start + 1


def _members(data: bytes, start: int) -> tuple[list[Element] | None, int, bool]:
    """Of the object at ``start``: the elements of its lists ``objects``, its end, whether it is closed."""
    found: list[Element] | None = None
    position = _past(_GAP, data, start + 1)
    while position < len(data) and data[position] != 0x7D:
        key = _KEY.match(data, position)
        if key is None:  # not a member: go over it, the parser will say what is wrong
            position = _past(_GAP, data, _value_end(data, position)[0])
            continue
        position = key.end()
        if key[1] == b"objects" and data[position : position + 1] == b"[":
            inside, position, closed = _list(data, position)
            found = [*(found or []), *inside]
            if not closed:
                return found, position, False
        else:
            position, closed = _value_end(data, position)
            if not closed:
                return found, position, False
        position = _past(_GAP, data, position)
    return found, min(position + 1, len(data)), position < len(data)


def _list(data: bytes, start: int) -> tuple[list[Element], int, bool]:
    """The elements of the list at ``start``, its end, and whether it is closed."""
    found: list[Element] = []
    position = _past(_GAP, data, start + 1)
    while position < len(data) and data[position] != 0x5D:
        if data[position] == 0x7D:  # a brace that nothing opened: the object around the list ends here
            return found, position, False
        end, closed = _value_end(data, position)
        found.append(Element(position, end, closed))
        position = _past(_GAP, data, end)
    return found, min(position + 1, len(data)), position < len(data)


def _value_end(data: bytes, start: int) -> tuple[int, bool]:
    """End of the value at ``start`` (always beyond it) and whether it is closed."""
    first = data[start]
    if first in _OPEN:
        return _container_end(data, start)
    match = (_STRING_ONLY if first == 0x22 else _SCALAR).match(data, start)
    return (match.end() if match else start + 1), True


def _container_end(data: bytes, start: int) -> tuple[int, bool]:
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


def _past(pattern: re.Pattern[bytes], data: bytes, position: int) -> int:
    match = pattern.match(data, position)
    return match.end() if match else position
