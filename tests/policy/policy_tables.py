"""Decision tables: a row is a name, what it changes in the base facts, the decision, and the reasons it lists."""

from __future__ import annotations

import copy
from typing import Any

from exchange.policy.check import case_facts
from exchange.policy.packs import load

Row = tuple[str, dict[str, Any], str, tuple[str, ...]]

ABSENT = object()
"""Removes the path that it is given for."""


def facts(changes: dict[str, Any]) -> dict[str, Any]:
    """The base facts with dotted paths changed."""
    given = {path: value for path, value in changes.items() if value is not ABSENT}
    gone = [path for path, value in changes.items() if value is ABSENT]
    return copy.deepcopy(case_facts(load().base_case, {"set": given, "unset": gone}, "table"))
