"""Whether a pack of actions decides what it says: its own cases, each a few facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

from exchange.errors import SettingError
from exchange.matcher.action.decide import decide
from exchange.matcher.action.facts import Facts
from exchange.matcher.action.pack import ACTIONS, ActionPack
from exchange.policy.check import CaseResult

_TYPES: Mapping[str, tuple[type, ...]] = {"float": (int, float), "int": (int,), "bool": (bool,), "float | None": (
    int, float), "str | None": (str,)}
_KEYS = {"name", "facts", "action", "row", "human"}


def run_cases(pack: ActionPack) -> Iterator[CaseResult]:
    """Decide every case of the pack. Raises SettingError for a case that isn't facts."""
    for number, case in enumerate(pack.cases, 1):
        place = f"{pack.file}: cases[{number}]"
        if unknown := sorted(set(case) - _KEYS):
            raise SettingError(f"{place}: {unknown[0]!r} is not a known key.", fix=f"Keys: {', '.join(sorted(_KEYS))}.")
        if not isinstance(case.get("name"), str) or case.get("action") not in ACTIONS:
            raise SettingError(f"{place} needs a name and an action of {', '.join(ACTIONS)}.")
        yield CaseResult(pack.file, case["name"], _fault(case, pack, place))


def read_facts(given: Any, place: str) -> Facts:
    """Facts of a table. Raises SettingError for an unknown or wrong one."""
    known = {field.name: str(field.type) for field in fields(Facts)}
    if not isinstance(given, Mapping) or "score" not in given:
        raise SettingError(f"{place}: facts must be a table with a score.")
    for name, value in given.items():
        if name not in known:
            raise SettingError(f"{place}: {name!r} is not a fact.", fix=f"Facts: {', '.join(known)}.")
        if not isinstance(value, _TYPES[known[name]]) or (isinstance(value, bool) and known[name] != "bool"):
            raise SettingError(f"{place}: {name} is {value!r}; it must be of type {known[name]}.")
    return Facts(**given)


def _fault(case: Mapping[str, Any], pack: ActionPack, place: str) -> str:
    found = decide(read_facts(case.get("facts"), place), pack, changes=False)
    if found.action != case["action"]:
        return f"it is {found.action} (row {found.row}), not {case['action']}"
    if found.row != case.get("row", found.row):
        return f"row {found.row} decides, not {case['row']}"
    if found.human != case.get("human", found.human):
        return f"{'a person decides' if found.human else 'no person is asked'}, against what the case says"
    return ""
