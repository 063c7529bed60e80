"""What every connector must do, whatever it reads: these tests run over all that are registered.

A new connector adds a row to ``samples.SAMPLES`` and gets them all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

import pytest

from exchange.connect import registry, runner
from exchange.connect.contract import Connector, Outcome, Row
from exchange.connect.report import Report
from exchange.connect.runner import Step
from exchange.connect.source import Source
from exchange.errors import InputError
from exchange.model.pushed import PushOutcome
from exchange.stix.validate import check
from tests.contract.samples import SAMPLES, Sample
from tests.fakes.memory_sink import MemorySink

TERMS = {"tlp": "TLP:AMBER"}


class Death(BaseException):
    """The process was killed."""


class DyingSink(MemorySink):
    """Dies at its n-th act: before or after a push or the keeping of a checkpoint."""

    def __init__(self, refuse: Sequence[str] = ()) -> None:
        super().__init__(refuse)
        self.acts_left: int | None = None

    def _act(self) -> None:
        if self.acts_left is not None:
            if self.acts_left == 0:
                raise Death
            self.acts_left -= 1

    def push(self, objects: Sequence[bytes], *, terms: Mapping[str, Any]) -> Sequence[PushOutcome]:
        self._act()
        answers = super().push(objects, terms=terms)
        self._act()
        return answers

    def save_checkpoint(self, connector: str, source_key: str, checkpoint: Mapping[str, Any] | None) -> None:
        self._act()
        super().save_checkpoint(connector, source_key, checkpoint)
        self._act()


@pytest.fixture(params=registry.names())
def sample(request: pytest.FixtureRequest) -> Sample:
    assert request.param in SAMPLES, f"{request.param} needs a sample in tests/contract/samples.py"
    return SAMPLES[request.param]


@pytest.fixture
def connector(request: pytest.FixtureRequest, sample: Sample) -> Connector:
    return registry.connector(next(name for name, one in SAMPLES.items() if one is sample))


@pytest.fixture
def source(sample: Sample, tmp_path: Path) -> Path:
    return sample.make(tmp_path)


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every batch is a step of its own, so that each can be the last one of a killed process."""
    monkeypatch.setattr(runner, "MAX_STEP_ROWS", 1)


def bring(connector: Connector, source: Path, sink: MemorySink) -> tuple[list[Row], Report]:
    rows: list[Row] = []

    def watch(step: Step) -> None:
        rows.extend(step.rows)

    report = runner.run(connector, Source(str(source)), sink, terms=TERMS, watchers=[watch])
    return rows, report


def test_every_source_row_has_exactly_one_row(connector: Connector, source: Path, sample: Sample) -> None:
    rows, report = bring(connector, source, MemorySink())
    assert sorted(sample.rows) == sorted((row.file, row.row) for row in rows)
    assert report.rows == len(rows)
    assert {row.outcome for row in rows} <= set(get_args(Outcome))
    assert all(row.reason for row in rows if row.outcome in ("quarantined", "repaired"))


def test_rows_name_objects_that_went_in(connector: Connector, source: Path) -> None:
    sink = MemorySink()
    rows, _ = bring(connector, source, sink)
    stored = {identifier for identifier, _ in sink.stored}
    assert {identifier for row in rows for identifier in row.ids} <= stored


def test_objects_are_valid_stix(connector: Connector, source: Path) -> None:
    for batch in connector.fetch(Source(str(source)), None):
        for item in batch.upserts:
            assert check(item) is None, item


def test_the_same_input_twice_changes_nothing(connector: Connector, source: Path) -> None:
    sink = MemorySink()
    rows, report = bring(connector, source, sink)
    stored = dict(sink.stored)
    again, second = bring(connector, source, sink)
    assert stored == sink.stored
    assert rows == again
    assert second.pushed("added") == 0
    assert second.pushed("unchanged") == report.pushed("added") + report.pushed("unchanged")


@pytest.mark.usefixtures("small_steps")
@pytest.mark.parametrize("refusing", [False, True], ids=["all taken", "some refused"])
def test_killed_anywhere_and_resumed_equals_uninterrupted(
    connector: Connector, source: Path, refusing: bool
) -> None:
    whole = MemorySink()
    rows, report = bring(connector, source, whole)
    refuse = sorted({identifier for identifier, _ in whole.stored})[::7] if refusing else []
    whole = MemorySink(refuse)
    rows, report = bring(connector, source, whole)
    for acts in _deaths():
        sink = DyingSink(refuse)
        sink.acts_left = acts
        seen: dict[tuple[str, int], Row] = {}

        def watch(step: Step, seen: dict[tuple[str, int], Row] = seen) -> None:
            seen.update({(row.file, row.row): row for row in step.rows})

        try:
            runner.run(connector, Source(str(source)), sink, terms=TERMS, watchers=[watch])
            assert acts >= 4 * len(whole.pushes)
            return
        except Death:
            sink.acts_left = None
        resumed = runner.run(connector, Source(str(source)), sink, terms=TERMS, watchers=[watch])
        assert whole.stored == sink.stored
        assert {(row.file, row.row): row for row in rows} == seen
        assert report.outcomes == resumed.outcomes
        assert report.aside == resumed.aside
        assert sink.checkpoints == {}


def _deaths() -> Iterator[int]:
    yield from range(100_000)


@pytest.mark.usefixtures("small_steps")
def test_a_checkpoint_of_nonsense_starts_anew(connector: Connector, source: Path) -> None:
    whole = MemorySink()
    rows, _ = bring(connector, source, whole)
    for nonsense in ({"format": 99}, {"format": 1, "cursor": {}}, {"format": 1, "cursor": {"file": 7}},
                     {"format": 1, "cursor": {}, "report": {"outcomes": 7}, "refused": []}):
        sink = MemorySink()
        sink.save_checkpoint(connector.name, str(source.resolve()), nonsense)
        again, _ = bring(connector, source, sink)
        assert whole.stored == sink.stored
        assert rows == again


def test_nothing_enters_without_policy(connector: Connector, source: Path) -> None:
    sink = MemorySink()
    with pytest.raises(InputError, match="policy"):
        runner.run(connector, Source(str(source)), sink, terms={})
    assert sink.pushes == []
    runner.run(connector, Source(str(source)), sink, terms=TERMS)
    assert all(terms == TERMS for terms in sink.terms)


HOSTILE = {
    "empty": b"",
    "blank": b" \n\n\t ",
    "mark only": b"\xef\xbb\xbf",
    "nul": b"\x00" * 1_000,
    "not utf-8": b'{"type": "bundle", "objects": [{"type": "\xff\xfe"}]}\nTactic,\xff\xfe,\xe9\n"\xff',
    "utf-16 cut": b"\xff\xfe{",
    "one long line": b"x" * 3_000_000,
    "one long cell": b'Tactic,Technique,Procedure,Indicator\r\n"' + b"y" * 3_000_000,
    "many quotes": b'"' * 200_001,
    "many escapes": b'{"a": "' + b'\\"' * 300_000,
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"objects":[' * 50_000,
    "cut in a string": b'{"type": "bundle", "objects": [{"type": "indicator", "id": "indi',
    "many commas": b"," * 500_000,
    "long number": b'[{"type": "x", "n": ' + b"9" * 100_000 + b"}]",
    "infinity": b'[{"type": "identity", "n": 1e999}, NaN, -Infinity]',
    "surrogate": b'[{"type": "identity", "name": "\\ud800"}]',
    "twice": b'{"type": "bundle", "objects": [{"id": 1, "id": 2}], "objects": []}',
    "wrong kinds": b'[{"type": 7, "id": []}, {"type": {}, "id": {}}, {"type": null}, [], "", 0, true]',
    "markdown": b"# title\n\n| a | b |\n|---|\n| [x](TBD | *No IOCs*\n" * 50,
    "xml": b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY b 'c'>]><stix:STIX_Package/>",
    "gzip": b"\x1f\x8b\x08\x00" + bytes(range(256)) * 20,
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("in_folder", [False, True], ids=["file", "folder"])
def test_a_hostile_file_is_told_and_never_breaks_the_run(
    connector: Connector, sample: Sample, tmp_path: Path, content: bytes, in_folder: bool
) -> None:
    folder = tmp_path / "hostile"
    folder.mkdir()
    path = folder / f"sample{sample.suffix}"
    path.write_bytes(content)
    sink = MemorySink()
    try:
        rows, _ = bring(connector, folder if in_folder else path, sink)
    except InputError:
        assert sink.stored == {}
        return
    assert len({(row.file, row.row) for row in rows}) == len(rows)
    assert all(row.reason for row in rows if row.outcome == "quarantined")


def test_a_source_that_is_not_there_is_told(connector: Connector, tmp_path: Path, sample: Sample) -> None:
    (tmp_path / "nothing").mkdir()
    (tmp_path / f"folder{sample.suffix}").mkdir()
    for missing in (tmp_path / "missing", tmp_path / f"missing{sample.suffix}", tmp_path / "nothing",
                    tmp_path / f"folder{sample.suffix}"):
        with pytest.raises(InputError, match=missing.name):
            bring(connector, missing, MemorySink())
