"""AI-lab cluster reports from files: a form or a list of forms (.json), one form a line (.jsonl, .ndjson), or a folder.

A row is one form, counted from 1 in its file. What has a fault is quarantined whole, with every fault of it: half a
report would say something else. Of several versions of a report in one source only the newest goes in; one that is
withdrawn goes in as the revocation of what it said. A quarantined form isn't kept, since it may hold what must not
be shared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exchange.ailab.check import MOST_BYTES, faults
from exchange.ailab.convert import to_stix
from exchange.connect.contract import Batch, Connector, Outcome, Row
from exchange.connect.json_elements import Element, Places, elements
from exchange.connect.source import Source
from exchange.connect.unread import HEAD, why_unread
from exchange.errors import InputError
from exchange.stix.fault import StixFault
from exchange.stix.parse import parse_strict
from exchange.words import counted

MAX_FILE_BYTES = 256 * 1024 * 1024
"""Largest file: it is held in memory as bytes while its forms are read one by one."""
_ENDINGS = frozenset({".json", ".jsonl", ".ndjson"})
_REMEDY = "Name a file of AI-lab reports, or a folder of them."
_MOST_FAULTS = 20

Key = tuple[str, str]
"""Provider and report_id: what versions of a report have in common."""


@dataclass(frozen=True)
class _File:
    """One file with the places of its forms."""

    name: str
    data: bytes
    forms: tuple[Element, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of the file, hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()


class AiLabReport(Connector):
    """The connector ``ai-lab-report``."""

    name = "ai-lab-report"
    title = "AI-lab abuse-cluster reports (.json, .jsonl and folders)"

    def fetch(self, source: Source, checkpoint: Mapping[str, Any] | None) -> Iterator[Batch]:
        """Read the forms in a fixed order, each a batch.

        The checkpoint names a file, the digest of its content and how many of its forms are done. Raises InputError
        when there is nothing to read, and for a single file that holds no JSON; in a folder that is one row.
        """
        place = source.path
        single = not place.is_dir()
        paths = [place] if single else _listed(place)
        names = [_name(path, place, single) for path in paths]
        newest = _newest(paths, names)
        mark = checkpoint or {}
        first = names.index(mark["file"]) if mark.get("file") in names else 0
        for number, (path, name) in enumerate(zip(paths, names, strict=True)):
            if number < first:
                continue
            try:
                file = _read(path, name)
            except InputError as error:
                if single:
                    raise
                row = Row(name, 1, "quarantined", reason=str(error))
                yield Batch((), (row,), {"file": name, "digest": "", "done": 1}, (number + 1) / len(paths))
                continue
            same = number == first and mark.get("digest") == file.digest
            done = mark.get("done", 0) if same else 0
            yield from _batches(file, newest, done if isinstance(done, int) else 0, (number, len(paths)))


CONNECTOR = AiLabReport()


def _listed(folder: Path) -> list[Path]:
    found = [path for path in folder.rglob("*") if path.suffix.lower() in _ENDINGS and path.is_file()]
    found = [path for path in found if not any(part[0] == "." for part in path.relative_to(folder).parts)]
    if not found:
        raise InputError(f"The folder {folder} holds no .json or .jsonl file.", fix=_REMEDY)
    return sorted(found, key=lambda path: path.as_posix())


def _name(path: Path, place: Path, single: bool) -> str:
    name = path.name if single else path.relative_to(place).as_posix()
    return name.encode(errors="replace").decode()


def _read(path: Path, name: str) -> _File:
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise InputError(f"{path} has {size:,} bytes; at most {MAX_FILE_BYTES:,} are read.",
                             fix="Split it into several files and name their folder.")
        if not path.is_file():
            raise InputError(f"{path} is not a file.", fix=_REMEDY)
        data = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise InputError(f"{path} can't be read.", why=f"{error.strerror or type(error).__name__}.",
                         fix="Check the path and its permissions.") from error
    unread = why_unread(data[:HEAD])
    if unread is not None:
        raise InputError(f"{path} is {unread[0]}, not a report.", fix=unread[1])
    start = data.lstrip(b" \t\r\n")[:1]
    if start not in (b"{", b"["):
        what = "is empty" if not start else "is not JSON: it must begin with { or ["
        raise InputError(f"{path} {what}.", fix=_REMEDY)
    return _File(name, data, tuple(elements(data)))


def _newest(paths: list[Path], names: list[str]) -> dict[Key, tuple[int, str, int]]:
    """The newest version of each report of the source, and the file and row that have it (the last of equals)."""
    newest: dict[Key, tuple[int, str, int]] = {}
    for path, name in zip(paths, names, strict=True):
        try:
            file = _read(path, name)
        except InputError:
            continue
        for row, element in enumerate(file.forms, 1):
            form = _parsed(file, element)
            key = _key(form)
            if key is not None and isinstance(form, Mapping) and not faults(form):
                version = form["version"]
                if version >= newest.get(key, (0, "", 0))[0]:
                    newest[key] = (version, name, row)
    return newest


def _parsed(file: _File, element: Element) -> Any:
    """The form, or the fault that keeps it from being read."""
    raw = file.data[element.start : element.end]
    if not element.complete:
        return StixFault("json-invalid", "", "the file ends in the middle of this report.")
    if len(raw) > MOST_BYTES:
        return StixFault("json-invalid", "", f"the report has {len(raw):,} bytes; at most {MOST_BYTES:,} are taken.")
    try:
        return parse_strict(raw)
    except StixFault as fault:
        return fault


def _key(form: Any) -> Key | None:
    if not isinstance(form, Mapping) or not isinstance(form.get("provider"), Mapping):
        return None
    return " ".join(str(form["provider"].get("name")).casefold().split()), str(form.get("report_id"))


def _batches(
    file: _File, newest: Mapping[Key, tuple[int, str, int]], done: int, share: tuple[int, int]
) -> Iterator[Batch]:
    places = Places(file.data)
    digest, total = file.digest, len(file.forms)
    if not total:
        row = Row(file.name, 1, "blank", reason="The file holds no report.")
        yield Batch((), (row,), {"file": file.name, "digest": digest, "done": 1}, (share[0] + 1) / share[1])
    for number, element in enumerate(file.forms, 1):
        if number <= done:
            continue
        upserts, row = _row(file, element, number, places, newest)
        mark = {"file": file.name, "digest": digest, "done": number}
        yield Batch(upserts, (row,), mark, (share[0] + number / total) / share[1])


def _row(
    file: _File, element: Element, number: int, places: Places, newest: Mapping[Key, tuple[int, str, int]]
) -> tuple[tuple[Mapping[str, Any], ...], Row]:
    line, column = places.at(element.start)
    where = f"line {line}, column {column}"
    form = _parsed(file, element)
    if isinstance(form, StixFault):
        return (), Row(file.name, number, "quarantined", reason=f"{where}: {form.sentence}")
    found = faults(form)
    if found:
        more = f" And {counted(len(found) - _MOST_FAULTS, 'more fault')}." if len(found) > _MOST_FAULTS else ""
        told = " ".join(map(str, found[:_MOST_FAULTS]))
        return (), Row(file.name, number, "quarantined", reason=f"{where}: {told}{more}")
    version, newer, row = newest[_key(form) or ("", "")]
    if (newer, row) != (file.name, number):
        reason = f"Version {version} of the report stands in {newer}, row {row}, and replaces this one."
        return (), Row(file.name, number, "note", reason=reason)
    objects = to_stix(form)
    outcome: Outcome = "indicator" if any(one["type"] == "indicator" for one in objects) else "note"
    reason = "Withdrawn: what it said is revoked." if form.get("status") == "withdrawn" else ""
    return objects, Row(file.name, number, outcome, tuple(one["id"] for one in objects), reason)
