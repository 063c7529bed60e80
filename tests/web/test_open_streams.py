"""Event streams of an organisation are counted over all workers, as long as the workers live."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from exchange.errors import UnavailableError
from exchange.store.openings import Openings
from exchange.web.open_streams import OpenStreams


class Workers:
    """Workers that meet in one database, on a clock that the test sets (seconds)."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.now, self.away = engine, 1_000.0, False

    def worker(self, name: str) -> OpenStreams:
        return OpenStreams(self._Meeting(self, name), lambda: self.now)

    class _Meeting(Openings):
        def __init__(self, workers: Workers, name: str) -> None:
            super().__init__(workers.engine, lambda: int(workers.now * 1e6), name)
            self._workers = workers

        def elsewhere(self, org: str) -> int:
            if self._workers.away:
                raise UnavailableError("The store is away.")
            return super().elsewhere(org)


@pytest.fixture
def workers(engine: Engine) -> Workers:
    return Workers(engine)


def let_in(worker: OpenStreams, times: int, org: str = "org-a", most: int = 100) -> int:
    count = 0
    for _ in range(times):
        try:
            worker.enter(org, most, 5)
        except UnavailableError:
            continue
        count += 1
    return count


def test_an_organisation_has_as_many_in_all_workers_as_it_may_and_another_has_its_own(workers: Workers) -> None:
    here, there = workers.worker("one"), workers.worker("two")
    assert [let_in(here, 3), let_in(there, 3)] == [3, 2]
    assert let_in(here, 1, "org-a.2") + let_in(there, 1, "org") == 2
    here.leave("org-a")
    assert [let_in(there, 2), let_in(here, 1)] == [1, 0]


def test_a_worker_has_as_many_in_all_as_it_may(workers: Workers) -> None:
    here = workers.worker("one")
    assert [let_in(here, 2, "org-a", 3), let_in(here, 2, "org-b", 3)] == [2, 1]
    assert let_in(workers.worker("two"), 2, "org-b", 3) == 2


def test_what_a_killed_worker_had_open_counts_a_minute_and_what_a_living_one_has_as_long_as_it_is(workers: Workers) -> None:
    killed, living = workers.worker("killed"), workers.worker("living")
    assert let_in(killed, 3) + let_in(living, 2) == 5
    for _ in range(5):
        workers.now += 25
        living.renew()
    fresh = workers.worker("fresh")
    assert let_in(fresh, 9) == 3


def test_where_the_store_is_away_each_worker_counts_alone(workers: Workers) -> None:
    here, there = workers.worker("one"), workers.worker("two")
    assert let_in(here, 5) == 5
    workers.away = True
    assert let_in(there, 9) == 5
