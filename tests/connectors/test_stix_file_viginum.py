"""A government agency's public bundles: each object is stored or mended with a note; twice adds nothing."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from exchange.connect import registry
from exchange.connect.contract import Row
from exchange.connect.runner import run
from exchange.connect.source import Source
from tests.fakes.memory_sink import MemorySink

FOLDER = Path(__file__).parents[2].parent / "shared" / "data" / "viginum"


@pytest.fixture(params=["202306 - RRN", "202402 - Portal Kombat"])
def real_bundle(request: pytest.FixtureRequest) -> Path:
    found = sorted((FOLDER / request.param).glob("*.json"))
    if not found:
        pytest.skip("the shared VIGINUM bundles are not beside the project")
    return found[0]


def test_every_object_of_a_real_bundle_is_stored_or_mended_with_a_note(real_bundle: Path) -> None:
    objects = json.loads(real_bundle.read_bytes())["objects"]
    sink = MemorySink()
    rows: list[Row] = []
    report = run(registry.connector("stix-file"), Source(str(real_bundle)), sink, terms={"tlp": "TLP:CLEAR"},
                 watchers=[lambda step: rows.extend(step.rows)])
    assert report.all_in
    assert sorted(row.row for row in rows) == list(range(1, len(objects) + 1))
    assert {item["id"] for item in objects} == {identifier for identifier, _ in sink.stored}
    equal_times = sum("stop_time" in o and o["stop_time"] == o.get("start_time") for o in objects)
    notes = Counter(row.reason.split()[0] for row in rows if row.outcome == "repaired")
    assert notes == {"stop_time": equal_times, "TLP:CLEAR": 1}
    stored = {identifier: json.loads(raw) for (identifier, _), raw in sink.stored.items()}
    for item in objects:
        kept = stored[item["id"]]
        lost = {key for key in item if item[key] != kept.get(key)}
        may = {"relationship": {"stop_time"}, "marking-definition": {"name", "definition"}}
        assert lost <= may.get(item["type"], set()), item["id"]


def test_a_real_bundle_twice_adds_nothing(real_bundle: Path) -> None:
    sink = MemorySink()
    connector = registry.connector("stix-file")
    run(connector, Source(str(real_bundle)), sink, terms={"tlp": "TLP:CLEAR"})
    before = dict(sink.stored)
    report = run(connector, Source(str(real_bundle)), sink, terms={"tlp": "TLP:CLEAR"})
    assert report.pushed("added") == 0
    assert before == sink.stored
