"""The rows of a source file, whatever its format: kill-chain and typed tables (CSV, TSV, JSON), Markdown
reports.

A row's number is that of the CSV record (1 = the header; a multi-line cell is one row), of the JSON object
(1 = the first), or of the line in Markdown, where every line counts.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from exchange.connect.json_elements import elements
from exchange.model.identifiers.refang import clean

Kind = Literal["header", "blank", "chain", "typed", "ioc", "title", "prose", "other", "broken"]

_MAX_CELL = 50_000
_SWALLOWED = re.compile(r"\n\s*\d{1,2}\. [A-Z][a-z]+ing ")
_TACTIC = re.compile(r"\s*\d{1,2}\.\s*[A-Za-z]")


@dataclass(frozen=True)
class Record:
    """One row of a file."""

    row: int
    kind: Kind
    value: str = ""
    """The indicator cell as it stands; a line's text in Markdown; what is wrong of a broken row."""
    comment: str = ""
    procedure: str = ""
    """The procedure cell, carried forward where it is blank."""
    value_type: str = ""
    day: str = ""
    section: str = field(default="", compare=False)


def read(data: bytes, suffix: str) -> Iterator[Record]:
    """The records of a file by its ending: .csv, .tsv, .json or .md."""
    if not data.strip(b"\xef\xbb\xbf \t\r\n\x00"):
        yield Record(1, "broken", "The file is empty.")
        return
    if suffix == ".json":
        yield from _objects(_text(data).encode("utf-8", "surrogatepass"))
    elif suffix == ".md":
        yield from _lines(_text(data))
    else:
        text = _text(data)
        yield from _table(text, _delimiter(text, "\t" if suffix == ".tsv" else ","))


def _text(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _delimiter(text: str, usual: str) -> str:
    """What parts the header's cells, whatever the file's ending says."""
    header = text.lstrip().partition("\n")[0]
    return usual if usual in header else max("\t;,", key=header.count)


def _records(text: str, delimiter: str) -> Iterator[list[str] | str]:
    """CSV records; a text instead of a list says why one can't be read."""
    lines = text.splitlines(keepends=True)
    plain = delimiter == "\t" and not re.search(r'(?:^|\t)"', text, re.MULTILINE)
    records = list(_parsed(lines, delimiter, plain))
    if any(isinstance(one, list) and any(_SWALLOWED.search(cell) for cell in one) for one in records):
        # a quote that is never closed has swallowed the rows after it: take each line for a row
        return _parsed(lines, delimiter, True)
    return iter(records)


def _parsed(lines: Iterable[str], delimiter: str, unquoted: bool) -> Iterator[list[str] | str]:
    reader = csv.reader(lines, delimiter=delimiter, quoting=csv.QUOTE_NONE if unquoted else csv.QUOTE_MINIMAL)
    while True:
        try:
            record = next(reader, None)
        except csv.Error as error:
            yield f"The row can't be read as a table: {error}."
            continue
        if record is None:
            return
        yield [cell.strip('"') for cell in record] if unquoted else record


def _table(text: str, delimiter: str) -> Iterator[Record]:
    columns: dict[str, int] | None = None
    before = ["", "", ""]
    for row, cells in enumerate(_records(text, delimiter), 1):
        if isinstance(cells, str):
            yield Record(row, "broken", cells)
        elif not any(clean(cell) for cell in cells):
            yield Record(row, "blank")
        elif any(len(cell) > _MAX_CELL for cell in cells):
            yield Record(row, "broken", f"A cell is longer than {_MAX_CELL} characters.")
        elif columns is None and (columns := _header(cells)) is not None:
            yield Record(row, "header")
        elif columns is None and len(cells) >= 4 and _TACTIC.match(cells[0]):
            columns = {"tactic": 0, "technique": 1, "procedure": 2, "indicator": 3, "comment": 4}
            yield _chain(row, cells, columns, before)
        elif columns is None:
            yield Record(row, "broken", "The table has no header that is known here.")
        elif "value" in columns:
            yield _typed(row, cells, columns)
        else:
            yield _chain(row, cells, columns, before)


def _header(cells: list[str]) -> dict[str, int] | None:
    names = [clean(cell).casefold() for cell in cells]
    columns: dict[str, int] = {}
    starts = (("indicator_t", "type"), ("indicator type", "type"), ("indicator_v", "value"), ("indicator v", "value"),
              ("tactic", "tactic"), ("techni", "technique"), ("procedure", "procedure"), ("indicator", "indicator"),
              ("comm", "comment"), ("note", "comment"), ("ds", "day"), ("date", "day"))  # fmt: skip
    for index, name in enumerate(names):
        column = next((column for start, column in starts if name.startswith(start)), None)
        if column is not None:
            columns.setdefault(column, index)
    if "value" in columns and "type" in columns:
        return columns
    if "tactic" in columns and "procedure" in columns:
        place = columns["procedure"] + 1
        if "indicator" not in columns and place < len(names) and place not in columns.values():
            columns["indicator"] = place  # "IOC", "Value": by its place
        return columns
    return None


def _chain(row: int, cells: list[str], columns: dict[str, int], before: list[str]) -> Record:
    def cell(name: str) -> str:
        """The row's cell in a column; empty where it ends before."""
        index = columns.get(name, len(cells))
        return cells[index] if index < len(cells) else ""

    if "indicator" not in columns:
        return Record(row, "other", "A row of the kill chain's own table.")
    known = [cell(name) for name in ("tactic", "technique", "procedure")]
    if clean(known[0]) and clean(known[0]) != clean(before[0]):
        before[1:] = ["", ""]
    before[:] = [new if clean(new) else old for new, old in zip(known, before, strict=True)]
    comments = [cells[index] for index in range(columns["indicator"] + 1, len(cells)) if clean(cells[index])]
    return Record(row, "chain", cell("indicator"), "; ".join(map(clean, comments)), before[2])


def _typed(row: int, cells: list[str], columns: dict[str, int]) -> Record:
    def cell(name: str) -> str:
        """The row's cell in a column; empty where it ends before."""
        index = columns.get(name, len(cells))
        return cells[index] if index < len(cells) else ""

    return Record(row, "typed", cell("value"), clean(cell("comment")), "", clean(cell("type")), clean(cell("day")))


def _objects(data: bytes) -> Iterator[Record]:
    for row, element in enumerate(elements(data), 1):
        raw = data[element.start : element.end]
        try:
            found = json.loads(raw) if element.complete and len(raw) <= _MAX_CELL else None
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            yield Record(row, "broken", "The object can't be read: it is cut off, too long, or no JSON object.")
            continue
        texts = {str(key).casefold(): value for key, value in found.items() if isinstance(value, str)}
        value = texts.get("indicator_value", texts.get("indicator"))
        if value is None:
            yield Record(row, "broken", "The object has no text indicator_value.")
            continue
        yield Record(row, "typed", value, clean(texts.get("comment", "")), "",
                     clean(texts.get("indicator_type", "")), clean(texts.get("ds", "")))  # fmt: skip


def _lines(text: str) -> Iterator[Record]:
    section, table = "", False
    for row, line in enumerate(text.splitlines(), 1):
        plain = clean(line)
        if not plain:
            table = False
            yield Record(row, "blank")
        elif len(plain) > _MAX_CELL:
            yield Record(row, "broken", f"The line is longer than {_MAX_CELL} characters.")
        elif plain.startswith("#"):
            title = plain.lstrip("# ")
            section = title if plain.startswith("## ") else section
            yield Record(row, "title" if plain.startswith("# ") else "other", title, section=section)
        elif plain.startswith("|"):
            cells = [cell.strip().strip("`").strip() for cell in plain.strip("|").split("|")]
            if not table or len(cells) < 2 or set("".join(cells)) <= set(":- "):
                table = table or (len(cells) >= 2 and cells[0].casefold().startswith(("indicator", "type", "ioc")))
                yield Record(row, "header", plain)
            else:
                yield Record(row, "ioc", cells[1], "; ".join(cells[2:]), "", cells[0], section=section)
        else:
            yield Record(row, "prose", plain, section=section)
