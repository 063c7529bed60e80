"""Records of a table, one after the other: CSV with quoted cells, TSV, JSON lines, ``value|comment``, Markdown.

A record's number counts from 1 and a cell of several lines is one record (Markdown: the line's number). A quote that
is never closed costs one record and not the rest of the file.
"""

from __future__ import annotations

import csv
import json
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from exchange.connect.lines import Line
from exchange.model.identifiers.refang import clean

Format = Literal["csv", "jsonl", "text", "markdown"]

MAX_CELL = 50_000
"""Characters of a cell."""
_MAX_QUOTED_LINES = 500
_MAX_QUOTED = 200_000
"""How far a quoted cell may reach before its quote counts as lost: lines, characters."""


@dataclass(frozen=True, slots=True)
class Record:
    """One record: cells by position, or by name (JSON lines)."""

    row: int
    cells: tuple[str, ...] = ()
    named: Mapping[str, str] | None = None
    fault: str = ""
    repair: str = ""
    prose: bool = False
    """A line beside the table: a title, a sentence."""

    @property
    def raw(self) -> str:
        """The cells as one text, for a person who mends the record."""
        if self.named is not None:
            return json.dumps(dict(self.named), ensure_ascii=False)
        return " | ".join(self.cells)

    @property
    def blank(self) -> bool:
        """Whether nothing stands in it."""
        return not any(clean(cell) for cell in (self.named.values() if self.named is not None else self.cells))


def records(lines: Iterator[Line], form: Format, delimiter: str) -> Iterator[Record]:
    """The records of lines in a form; ``delimiter`` is of csv and text."""
    if form == "jsonl":
        return (_object(row, line) for row, line in enumerate(lines, 1))
    if form == "markdown":
        return _markdown(lines)
    if form == "text":
        return (_text(row, line, delimiter) for row, line in enumerate(lines, 1))
    return _table(lines, delimiter)


def _checked(record: Record) -> Record:
    cells = record.named.values() if record.named is not None else record.cells
    if any(len(cell) > MAX_CELL for cell in cells):
        return Record(record.row, fault=f"A cell is longer than {MAX_CELL:,} characters.")
    return record


def _table(lines: Iterator[Line], delimiter: str) -> Iterator[Record]:
    pending: deque[Line] = deque()
    row = 0
    while True:
        line = pending.popleft() if pending else next(lines, None)
        if line is None:
            return
        row += 1
        if line.fault:
            yield Record(row, fault=line.fault)
            continue
        text, repairs, lost = _whole(line, lines, pending, delimiter)
        yield _checked(_cells(row, text, delimiter, repairs, lost))


def _whole(line: Line, lines: Iterator[Line], pending: deque[Line], delimiter: str) -> tuple[str, str, bool]:
    """The text of a record, its repairs, and whether a quote in it is never closed (then it is the one line)."""
    if line.text.count('"') % 2 == 0 or not _open(line.text, delimiter):
        return line.text, line.repair, False
    taken = [line]
    text = line.text
    while len(taken) <= _MAX_QUOTED_LINES and len(text) <= _MAX_QUOTED:
        more = pending.popleft() if pending else next(lines, None)
        if more is None:
            break
        taken.append(more)
        if more.fault:
            break
        text += "\n" + more.text
        if '"' in more.text and not _open(text, delimiter):
            return text, next((one.repair for one in taken if one.repair), ""), False
    pending.extendleft(reversed(taken[1:]))
    return line.text, line.repair, True


def _open(text: str, delimiter: str) -> bool:
    """Whether a quoted cell isn't closed at the text's end."""
    at, size = 0, len(text)
    while at < size:
        if text[at] != '"':
            found = text.find(delimiter, at)
            if found < 0:
                return False
            at = found + 1
            continue
        at += 1
        while True:
            at = text.find('"', at)
            if at < 0:
                return True
            if text[at + 1 : at + 2] != '"':
                break
            at += 2
        found = text.find(delimiter, at)
        if found < 0:
            return False
        at = found + 1
    return False


def _cells(row: int, text: str, delimiter: str, repair: str, lost: bool) -> Record:
    if lost:
        cells = tuple(cell.strip('"') for cell in text.split(delimiter))
        return Record(row, cells, repair="; ".join(filter(None, (repair, "a quote in the row is never closed"))))
    try:
        found = next(csv.reader([text], delimiter=delimiter), [])
    except csv.Error as error:
        return Record(row, fault=f"The row can't be read as a table: {error}.")
    return Record(row, tuple(found), repair=repair)


def _text(row: int, line: Line, delimiter: str) -> Record:
    """``value|comment``, or a value alone; what begins with # is a remark of the file's author."""
    if line.fault:
        return Record(row, fault=line.fault)
    plain = clean(line.text)
    if plain.startswith(("# ", "//", ";")) or plain == "#":
        return Record(row, (plain,), prose=True)
    value, mark, rest = line.text.partition(delimiter)
    return _checked(Record(row, (value, rest) if mark else (line.text,), repair=line.repair))


def _object(row: int, line: Line) -> Record:
    if line.fault:
        return Record(row, fault=line.fault)
    if not line.text.strip():
        return Record(row, ("",))
    try:
        found = json.loads(line.text)
    except (ValueError, RecursionError):
        return Record(row, fault="The line isn't one whole JSON object.")
    if not isinstance(found, dict):
        return Record(row, fault="The line is JSON, but no object.")
    return _checked(Record(row, (), {str(key): _plain(value) for key, value in found.items()}, repair=line.repair))


def _plain(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(one, str | int) for one in value):
        return ", ".join(map(str, value))
    return json.dumps(value, ensure_ascii=False)


def _markdown(lines: Iterator[Line]) -> Iterator[Record]:
    """Rows of tables as records; the row of dashes and everything else as prose."""
    for row, line in enumerate(lines, 1):
        plain = clean(line.text)
        if line.fault:
            yield Record(row, fault=line.fault)
        elif not plain.startswith("|") or plain.count("|") < 2:
            yield Record(row, (plain,), prose=bool(plain), repair=line.repair)
        else:
            inner = plain.strip("|").replace("\\|", "\0")
            cells = tuple(cell.strip().strip("`").strip().replace("\0", "|") for cell in inner.split("|"))
            rule = set("".join(cells)) <= set(":- ")
            yield _checked(Record(row, cells, prose=rule, repair=line.repair))
