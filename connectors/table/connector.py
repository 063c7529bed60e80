"""Reads tables of values: CSV, TSV, JSON lines, ``value|comment`` text and Markdown, a file or a folder of them.

How a table is read says a profile (``profile.py``): named with ``--option profile=FILE``, or lying beside the table
as NAME.toml, or in its folder as profile.toml. Without one the header and the first rows are taken at their word, and
the first row's reason tells how they were understood. A file is streamed: memory doesn't grow with it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

from connectors.table import guess
from connectors.table.judge import Finding, judge
from connectors.table.objects import Writer
from connectors.table.profile import Profile, check_source, folded, form_of, is_table, load
from connectors.table.words import day
from exchange.connect.contract import Batch, Connector, Row
from exchange.connect.files_left import files_left
from exchange.connect.lines import lines
from exchange.connect.procedures import FIXED
from exchange.connect.prose import without_payment_numbers
from exchange.connect.records import Record, records
from exchange.connect.source import Option, Source
from exchange.connect.unread import HEAD, why_unread
from exchange.errors import InputError
from exchange.model.identifiers.fault import IdentifierError

FORMAT = 1
BATCH = 500
"""Records between two checkpoints."""
_SEEN = 50_000
"""Values that are remembered to know those that come twice; beyond them the exchange tells."""
_TOLD = frozenset({".xml", ".ioc", ".stix", ".xlsx", ".xls", ".ods", ".pdf", ".zip", ".gz", ".html", ".htm"})
"""Endings of files in a folder that aren't read as tables, which their row says: somebody may count on them."""
_OPTIONS = ("name", "date", "campaign", "relation", "platform", "tlp", "date_order")
_IN_NAME = re.compile(r"(?<!\d)(20\d\d)[-_.]?(0[1-9]|1[0-2])[-_.]?(0[1-9]|[12]\d|3[01])(?!\d)")


class Table(Connector):
    """The connector ``table``."""

    name = "table"
    title = "Tables: CSV, TSV, JSON lines, value|comment text, Markdown, with a profile of a few lines"
    options: ClassVar[Mapping[str, Option]] = {
        "profile": Option("the profile's file; else NAME.toml beside the table, or profile.toml in its folder"),
        "name": Option("who published the table"),
        "date": Option("the day that it was published: 2026-03-01"),
        "campaign": Option("whose values these are, where no column says"),
        "relation": Option("what they are to it: operated, targeted, impersonated, legitimate, unknown"),
        "platform": Option("where bare handles are from"),
        "tlp": Option("TLP of every row that states none: clear, green, amber, amber+strict, red"),
        "date_order": Option("how 03/04/2026 is meant: dmy, mdy"),
    }

    def fetch(self, source: Source, checkpoint: Mapping[str, Any] | None) -> Iterator[Batch]:
        """Batches of 500 records, a file after the other.

        Raises InputError where there is nothing to read, for a single file that is no table, and for a profile that
        is wrong; such a file in a folder is one quarantined row.
        """
        place = source.path
        single = not place.is_dir()
        found = [place] if single else _listed(place)
        mark = checkpoint if checkpoint and checkpoint.get("format") == FORMAT else {}
        for left in files_left(place, found, mark):
            try:
                _refuse_by_name(left.path)
                yield from _read(left.path, left.name, _profile(left.path, place, source), left.mark, left.share)
            except _NoTableError as error:
                if single:
                    raise InputError(error.what, why=error.why, fix=error.fix) from error
                if left.mark.get("digest") == "":
                    continue  # it was told before the run was interrupted
                row = Row(left.name, 1, "quarantined", reason=str(error))
                yield Batch((), (row,), {"format": FORMAT, "file": left.name, "digest": "", "done": 1}, sum(left.share))

    def advice(self, source: Source) -> str:
        """How the table would be read, as the profile to write; of a folder its first table. Raises InputError."""
        place = source.path
        path = _listed(place)[0] if place.is_dir() else place
        try:
            with _opened(path) as file:
                profile, *_ = _understood(path, file, _profile(path, place, source))
        except _NoTableError as error:
            raise InputError(error.what, why=error.why, fix=error.fix) from error
        return guess.written(profile, path)


CONNECTOR = Table()


class _NoTableError(InputError):
    """A file that is no table: of a folder it is only one."""


def _refuse_by_name(path: Path) -> None:
    if path.suffix.lower() in _TOLD and not path.is_dir():
        with _opened(path):  # its content mostly says what it is
            raise _NoTableError(f"{path} is no table by its name.", fix="Save the table as CSV in UTF-8.")


def _listed(folder: Path) -> list[Path]:
    found = [path for path in folder.rglob("*") if path.is_file() and (is_table(path) or path.suffix.lower() in _TOLD)]
    found = [path for path in found if not any(part[0] == "." for part in path.relative_to(folder).parts)
             and not path.name.lower().startswith(("readme", "license"))]  # fmt: skip
    if not found:
        raise InputError(f"The folder {folder} holds no table.", fix="Name a .csv, .tsv, .jsonl, .txt or .md file.")
    return sorted(found)


def _profile(path: Path, place: Path, source: Source) -> Profile:
    """The profile of a table: named, or beside it, or the folder's; else the form by its ending."""
    named = source.option("profile")
    beside = (path.with_suffix(".toml"), path.parent / "profile.toml", place / "profile.toml")
    chosen = Path(named) if named else next((one for one in beside if one.is_file() and one != path), None)
    if chosen is not None:
        profile = load(chosen, path)
    else:
        form, delimiter = form_of(path)
        profile = Profile(form, delimiter)
    said = {name: source.option(name) for name in _OPTIONS if source.option(name)}
    return replace(profile, source={**profile.source, **check_source(said, "the options")})


def _opened(path: Path) -> BinaryIO:
    try:
        if path.exists() and not path.is_file():
            raise _NoTableError(f"{path} is not a file.", fix="Name a table or a folder of tables.")
        file = path.open("rb")
    except OSError as error:
        raise _NoTableError(f"{path} can't be read.", why=f"{error.strerror}.", fix="Check the path.") from error
    head = file.read(HEAD)
    file.seek(0)
    other = why_unread(head)
    if other is not None:
        file.close()
        raise _NoTableError(f"{path} is {other[0]}, which isn't read as a table.", fix=other[1])
    return file


def _understood(path: Path, file: BinaryIO, profile: Profile) -> tuple[Profile, int, Iterator[Record]]:
    """The complete profile, the header's record, and all records. Raises _NoTableError."""
    found = lines(file, profile.encoding)
    start = list(islice(found, guess.SAMPLE))
    if profile.guessed and profile.form == "text":
        form, delimiter = guess.form_of_text([line.text for line in start])
        profile = replace(profile, form=form, delimiter=delimiter)
    elif profile.guessed and profile.form == "csv" and start and path.suffix.lower() not in (".tsv", ".tab"):
        profile = replace(profile, delimiter=guess.delimiter_of([line.text for line in start], profile.delimiter))
    rows = records(chain(start, found), profile.form, profile.delimiter)
    passed = [replace(one, prose=True) for one in islice(rows, profile.skip)]
    sample = list(islice(rows, guess.SAMPLE))
    complete, header, why = guess.completed(profile, sample)
    if why:
        raise _NoTableError(f"{path}: {why}", fix="Write a profile: [columns] \"NAME\" = \"value\".")
    return complete, header, chain(passed, sample, rows)


@dataclass
class _Seen:
    """Digests of the latest values, to tell those that come twice."""

    rows: dict[int, int] = field(default_factory=dict)

    def before(self, finding: Finding, row: int) -> int:
        """The row that said the same values of the same campaign before; 0 for none."""
        key = hash((finding.campaign, finding.relation, tuple(one.asset.value for one in finding.values)))
        earlier = self.rows.setdefault(key, row)
        if len(self.rows) > _SEEN:
            self.rows.pop(next(iter(self.rows)))
        return earlier if earlier != row else 0


def _read(
    path: Path, name: str, profile: Profile, mark: Mapping[str, Any], share: tuple[float, float]
) -> Iterator[Batch]:
    with _opened(path) as file:
        size = path.stat().st_size
        digest = f"{size}-{hashlib.sha256(file.read(HEAD)).hexdigest()}"
        file.seek(0)
        complete, header, rows = _understood(path, file, profile)
        stated = complete.said("date")
        dated = stated or "-".join(found.groups() if (found := _IN_NAME.search(path.name)) else ())
        writer = Writer(complete, day(dated) or FIXED)
        done = mark.get("done") if mark.get("digest") == digest else 0
        at = _Progress(name, digest, done if type(done) is int else 0, share, file, size)
        yield from _batches(rows, header, writer, at, bool(day(dated)))


@dataclass
class _Progress:
    name: str
    digest: str
    done: int
    share: tuple[float, float]
    file: BinaryIO
    size: int

    def batch(self, objects: list[Any], rows: list[Row], row: int) -> Batch:
        """A batch with the mark to go on from, and how much of the source is done (0 to 1)."""
        mark = {"format": FORMAT, "file": self.name, "digest": self.digest, "done": row}
        part = self.share[0] + self.share[1] * min(self.file.tell() / max(self.size, 1), 1.0)
        return Batch(tuple(objects), tuple(rows), mark, part)


def _batches(rows: Iterator[Record], header: int, writer: Writer, at: _Progress, dated: bool) -> Iterator[Batch]:
    """What is done is looked at again on resuming: a resumed run says the same of each row, and of all together."""
    seen = _Seen()
    objects: list[Any] = list(writer.first())
    told: list[Row] = []
    row = 0
    for record in rows:
        row = record.row
        made, line = _row(record, header, writer, seen, at.name, dated)
        objects += made
        if row > at.done:
            told.append(line)
        if row % BATCH == 0:
            if told:
                yield at.batch(objects, told, row)
            objects, told = list(writer.first()), []
    counted = list(writer.last())
    if not row:
        told.append(Row(at.name, 1, "blank", (), "The file is empty."))
    if told or counted:
        yield at.batch(objects + counted, told, max(row, 1))


def _row(
    record: Record, header: int, writer: Writer, seen: _Seen, name: str, dated: bool
) -> tuple[list[Any], Row]:
    if record.row == header:
        return [], Row(name, record.row, "blank", (), _how(writer.profile, dated))
    finding = judge(record, writer.profile)
    earlier = seen.before(finding, record.row) if finding.values else 0
    try:
        objects, ids = writer.write(finding)
    except IdentifierError as error:
        return [], Row(name, record.row, "quarantined", (), f"{error}.", without_payment_numbers(record.raw))
    reason = finding.reason
    if earlier:
        objects, reason = [], "; ".join(filter(None, (f"the same as row {earlier}", reason)))
    if finding.counts and not ids:
        return [], Row(name, record.row, "quarantined", (), "The table has too many asset counts.")
    raw = without_payment_numbers(record.raw) if finding.outcome == "quarantined" else ""
    return objects, Row(name, record.row, finding.outcome, ids, reason, raw)


def _how(profile: Profile, dated: bool) -> str:
    """How the header was understood, and what a profile would add."""
    written = {folded(name): name for name in profile.names}
    meant = ", ".join(f"{written.get(name, name)!r} as {column.relation or column}"
                      for name, column in profile.columns.items())  # fmt: skip
    told = f"The header, read with {'a guess' if profile.guessed else 'the profile'}: {meant}."
    return told if dated else told + " No day of publication is stated: say it with --option date=YYYY-MM-DD."
