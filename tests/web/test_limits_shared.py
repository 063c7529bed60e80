"""Limits that several workers share: no more than the limit together, on either engine, and few bookings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Engine

from exchange.errors import TooManyRequestsError, UnavailableError
from exchange.settings import Settings
from exchange.store.allowances import Allowances
from exchange.web.limits import Limits

MINUTE = 60_000_000


@dataclass
class Place:
    """A store whose time the test sets, and the workers that meet there."""

    engine: Engine
    now: int = 10 * MINUTE
    bookings: int = 0
    away: bool = False

    def worker(self, **limits: int) -> Limits:
        return Limits(Settings(**limits), self)  # type: ignore[arg-type]

    def book(self, kind: str, who: str, share: float) -> float:
        if self.away:
            raise UnavailableError("The store is away.")
        self.bookings += 1
        return Allowances(self.engine, lambda: self.now).book(kind, who, share)

    def owed(self, kind: str, who: str) -> float:
        return Allowances(self.engine, lambda: self.now).owed(kind, who)

    def let_in(self, worker: Limits, times: int, own: dict[str, Any] | None = None) -> int:
        return sum(self._lets(worker, own or {}) for _ in range(times))

    def _lets(self, worker: Limits, own: dict[str, Any]) -> bool:
        try:
            worker.ask("key", self.now / 1e6, own)
        except TooManyRequestsError:
            return False
        return True


@pytest.fixture
def place(engine: Engine) -> Place:
    return Place(engine)


def test_workers_together_let_in_a_small_limit_exactly_and_what_is_filled_since(place: Place) -> None:
    workers = [place.worker(requests_per_minute=20) for _ in range(3)]
    assert sum(place.let_in(workers[at % 3], 1) for at in range(60)) == 20
    assert place.let_in(place.worker(requests_per_minute=20), 5) == 0  # one that was started just now
    place.now += 6_000_000
    assert sum(place.let_in(one, 5) for one in workers) == 2


def test_workers_together_exceed_a_large_limit_by_a_hundredth_each_at_most_and_book_rarely(place: Place) -> None:
    workers = [place.worker(requests_per_minute=3_000) for _ in range(4)]
    let_in = sum(place.let_in(workers[at % 4], 1) for at in range(3_600))
    assert 3_000 <= let_in <= 3_000 + 4 * 30
    assert place.bookings <= 3_000 // 30 + 4


def test_bytes_and_objects_of_one_worker_stop_the_sender_at_the_other(place: Place) -> None:
    here, there = (place.worker(objects_per_minute=50, bytes_per_minute=10_000) for _ in range(2))
    there.check_sender("org", place.now / 1e6, {})
    here.take("objects", "org", 60, place.now / 1e6, {})
    there.check_sender("org", place.now / 1e6 + 0.5, {})  # it looked a moment ago
    place.now += 1_000_000
    with pytest.raises(TooManyRequestsError, match="50 objects") as told:
        there.check_sender("org", place.now / 1e6, {})
    assert told.value.retry_after == 13
    there.check_sender("another", place.now / 1e6, {})


def test_what_was_refused_is_not_counted(place: Place) -> None:
    here, there = (place.worker(requests_per_minute=10) for _ in range(2))
    assert place.let_in(here, 10) == 10
    assert place.let_in(there, 200) == 0
    place.now += 6_000_000
    assert place.let_in(here, 10) + place.let_in(there, 10) == 1


def test_a_changed_limit_counts_as_the_same_part_of_a_minute(place: Place) -> None:
    assert place.let_in(place.worker(requests_per_minute=1_000), 500) == 500
    assert place.let_in(place.worker(requests_per_minute=10), 10) == 5


def test_where_the_store_takes_no_booking_each_worker_counts_alone_and_books_it_later(place: Place) -> None:
    here, there = (place.worker(requests_per_minute=20) for _ in range(2))
    place.away = True
    assert place.let_in(here, 30) == 20
    place.away = False
    place.now += 3_000_000
    assert place.let_in(here, 5) + place.let_in(there, 5) == 0
    place.now += 3_000_000
    assert place.let_in(here, 5) + place.let_in(there, 5) == 1


def test_a_booking_is_filled_again_in_a_minute_and_a_clock_that_is_behind_fills_nothing(place: Place) -> None:
    begin = place.now
    for later, owed in ((0, 1.25), (15_000_000, 1.0), (10 * MINUTE, 0.25), (-30_000_000, 1.25), (-2 * MINUTE, 1.25)):
        place.now, key = begin, f"key {later}"
        place.book("requests", key, 1.0)
        place.now += later
        assert place.book("requests", key, 0.25) == pytest.approx(owed)


def test_a_clock_that_was_set_wrong_by_more_than_a_minute_locks_nobody_out(place: Place) -> None:
    begin = place.now
    for ahead, owed in ((30_000_000, 1.0), (10 * MINUTE, 0.75)):
        place.now, key = begin + ahead, f"key {ahead}"
        place.book("requests", key, 1.0)
        place.now = begin
        place.book("requests", key, 0.0)
        place.now += 15_000_000
        assert place.book("requests", key, 0.0) == pytest.approx(owed)


def test_a_clock_that_was_ahead_shuts_no_sender_out_when_it_is_set_right(place: Place) -> None:
    """Who is refused books nothing, so nothing else would set the booked time right."""
    worker = place.worker(bytes_per_minute=100)
    place.now += 60 * MINUTE
    worker.take("bytes", "org", 150, place.now / 1e6, {})
    with pytest.raises(TooManyRequestsError):
        place.worker(bytes_per_minute=100).check_sender("org", place.now / 1e6, {})
    place.now -= 60 * MINUTE
    fresh = place.worker(bytes_per_minute=100)
    fresh.check_sender("org", place.now / 1e6, {})
    fresh.take("bytes", "org", 10, place.now / 1e6, {})
    with pytest.raises(TooManyRequestsError):  # what is owed isn't given away by that
        place.worker(bytes_per_minute=100).check_sender("org", place.now / 1e6, {})
    place.now += MINUTE
    place.worker(bytes_per_minute=100).check_sender("org", place.now / 1e6, {})
