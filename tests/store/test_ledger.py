"""The ledger of deliveries: who received what is found again, on both engines, also after the process is killed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from exchange.errors import StorageFullError, UnavailableError
from exchange.store import ledger as module
from exchange.store.engine import read
from exchange.store.labels import Numbers
from exchange.store.ledger import Delivery, Ledger, Receiver
from exchange.store.runs import decode_runs, encode_runs

NOW = 1_790_000_000_000_000


def page(feed: int, *seqs: int, at: int = NOW) -> Delivery:
    return Delivery(at, feed, seqs[0], seqs[-1], len(seqs), encode_runs(seqs), b"d" * 32)


@pytest.fixture
def receiver(engine: Engine) -> Callable[[str], Receiver]:
    numbers = Numbers(engine)
    return lambda org: Receiver(numbers.contributor(org), f"{org}-key", "cib-detection", 1, "p" * 64)


def received(engine: Engine, ledger: Ledger, feed: int, *seqs: int) -> list[tuple[str, int]]:
    with read(engine) as connection:
        return [(r.org, r.seq) for r in ledger.recipients(connection, feed, seqs)]


@given(st.sets(st.integers(0, 1 << 60), min_size=1, max_size=60))
def test_runs_give_back_what_was_coded(numbers: set[int]) -> None:
    rising = sorted(numbers)
    runs = list(decode_runs(rising[0], encode_runs(rising)))
    assert [n for first, last in runs for n in range(first, last + 1)] == rising


@given(st.integers(0, 1 << 60), st.integers(1, 1_000))
def test_a_page_without_gaps_takes_three_bytes(first: int, length: int) -> None:
    coded = encode_runs(range(first, first + length))
    assert len(coded) <= 3
    assert list(decode_runs(first, coded)) == [(first, first + length - 1)]


def test_recipients_are_those_whose_pages_held_the_version(
    engine: Engine, receiver: Callable[[str], Receiver]
) -> None:
    ledger = Ledger(engine)
    ledger.note(receiver("a"), page(1, 10, 11, 12, 20))
    ledger.note(receiver("b"), page(1, 13))
    ledger.note(receiver("c"), page(2, 11))
    ledger.note(receiver("a"), page(1, 11, at=NOW + 5))
    assert received(engine, ledger, 1, 11) == [("a", 11), ("a", 11)]
    assert received(engine, ledger, 1, 20, 13) == [("a", 20), ("b", 13)]
    assert received(engine, ledger, 2, 11) == [("c", 11)]
    assert received(engine, ledger, 1, 9, 14, 19, 21) == []
    assert received(engine, ledger, 1) == []


def test_rows_come_in_order_with_names_and_another_process_reads_them(
    engine: Engine, receiver: Callable[[str], Receiver]
) -> None:
    feed = Numbers(engine).feed("collection-1")
    noted = [Ledger(engine).note(receiver(org), page(feed, 7, 8)) for org in ("a", "b", "a")]
    rows = Ledger(engine).after(0, 10)
    assert [(r.org, r.collection, r.receipt) for r in rows] == [
        (org, "collection-1", n.receipt) for org, n in zip(("a", "b", "a"), noted, strict=True)
    ]
    assert Ledger(engine).after(rows[0].number, 1) == rows[1:2]
    first = rows[0]
    assert (first.first, first.last, first.count, first.at, first.credential, first.purpose) == (
        7, 8, 2, NOW, "a-key", "cib-detection")
    assert (first.policy, first.digest) == ("p" * 64, (b"d" * 32).hex())


def test_what_did_not_leave_is_taken_back(engine: Engine, receiver: Callable[[str], Receiver]) -> None:
    ledger = Ledger(engine)
    kept, gone = ledger.note(receiver("a"), page(1, 1)), ledger.note(receiver("b"), page(1, 1))
    ledger.take_back(gone)
    assert [r.receipt for r in ledger.after(0, 9)] == [kept.receipt]


def test_derived_ids_lead_to_what_they_were_made_of(engine: Engine) -> None:
    ledger = Ledger(engine)
    ledger.register([("x--1", 5), ("x--2", 6)])
    ledger.register([("x--1", 5), ("x--1", 9)])
    assert sorted(Ledger(engine).made_of(["x--1", "x--3"])) == [5, 9]


def test_a_delivery_does_not_wait_for_a_long_push(engine: Engine, receiver: Callable[[str], Receiver]) -> None:
    from exchange.store.engine import write

    ledger, who = Ledger(engine), receiver("a")
    ledger.note(who, page(1, 1))
    with write(engine):  # would wait ten seconds and give up
        assert ledger.note(who, page(1, 2)).number is not None


class FullDisk(Ledger):
    """A ledger whose disk is full for a while."""

    full = True

    def _insert(self, receiver: Receiver, row: dict[str, object]) -> int:
        if self.full:
            raise StorageFullError("The disk is full.")
        return super()._insert(receiver, row)


def test_while_the_disk_is_full_deliveries_wait_and_are_written_later(
    engine: Engine, receiver: Callable[[str], Receiver]
) -> None:
    ledger = FullDisk(engine)
    waiting = [ledger.note(receiver("a"), page(1, n)) for n in (1, 2)]
    assert Ledger(engine).after(0, 9) == []
    assert received(engine, ledger, 1, 2) == [("a", 2)]
    ledger.take_back(waiting[0])
    ledger.full = False
    last = ledger.note(receiver("b"), page(1, 3))
    assert [r.receipt for r in Ledger(engine).after(0, 9)] == [waiting[1].receipt, last.receipt]


def test_when_too_many_wait_nothing_more_leaves(
    engine: Engine, receiver: Callable[[str], Receiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_WAITING", 2)
    ledger = FullDisk(engine)
    for n in (1, 2):
        ledger.note(receiver("a"), page(1, n))
    with pytest.raises(UnavailableError):
        ledger.note(receiver("a"), page(1, 3))


_KILLED = """
import os, signal, sys
from exchange.store.engine import open_engine
from exchange.store.ledger import Delivery, Ledger, Receiver
ledger = Ledger(open_engine(sys.argv[1]))
for n in range(20):
    ledger.note(Receiver(1, "k", "", 1, "p"), Delivery(1, 1, n, n, 1, b"\\0\\0", b"d"))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_noted_survives_the_death_of_its_process(engine: Engine, migrated_url: str) -> None:
    subprocess.run([sys.executable, "-c", _KILLED, migrated_url], check=False, timeout=60)
    assert len(Ledger(engine).after(0, 100)) == 20
