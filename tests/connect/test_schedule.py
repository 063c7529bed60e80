"""Several sources by the clock: each runs when it is due, one that fails doesn't hold up others, a bug ends all."""

from __future__ import annotations

import threading

import pytest

from exchange.connect.job import Job
from exchange.connect.schedule import keep_bringing
from exchange.errors import ExchangeError, UnavailableError


def job(name: str, every: float | None = None) -> Job:
    return Job(name, "made-up", "place", every=every)


def test_each_source_runs_again_when_it_is_due_and_a_failing_one_is_told_and_tried_again() -> None:
    stop, ran, told = threading.Event(), [], []

    def bring(one: Job) -> None:
        ran.append(one.name)
        if ran.count("a") >= 3 and ran.count("b") >= 3:
            stop.set()
        if one.name == "b":
            raise UnavailableError("away")

    def failed(one: Job, error: ExchangeError) -> None:
        told.append((one.name, str(error)))

    keep_bringing([job("a", 0.01), job("b", 0.01), job("once")], bring, failed, stop)
    assert (ran.count("once"), ran.count("a") >= 3, ran.count("b") >= 3) == (1, True, True)
    assert set(told) == {("b", "away")}


def test_it_ends_when_all_were_to_run_once() -> None:
    ran: list[str] = []
    keep_bringing([job("a"), job("b")], lambda one: ran.append(one.name), lambda *_: None, threading.Event())
    assert sorted(ran) == ["a", "b"]


def test_a_bug_in_one_stops_the_others_and_is_raised() -> None:
    stop = threading.Event()

    def bring(one: Job) -> None:
        if one.name == "b":
            raise ZeroDivisionError("made up")

    with pytest.raises(ZeroDivisionError, match="made up"):
        keep_bringing([job("a", 0.01), job("b", 0.01)], bring, lambda *_: None, stop)
    assert stop.is_set()


def test_after_the_word_to_stop_nothing_begins() -> None:
    stop, ran = threading.Event(), []
    stop.set()
    keep_bringing([job("a", 0.01)], lambda one: ran.append(one.name), lambda *_: None, stop)
    assert ran == []
