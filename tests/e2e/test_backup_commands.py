"""``cibx backup`` while a server takes pushes, ``cibx restore`` once it stopped: whole, and followers go on."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from exchange.client import Client
from exchange.client.follow import Pace
from tests.e2e.exchange_process import ExchangeProcess, new_database, serving
from tests.e2e.members import SECRETS
from tests.e2e.stix_objects import indicator


def _site(request: pytest.FixtureRequest, folder: Path, engine: str) -> tuple[str, dict[str, str]]:
    if engine == "sqlite":
        return "", {}
    url = new_database(str(request.getfixturevalue("postgres_server")), "backup_commands")
    return url, {"CIBX_ERASURES": str(folder / "erasures")}


@pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_a_backup_under_load_comes_back_whole_and_a_follower_goes_on(
    request: pytest.FixtureRequest, tmp_path: Path, engine: str
) -> None:
    url, settings = _site(request, tmp_path, engine)
    with serving(tmp_path, database_url=url, settings=settings) as exchange:
        alpha, lane = exchange.caller("alpha"), exchange.next_lane()
        before = [indicator() for _ in range(30)]
        assert alpha.push(lane + "objects/", before).json["success_count"] == 30
        during = _push_while(exchange, lane, lambda: exchange.cibx_apart("backup", "backup.cibx"))
        erased = before[0]["id"]
        exchange.cibx_apart("state", "erase", erased, "--by", "DANA", "--reason", "A person asked for it")
        assert [e["id"] for e in _followed(exchange, lane, tmp_path)] == [o["id"] for o in (before + during)[1:]]
        last = exchange.caller("beta").get(lane + "objects/").last
        exchange.stop()
        told = exchange.cibx_apart("restore", "backup.cibx", "--replace")
        assert "1 erased again" in told
        exchange.start()
        there = {o["id"] for o in exchange.caller("beta").get(lane + "objects/").objects}
        assert {o["id"] for o in before[1:]} <= there  # no push is torn: each was of three objects
        assert erased not in there
        assert len(there - {o["id"] for o in before}) % 3 == 0
        lost = [o for o in during if o["id"] not in there]
        again = [*lost, indicator()]
        assert exchange.caller("alpha").push(lane + "objects/", again).json["success_count"] == len(again)
        newer = exchange.caller("beta").get(lane + "objects/", {"added_after": last})
        assert newer.ids == [o["id"] for o in again]  # dates are behind the last that was given out before
        assert [o["id"] for o in _followed(exchange, lane, tmp_path)] == [again[-1]["id"]]  # it has the others


def _push_while(exchange: ExchangeProcess, lane: str, act: object) -> list[dict[str, object]]:
    """Objects that were pushed three by three while ``act`` ran."""
    pushed: list[dict[str, object]] = []
    done = threading.Event()

    def push() -> None:
        caller = exchange.caller("alpha")
        while not done.is_set():
            some = [indicator() for _ in range(3)]
            assert caller.push(lane + "objects/", some).json["success_count"] == 3
            pushed.extend(some)
            done.wait(0.05)  # all of them fit on one page

    thread = threading.Thread(target=push)
    thread.start()
    try:
        act()  # type: ignore[operator]
    finally:
        done.set()
        thread.join()
    assert pushed
    return pushed


def _followed(exchange: ExchangeProcess, lane: str, folder: Path) -> list[dict[str, object]]:
    client = Client(exchange.url + "/taxii2/", "beta", SECRETS["beta"])
    changes = client.follow(lane.split("/")[4], checkpoint=folder / "place.json", pace=Pace(once=True))
    return [change.object for change in changes]
