"""Reads a folder (or one file) of Meta's threat research: files by period, rows by file, batches of objects.

All files of a period are read together, because one network may be told in CSV, TSV, JSON and Markdown: it
becomes one campaign. The checkpoint is the period and how many of its batches went in; a period is read
anew on resuming. Files about hacking groups, malware and scams are accounted for row by row and left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from connectors.meta_threat_research import network, objects, tables
from connectors.meta_threat_research.judge import NOT_CIB, Finding, judge, settled
from connectors.meta_threat_research.network import Network
from connectors.meta_threat_research.objects import Period, Story
from connectors.meta_threat_research.tables import Record
from exchange.connect.contract import Batch, Connector, Row
from exchange.connect.source import Source
from exchange.connect.unread import HEAD, why_unread
from exchange.errors import InputError
from exchange.model.identifiers.refang import clean, refang

_READ = frozenset({".csv", ".tsv", ".json", ".md"})
_BATCH = 500
_MAX_FILE = 64 * 1024 * 1024
_LEFT_OUT = frozenset({"index.json", "package.json"})
_MALWARE = ("0.6.1", "0.7.", "1.6.", "1.7.", "3.4.", "4.1.", "7.9.", "8.1.")


class MetaThreatResearch(Connector):
    """The connector for github.com/facebook/threat-research and files in its formats."""

    name = objects.NAME
    title = "Meta threat research: takedown indicators (CSV, TSV, JSON, Markdown)"

    def fetch(self, source: Source, checkpoint: Mapping[str, Any] | None) -> Iterator[Batch]:
        """Batches of at most 500 objects, then the rows they came from; a period after the other.

        Raises InputError when the source isn't there or holds no file at all.
        """
        place = source.path
        files = _files(place)
        periods = _by_period(place, files)
        resume, skip = _standing(checkpoint, periods)
        references = _references(place)
        for number, (period, names) in enumerate(periods.items()):
            if resume is not None and period < resume:
                continue
            done = skip if period == resume else 0
            for index, batch in enumerate(_batches(place, names, references)):
                if index >= done:
                    at = {"format": 1, "period": period, "batches": index + 1}
                    yield Batch(batch.upserts, batch.rows, at, (number + 1) / len(periods))


def _files(source: Path) -> list[Path]:
    if source.is_file():
        return [source]
    if not source.is_dir():
        raise InputError(f"There is no file or folder {source}.", fix="Name the folder of the threat-research files.")
    found = sorted(path for path in source.rglob("*") if path.is_file() and not any(
        part.startswith(".") for part in path.relative_to(source).parts))  # fmt: skip
    if not found:
        raise InputError(f"The folder {source} holds no files.", fix="Name the folder of the threat-research files.")
    return found


def _name(source: Path, path: Path) -> str:
    return path.name if path == source else path.relative_to(source).as_posix()


def _by_period(source: Path, files: list[Path]) -> dict[str, list[Path]]:
    periods: dict[str, list[Path]] = {}
    for path in files:
        periods.setdefault(network.of_file(_name(source, path)).period, []).append(path)
    return dict(sorted(periods.items()))


def _standing(checkpoint: Mapping[str, Any] | None, periods: Mapping[str, Any]) -> tuple[str | None, int]:
    """Period and number of its batches that went in; from the start when the checkpoint makes no sense."""
    if not checkpoint or checkpoint.get("format") != 1:
        return None, 0
    period, batches = checkpoint.get("period"), checkpoint.get("batches")
    if not isinstance(period, str) or period not in periods or not isinstance(batches, int) or batches < 0:
        return None, 0
    return period, batches


def _references(source: Path) -> dict[str, list[str]]:
    """Addresses of the reports by the stem of their files, as the source's own index has them."""
    try:
        entries = json.loads((source / "index.json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    found: dict[str, list[str]] = {}
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("reference_urls"), list):
            links = [link for link in entry["reference_urls"] if isinstance(link, str) and link.startswith("https://")]
            found[str(entry.get("id"))] = links
    return found


def _batches(source: Path, paths: list[Path], references: Mapping[str, list[str]]) -> Iterator[Batch]:
    """Everything of one period: objects first, then the rows, so that a row never names what isn't there yet."""
    period = Period()
    rows: list[Row] = []
    for path in paths:
        rows += _take(period, _name(source, path), path, references.get(path.stem, []))
    made = period.objects()
    while chunk := tuple(islice(made, _BATCH)):
        yield Batch(chunk)
    for start in range(0, len(rows), _BATCH):
        yield Batch(rows=tuple(rows[start : start + _BATCH]))


def _take(period: Period, file: str, path: Path, references: list[str]) -> list[Row]:
    """Read one file into the period; its rows."""
    outside = _left_out(file, path)
    if outside is not None:
        return [outside]
    try:
        data = path.read_bytes()
    except OSError as error:
        return [Row(file, 1, "quarantined", reason=f"The file can't be read: {error.strerror}.")]
    records = list(tables.read(data, path.suffix.lower()))
    about = network.of_file(file)
    cib = _about_cib(file, records)
    for record in records:
        if record.kind == "title":
            about = network.titled(about, record.value)
    days = [record.day for record in records if _is_day(record.day)]
    about = Network(about.period, about.slug, max(days, default=about.date), about.origins, about.targets)
    known = {refang(record.value) for record in records if record.kind == "chain" and " " not in clean(record.value)}
    findings = settled(judge(file, record, cib, known) for record in records)
    stories: dict[str, Story] = {}
    return [_row(period, about, stories, finding, references) for finding in findings]


def _row(period: Period, about: Network, stories: dict[str, Story], finding: Finding, references: list[str]) -> Row:
    if finding.outcome in ("blank", "quarantined") or finding.reason in (NOT_CIB, "The header."):
        return Row(finding.file, finding.row, finding.outcome, (), finding.reason)
    story = stories.get(finding.part)
    if story is None:
        if finding.outcome == "note" and not finding.values and not finding.reason.startswith("Text"):
            return Row(finding.file, finding.row, finding.outcome, (), finding.reason)
        whose = network.with_part(about, finding.part) if finding.part else about
        story = stories[finding.part] = period.story(whose)
        story.references.update(dict.fromkeys(references))
    for place in network.places_in(finding.target) if finding.target else ():
        story.targets.setdefault(place.code, place)
    ids = period.take(story, finding)
    return Row(finding.file, finding.row, finding.outcome, tuple(dict.fromkeys(ids)), finding.reason)


def _left_out(file: str, path: Path) -> Row | None:
    other = _unread(path)
    if other is not None:
        return Row(file, 1, "quarantined", reason=f"The file is {other[0]}, which isn't read. {other[1]}")
    about = path.name.lower().startswith(("readme", "license"))
    if about or path.suffix.lower() not in _READ or path.name in _LEFT_OUT:
        return Row(file, 1, "note", reason="The file is no table of indicators.")
    if path.stat().st_size > _MAX_FILE:
        return Row(file, 1, "quarantined", reason=f"The file is larger than {_MAX_FILE // 1024 // 1024} MB.")
    return None


def _unread(path: Path) -> tuple[str, str] | None:
    try:
        with path.open("rb") as file:
            return why_unread(file.read(HEAD))
    except OSError:
        return None  # said when it is read


def _about_cib(file: str, records: list[Record]) -> bool | None:
    """Whether a file is about CIB, by its name, its title, or the procedures in it; None: each row says
    for itself.
    """
    named = network.is_cib_name(file)
    if any(record.kind == "typed" for record in records):
        return named
    if named is not None:
        return named
    procedures = [record.procedure.lstrip() for record in records if record.kind == "chain"]
    if procedures:
        return not any(one.startswith(_MALWARE) for one in procedures)
    return any(record.kind == "title" and network.is_cib_name(record.value) for record in records)


def _is_day(text: str) -> bool:
    return len(text) == 10 and text[4] == text[7] == "-" and text.replace("-", "").isdigit() and "2000" < text < "2100"
