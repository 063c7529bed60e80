"""Every connector's sample into a real database and to a real server with a token: the same account as in memory.

What a policy refuses differs by what objects say of themselves, so what is compared is that each row is accounted for,
that nothing enters twice, and that a killed run which goes on ends where an uninterrupted one does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from exchange.connect import registry, runner
from exchange.connect.contract import Connector, Row
from exchange.connect.report import Report
from exchange.connect.runner import Sink
from exchange.connect.source import Source
from exchange.model.pushed import PushOutcome
from exchange.policy.packs import load
from tests.contract.samples import SAMPLES
from tests.contract.test_sinks import SINKS

TERMS = load().terms("demo")


class Death(BaseException):
    """The process was killed."""


class Mortal:
    """A way in that dies after some acts."""

    def __init__(self, sink: Sink, acts: int) -> None:
        self.sink, self.acts = sink, acts

    def _act(self) -> None:
        if self.acts == 0:
            raise Death
        self.acts -= 1

    def push(self, objects: Sequence[bytes], *, terms: Mapping[str, Any]) -> Sequence[PushOutcome]:
        answers = self.sink.push(objects, terms=terms)
        self._act()
        return answers

    def save_checkpoint(self, connector: str, source_key: str, checkpoint: Mapping[str, Any] | None) -> None:
        self._act()
        self.sink.save_checkpoint(connector, source_key, checkpoint)

    def load_checkpoint(self, connector: str, source_key: str) -> Mapping[str, Any] | None:
        return self.sink.load_checkpoint(connector, source_key)

    def held(self, ids: Sequence[str]) -> Mapping[str, bytes]:
        return self.sink.held(ids)

    def erased(self, ids: Sequence[str]) -> Iterable[str]:
        return self.sink.erased(ids)

    def delete(self, identifier: str) -> None:
        self.sink.delete(identifier)


@pytest.fixture
def sink(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sink]:
    with SINKS[request.param](tmp_path, monkeypatch) as made:
        yield made


@pytest.fixture(params=registry.names())
def connector(request: pytest.FixtureRequest) -> Connector:
    return registry.connector(request.param)


@pytest.fixture
def source(connector: Connector, tmp_path: Path) -> Iterator[Source]:
    (tmp_path / "source").mkdir()
    with SAMPLES[connector.name].source(tmp_path / "source") as made:
        yield made


def bring(connector: Connector, source: Source, sink: Sink) -> tuple[dict[tuple[str, int], Row], Report]:
    rows: list[Row] = []
    report = runner.run(connector, source, sink, terms=TERMS, watchers=[lambda step: rows.extend(step.rows)])
    return {(row.file, row.row): row for row in rows}, report


@pytest.mark.parametrize("sink", ["local"], indirect=True)
def test_each_row_is_accounted_for_and_a_second_run_adds_nothing(
    connector: Connector, source: Source, sink: Sink
) -> None:
    rows, report = bring(connector, source, sink)
    assert set(rows) == SAMPLES[connector.name].rows
    assert report.pushed("added") > 0
    _, again = bring(connector, source, sink)
    assert again.pushed("added") == again.withdrawn == 0


@pytest.mark.parametrize("sink", ["server"], indirect=True)
def test_killed_after_a_push_each_row_is_accounted_for_and_nothing_is_there_twice(
    connector: Connector, source: Source, sink: Sink
) -> None:
    """The next run begins anew, so it tells of every row. Killed at every other act: ``test_connectors``, in memory."""
    with pytest.raises(Death):
        bring(connector, source, Mortal(sink, 0))
    rows, report = bring(connector, source, sink)
    assert set(rows) == SAMPLES[connector.name].rows
    assert report.pushed("added") + report.pushed("unchanged") > 0
    _, again = bring(connector, source, sink)
    assert again.pushed("added") == again.withdrawn == 0
