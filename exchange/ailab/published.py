"""The JSON schemas of forms that this exchange reads, by name and version; the files never change."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from exchange.ailab.form import NAME

TITLES = {(NAME, "1"): "Abuse-cluster report of an AI provider"}
"""(name, version) to what it is."""


@cache
def schema(name: str, version: str) -> dict[str, Any] | None:
    """A JSON Schema (2020-12); None where there is none of that name and version. Don't change the returned value."""
    if (name, version) not in TITLES:
        return None
    text = files("exchange.ailab").joinpath("schemas", f"{name}-{version}.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded
