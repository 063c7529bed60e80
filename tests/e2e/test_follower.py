"""One total order: a follower by the last date it saw misses nothing and repeats nothing while others push."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.exchange_process import ExchangeProcess, new_database, serving
from tests.e2e.http_caller import HttpCaller
from tests.e2e.stix_objects import domain, indicator

WRITERS = ("alpha", "alpha-two", "beta", "delta")
PUSHES_OF_EACH = 40


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def two_workers(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExchangeProcess]:
    """A server with two worker processes on either engine."""
    url = ""
    if request.param == "postgres":
        url = new_database(request.getfixturevalue("postgres_server"), "followed")
    with serving(tmp_path_factory.mktemp("two-workers"), database_url=url, workers=2) as running:
        yield running


class Writer(threading.Thread):
    """Pushes small envelopes, with a new connection now and then so that both workers serve it."""

    def __init__(self, exchange: ExchangeProcess, key: str, lane: str) -> None:
        super().__init__()
        self.key, self.lane, self.exchange = key, lane, exchange
        self.taken: list[str] = []
        self.failed: list[str] = []

    def run(self) -> None:
        chance = random.Random(self.key)
        caller = self.exchange.caller(self.key)
        for _ in range(PUSHES_OF_EACH):
            objects = [indicator() for _ in range(chance.choice((1, 1, 2, 5)))]
            answer = caller.push(self.lane + "objects/", objects)
            if answer.status == 202 and answer.json["failure_count"] == 0:
                self.taken += [one["id"] for one in objects]
            else:
                self.failed.append(f"{answer.status} {answer.body[:200]!r}")
            if chance.random() < 0.3:
                caller.close()
        caller.close()


def follow(caller: HttpCaller, lane: str, endpoint: str, writers: list[Writer], limit: int) -> list[str]:
    """Ids in the order in which a follower by added_after meets them, until nothing more can come."""
    seen: list[str] = []
    last: str | None = None
    while True:
        running = any(writer.is_alive() for writer in writers)
        query = {"limit": str(limit)} | ({"added_after": last} if last else {})
        answer = caller.get(lane + endpoint, query)
        seen += answer.ids
        last = answer.last or last
        if len(seen) % 7 == 0:
            caller.close()  # the other worker may answer next
        if not answer.ids and not running:
            return seen


@pytest.mark.parametrize("endpoint", ["objects/", "manifest/"])
def test_a_follower_by_the_last_date_misses_and_repeats_nothing(two_workers: ExchangeProcess, endpoint: str) -> None:
    lane = two_workers.next_lane()
    writers = [Writer(two_workers, key, lane) for key in WRITERS]
    for writer in writers:
        writer.start()
    seen = follow(two_workers.caller("gamma"), lane, endpoint, writers, limit=9)
    for writer in writers:
        writer.join()
    assert [failure for writer in writers for failure in writer.failed] == []
    pushed = {one for writer in writers for one in writer.taken}
    assert len(pushed) >= PUSHES_OF_EACH * len(WRITERS)
    assert pushed - set(seen) == set(), "missed"
    assert len(seen) == len(set(seen)), "repeated"
    assert set(seen) == pushed
    records = two_workers.caller("gamma").get(lane + "manifest/", {"match[version]": "all"}).objects
    dates = [record["date_added"] for record in records]
    assert dates == sorted(set(dates))
    assert [record["id"] for record in records] == seen[: len(records)]


def test_sixteen_callers_at_once_get_only_200_and_202(two_workers: ExchangeProcess) -> None:
    lane = two_workers.next_lane()
    statuses: list[int] = []

    def work(number: int) -> None:
        caller = two_workers.caller(WRITERS[number % len(WRITERS)])
        for turn in range(12):
            if number % 2:
                statuses.append(caller.get(lane + "objects/", {"limit": "20"}).status)
            else:
                statuses.append(caller.push(lane + "objects/", [indicator(), domain(f"shared{turn}.example")]).status)
        caller.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(statuses) == 16 * 12
    assert set(statuses) <= {200, 202}
    answer = two_workers.caller("gamma").get(lane + "objects/", {"match[type]": "domain-name"})
    assert sorted(answer.ids) == sorted(domain(f"shared{turn}.example")["id"] for turn in range(12))


def test_what_one_worker_stored_the_other_serves_at_once(two_workers: ExchangeProcess) -> None:
    lane = two_workers.next_lane()
    for number in range(20):
        writer, reader = two_workers.caller("alpha"), two_workers.caller("beta")
        writer.push(lane + "objects/", [indicator(f"at-once-{number}")])
        assert len(reader.get(lane + "objects/").ids) == number + 1
        if number % 5 == 4:
            token = reader.get(lane + "objects/", {"limit": "2"}).json["next"]
            reader.close()
            assert reader.get(lane + "objects/", {"limit": "2", "next": token}).status == 200
        writer.close()
        reader.close()


def test_the_status_of_a_push_is_known_to_both_workers(two_workers: ExchangeProcess) -> None:
    lane = two_workers.next_lane()
    status = two_workers.caller("alpha").push(lane + "objects/", [indicator()]).json
    for _ in range(8):
        caller = two_workers.caller("alpha")
        assert caller.get(f"/taxii2/lanes/status/{status['id']}/").json == status
        caller.close()


def test_nothing_went_wrong_inside(two_workers: ExchangeProcess) -> None:
    assert "Traceback" not in two_workers.log(), two_workers.log()[-3_000:]


def test_the_server_ends_when_it_is_told_to(tmp_path: Path) -> None:
    with serving(tmp_path) as running:
        caller = running.caller("alpha")
        lane = running.next_lane()
        assert caller.push(lane + "objects/", [indicator("kept")]).status == 202
        assert running.stop() == 0
    with serving(tmp_path) as again:
        assert again.caller("alpha").get(lane + "objects/").objects == [indicator("kept")]
