"""What a table without a profile means, as far as its header and first rows say it; and the profile to write."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from connectors.table.profile import Column, Profile, folded
from connectors.table.words import RELATION_WORDS
from exchange.connect.records import Format, Record
from exchange.connect.value import read
from exchange.model.identifiers.platforms import table

SAMPLE = 50
"""Records that are looked at."""

_VALUES: Mapping[str, str] = {
    "indicator": "", "indicators": "", "indicator value": "", "ioc": "", "iocs": "", "value": "", "observable": "",
    "artifact": "", "artefact": "", "asset": "", "assets": "", "identifier": "", "account": "", "accounts": "",
    "account url": "", "account link": "", "profile": "", "profile url": "", "page": "", "page url": "", "channel": "",
    "channel url": "", "group": "", "group url": "", "domain": "", "domains": "", "domain name": "", "hostname": "",
    "host": "", "website": "", "web site": "", "site": "", "url": "", "urls": "", "link": "", "links": "", "uri": "",
    "address": "", "handle": "account", "handles": "account", "username": "account", "user name": "account",
    "screen name": "account", "account handle": "account", "account name": "account", "email": "email",
    "e mail": "email", "email address": "email", "ip": "", "ip address": "", "ip addresses": "", "ipv4": "", "ipv6": "",
    "hash": "", "md5": "md5", "sha1": "sha1", "sha 1": "sha1", "sha256": "sha256", "sha 256": "sha256",
    "pdq": "image-hash", "phone": "phone", "phone number": "phone", "telephone": "phone", "asn": "autonomous-system",
    "wallet": "wallet", "cluster url": "", "impersonating domain": "", "fake domain": "", "lookalike domain": "",
    "spoofing domain": "", "typosquatted domain": "",
}  # fmt: skip
_OTHERS: Mapping[str, str] = {
    "type": "kind", "kind": "kind", "account type": "kind", "entity type": "kind", "object type": "kind",
    "platform name": "platform", "channel type": "kind", "indicator type": "kind", "ioc type": "kind",
    "asset kind": "kind",
    "platform": "platform", "service": "platform", "social network": "platform", "social media": "platform",
    "relation": "relation", "relationship": "relation", "status": "relation", "verdict": "relation",
    "classification": "relation", "assessment": "relation",
    "campaign": "campaign", "network": "campaign", "network name": "campaign", "campaign name": "campaign",
    "operation": "campaign", "operation name": "campaign", "cluster": "campaign", "confidence": "confidence",
    "score": "confidence", "tlp": "tlp", "marking": "tlp", "sharing": "tlp", "role": "role",
    "first seen": "first_seen", "first observed": "first_seen", "last seen": "last_seen", "last observed": "last_seen",
    "date": "date", "ds": "date", "day": "date", "published": "date", "date added": "date", "count": "count",
    "number": "count", "number of accounts": "count", "asset type": "asset_type", "display name": "name",
}  # fmt: skip
_FOREIGN = (
    (re.compile(r"\b(?:impersonated|spoofed|mimicked|copied|original|imitated)\b"), "impersonated"),
    (re.compile(r"\b(?:target|targets|targeted|victim|victims)\b"), "targeted"),
    (re.compile(r"\b(?:legitimate|authentic|genuine|benign|real)\b"), "legitimate"),
)  # fmt: skip
_SURE = 0.8
_TITLES = 8
"""Rows in which a header is looked for."""


def delimiter_of(first: Sequence[str], usual: str) -> str:
    """The character that divides a table's lines: of the usual ones that which the most of them have, outside of
    quotes; of equals the one that is frequent in the first line.
    """
    plain = [re.sub(r'"[^"]*"', "", line) for line in first if line.strip()]
    marks = (usual, ",", ";", "\t", "|")
    best = max(marks, key=lambda mark: (sum(mark in line for line in plain), plain[0].count(mark) if plain else 0))
    return best if any(best in line for line in plain) else usual


def completed(profile: Profile, first: Sequence[Record]) -> tuple[Profile, int, str]:
    """The profile with columns by this table's header, the header's record (0: none), and why it can't be read.

    A profile that a person wrote says which columns matter: what it doesn't name is a comment.
    """
    rows = [one for one in first if not one.fault and not one.blank and not one.prose]
    if not rows:
        return profile, 0, ""
    if profile.form == "text" or rows[0].named is not None:
        names: tuple[str, ...] = ("value", "comment")
        if rows[0].named is not None:
            names = tuple(dict.fromkeys(name for one in rows for name in one.named or ()))
        return _named(profile, names, rows, 0)
    start = rows[0]
    if profile.names:
        return _named(profile, profile.names, rows, start.row if profile.header else 0)
    if profile.guessed:  # titles may stand above the header
        start = next((one for one in rows[:_TITLES] if _has_known_words(one)), start)
    if _is_header(start) if profile.guessed else profile.header:
        return _named(profile, start.cells, rows[rows.index(start) + 1 :], start.row)
    return _named(profile, tuple(str(number) for number, _ in enumerate(start.cells, 1)), rows, 0)


def form_of_text(first: Sequence[str]) -> tuple[Format, str]:
    """Form and delimiter of a .txt file by its first lines: ``value|comment``, or a table after all."""
    for line in first:
        if line.strip() and not line.lstrip().startswith(("#", "//")):
            if "|" in line:
                return "text", "|"
            best = next((one for one in "\t;," if one in line), "")
            words = [folded(cell) for cell in line.split(best)] if best else []
            if best == "\t" or any(word in _VALUES for word in words):
                return "csv", best
            break
    return "text", "|"


def _has_known_words(record: Record) -> bool:
    cells = [folded(cell) for cell in record.cells]
    return any(cell in _VALUES or cell in _OTHERS for cell in cells)


def _is_header(record: Record) -> bool:
    if _has_known_words(record):
        return True
    cells = [folded(cell) for cell in record.cells]
    return not any(_reads(cell) for cell in record.cells) and all(len(cell) < 60 for cell in cells)


def _reads(cell: str) -> bool:
    found = read(cell)
    return bool(found.values or found.shared)


def _named(profile: Profile, names: tuple[str, ...], rows: Sequence[Record], header: int) -> tuple[Profile, int, str]:
    if not profile.guessed:
        missing = [name for name in profile.columns if name not in map(folded, names)]
        if missing and profile.form != "text":
            told = ", ".join(repr(name) for name in missing)
            return profile, header, f"The profile's columns {told} aren't in the table, which has {_list(names)}."
        columns = dict(profile.columns)
        if profile.form == "text" and not columns:
            columns = {"value": Column("value")}
        return replace(profile, columns=columns, names=names), header, ""
    columns = {folded(name): _meaning(name, index, rows) for index, name in enumerate(names)}
    seen: set[str] = set()
    for name, column in columns.items():  # the first of a meaning counts
        if column.meaning in seen and column.meaning not in ("value", "comment"):
            columns[name] = Column("comment")
        seen.add(column.meaning)
    if "value" not in seen:
        best = max(range(len(names)), key=lambda index: _share(rows, index, names), default=0)
        if names and _share(rows, best, names) > 0:
            columns[folded(names[best])] = Column("value")
            seen.add("value")
    if not seen & {"value", "count"}:
        return profile, header, f"No column of the table holds values that are known; it has {_list(names)}."
    return replace(profile, columns=columns, names=names), header, ""


def _list(names: Sequence[str]) -> str:
    return ", ".join(repr(name[:40]) for name in names[:12]) or "none"


def _meaning(name: str, index: int, rows: Sequence[Record]) -> Column:
    plain = folded(name)
    relation = next((word for pattern, word in _FOREIGN if pattern.search(plain)), "")
    last = plain.rpartition(" ")[2]
    if plain in _VALUES or (relation and last in _VALUES) or (relation and plain in ("target", "original")):
        return Column("value", _VALUES.get(plain, ""), relation=relation)
    whose = table().named(plain.rpartition(" ")[0]) or table().named(plain)
    if whose is not None and (last in _VALUES or last == "name"):  # a column of ids may hold anything
        return Column("value", "account", whose.name, relation)
    meaning = _OTHERS.get(plain, "comment")
    if meaning == "relation" and not _are_relations(_texts(rows, index, name)):
        return Column("comment")
    return Column(meaning)


def _texts(rows: Sequence[Record], index: int, name: str) -> list[str]:
    cells = [one.named.get(name, "") if one.named is not None else one.cells[index] if index < len(one.cells) else ""
             for one in rows]  # fmt: skip
    return [cell for cell in cells if cell.strip()]


def _are_relations(texts: Sequence[str]) -> bool:
    known = sum(folded(text) in RELATION_WORDS for text in texts)
    return bool(texts) and known / len(texts) >= _SURE


def _share(rows: Sequence[Record], index: int, names: Sequence[str]) -> float:
    texts = _texts(rows, index, names[index])
    return sum(map(_reads, texts)) / len(texts) if texts else 0.0


def written(profile: Profile, path: Path) -> str:
    """The profile as TOML, with what it leaves open as remarks to fill in."""
    said = profile.source
    lines = [f"# How {path.name} is read. Put it beside the table as {path.stem}.toml, or name it with"
             " --option profile=FILE.", "[source]"]  # fmt: skip
    for name, example in (("name", "Lorem Institute"), ("date", "2026-03-01"), ("campaign", "Lorem network"),
                          ("date_order", "dmy"), ("relation", "operated"), ("tlp", "amber")):  # fmt: skip
        mark = "" if name in said else "# "
        lines.append(f"{mark}{name} = {_quoted(said.get(name, example))}")
    if profile.form in ("csv", "text") and profile.delimiter:
        lines += ["[table]", f'format = "{profile.form}"', f"delimiter = {_quoted(profile.delimiter)}"]
    lines.append("[columns]")
    originals = {folded(name): name for name in profile.names}
    for name, column in profile.columns.items():
        meant = column.relation if column.meaning == "value" and column.relation else str(column)
        lines.append(f"{_quoted(originals.get(name, name))} = {_quoted(meant)}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    plain = text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
    return '"' + "".join(one if one.isprintable() or one == "\\" else " " for one in plain) + '"'
