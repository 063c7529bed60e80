"""What a source took back and publishes again comes in anew, derived from what was revoked; nothing else does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from exchange.cli import main as cibx
from exchange.connect.contract import Batch, Connector, Row
from exchange.connect.local_sink import LocalSink
from exchange.connect.renewal import Renewals, renewed_id
from exchange.connect.report import Report
from exchange.connect.runner import run
from exchange.connect.server_sink import ServerSink
from exchange.connect.source import Source
from exchange.connect.summary import summary
from exchange.connect.way import Way
from exchange.settings import read_settings
from tests.fakes.memory_sink import MemorySink
from tests.fakes.served_exchange import served_exchange

TOOL = "tool--0d3a4c0e-7ad0-4b8b-9b1f-8a4d0f8a9c01"
OTHER = "tool--0d3a4c0e-7ad0-4b8b-9b1f-8a4d0f8a9c02"
LINK = "relationship--0d3a4c0e-7ad0-4b8b-9b1f-8a4d0f8a9c03"
CREATED = "2026-01-01T00:00:00.000Z"
Script = Sequence[tuple[list[dict[str, Any]], list[str]]]


def tool(day: int, identifier: str = TOOL, **more: Any) -> dict[str, Any]:
    return {"type": "tool", "spec_version": "2.1", "id": identifier, "created": CREATED,
            "modified": f"2026-01-{day:02}T00:00:00.000Z", "name": f"Lorem {day}", **more}


def link(day: int) -> dict[str, Any]:
    return {"type": "relationship", "spec_version": "2.1", "id": LINK, "created": CREATED,
            "modified": f"2026-01-{day:02}T00:00:00.000Z", "relationship_type": "related-to", "source_ref": OTHER,
            "target_ref": TOOL}


class Told(Connector):
    """Says step by step what its script holds: objects, and ids that it takes back."""

    name, title, lasting = "told", "Told", False

    def __init__(self, *steps: tuple[list[dict[str, Any]], list[str]]) -> None:
        self.steps = steps

    def fetch(self, source: Source, checkpoint: Mapping[str, Any] | None) -> Iterator[Batch]:
        begin = (checkpoint or {}).get("step", 0)
        for number, (objects, gone) in list(enumerate(self.steps, start=1))[begin:]:
            rows = tuple(Row("f", at, "note", (item["id"],)) for at, item in enumerate(objects, start=1))
            yield Batch(tuple(objects), rows, {"step": number}, None, tuple(gone))


class Here:
    """A member whose source is told in runs."""

    def __init__(self, sink: Any, terms: Mapping[str, Any]) -> None:
        self.sink, self.terms = sink, terms
        self.reasons: list[str] = []

    def bring(self, *steps: tuple[list[dict[str, Any]], list[str]]) -> Report:
        self.reasons = []
        return run(Told(*steps), Source("numbers"), self.sink, terms=self.terms,
                   watchers=[lambda step: self.reasons.extend(row.reason for row in step.rows)])

    def held(self, *ids: str) -> dict[str, dict[str, Any]]:
        found = {key: json.loads(raw) for key, raw in self.sink.held(ids).items()}
        return {key: item for key, item in found.items() if item.get("revoked") is not True}


@pytest.fixture(params=["local", "server"])
def here(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Here]:
    with served_exchange(tmp_path, monkeypatch) as served:
        way = Way(read_settings(), "", served.url, served.token) if request.param == "server" else Way(
            read_settings(), "org-alpha")
        terms = way.terms("demo")
        with way.journal() as journal, way.sink(terms, journal) as sink:
            assert isinstance(sink, ServerSink if request.param == "server" else LocalSink)
            yield Here(sink, terms)


def test_what_its_source_took_back_comes_again_as_a_new_object_with_its_references(here: Here) -> None:
    new, link_again = renewed_id(TOOL, 1), renewed_id(LINK, 1)
    here.bring(([tool(1), tool(1, OTHER), link(1)], [TOOL, LINK]))
    report = here.bring(([tool(5), link(5)], []))
    assert (report.renewed, report.all_in, report.pushed("added")) == (2, True, 3)
    assert here.reasons[0] == f"Its source took it back before, so it comes in anew, derived from {TOOL}."
    assert "2 objects that the source had taken back came again: under a new id" in summary(report)
    found = here.held(TOOL, new, link_again)
    assert found.keys() == {new, link_again}
    assert (found[new]["created"], found[new]["modified"], found[new]["name"]) == (
        tool(5)["modified"], tool(5)["modified"], "Lorem 5")
    assert (found[link_again]["source_ref"], found[link_again]["target_ref"]) == (OTHER, new)
    again = here.bring(([tool(5), tool(6)], []))
    assert (again.renewed, again.all_in, here.held(new)[new]["name"]) == (0, True, "Lorem 6")
    assert here.held(new)[new]["created"] == tool(5)["modified"]


def test_taking_back_what_came_again_revokes_the_new_object_and_a_third_follows(here: Here) -> None:
    here.bring(([tool(1)], [TOOL]), ([tool(3)], [TOOL]), ([tool(5)], []))
    first, second = renewed_id(TOOL, 1), renewed_id(TOOL, 2)
    assert here.held(TOOL, first, second).keys() == {second}
    assert here.bring(([], [TOOL])).withdrawn == 1
    assert not here.held(TOOL, first, second)


def test_an_older_version_or_the_same_is_no_new_publication(here: Here) -> None:
    here.bring(([tool(1), tool(2)], [TOOL]))
    report = here.bring(([tool(1), tool(2)], []))
    assert (report.renewed, report.pushed("added"), report.all_in) == (0, 0, True)
    assert set(here.reasons) == {"Its source took it back, and brings no newer version of it now: it stays revoked."}
    assert not here.held(TOOL, renewed_id(TOOL, 1))


def test_what_was_erased_or_revoked_by_another_word_than_its_sources_does_not_come_again(here: Here) -> None:
    def by_a_person(word: str, identifier: str) -> None:
        assert cibx.run(["state", word, identifier, "--by", "A. Lorem", "--reason", "Lorem."]) == 0

    here.bring(([tool(1), tool(1, OTHER)], [TOOL]))
    by_a_person("erase", TOOL)
    by_a_person("revoke", OTHER)
    report = here.bring(([tool(5), tool(5, OTHER)], []))
    assert (report.renewed, report.pushed("refused"), report.outcomes["quarantined"]) == (0, 2, 2)
    assert all("revoked-permanently" in reason for reason in here.reasons)


def test_a_run_that_dies_at_any_act_and_goes_on_makes_the_same_objects() -> None:
    script: Script = (([tool(1), tool(1, OTHER), link(1)], [TOOL]), ([tool(5), link(6)], []), ([tool(7)], [TOOL]))

    class Shaky(MemorySink):
        left = 99

        def _act(self) -> None:
            self.left -= 1
            if self.left < 0:
                raise KeyboardInterrupt

        def push(self, objects: Sequence[bytes], *, terms: Mapping[str, Any]) -> Any:
            self._act()
            answers = super().push(objects, terms=terms)
            self._act()
            return answers

        def save_checkpoint(self, connector: str, source_key: str, checkpoint: Mapping[str, Any] | None) -> None:
            self._act()
            super().save_checkpoint(connector, source_key, checkpoint)

    whole = Shaky()
    Here(whole, {"tlp": "TLP:AMBER"}).bring(*script)
    acts = 99 - whole.left
    assert acts > 10
    for most in range(acts):
        sink = Shaky()
        sink.left = most
        with pytest.raises(KeyboardInterrupt):
            Here(sink, {"tlp": "TLP:AMBER"}).bring(*script)
        sink.left = 99
        Here(sink, {"tlp": "TLP:AMBER"}).bring(*script)
        assert sink.stored == whole.stored


def test_a_sink_that_is_away_for_a_moment_gets_the_relationship_too() -> None:
    sink = MemorySink()
    Here(sink, {"tlp": "TLP:AMBER"}).bring(([tool(1)], [TOOL]))
    (key, record), = sink.checkpoints.items()
    assert key[1].startswith("taken back by ")
    renewals = Renewals(json.loads(record))
    batch = Batch((tool(5),))
    assert renewals.apply(batch, sink.erased) == renewals.apply(batch, sink.erased)
    assert [item["type"] for item in renewals.apply(batch, sink.erased).upserts] == ["tool", "relationship"]
