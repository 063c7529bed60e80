"""Runs that meet trouble: peers that can't be reached, checkpoints that last, a pace to keep, a word to stop."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from exchange.connect.contract import Batch, Connector, Row
from exchange.connect.runner import Pace, gather, run
from exchange.connect.source import Source
from exchange.errors import UnavailableError
from exchange.model.pushed import PushOutcome
from exchange.outbound.patience import BusyError, Patience
from tests.fakes.memory_sink import MemorySink

TERMS = {"tlp": "TLP:AMBER"}
SOURCE = Source("numbers")


def item(number: int) -> dict[str, Any]:
    return {"type": "domain-name", "id": f"domain-name--{number}", "value": f"d{number}.example"}


class Shaky(Connector):
    """A thousand rows a step; fails at the given rows, each once, and tells where it was asked to begin."""

    name = "shaky"
    title = "Shaky"

    def __init__(self, count: int = 3_000, fails: Sequence[int] = (), resumes: bool = True) -> None:
        self.count, self.fails, self.resumes = count, list(fails), resumes
        self.asked: list[Any] = []

    def fetch(self, source: Source, checkpoint: Mapping[str, Any] | None) -> Iterator[Batch]:
        self.asked.append((checkpoint or {}).get("next"))
        for number in range(int((checkpoint or {}).get("next", 0)), self.count):
            if number in self.fails:
                self.fails.remove(number)
                raise BusyError("The source is busy.", retry_after=7)
            yield Batch((item(number),), (Row("f", number + 1, "note", (item(number)["id"],)),),
                        {"next": number + 1} if self.resumes else {})


class Lasting(Shaky):
    name = "lasting"
    lasting = True


class Waits:
    def __init__(self, tries: int = 4) -> None:
        self.slept: list[float] = []
        self.pace = Pace(Patience(tries=tries, first=2), sleep=self.slept.append, clock=lambda: sum(self.slept),
                         chance=lambda: 1.0)


@pytest.mark.parametrize("fails", [[], [0], [1_500], [1_500, 1_500, 1_501], [2_999, 0]])
def test_a_source_that_is_busy_now_and_then_is_read_to_its_end_once(fails: list[int]) -> None:
    sink, waits = MemorySink(), Waits()
    report = run(Shaky(fails=fails), SOURCE, sink, terms=TERMS, pace=waits.pace)
    assert (report.rows, report.pushed("added"), report.pushed("unchanged")) == (3_000, 3_000, 0)
    assert waits.slept == [9] * len(fails)
    assert sink.checkpoints == {}


def test_a_connector_that_cannot_go_on_from_the_midst_begins_anew_and_counts_once() -> None:
    sink, waits = MemorySink(), Waits()
    report = run(Shaky(fails=[1_500], resumes=False), SOURCE, sink, terms=TERMS, pace=waits.pace)
    assert (report.rows, len(sink.stored)) == (3_000, 3_000)


def test_patience_ends_with_the_error_and_the_next_run_goes_on() -> None:
    sink, waits, broken = MemorySink(), Waits(tries=2), Shaky(fails=[2_000] * 2)
    with pytest.raises(UnavailableError, match="busy"):
        run(broken, SOURCE, sink, terms=TERMS, pace=waits.pace)
    assert (waits.slept, broken.asked, len(sink.stored)) == ([9], [None, 2_000], 2_000)
    report = run(Shaky(), SOURCE, sink, terms=TERMS, pace=waits.pace)
    assert (report.rows, report.resumed) == (3_000, True)


def test_an_exchange_that_is_away_gets_the_step_again() -> None:
    class Away(MemorySink):
        away = 2

        def push(self, objects: Sequence[bytes], *, terms: Mapping[str, Any]) -> Sequence[PushOutcome]:
            if len(self.stored) == 1_000 and self.away:
                self.away -= 1
                raise UnavailableError("The store can't answer now.")
            return super().push(objects, terms=terms)

    sink, waits = Away(), Waits()
    report = run(Shaky(), SOURCE, sink, terms=TERMS, pace=waits.pace)
    assert (report.rows, report.pushed("added"), waits.slept) == (3_000, 3_000, [2, 4])


def test_a_lasting_checkpoint_outlives_its_run_and_the_tallies_do_not() -> None:
    sink = MemorySink()
    assert run(Lasting(1_500), SOURCE, sink, terms=TERMS).rows == 1_500
    later = Lasting(1_600)
    report = run(later, SOURCE, sink, terms=TERMS)
    assert (later.asked, report.rows, report.resumed) == ([1_500], 100, False)
    nothing = Lasting(1_600)
    assert run(nothing, SOURCE, sink, terms=TERMS).rows == 0
    assert json.loads(sink.checkpoints["lasting", SOURCE.key])["cursor"] == {"next": 1_600}


def test_a_row_of_a_later_run_knows_what_was_refused_in_an_earlier_one() -> None:
    class Naming(Lasting):
        def fetch(self, source: Source, checkpoint: Mapping[str, Any] | None) -> Iterator[Batch]:
            for batch in super().fetch(source, checkpoint):
                yield Batch(batch.upserts, tuple(Row(r.file, r.row, r.outcome, (*r.ids, "domain-name--0"))
                                                 for r in batch.rows), batch.checkpoint)

    sink = MemorySink(refuse=["domain-name--0"])
    run(Naming(1), SOURCE, sink, terms=TERMS)
    assert run(Naming(2), SOURCE, sink, terms=TERMS).outcomes["quarantined"] == 1


def test_rows_keep_the_pace() -> None:
    waits = Waits()
    pace = Pace(rows_per_second=500, sleep=waits.slept.append, clock=lambda: sum(waits.slept))
    run(Shaky(), SOURCE, MemorySink(), terms=TERMS, pace=pace)
    assert waits.slept == [2, 2, 2]


def test_a_word_to_stop_ends_the_run_after_its_step_and_the_next_one_goes_on() -> None:
    sink = MemorySink()
    report = run(Shaky(), SOURCE, sink, terms=TERMS, pace=Pace(going=lambda: False))
    assert (report.stopped, report.rows) == (True, 1_000)
    again = run(Shaky(), SOURCE, sink, terms=TERMS)
    assert (again.stopped, again.resumed, again.rows) == (False, True, 3_000)


def test_what_is_withdrawn_is_taken_back_after_what_came_before_it_and_before_what_follows() -> None:
    batches = [Batch((item(1),), (), {"n": 1}), Batch((), (), {"n": 2}, withdrawn=("a",)),
               Batch((), (), {"n": 3}, withdrawn=("b",)),
               Batch((), (Row("f", 1, "blank"),), {"n": 3.5}), Batch((item(2),), (), {"n": 4})]
    assert [(len(one.upserts), one.withdrawn, one.checkpoint) for one in gather(batches)] == [
        (1, ("a", "b"), {"n": 3.5}), (1, (), {"n": 4})]
