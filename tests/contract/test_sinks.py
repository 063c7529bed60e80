"""What every way into an exchange answers to the runner; add a maker to SINKS for each new one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from exchange.client.taxii import Client
from exchange.connect import runner
from exchange.connect.contract import Batch, Connector, Row
from exchange.connect.journal import Journal
from exchange.connect.local_sink import local_sink
from exchange.connect.revocation import revoked
from exchange.connect.runner import Sink
from exchange.connect.server_sink import ServerSink
from exchange.connect.source import Source
from exchange.policy.packs import load
from exchange.settings import read_settings
from tests.fakes import one_member
from tests.fakes.memory_sink import MemorySink
from tests.fakes.served_exchange import served_exchange


@contextmanager
def local(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sink]:
    """The local database, on its way from `cibx apply`."""
    one_member.make(folder, monkeypatch)
    yield local_sink(read_settings(), org="org-alpha", collection=None, terms={})


@contextmanager
def server(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sink]:
    """A real server with a token."""
    with served_exchange(folder, monkeypatch) as served, Journal(folder / "kept", "x") as journal:
        yield ServerSink(Client(served.url, token=served.token), "indicators", journal)


@contextmanager
def memory(_folder: Path, _monkeypatch: pytest.MonkeyPatch) -> Iterator[Sink]:
    """The stand-in of other tests."""
    yield MemorySink()


Making = Callable[[Path, pytest.MonkeyPatch], AbstractContextManager[Sink]]
SINKS: dict[str, Making] = {"memory": memory, "local": local, "server": server}
TERMS = load().terms("government-published")


def domain(number: int) -> bytes:
    identifier = f"domain-name--0d3a4c0e-7ad0-4b8b-9b1f-8a4d0f8a9c{number:02x}"
    return json.dumps({"type": "domain-name", "spec_version": "2.1", "id": identifier,
                       "value": f"d{number}.example"}).encode()


def indicator(number: int, **more: Any) -> dict[str, Any]:
    return {"type": "indicator", "spec_version": "2.1", "id": f"indicator--0d3a4c0e-7ad0-4b8b-9b1f-8a4d0f8a9c{number:02x}",
            "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.123Z", "pattern_type": "stix",
            "pattern": f"[domain-name:value = 'd{number}.example']", "valid_from": "2026-01-01T00:00:00Z", **more}


@pytest.fixture(params=SINKS)
def sink(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sink]:
    with SINKS[request.param](tmp_path, monkeypatch) as made:
        yield made


def test_each_object_is_answered_in_its_order_and_a_second_time_unchanged(sink: Sink) -> None:
    objects = [domain(number) for number in range(5)]
    ids = [json.loads(raw)["id"] for raw in objects]
    first = sink.push(objects, terms=TERMS)
    assert ids == [answer.id for answer in first]
    assert {answer.state for answer in first} == {"added"}
    assert {answer.state for answer in sink.push(objects[::-1], terms=TERMS)} == {"unchanged"}


def test_a_refusal_has_a_code_and_a_sentence_and_spares_its_neighbours(sink: Sink) -> None:
    without_terms = sink.push([domain(1)], terms={})
    assert [answer.state for answer in without_terms] == ["refused"]
    assert without_terms[0].code == "marking-missing"
    assert without_terms[0].sentence
    assert [answer.state for answer in sink.push([domain(1), domain(2)], terms=TERMS)] == ["added", "added"]


def test_checkpoints_are_kept_per_connector_and_source_and_forgotten_on_none(sink: Sink) -> None:
    assert sink.load_checkpoint("a", "x") is None
    for key, value in ((("a", "x"), {"n": 1}), (("a", "y"), {"n": 2}), (("b", "x"), {"n": [None, "é"]})):
        sink.save_checkpoint(*key, value)
    sink.save_checkpoint("a", "x", {"n": 3})
    assert sink.load_checkpoint("a", "x") == {"n": 3}
    assert sink.load_checkpoint("b", "x") == {"n": [None, "é"]}
    sink.save_checkpoint("a", "x", None)
    sink.save_checkpoint("a", "x", None)
    assert sink.load_checkpoint("a", "x") is None
    assert sink.load_checkpoint("a", "y") == {"n": 2}


def test_an_empty_envelope_is_answered_with_nothing(sink: Sink) -> None:
    assert list(sink.push([], terms=TERMS)) == []


def test_what_is_held_is_the_last_own_version(sink: Sink) -> None:
    one, two = indicator(1), indicator(1, modified="2026-02-01T00:00:00.000Z", name="later")
    sink.push([json.dumps(item).encode() for item in (two, one, indicator(2))], terms=TERMS)
    held = sink.held([one["id"], indicator(2)["id"], indicator(3)["id"]])
    assert set(held) == {one["id"], indicator(2)["id"]}
    assert json.loads(held[one["id"]])["name"] == "later"


def test_what_is_deleted_is_gone_and_a_second_time_is_no_fault(sink: Sink) -> None:
    sink.push([domain(1), domain(2)], terms=TERMS)
    gone, stays = (json.loads(domain(number))["id"] for number in (1, 2))
    for _ in range(2):
        sink.delete(gone)
    sink.delete(json.loads(domain(3))["id"])
    assert set(sink.held([gone, stays])) == {stays}


class Told(Connector):
    """Tells objects, and takes some back in a later batch."""

    name = "told"
    title = "Told"

    def __init__(self, told: Sequence[dict[str, Any]], withdrawn: Sequence[str]) -> None:
        self.told, self.withdrawn = told, withdrawn

    def fetch(self, source: Source, checkpoint: Mapping[str, Any] | None) -> Iterator[Batch]:
        rows = tuple(Row("f", at, "note", (item["id"],)) for at, item in enumerate(self.told, 1))
        yield Batch(tuple(self.told), rows, {"at": 1})
        yield Batch((), (), {"at": 2}, withdrawn=tuple(self.withdrawn))


def test_what_a_source_takes_back_is_revoked_once_and_what_was_never_there_is_no_fault(sink: Sink) -> None:
    kept, gone = indicator(1), indicator(2)
    observable = json.loads(domain(9))
    source = Source("made-up")
    names = [gone["id"], observable["id"], indicator(7)["id"], json.loads(domain(8))["id"]]
    report = runner.run(Told([kept, gone, observable], names), source, sink, terms=TERMS)
    assert (report.withdrawn, report.pushed("added"), report.all_in) == (2, 3, True)
    again = runner.run(Told([kept], names), source, sink, terms=TERMS)
    assert (again.withdrawn, again.pushed("added"), again.all_in) == (0, 0, True)
    assert observable["id"] not in sink.held([observable["id"]])
    assert json.loads(sink.held([kept["id"]])[kept["id"]]).get("revoked") is None


def test_killed_between_push_and_checkpoint_a_withdrawal_is_made_once(sink: Sink) -> None:
    first = json.loads(revoked(json.dumps(indicator(1)).encode()) or b"")
    assert (first["modified"], first["revoked"]) == ("2026-01-01T00:00:00.124000Z", True)
    sink.push([json.dumps(indicator(1)).encode(), json.dumps(first).encode()], terms=TERMS)
    report = runner.run(Told([], [first["id"]]), Source("made-up"), sink, terms=TERMS)
    assert report.withdrawn == 0
