"""The runner: envelopes, order of push and checkpoint, refusals, sources that break off."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.connect import runner
from exchange.connect.contract import Batch, Connector, Row
from exchange.connect.runner import envelopes, gather, run
from exchange.connect.source import Source
from exchange.errors import ExchangeError, InputError
from exchange.model.pushed import PushOutcome
from tests.fakes.memory_sink import MemorySink

TERMS = {"tlp": "TLP:GREEN"}


def item(number: int) -> dict[str, Any]:
    return {"type": "domain-name", "id": f"domain-name--{number}", "value": f"d{number}.example"}


class Numbers(Connector):
    """A source of numbered rows, one object each; ``shared`` is named by every row."""

    name = "numbers"
    title = "Numbers"

    def __init__(
        self, count: int, per_batch: int = 10, *, breaks_at: int | None = None, shared: str = ""
    ) -> None:
        self.count, self.per_batch, self.breaks_at, self.shared = count, per_batch, breaks_at, shared
        self.asked: list[Mapping[str, Any] | None] = []

    def fetch(self, source: Source, checkpoint: Mapping[str, Any] | None) -> Iterator[Batch]:
        self.asked.append(checkpoint)
        for begin in range(int((checkpoint or {}).get("next", 0)), self.count, self.per_batch):
            if self.breaks_at is not None and begin >= self.breaks_at:
                raise InputError("The source broke off.")
            numbers = range(begin, min(begin + self.per_batch, self.count))
            shared = (self.shared,) if self.shared else ()
            rows = tuple(Row("f", n + 1, "indicator", (item(n)["id"], *shared)) for n in numbers)
            items = [item(n) for n in numbers]
            if begin == 0 and self.shared:
                items.insert(0, {**item(0), "id": self.shared})
            yield Batch(tuple(items), rows, {"next": begin + self.per_batch})


SOURCE = Source("numbers")


@given(st.lists(st.integers(0, 5_000_000), max_size=12))
def test_envelopes_keep_every_object_in_order_and_within_limits(sizes: list[int]) -> None:
    objects = [bytes(size) for size in sizes]
    parts = list(envelopes(objects))
    assert objects == [raw for part in parts for raw in part]
    for part in parts:
        assert len(part) == 1 or sum(map(len, part)) <= runner.MAX_ENVELOPE_BYTES


def test_envelopes_hold_at_most_a_thousand_objects() -> None:
    assert [len(part) for part in envelopes([b"{}"] * 2_500)] == [1_000, 1_000, 500]


@pytest.mark.parametrize(("count", "per_batch", "pushes"), [
    (0, 10, []), (1, 10, [1]), (999, 1, [999]), (2_000, 10, [1_000, 1_000]),
    (2_500, 2_500, [1_000, 1_000, 500]),
])
def test_small_batches_travel_together(count: int, per_batch: int, pushes: list[int]) -> None:
    sink = MemorySink()
    report = run(Numbers(count, per_batch), SOURCE, sink, terms=TERMS)
    assert pushes == sink.pushes
    assert count == report.rows == report.pushed("added")
    assert report.all_in
    assert sink.checkpoints == {}


def test_a_source_that_breaks_off_leaves_in_what_it_gave_and_is_resumed_there() -> None:
    sink = MemorySink()
    with pytest.raises(InputError, match="broke off"):
        run(Numbers(50, breaks_at=30), SOURCE, sink, terms=TERMS)
    assert len(sink.stored) == 30
    whole = Numbers(50)
    report = run(whole, SOURCE, sink, terms=TERMS)
    assert whole.asked == [{"next": 30}]
    assert report.resumed
    assert (report.rows, report.pushed("added")) == (50, 50)


def test_a_refused_object_puts_its_row_into_quarantine_with_the_code() -> None:
    sink = MemorySink(refuse=["domain-name--3"])
    rows: list[Row] = []
    report = run(Numbers(5), SOURCE, sink, terms=TERMS, watchers=[lambda step: rows.extend(step.rows)])
    assert [row.row for row in rows if row.outcome == "quarantined"] == [4]
    assert rows[3].ids == ()
    assert rows[3].reason == "basis-missing: No lawful basis is stated."
    assert not report.all_in
    assert report.aside == ["f, row 4: basis-missing: No lawful basis is stated."]


def test_rows_of_later_batches_know_of_an_earlier_refusal_also_after_a_restart() -> None:
    sink = MemorySink(refuse=["domain-name--shared"])
    rows: list[Row] = []
    with pytest.raises(InputError):
        run(Numbers(4, 2, breaks_at=2, shared="domain-name--shared"), SOURCE, sink, terms=TERMS)
    report = run(Numbers(4, 2, shared="domain-name--shared"), SOURCE, sink, terms=TERMS,
                 watchers=[lambda step: rows.extend(step.rows)])
    assert [(row.row, row.outcome) for row in rows] == [(3, "quarantined"), (4, "quarantined")]
    assert rows[0].ids == ("domain-name--2",)
    assert rows[0].reason.startswith("1 of 2 objects was refused; domain-name--shared: basis-missing")
    assert report.outcomes["quarantined"] == 4


def test_terms_travel_with_every_envelope_and_a_dry_run_may_do_without() -> None:
    sink = MemorySink()
    run(Numbers(2_000), SOURCE, sink, terms=TERMS)
    assert sink.terms == [TERMS, TERMS]
    assert run(Numbers(1), SOURCE, MemorySink(), terms={}, dry_run=True).rows == 1


def test_an_exchange_that_answers_too_little_is_not_believed() -> None:
    class Mute(MemorySink):
        def push(self, objects: Sequence[bytes], *, terms: Mapping[str, Any]) -> Sequence[PushOutcome]:
            return super().push(objects, terms=terms)[1:]

    sink = Mute()
    with pytest.raises(ExchangeError, match="answered 9 of 10"):
        run(Numbers(10), SOURCE, sink, terms=TERMS)
    assert sink.checkpoints == {}


def test_gather_joins_rows_without_objects_too() -> None:
    batches = [Batch((), (Row("f", n, "blank"),), {"n": n}, n / 10) for n in range(10)]
    joined = list(gather(batches))
    assert len(joined) == 1
    assert len(joined[0].rows) == 10
    assert joined[0].checkpoint == {"n": 9}
    assert joined[0].progress == 0.9


def test_a_new_version_of_a_refused_object_that_is_taken_clears_the_refusal() -> None:
    sink = MemorySink(refuse=["domain-name--0"])
    with pytest.raises(InputError):
        run(Numbers(2, 1, breaks_at=1), SOURCE, sink, terms=TERMS)
    saved = json.loads(next(iter(sink.checkpoints.values())))
    assert list(saved["refused"]) == ["domain-name--0"]
