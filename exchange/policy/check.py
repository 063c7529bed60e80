"""Whether the packs decide what they say: each pack's own cases, a few changes to one set of base facts."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from exchange.errors import SettingError
from exchange.policy.decide import Decision, decide
from exchange.policy.packs import Packs


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What one case of a pack gave; ``fault`` is empty when it gave what the pack says."""

    file: str
    name: str
    fault: str


def run_cases(packs: Packs) -> Iterator[CaseResult]:
    """Decide every case of every pack. Raises SettingError when a case changes a path that can't exist."""
    for file in packs.files:
        for case in file.content["cases"]:
            decision = decide(case_facts(packs.base_case, case, file.name), packs)
            yield CaseResult(file.name, case["name"], _fault(case, decision))


def case_facts(base: Mapping[str, Any], case: Mapping[str, Any], place: str) -> dict[str, Any]:
    """The base facts with the case's ``set`` (dotted path to value) and ``unset`` (paths) applied."""
    facts = copy.deepcopy(dict(base))
    for path, value in case.get("set", {}).items():
        table, last = _parent(facts, path, place)
        table[last] = copy.deepcopy(value)
    for path in case.get("unset", ()):
        table, last = _parent(facts, path, place)
        table.pop(last, None)
    return facts


def _parent(facts: dict[str, Any], path: str, place: str) -> tuple[dict[str, Any], str]:
    *tables, last = path.split(".")
    table = facts
    for name in tables:
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            raise SettingError(f"{place}: a case changes {path!r}, which isn't a path of facts.")
    return table, last


def _fault(case: Mapping[str, Any], decision: Decision) -> str:
    missing = [code for code in case.get("reasons", ()) if code not in decision.reasons]
    if decision.decision != case["decision"]:
        given = f"{decision.decision} ({', '.join(decision.reasons) or 'no reason'})"
        return f"it is {given}, not {case['decision']}"
    if missing:
        return f"the reasons lack {', '.join(missing)}"
    if "redact" in case and sorted(case["redact"]) != list(decision.redact):
        return f"withheld is {', '.join(decision.redact) or 'nothing'}, not {', '.join(case['redact'])}"
    return ""
