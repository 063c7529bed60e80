"""The numbers by which cases are timed and counted, read from the pack ``cases.toml`` with citation and dates."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from exchange.errors import SettingError
from exchange.policy.packfile import PackFile, check_table
from exchange.policy.packs import Packs, load

HOUR = 3_600_000_000
DAY = 24 * HOUR
"""Microseconds."""
NAMES = (
    "answer-hours", "review-hours", "crisis-answer-hours", "crisis-review-hours", "undo-hours",
    "independent-disputes", "half-life-days", "quantile-percent", "new-days", "new-verdicts", "review-reports",
    "friction-reports", "friction-percent", "history-days", "times-usual", "objects-per-day", "overturn-days",
    "overturn-fewest", "overturn-times-usual", "overturn-percent", "emergency-longest-hours",
    "emergency-review-hours",
)
"""Every parameter; a pack gives each one, with a value of at least 1."""
ROOM = "cases"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One number with its ground and its time, [valid_from, valid_until)."""

    value: int
    citation: str
    valid_from: datetime.date
    valid_until: datetime.date | None


@dataclass(frozen=True)
class Parameters:
    """The pack, checked; ``parameters["answer-hours", now]`` is the number in force at a moment."""

    rows: Mapping[str, tuple[Parameter, ...]]

    def __getitem__(self, asked: tuple[str, int]) -> int:
        """The value of a parameter at a moment (microseconds). Raises SettingError where none is in force."""
        return self.parameter(*asked).value

    def parameter(self, name: str, now: int) -> Parameter:
        """The parameter in force, with its citation. Raises SettingError where none is."""
        day = datetime.datetime.fromtimestamp(now / 1e6, datetime.UTC).date()
        for row in self.rows[name]:
            if row.valid_from <= day and (row.valid_until is None or day < row.valid_until):
                return row
        raise SettingError(f"No parameter {name!r} of the room {ROOM} is in force on {day}.",
                           fix="Give it in the policy packs with dates that hold today.")


def parameters_of(packs: Packs) -> Parameters:
    """The parameters of the packs in force, else those that are shipped (a folder may leave the pack out).

    Raises SettingError for a pack that is wrong.
    """
    return read_parameters(packs.rooms.get(ROOM) or load().rooms[ROOM])


def read_parameters(file: PackFile) -> Parameters:
    """A pack's parameters. Raises SettingError for one that is unknown, missing, not a whole number or given twice
    for one time."""
    found: dict[str, list[Parameter]] = {name: [] for name in NAMES}
    given = file.content.get("parameter")
    if not isinstance(given, list) or not given:
        raise SettingError(f"{file.name}: there is no [[parameter]]; an empty list of them is refused.")
    for index, row in enumerate(given, 1):
        place = f"{file.name}: parameter[{index}]"
        check_table(row, {"id": NAMES, "value": "number", "citation": "text", "valid_from": "date",
                          "valid_until": "date?"}, place)
        _add(found[row["id"]], row, place)
    missing = [name for name, rows in found.items() if not rows]
    if missing:
        raise SettingError(f"{file.name}: the parameter {missing[0]!r} is missing.")
    return Parameters({name: tuple(rows) for name, rows in found.items()})


def _add(rows: list[Parameter], given: Mapping[str, Any], place: str) -> None:
    new = Parameter(given["value"], given["citation"], given["valid_from"], given.get("valid_until"))
    for other in rows:
        apart = (other.valid_until is not None and other.valid_until <= new.valid_from) or (
            new.valid_until is not None and new.valid_until <= other.valid_from)
        if not apart:
            raise SettingError(f"{place}: {given['id']!r} is given twice for one time.",
                               fix="End the former one with valid_until where the next one begins.")
    rows.append(new)
