"""What every connector must do, whatever it reads: these tests run over all that are registered.

A new connector adds a row to ``samples.SAMPLES`` and gets them all.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import repeat
from pathlib import Path
from typing import Any, get_args

import pytest

from exchange.connect import registry, runner
from exchange.connect.contract import Connector, Outcome, Row
from exchange.connect.report import Report
from exchange.connect.runner import Pace, Sink, Step
from exchange.connect.source import Source
from exchange.errors import ExchangeError, InputError, UnavailableError
from exchange.model.pushed import PushOutcome
from exchange.outbound.patience import Patience
from exchange.stix.validate import check
from tests.contract.samples import SAMPLES, Sample
from tests.fakes.memory_sink import MemorySink
from tests.fakes.quick_web import quick_web
from tests.fakes.web_peer import Answer, Route, WebPeer

TERMS = {"tlp": "TLP:AMBER"}
JSON = {"Content-Type": "application/json"}
BOMB = gzip.compress(b" " * 60_000_000, mtime=0)


class Death(BaseException):
    """The process was killed."""


class WatchedSink(MemorySink):
    """Tells before and after each act that lasts, a push, a deletion or the keeping of a checkpoint, where it stands."""

    def __init__(self, refuse: Sequence[str] = (), at_act: Callable[[WatchedSink], None] = lambda sink: None) -> None:
        super().__init__(refuse)
        self.acts = 0
        self._at_act = at_act

    def _act(self) -> None:
        self._at_act(self)
        self.acts += 1

    def push(self, objects: Sequence[bytes], *, terms: Mapping[str, Any]) -> Sequence[PushOutcome]:
        self._act()
        answers = super().push(objects, terms=terms)
        self._act()
        return answers

    def delete(self, identifier: str) -> None:
        self._act()
        super().delete(identifier)
        self._act()

    def save_checkpoint(self, connector: str, source_key: str, checkpoint: Mapping[str, Any] | None) -> None:
        self._act()
        super().save_checkpoint(connector, source_key, checkpoint)
        self._act()


@dataclass(frozen=True)
class Left:
    """What a process killed before the act of this number leaves behind."""

    act: int
    stored: dict[tuple[str, str], bytes]
    checkpoints: dict[tuple[str, str], str]
    told: dict[tuple[str, int], Row]

    def lasts(self) -> tuple[object, object]:
        """What the next process finds: killed at two acts with the same left, it does the same."""
        return self.stored, self.checkpoints

    def sink(self, refuse: Sequence[str]) -> MemorySink:
        """A way into an exchange that stands there."""
        sink = MemorySink(refuse)
        sink.stored, sink.checkpoints = dict(self.stored), dict(self.checkpoints)
        return sink


FILES = [name for name, one in SAMPLES.items() if one.suffix]
SERVED = [name for name, one in SAMPLES.items() if one.serve is not None]


@pytest.fixture(params=registry.names())
def sample(request: pytest.FixtureRequest) -> Sample:
    assert request.param in SAMPLES, f"{request.param} needs a sample in tests/contract/samples.py"
    return SAMPLES[request.param]


@pytest.fixture
def connector(request: pytest.FixtureRequest, sample: Sample) -> Connector:
    return registry.connector(next(name for name, one in SAMPLES.items() if one is sample))


@pytest.fixture
def source(sample: Sample, tmp_path: Path) -> Iterator[Source]:
    with sample.source(tmp_path) as made:
        yield made


@pytest.fixture
def small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every batch is a step of its own, so that each can be the last one of a killed process."""
    monkeypatch.setattr(runner, "MAX_STEP_ROWS", 1)


PACE = Pace(Patience(tries=2), sleep=lambda seconds: None)


def bring(connector: Connector, source: Source, sink: Sink) -> tuple[list[Row], Report]:
    rows: list[Row] = []

    def watch(step: Step) -> None:
        rows.extend(step.rows)

    report = runner.run(connector, source, sink, terms=TERMS, watchers=[watch], pace=PACE)
    return rows, report


def test_it_says_what_it_is_and_takes(connector: Connector) -> None:
    assert connector.title
    assert all(option.help for option in connector.options.values())
    assert all(connector.secrets.values())
    assert connector.stale_after is None or connector.stale_after.total_seconds() > 0


def test_every_source_row_has_exactly_one_row(connector: Connector, source: Source, sample: Sample) -> None:
    rows, report = bring(connector, source, MemorySink())
    assert sorted(sample.rows) == sorted((row.file, row.row) for row in rows)
    assert report.rows == len(rows)
    assert {row.outcome for row in rows} <= set(get_args(Outcome))
    assert all(row.reason for row in rows if row.outcome in ("quarantined", "repaired"))


def test_rows_name_objects_that_went_in(connector: Connector, source: Source) -> None:
    sink = MemorySink()
    rows, _ = bring(connector, source, sink)
    stored = {identifier for identifier, _ in sink.stored}
    assert {identifier for row in rows for identifier in row.ids} <= stored


def test_objects_are_valid_stix(connector: Connector, source: Source) -> None:
    for batch in connector.fetch(source, None):
        for item in batch.upserts:
            assert check(item) is None, item


def test_the_same_input_twice_changes_nothing(connector: Connector, source: Source) -> None:
    """A connector that only brings what is new tells fewer rows the second time, and none of them anew."""
    sink = MemorySink()
    rows, report = bring(connector, source, sink)
    stored = dict(sink.stored)
    again, second = bring(connector, source, sink)
    assert stored == sink.stored
    assert second.pushed("added") == second.withdrawn == 0
    if connector.lasting:
        assert {(row.file, row.row) for row in again} <= {(row.file, row.row) for row in rows}
    else:
        assert rows == again
        assert second.pushed("unchanged") == report.pushed("added") + report.pushed("unchanged")


def test_the_same_input_into_another_exchange_gives_the_same_bytes(connector: Connector, source: Source) -> None:
    first, second = MemorySink(), MemorySink()
    bring(connector, source, first)
    bring(connector, source, second)
    assert first.stored == second.stored


@pytest.mark.usefixtures("small_steps")
@pytest.mark.parametrize("refusing", [False, True], ids=["all taken", "some refused"])
def test_killed_anywhere_and_resumed_equals_uninterrupted(
    connector: Connector, source: Source, refusing: bool
) -> None:
    """A run is watched at every act; from each different state that a kill there leaves, another run goes on."""
    refuse = _every_seventh(connector, source) if refusing else []
    rows: dict[tuple[str, int], Row] = {}
    places: list[Left] = []

    def at_act(sink: WatchedSink) -> None:
        left = Left(sink.acts, dict(sink.stored), dict(sink.checkpoints), dict(rows))
        if not places or places[-1].lasts() != left.lasts():
            places.append(left)

    def told_to(seen: dict[tuple[str, int], Row]) -> runner.Watch:
        return lambda step: seen.update({(row.file, row.row): row for row in step.rows})

    whole = WatchedSink(refuse, at_act)
    report = runner.run(connector, source, whole, terms=TERMS, watchers=[told_to(rows)], pace=PACE)
    assert whole.acts >= 4 * len(whole.pushes)
    assert len(places) > len(whole.pushes)
    for left in places:
        sink, seen = left.sink(refuse), dict(left.told)
        resumed = runner.run(connector, source, sink, terms=TERMS, watchers=[told_to(seen)], pace=PACE)
        assert whole.stored == sink.stored
        assert rows == seen
        if not connector.lasting:  # killed after its last step, a lasting one finds nothing new to tell
            assert report.outcomes == resumed.outcomes
            assert report.aside == resumed.aside
        assert whole.checkpoints == sink.checkpoints
        assert connector.lasting or sink.checkpoints == {}
    for left in places[len(places) // 2 :][:2]:
        assert _killed(connector, source, refuse, left.act).lasts() == left.lasts()


def _every_seventh(connector: Connector, source: Source) -> list[str]:
    """Ids of every seventh object of the source."""
    sink = MemorySink()
    bring(connector, source, sink)
    return sorted({identifier for identifier, _ in sink.stored})[::7]


def _killed(connector: Connector, source: Source, refuse: Sequence[str], act: int) -> Left:
    """What a run leaves that an exception, which nobody catches, ends before the act of this number."""

    def die(sink: WatchedSink) -> None:
        if sink.acts == act:
            raise Death

    sink = WatchedSink(refuse, die)
    with pytest.raises(Death):
        bring(connector, source, sink)
    return Left(act, sink.stored, sink.checkpoints, {})


@pytest.mark.usefixtures("small_steps")
def test_a_checkpoint_of_nonsense_starts_anew(connector: Connector, source: Source) -> None:
    whole = MemorySink()
    rows, _ = bring(connector, source, whole)
    for nonsense in ({"format": 99}, {"format": 1, "cursor": {}}, {"format": 1, "cursor": {"file": 7}},
                     {"format": 1, "cursor": {}, "report": {"outcomes": 7}, "refused": []}):
        sink = MemorySink()
        sink.save_checkpoint(connector.name, source.key, nonsense)
        again, _ = bring(connector, source, sink)
        assert whole.stored == sink.stored
        assert rows == again


def test_nothing_enters_without_policy(connector: Connector, source: Source) -> None:
    sink = MemorySink()
    with pytest.raises(InputError, match="policy"):
        runner.run(connector, source, sink, terms={})
    assert sink.pushes == []
    runner.run(connector, source, sink, terms=TERMS)
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


@pytest.mark.parametrize("sample", FILES, indirect=True)
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
        rows, _ = bring(connector, Source(str(folder if in_folder else path), sample.options), sink)
    except InputError:
        assert sink.stored == {}
        return
    assert len({(row.file, row.row) for row in rows}) == len(rows)
    assert all(row.reason for row in rows if row.outcome == "quarantined")


@pytest.mark.parametrize("sample", FILES, indirect=True)
def test_a_source_that_is_not_there_is_told(connector: Connector, tmp_path: Path, sample: Sample) -> None:
    (tmp_path / "nothing").mkdir()
    (tmp_path / f"folder{sample.suffix}").mkdir()
    for missing in (tmp_path / "missing", tmp_path / f"missing{sample.suffix}", tmp_path / "nothing",
                    tmp_path / f"folder{sample.suffix}"):
        with pytest.raises(InputError, match=missing.name):
            bring(connector, Source(str(missing), sample.options), MemorySink())


HOSTILE_ANSWERS: dict[str, Route] = {
    "page for people": lambda asked: Answer(200, b"<!doctype html><title>lorem</title>", {"Content-Type": "text/html"}),
    "empty": lambda asked: Answer(200, b""),
    "null": lambda asked: Answer(200, b"null", JSON),
    "list": lambda asked: Answer(200, b"[1, {}, null, []]", JSON),
    "wrong kinds": lambda asked: Answer(200, b'{"objects": 7, "data": {}, "response": "x", "more": []}', JSON),
    "broken encoding": lambda asked: Answer(200, b'{"objects": [{"type": "\xff\xfe"}], "data": [{"id": "\xff"}]}', JSON),
    "deep": lambda asked: Answer(200, b"[" * 100_000, JSON),
    "bomb": lambda asked: Answer(200, BOMB, {**JSON, "Content-Encoding": "gzip"}),
    "endless line": lambda asked: Answer(200, repeat(b"x" * 1_000_000), JSON),
    "private address": lambda asked: Answer(302, headers={"Location": "http://10.0.0.1/latest/meta-data/"}),
    "itself": lambda asked: Answer(302, headers={"Location": asked.path}),
    "no credential": lambda asked: Answer(401),
    "not found": lambda asked: Answer(404, b"{}", JSON),
    "fault": lambda asked: Answer(500, b"lorem"),
    "busy": lambda asked: Answer(503, headers={"Retry-After": "1"}),
    "cut": lambda asked: Answer(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"),
}


@pytest.mark.parametrize("sample", SERVED, indirect=True)
@pytest.mark.parametrize("answer", HOSTILE_ANSWERS.values(), ids=HOSTILE_ANSWERS)
def test_a_hostile_server_is_told_and_nothing_goes_in(
    connector: Connector, sample: Sample, tmp_path: Path, answer: Route
) -> None:
    with sample.source(tmp_path) as kind, WebPeer() as peer:
        peer.fallback = answer
        source = replace(kind, place=peer.url("/taxii2/"), outside=quick_web())
        sink = MemorySink()
        with suppress(ExchangeError):
            bring(connector, source, sink)
    assert sink.stored == {}
    assert len(peer.asked) < 500


@pytest.mark.parametrize("sample", SERVED, indirect=True)
def test_a_server_that_is_not_there_is_told(connector: Connector, sample: Sample, tmp_path: Path) -> None:
    with sample.source(tmp_path) as kind, WebPeer() as gone:
        place = gone.url("/taxii2/")
    source = replace(kind, place=place, outside=quick_web())
    with pytest.raises(UnavailableError, match="127"):
        bring(connector, source, MemorySink())


@pytest.mark.parametrize("sample", SERVED, indirect=True)
def test_no_secret_is_told_to_anybody(connector: Connector, source: Source) -> None:
    """Neither in rows nor in objects nor in checkpoints."""
    assert source.secrets, "a sample of a server has a secret, so that this can be seen"
    sink = MemorySink()
    rows, report = bring(connector, source, sink)
    told = [repr(rows), repr(report), repr(source), *sink.checkpoints.values(), *map(repr, sink.stored.values())]
    told += [repr(batch.checkpoint) for batch in connector.fetch(source, None)]
    for secret in source.secrets.values():
        assert len(secret) > 5, "a sample's secrets must be told apart from other words"
        assert not any(secret in text for text in told)
