"""The policy pack of actions: which facts lead to which recommended action, read from TOML and checked.

Rows stand in order and the first that holds decides; the last one holds for everybody. What no pack may say is refused
here: suspension is left to a human, never proposed for a compromised, co-opted or openly run account or one with a
clean record, never on one source or one kind of evidence alone, and never where the class of the campaign is unknown,
rests on one source, where any member of the cluster looks stolen, or for an account that signed up apart from them.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from exchange.errors import SettingError
from exchange.matcher.action.facts import FLAGS
from exchange.matcher.classes.names import CLASSES
from exchange.policy.packfile import PackFile, check_table
from exchange.policy.packtables import Kind
from exchange.toml_text import TomlError, read_toml

ROOM = "actions"
ACTIONS = ("none", "monitor", "challenge", "throttle", "label", "quarantine", "suspend")
"""From nothing to the step that can't be undone."""
LEVELS = ("possible", "plausible", "likely", "high", "certain")
BANDS = ("wide", "great")
EVERY_CLASS = "any"

_HEAD: Mapping[str, Kind] = {"title": "text", "room": (ROOM,), "citation": "text", "valid_from": "date",
                             "valid_until": "date?"}
_STEP: Mapping[str, Kind] = {"id": ACTIONS, "title": "text", "reversible": "flag", "undo": "text"}
_NUMBERS = ("disputed", "disputed_at_most", "prior_days_at_most", "theft_at_most", "spread",
            "sources_at_most")
ROW: Mapping[str, Kind] = {
    "id": "text", "action": ACTIONS, "why": "text", "citation": "text?", "hours": "number?", "human": "flag?",
    "confidence": (*LEVELS, ""), "reach": (*BANDS, ""), "sources": "number?",
    "kinds": "number?", "kinds_at_most": "number?", "cluster": "number?", "only": "words?", "never": "words?",
    "classes": "words?", "class_sources": "number?", "cluster_sources": "number?",
    "made_with": "number?",
}
"""Keys of a row besides shares and days; all conditions that stand there must hold."""


@dataclass(frozen=True)
class Row:
    """One row of the decision table. Conditions that are None or empty ask for nothing."""

    id: str
    action: str
    why: str
    citation: str
    hours: int | None
    """Within how many hours the action should be taken."""
    human: bool
    """Whether a person decides before anything happens."""
    confidence: str = ""
    reach: str = ""
    sources: int | None = None
    sources_at_most: float | None = None
    """0: no source names anything of the account itself."""
    kinds: int | None = None
    kinds_at_most: int | None = None
    cluster: int | None = None
    disputed: float | None = None
    disputed_at_most: float | None = None
    prior_days_at_most: float | None = None
    theft_at_most: float | None = None
    spread: float | None = None
    class_sources: int | None = None
    cluster_sources: int | None = None
    made_with: int | None = None
    only: tuple[str, ...] = ()
    """At least one of these flags is there."""
    never: tuple[str, ...] = ()
    """None of these flags is there."""
    classes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """What one of the actions is, and how it is taken back."""

    id: str
    title: str
    reversible: bool
    undo: str


@dataclass(frozen=True)
class ActionPack:
    """The pack, checked."""

    file: str
    title: str
    citation: str
    valid_from: datetime.date
    valid_until: datetime.date | None
    digest: str
    """Hex SHA-256 of its canonical content: the version that decisions name."""
    steps: Mapping[str, Step]
    confidence: Mapping[str, Mapping[str, float]]
    """Class (and ``any``) to level to the probability from which it holds."""
    bands: Mapping[str, float]
    """Band to the blast radius from which it holds, in people reached in 90 days."""
    rows: tuple[Row, ...]
    cases: tuple[Mapping[str, Any], ...]

    def in_force(self, day: datetime.date) -> bool:
        """Whether the pack speaks for a day; its dates are half-open."""
        return self.valid_from <= day and (self.valid_until is None or day < self.valid_until)

    def bound(self, level: str, campaign_class: str | None) -> float:
        """The probability from which a level of confidence holds for a class."""
        return self.confidence.get(campaign_class or EVERY_CLASS, self.confidence[EVERY_CLASS])[level]


def load_actions(path: Path | None = None) -> ActionPack:
    """Read a pack; None: the one that is shipped (once). Raises SettingError with the place and the remedy."""
    return _read(path, str(path)) if path else _shipped()


@cache
def _shipped() -> ActionPack:
    place = "actions/staged.toml"
    return _read(resources.files("policies").joinpath(place), place)


def _read(source: Traversable, place: str) -> ActionPack:
    try:
        content = read_toml(source.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingError(f"The policy pack {place} can't be read.", why=f"{error.strerror or error}.",
                           fix="Name a TOML file.") from error
    except (TomlError, UnicodeDecodeError) as error:
        raise SettingError(f"The policy pack {place} can't be read: {error}.") from error
    return read_actions(PackFile(place, content))


def read_actions(file: PackFile) -> ActionPack:
    """Check a pack that was read. Raises SettingError with the place and the remedy."""
    known = ("pack", "step", "confidence", "reach", "row", "cases")
    for table in file.content:
        if table not in known:
            raise SettingError(f"{file.name}: {table!r} is not a table of a pack of actions.",
                               fix=f"Known: {', '.join(known)}.")
    head = file.content.get("pack")
    check_table(head, _HEAD, f"{file.name}: pack")
    assert isinstance(head, dict)  # noqa: S101 - check_table has seen to it
    canonical = json.dumps(file.content, sort_keys=True, default=str, separators=(",", ":"), ensure_ascii=False)
    pack = ActionPack(
        file=file.name, title=head["title"], citation=head["citation"], valid_from=head["valid_from"],
        valid_until=head.get("valid_until"), digest=hashlib.sha256(canonical.encode()).hexdigest(),
        steps=_steps(file), confidence=_confidence(file), bands=_bands(file), rows=_rows(file),
        cases=tuple(_tables(file, "cases")))
    _check_rows(pack)
    return pack


def _tables(file: PackFile, name: str) -> list[dict[str, Any]]:
    rows = file.content.get(name)
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise SettingError(f"{file.name}: there is no [[{name}]]; an empty list of them is refused.")
    return rows


def _steps(file: PackFile) -> dict[str, Step]:
    steps = {}
    for number, row in enumerate(_tables(file, "step"), 1):
        check_table(row, _STEP, f"{file.name}: step[{number}]")
        steps[row["id"]] = Step(**row)
    if missing := [name for name in ACTIONS if name not in steps]:
        raise SettingError(f"{file.name}: the step {missing[0]!r} is missing.", fix="Say how each action is undone.")
    if steps["suspend"].reversible:
        raise SettingError(f"{file.name}: step 'suspend' can't be reversible.", fix="Set reversible = false.")
    return steps


def _confidence(file: PackFile) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for number, row in enumerate(_tables(file, "confidence"), 1):
        place = f"{file.name}: confidence[{number}]"
        _check_words(row, {"class", "citation", *LEVELS}, place)
        name = row.get("class")
        if name not in (*CLASSES, EVERY_CLASS) or name in found:
            raise SettingError(f"{place}: class is {name!r}, unknown or given twice.",
                               fix=f"Classes: {', '.join((EVERY_CLASS, *CLASSES))}.")
        levels = [_number(row, level, place) for level in LEVELS]
        if levels != sorted(levels) or not 0 < levels[0] <= levels[-1] < 1:
            raise SettingError(f"{place}: {', '.join(LEVELS)} must rise between 0 and 1.")
        found[str(name)] = dict(zip(LEVELS, levels, strict=True))
    if EVERY_CLASS not in found:
        raise SettingError(f"{file.name}: there is no confidence of class {EVERY_CLASS!r}.")
    return found


def _bands(file: PackFile) -> dict[str, float]:
    place = f"{file.name}: reach"
    table = file.content.get("reach")
    if not isinstance(table, dict):
        raise SettingError(f"{place} is missing.", fix=f"Give {' and '.join(BANDS)}.")
    _check_words(table, {"citation", *BANDS}, place)
    wide, great = (_number(table, band, place) for band in BANDS)
    if not 0 < wide < great:
        raise SettingError(f"{place}: wide and great must rise from above 0.")
    return {"wide": wide, "great": great}


def _check_words(row: Mapping[str, Any], known: set[str], place: str) -> None:
    if unknown := sorted(set(row) - known):
        raise SettingError(f"{place}: {unknown[0]!r} is not a known key.", fix=f"Keys: {', '.join(sorted(known))}.")


def _number(row: Mapping[str, Any], key: str, place: str) -> float:
    value = row.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise SettingError(f"{place}: {key} is {value!r}; it must be a number of 0 or more.")
    return float(value)


def _rows(file: PackFile) -> tuple[Row, ...]:
    rows: list[Row] = []
    for number, given in enumerate(_tables(file, "row"), 1):
        place = f"{file.name}: row[{number}]"
        shares = {name: _number(given, name, place) for name in _NUMBERS if name in given}
        rest = {"confidence": "", "reach": "", **{k: v for k, v in given.items() if k not in _NUMBERS}}
        check_table(rest, ROW, place)
        for key, words in (("only", FLAGS), ("never", FLAGS), ("classes", CLASSES)):
            if unknown := [word for word in rest.get(key, ()) if word not in words]:
                raise SettingError(f"{place}: {key} names {unknown[0]!r}.", fix=f"Known: {', '.join(words)}.")
        if any(row.id == rest["id"] for row in rows):
            raise SettingError(f"{place}: the id {rest['id']!r} is given twice.")
        kept = {key: tuple(value) if isinstance(value, list) else value for key, value in rest.items()}
        rows.append(Row(**{"citation": file.content["pack"]["citation"], "hours": None, "human": False,
                           **kept, **shares}))
    return tuple(rows)


def _check_rows(pack: ActionPack) -> None:
    last = pack.rows[-1] if pack.rows else None
    if last is None or last.action != "none" or _conditions(last):
        raise SettingError(f"{pack.file}: the last row must recommend 'none' and ask for nothing.")
    guarded = {"compromised", "co_opted", "disclosed", "clean"}
    for row in pack.rows:
        place = f"{pack.file}: row {row.id!r}"
        if not pack.steps[row.action].reversible and not row.human:
            raise SettingError(f"{place} recommends {row.action} without a person.",
                               fix="Set human = true: what can't be undone is for a human to decide.")
        if row.action in ("quarantine", "suspend"):
            if missing := sorted((guarded if row.action == "suspend" else {"co_opted"}) - set(row.never)):
                raise SettingError(f"{place} recommends {row.action} even for {missing[0]} accounts.",
                                   fix=f"Add {missing[0]!r} to never.")
            if min(row.sources or 0, row.kinds or 0) < 2:
                raise SettingError(f"{place} recommends {row.action} on one source or one kind of evidence.",
                                   fix="Give sources and kinds of 2 or more.")
        if row.action == "suspend" and (not row.classes or (row.class_sources or 0) < 2 or row.theft_at_most != 0
                                        or (row.made_with or 0) < 2):
            raise SettingError(f"{place} recommends suspend where the class rests on less than two sources, or where"
                               " accounts look stolen or weren't made with others of the cluster.",
                               fix="Give classes, class_sources and made_with of 2 or more and theft_at_most of 0.")


def _conditions(row: Row) -> list[str]:
    plain = {"id", "action", "why", "citation", "hours", "human"}
    return [name for name, value in vars(row).items() if name not in plain and value not in (None, "", ())]
