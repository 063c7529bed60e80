"""What every way into an exchange answers to the runner; add a maker to SINKS for each new one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from exchange.connect.local_sink import local_sink
from exchange.connect.runner import Sink
from exchange.policy.packs import load
from exchange.settings import read_settings
from tests.fakes import one_member
from tests.fakes.memory_sink import MemorySink


def local(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Sink:
    """The local database, on its way from `cibx apply`."""
    one_member.make(folder, monkeypatch)
    return local_sink(read_settings(), org="org-alpha", collection=None, terms={})


SINKS: dict[str, Callable[[Path, pytest.MonkeyPatch], Sink]] = {
    "memory": lambda _folder, _monkeypatch: MemorySink(),
    "local": local,
}
TERMS = load().terms("government-published")


def domain(number: int) -> bytes:
    identifier = f"domain-name--0d3a4c0e-7ad0-4b8b-9b1f-8a4d0f8a9c{number:02x}"
    return json.dumps({"type": "domain-name", "spec_version": "2.1", "id": identifier,
                       "value": f"d{number}.example"}).encode()


@pytest.fixture(params=SINKS)
def sink(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sink:
    return SINKS[request.param](tmp_path, monkeypatch)


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
