"""What the pack ``obligations.toml`` says is owed for each kind of notice, until when, and what follows."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from exchange.errors import SettingError
from exchange.obligations.notice import ASKS, KINDS, Affected, Kind, Notice, Obligation
from exchange.policy.packfile import PackFile, check_table
from exchange.policy.packs import Packs, load

ROOM = "obligations"
DAY = 86_400_000_000
MINUTE = 60_000_000
"""Microseconds."""
_PARAMETERS = ("escalation-days", "grace-days", "salt-days", "rescan-minutes")
_DATED = {"citation": "text", "valid_from": "date", "valid_until": "date?"}
_DUTY = {"kind": KINDS, "obligation": tuple(ASKS), "days": "number", "suspend": "flag", **_DATED}
_PARAMETER = {"id": _PARAMETERS, "value": "number", **_DATED}


@dataclass(frozen=True, slots=True)
class Duty:
    """What a kind of notice asks, within how many days, and whether silence suspends the agreement at last."""

    obligation: Obligation
    days: int
    suspend: bool
    citation: str


@dataclass(frozen=True)
class _Row:
    """A duty or a parameter's value in its time, [first, last)."""

    value: Any
    first: datetime.date
    last: datetime.date | None


@dataclass(frozen=True)
class Duties:
    """The pack, checked."""

    duties: Mapping[str, tuple[_Row, ...]]
    parameters: Mapping[str, tuple[_Row, ...]]

    def duty(self, kind: Kind, now: int) -> Duty:
        """The duty of a kind that is in force. Raises SettingError where none is."""
        found: Duty = _in_force(self.duties[kind], f"duty for {kind!r}", now)
        return found

    def number(self, name: str, now: int) -> int:
        """A parameter that is in force, in the unit its name ends in. Raises SettingError where none is."""
        found: int = _in_force(self.parameters[name], f"parameter {name!r}", now)
        return found

    def notice(
        self, kind: Kind, org: str, objects: Sequence[Affected], *, reason: str, reference: str, now: int,
        obligation: Obligation | None = None, citation: str = "",
    ) -> Notice:
        """A notice of what the pack asks; ``obligation`` and ``citation`` where the case asks another.

        Nothing is awaited of who may only use an object again, or is only to know.
        """
        duty = self.duty(kind, now)
        awaited = obligation not in ("use-again", "know")
        return Notice(
            kind=kind, org=org, objects=tuple(objects), reason=reason, obligation=obligation or duty.obligation,
            deadline=now + duty.days * DAY if awaited else None,
            citation=citation or duty.citation, reference=reference,
        )


def duties_of(packs: Packs) -> Duties:
    """The duties of the packs in force, else those that are shipped (a folder may leave the pack out).

    Raises SettingError for a pack that is wrong.
    """
    file = packs.rooms.get(ROOM)
    return _shipped() if file is None else read_duties(file)


@lru_cache(maxsize=1)
def _shipped() -> Duties:
    return read_duties(load().rooms[ROOM])


def read_duties(file: PackFile) -> Duties:
    """Read the pack. Raises SettingError for what is unknown, missing, of the wrong kind or twice in force."""
    for name in file.content:
        if name not in {"pack", "duty", "parameter"}:
            raise SettingError(f"{file.name}: {name!r} is not a table of this pack.", fix="Known: duty, parameter.")
    duties = _read(file, "duty", "kind", _DUTY, KINDS, lambda row: Duty(
        row["obligation"], row["days"], row["suspend"], row["citation"]))
    parameters = _read(file, "parameter", "id", _PARAMETER, _PARAMETERS, lambda row: row["value"])
    return Duties(duties, parameters)


def _read(
    file: PackFile, table: str, key: str, keys: Mapping[str, Any], needed: Sequence[str], value: Any
) -> dict[str, tuple[_Row, ...]]:
    given = file.content.get(table)
    if not isinstance(given, list) or not given:
        raise SettingError(f"{file.name}: there is no [[{table}]]; an empty list of them is refused.")
    found: dict[str, list[_Row]] = {name: [] for name in needed}
    for index, row in enumerate(given, 1):
        check_table(row, keys, f"{file.name}: {table}[{index}]")
        made = _Row(value(row), row["valid_from"], row.get("valid_until"))
        if any(_overlap(made, other) for other in found[row[key]]):
            raise SettingError(f"{file.name}: {table}[{index}]: {row[key]!r} is given twice for one time.")
        found[row[key]].append(made)
    missing = [name for name, rows in found.items() if not rows]
    if missing:
        raise SettingError(f"{file.name}: there is no [[{table}]] for {missing[0]!r}.")
    return {name: tuple(rows) for name, rows in found.items()}


def _overlap(one: _Row, other: _Row) -> bool:
    return (one.last is None or other.first < one.last) and (other.last is None or one.first < other.last)


def _in_force(rows: Sequence[_Row], what: str, now: int) -> Any:
    day = datetime.datetime.fromtimestamp(now / 1e6, datetime.UTC).date()
    for row in rows:
        if row.first <= day and (row.last is None or day < row.last):
            return row.value
    raise SettingError(f"The packs give no {what} that is in force on {day}.",
                       fix="Give one in obligations.toml with dates that hold today.")
