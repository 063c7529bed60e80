"""Whoever asks, whenever: the same id and version never has two bodies, and no body belongs to two contributors."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cases.circle import DAY, GREEN, STRICT, indicator, make_circle

READERS = ("alpha", "beta", "gamma", "delta", "agency")
AMBER = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"
PARTS = ("description", "labels", "confidence")
OBJECTS = st.fixed_dictionaries({
    "by": st.sampled_from(("alpha", "beta")),
    "number": st.integers(0, 2),
    "version": st.integers(1, 3),
    "whole": st.sampled_from((GREEN, AMBER, STRICT, None)),
    "parts": st.dictionaries(st.sampled_from(PARTS), st.sampled_from((AMBER, STRICT)), max_size=3),
    "refers": st.booleans(),
})
STEPS = st.lists(st.one_of(OBJECTS, st.sampled_from((DAY, 30 * DAY))), min_size=2, max_size=7)


def made(step: dict[str, Any]) -> dict[str, Any]:
    """An indicator, or a grouping that refers to indicators; ids are the same whoever gives it."""
    kind = "grouping" if step["refers"] else "indicator"
    changed = f"2026-11-0{step['version']}T00:00:00.000Z"
    whole = {"object_marking_refs": [step["whole"]]} if step["whole"] else {}
    common: dict[str, Any] = {
        "id": f"{kind}--00000000-0000-4000-8000-00000000000{step['number']}", "modified": changed,
        "description": f"of {step['by']}", "labels": ["x"], "confidence": 50, **whole,
        "granular_markings": [{"marking_ref": ref, "selectors": [part]} for part, ref in step["parts"].items()],
    }
    if not common["granular_markings"]:
        del common["granular_markings"]
    if kind == "indicator":
        return indicator("one.example", **common)
    return {
        "type": "grouping", "spec_version": "2.1", "created": "2026-11-01T00:00:00.000Z",
        "context": "suspicious-activity", **common,
        "object_refs": [f"indicator--00000000-0000-4000-8000-00000000000{n}" for n in range(3)],
    }


@settings(max_examples=5, deadline=None)
@given(steps=STEPS)
def test_an_id_and_version_has_one_body_for_every_reader_at_every_time(steps: list[Any]) -> None:
    bodies: dict[tuple[str, str, str], dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as folder:
        circle = make_circle(f"sqlite:///{Path(folder) / 'x.db'}")
        givers: dict[str, str] = {}
        for step in steps:
            if isinstance(step, int):
                circle.tick(step)
            else:
                one = made(step)
                if givers.setdefault(one["id"], step["by"]) == step["by"]:  # another's would hide or be refused
                    circle.push(step["by"], one)
            for reader in READERS:
                for got in circle.pull(reader):
                    key = (reader if got["type"] == "note" else "", got["id"], got.get("modified", ""))
                    assert bodies.setdefault(key, got) == got
        circle.exchange.engine.dispose()
