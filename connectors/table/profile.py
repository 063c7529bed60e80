"""What a table's columns mean: written by a person in a few lines of TOML, or guessed from its header.

    [source]
    name = "Lorem Institute"      # who published it
    date = "2026-03-01"           # when: of everything that has no date of its own
    campaign = "Lorem network"    # whose values these are, where no column says
    date_order = "dmy"            # how 03/04/2026 is meant
    [columns]
    "Domain" = "value:domain"
    "X handle" = "value:account@x"
    "Status" = "relation"
    [words]
    "confirmed fake" = "operated"

Every meaning, relation and option is checked, so that a misspelt one is told and not ignored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args

from exchange.connect.records import Format
from exchange.errors import InputError
from exchange.model.identifiers.kinds import KINDS
from exchange.stix.timestamp import is_real_date
from exchange.stix.tlp import from_word
from exchange.toml_text import TomlError, read_toml

MEANINGS = ("value", "kind", "platform", "relation", "campaign", "comment", "confidence", "tlp", "role", "first_seen",
            "last_seen", "date", "count", "asset_type", "name", "ignore")  # fmt: skip
RELATIONS = ("operated", "targeted", "impersonated", "legitimate", "unknown")
ORDERS = ("dmy", "mdy", "ymd")
MANY = ("value", "comment", "ignore")
"""Meanings that several columns may have."""
_VALUE = re.compile(r"value(?::(?P<kind>[a-z0-9-]+))?(?:@(?P<platform>.+))?\Z")
_TABLE = ("format", "delimiter", "encoding", "header", "columns", "skip")
_SOURCE = ("name", "date", "date_order", "campaign", "relation", "platform", "tlp", "confidence", "kind", "source_type")
_TYPES = ("platform-takedown", "ai-lab-report", "regulator-action", "government-attribution", "academic-study",
          "investigative-report", "leaked-data-set", "news-summary")  # fmt: skip
_ENDINGS: Mapping[str, Format] = {
    ".csv": "csv", ".tsv": "csv", ".tab": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".txt": "text", ".lst": "text",
    ".list": "text", ".psv": "text", ".md": "markdown", ".markdown": "markdown",
}  # fmt: skip


@dataclass(frozen=True)
class Column:
    """What one column holds."""

    meaning: str
    kind: str = ""
    """Kind of identifier, of a value."""
    platform: str = ""
    relation: str = ""
    """What its values are to the campaign, where the column itself says it: "impersonated domain"."""

    def __str__(self) -> str:
        kind = f":{self.kind}" if self.kind else ""
        return f"{self.meaning}{kind}" + (f"@{self.platform}" if self.platform else "")


@dataclass(frozen=True)
class Profile:
    """How a table is read."""

    form: Format = "csv"
    delimiter: str = ","
    encoding: str = ""
    header: bool = True
    skip: int = 0
    """Records before the header."""
    names: tuple[str, ...] = ()
    """Names of columns, where the file has no header."""
    columns: Mapping[str, Column] = field(default_factory=dict)
    """By the column's name, folded; a column that isn't here is a comment."""
    words: Mapping[str, str] = field(default_factory=dict)
    """The source's own words for relations, kinds, platforms, folded."""
    source: Mapping[str, str] = field(default_factory=dict)
    guessed: bool = True

    def said(self, name: str) -> str:
        """What [source] says of something; empty where it doesn't."""
        return self.source.get(name, "")


@lru_cache(maxsize=4096)
def folded(name: str) -> str:
    """A column's name or a word, for comparing."""
    return re.sub(r"[\s_\-]+", " ", name.strip().strip("*:").casefold()).strip()


def form_of(path: Path) -> tuple[Format, str]:
    """Form and delimiter by a file's ending."""
    suffix = path.suffix.lower()
    form = _ENDINGS.get(suffix, "csv")
    return form, "\t" if suffix in (".tsv", ".tab") else "|" if form == "text" else ","


def is_table(path: Path) -> bool:
    """Whether a file's ending is one that is read in folders."""
    return path.suffix.lower() in _ENDINGS


def load(path: Path, about: Path) -> Profile:
    """A profile from its file, for the table ``about``; raises InputError that names what is wrong."""
    try:
        raw = read_toml(path.read_text("utf-8-sig"))
    except OSError as error:
        raise InputError(f"The profile {path} can't be read.", why=f"{error.strerror}.") from error
    except (TomlError, UnicodeError) as error:
        raise InputError(f"The profile {path} is no TOML.", why=f"{error}.") from error
    return _read(raw, path, about)


def _read(raw: Mapping[str, Any], path: Path, about: Path) -> Profile:
    _only(raw, ("table", "source", "columns", "words"), f"The profile {path}")
    table, source, columns, words = (_section(raw, name, path) for name in ("table", "source", "columns", "words"))
    _only(table, _TABLE, f"[table] of {path}")
    _only(source, _SOURCE, f"[source] of {path}")
    form, delimiter = form_of(about)
    form = _one_of(table.get("format", form), get_args(Format), "format", path)  # type: ignore[assignment]
    names = table.get("columns", [])
    if not isinstance(names, list) or not all(isinstance(one, str) for one in names):
        raise InputError(f"In {path} columns must be a list of names.")
    skip = table.get("skip", 0)
    if type(skip) is not int or skip < 0:
        raise InputError(f"In {path} skip must be a number of records.")
    delimiter = table.get("delimiter", delimiter)
    if not isinstance(delimiter, str) or len(delimiter) != 1:
        raise InputError(f"In {path} delimiter must be one character.", fix='Write "\\t" for a tab.')
    found = {folded(name): _column(name, text, path) for name, text in columns.items()}
    single = [one.meaning for one in found.values() if one.meaning not in MANY]
    twice = next((one for one in single if single.count(one) > 1), "")
    if twice:
        raise InputError(f"In {path} two columns are {twice!r}.", fix="Make one of them a comment, or ignore it.")
    if not any(one.meaning in ("value", "count") for one in found.values()) and form != "text":
        raise InputError(f"In {path} no column is a value.", fix='Write under [columns]: "NAME" = "value"')
    return Profile(
        form, delimiter, str(table.get("encoding", "")), bool(table.get("header", not names)), skip, tuple(names),
        found, {folded(word): str(meant) for word, meant in words.items()}, check_source(source, path), False,
    )


def _section(raw: Mapping[str, Any], name: str, path: Path) -> Mapping[str, Any]:
    found = raw.get(name, {})
    if not isinstance(found, dict):
        raise InputError(f"In {path} [{name}] must be a table.")
    return found


def _only(found: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    unknown = next((name for name in found if name not in known), None)
    if unknown is not None:
        raise InputError(f"{where} holds {unknown!r}, which isn't known.", fix=f"Known: {', '.join(known)}.")


def _one_of(value: Any, known: tuple[str, ...], name: str, path: Path | str) -> str:
    if value not in known:
        raise InputError(f"In {path} {name} is {value!r}.", fix=f"Use one of {', '.join(known)}.")
    return str(value)


def _column(name: str, text: Any, path: Path) -> Column:
    found = _VALUE.match(text) if isinstance(text, str) else None
    if found:
        kind = found["kind"] or ""
        if kind and kind not in KINDS:
            raise InputError(f"In {path} column {name!r} is of the kind {kind!r}.", fix=f"Kinds: {', '.join(KINDS)}.")
        return Column("value", kind, found["platform"] or "")
    if isinstance(text, str) and text in RELATIONS:
        return Column("value", relation=text)
    return Column(_one_of(text, MEANINGS, f"column {name!r}", path))


def check_source(raw: Mapping[str, Any], path: Path | str) -> dict[str, str]:
    """What [source] says, as text; raises InputError for a word that isn't known there."""
    said = {name: str(value) for name, value in raw.items()}
    checks = {"relation": RELATIONS, "date_order": ORDERS, "kind": tuple(KINDS), "source_type": _TYPES}
    for name, known in checks.items():
        if name in said:
            _one_of(said[name], known, name, path)
    if "tlp" in said and from_word(f"tlp:{said['tlp'].lower().removeprefix('tlp:')}") is None:
        raise InputError(f"In {path} tlp is {said['tlp']!r}.", fix="Use clear, green, amber, amber+strict or red.")
    if "confidence" in said and not re.fullmatch("0*(?:[0-9]{1,2}|100)", said["confidence"]):
        raise InputError(f"In {path} confidence is {said['confidence']!r}.", fix="Use a number from 0 to 100.")
    if "date" in said and not (re.fullmatch(r"\d{4}-\d\d-\d\d", said["date"])
                               and is_real_date(said["date"] + "T00:00:00Z")):  # fmt: skip
        raise InputError(f"In {path} date is {said['date']!r}.", fix="Write it like 2026-03-01.")
    return said
