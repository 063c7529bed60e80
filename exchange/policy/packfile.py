"""One pack file: which tables it may have, which keys each entry has and of which kind.

A key table is name to kind; a kind ending in ``?`` may be absent. Kinds: text, date, flag, number, words (a
list of texts, not empty), acts (acts of policy-facts, not empty), strings (the same, may be
empty), setting (true, false or a number), table, or a tuple of the words that are possible.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from exchange.errors import SettingError
from exchange.policy.packtables import CASE, ENTRIES, EVIDENCE, HEAD, NEEDS, TERMS, Kind
from exchange.policy.shape import ACTS


@dataclass(frozen=True, slots=True)
class PackFile:
    """A pack as read: its name inside the folder, such as ``sharing/meta-threat-research.toml``."""

    name: str
    content: Mapping[str, Any]


_FOREVER = datetime.date.max


def read_entries(files: Iterable[PackFile]) -> dict[str, list[Mapping[str, Any]]]:
    """All entries by table name, each checked and with the citation and dates of its pack where it has none.

    ``sharing`` rows are {name, terms}, ``base`` the base facts. Raises SettingError for an unknown table or key,
    a wrong kind, an id given twice for the same day, a table without entries.
    """
    found: dict[str, list[Mapping[str, Any]]] = {name: [] for name in (*ENTRIES, "sharing", "base")}
    given: dict[tuple[str, str], list[tuple[str, Mapping[str, Any]]]] = {}
    for file in files:
        _check_file(file)
        head = file.content["pack"]
        inherited = {key: head[key] for key in ("citation", "valid_from", "valid_until") if key in head}
        _check_dates(head, f"{file.name}: pack")
        for table, keys in ENTRIES.items():
            for index, stated in enumerate(file.content.get(table, ())):
                check_table(stated, keys, f"{file.name}: {table}[{index + 1}]")
                row = {**inherited, **stated}
                _check_dates(row, f"{file.name}: {table}[{index + 1}]")
                others = given.setdefault((table, row["id"]), [])
                for first, other in others:
                    if _overlap(row, other):
                        raise SettingError(f"{file.name}: {table} {row['id']!r} is given twice, first in {first}.")
                others.append((file.name, row))
                found[table].append(row)
        if "terms" in file.content:
            check_table(file.content["terms"], TERMS, f"{file.name}: terms")
            found["sharing"].append(
                {
                    **inherited,
                    "name": file.name.rsplit("/", 1)[-1].removesuffix(".toml"),
                    "terms": file.content["terms"],
                }
            )
        if "base" in file.content:
            found["base"].append(file.content["base"])
    for table, rows in found.items():
        if not rows:
            raise SettingError(f"No policy pack has any entry of {table!r}: an empty list of them is refused.")
    if len(found["base"]) > 1:
        raise SettingError("More than one policy pack gives the base facts of cases ('base').")
    return found


def _check_file(file: PackFile) -> None:
    known = {"pack", "cases", "terms", "base", *ENTRIES}
    for table, rows in file.content.items():
        if table not in known:
            raise SettingError(
                f"{file.name}: {table!r} is not a table of policy packs.",
                fix=f"Known: {', '.join(sorted(known))}.",
            )
        if table in {*ENTRIES, "cases"} and (not isinstance(rows, list) or not rows):
            raise SettingError(f"{file.name}: {table} must be a list with at least one entry.")
        if table in {"terms", "base"} and not isinstance(rows, dict):
            raise SettingError(f"{file.name}: {table} must be a table.")
    check_table(file.content.get("pack"), HEAD, f"{file.name}: pack")
    if "cases" not in file.content:
        raise SettingError(f"{file.name}: there are no [[cases]]; every pack says what it should decide.")
    for index, row in enumerate(file.content["cases"]):
        check_table(row, CASE, f"{file.name}: cases[{index + 1}]")


def _check_dates(row: Mapping[str, Any], place: str) -> None:
    if row.get("valid_until", _FOREVER) <= row["valid_from"]:
        raise SettingError(f"{place}: valid_until isn't after valid_from, so it would never be valid.")


def _overlap(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two entries of one id are valid on the same day; both intervals are half-open."""
    starts = max(one["valid_from"], other["valid_from"])
    return bool(starts < min(one.get("valid_until", _FOREVER), other.get("valid_until", _FOREVER)))


def check_table(row: Any, keys: Mapping[str, Kind], place: str) -> None:
    """Check one table against its keys. Raises SettingError with the place, the key and the remedy."""
    if not isinstance(row, dict):
        raise SettingError(f"{place} is missing or not a table.", fix=f"Keys: {', '.join(keys)}.")
    for key in row:
        if key not in keys:
            raise SettingError(f"{place}: {key!r} is not a known key.", fix=f"Keys: {', '.join(keys)}.")
    for key, kind in keys.items():
        optional = isinstance(kind, str) and kind.endswith("?")
        if key not in row:
            if not optional:
                raise SettingError(f"{place}: the key {key!r} is missing.")
            continue
        fault = _fault(row[key], kind.rstrip("?") if isinstance(kind, str) else kind)
        if fault:
            raise SettingError(f"{place}: {key} is {row[key]!r}; it must be {fault}.")


def _fault(value: Any, kind: Kind) -> str:
    """What a value should have been; empty when it is right."""
    if isinstance(kind, tuple):
        return "" if value in kind else f"one of {', '.join(kind)}"
    if kind in _LISTS:
        return _list_fault(value, kind)
    if kind == "setting":
        return "" if isinstance(value, bool) or (isinstance(value, int) and value > 0) else _SETTING
    wanted, name = _PLAIN[kind]
    right = isinstance(value, wanted) and (wanted is bool or not isinstance(value, bool | datetime.datetime))
    empty = (wanted is str and right and not value.strip()) or (wanted is int and right and value < 1)
    return "" if right and not empty else name


def _list_fault(value: Any, kind: str) -> str:
    if kind == "tables":
        return (
            ""
            if isinstance(value, list) and value and all(isinstance(item, dict) for item in value)
            else ("a list of tables with at least one entry")
        )
    possible = _LISTS[kind]
    if not isinstance(value, list) or not all(isinstance(item, str) and item.strip() for item in value):
        return "a list of texts"
    if not value and kind != "strings":
        return "a list with at least one entry"
    unknown = [item for item in value if possible and item not in possible]
    return f"a list of words out of {', '.join(possible)}" if unknown else ""


_LISTS: Mapping[str, tuple[str, ...]] = {
    "words": (),
    "strings": ACTS,
    "acts": ACTS,
    "evidence": EVIDENCE,
    "needs": NEEDS,
    "tables": (),
}
_SETTING = "true, false or a whole number above 0"
_PLAIN: Mapping[str, tuple[type, str]] = {
    "text": (str, "a text that isn't empty"),
    "date": (datetime.date, "a date such as 2026-01-31"),
    "flag": (bool, "true or false"),
    "number": (int, "a whole number above 0"),
    "table": (dict, "a table"),
}
