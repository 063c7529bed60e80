"""Two servers on one PostgreSQL: one order, one policy, one count of what a member asks, one delivery of each message."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import threading
import time
import warnings
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import policies
from exchange.model.policy_version import Stage
from exchange.obligations.sweep import take_turn
from exchange.policy.check import run_cases
from exchange.policy.packtext import packs_of, texts_of
from exchange.settings import Settings
from exchange.stix.timestamp import microseconds
from exchange.store import log
from exchange.store.engine import open_engine, read
from exchange.wiring import Exchange
from tests.e2e.exchange_process import new_database
from tests.e2e.http_caller import Answer, HttpCaller
from tests.e2e.lasting_consumers import SHORT_LEASE
from tests.e2e.members import collection_id, description, lane
from tests.e2e.ports import free_port
from tests.e2e.restarted_exchange import RestartedExchange
from tests.e2e.stix_objects import TLP, handling, indicator
from tests.fakes.webhook_receiver import receiving_webhooks

pytestmark = pytest.mark.postgres
PUSHES = 12
LIMITED = 'id = "org-delta"\nfacts = { limits = { requests = 30 } }\n'
MEMBERS = description(4).replace('id = "org-delta"\n', LIMITED)

Pair = tuple[RestartedExchange, RestartedExchange]


@pytest.fixture(scope="module")
def pair(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Both serve; each has a folder of its own, and the keys of the other."""
    url, keys = new_database(postgres_server, "two_servers"), tmp_path_factory.mktemp("keys")
    settings = {
        "CIBX_SEAL_KEY": str(keys / "seal"), "CIBX_LOG_KEY": str(keys / "log"), "CIBX_LOG_SECONDS": "1",
        "CIBX_ERASURES": str(keys / "erasures"), "CIBX_WEBHOOK_NETWORKS": "127.0.0.0/8",
    }
    here, there = (RestartedExchange(tmp_path_factory.mktemp(name), url, settings=settings, before=SHORT_LEASE.replace("3_000_000", "6_000_000"))
                   for name in ("here", "there"))
    try:
        (here.folder / "members.toml").write_text(MEMBERS, encoding="utf-8")
        applied = here.cibx("apply", "members.toml")
        assert applied.returncode == 0, applied.stderr
        for one in (here, there):
            one.start(ready=False)
        for one in (here, there):
            one.wait_until_ready()
        yield here, there
    finally:
        for one in (here, there):
            one.kill()


def path(number: int) -> str:
    """The path of the objects of a collection that one test uses."""
    return f"/taxii2/lanes/collections/{lane(number)}/objects/"


def told(answer: Answer) -> Answer:
    """The answer, which must be one of those that are good."""
    assert answer.status in {200, 201, 202}, answer
    assert not answer.json.get("failure_count"), answer.body
    return answer


def post(caller: HttpCaller, where: str, body: Mapping[str, Any]) -> Answer:
    return told(caller.post(where, json.dumps(body).encode(), "application/json", accept=None))


def follow(callers: list[HttpCaller], by: str, pushing: threading.Event) -> list[str]:
    """Ids as a follower meets them who asks the callers in turn, until nothing more can come."""
    seen: list[str] = []
    query: dict[str, str] = {"limit": "7"}
    while True:
        ended = not pushing.is_set()
        callers.append(callers.pop(0))
        answer = told(callers[0].get(path(0), query))
        seen += answer.ids
        if by == "next" and answer.json.get("more"):
            query = {**query, "next": answer.json["next"]}
        elif answer.last is not None:
            query = {"limit": "7", "added_after": answer.last}
        elif ended:
            return seen


def test_followers_of_either_server_and_of_both_miss_and_repeat_nothing(pair: Pair) -> None:
    here, there = pair
    pushing = threading.Event()
    pushing.set()

    def push(server: RestartedExchange, key: str) -> list[str]:
        caller, ids = server.caller(key), []
        for count in (1, 5, 2) * (PUSHES // 3):
            objects = [indicator() for _ in range(count)]
            told(caller.push(path(0), objects))
            ids += [one["id"] for one in objects]
        return ids

    ways = [([here], "added_after"), ([there], "next"), ([here, there], "added_after"), ([here, there], "next")]
    with ThreadPoolExecutor(8) as pool:
        followers = [pool.submit(follow, [one.caller("gamma") for one in servers], by, pushing) for servers, by in ways]
        pushers = [pool.submit(push, server, key) for server in pair for key in ("alpha", "beta")]
        pushed = [identity for one in pushers for identity in one.result()]
        pushing.clear()
        seen = [one.result() for one in followers]
    listed = told(there.caller("gamma").get(path(0))).ids
    assert sorted(listed) == sorted(pushed)
    assert seen == [listed] * len(ways)


def test_what_is_changed_at_one_server_is_obeyed_by_the_pages_that_the_other_keeps(pair: Pair, tmp_path: Path) -> None:
    here, there = pair
    alpha, gamma, beta = here.caller("alpha"), there.caller("gamma"), there.caller("beta")
    inner = handling("inner", audience={"sharing_groups": ["inner"]})
    personal = handling("personal", data={"personal": "yes", "categories": ["Username"]})
    names = ("stays", "deleted", "erased", "restricted", "personal", "inner", "revised")
    marks = {"personal": [TLP["GREEN"], personal["id"]], "inner": [TLP["AMBER"], inner["id"]]}
    made = {name: indicator(f"two servers {name}", **({"object_marking_refs": marks[name]} if name in marks else {}))
            for name in names}
    told(alpha.push(path(1), [inner, personal, *made.values(), *(indicator(f"two servers {n}") for n in range(20))]))

    def page(caller: HttpCaller) -> set[str]:
        """Names on the first page: more follows and it is asked for again and again, so it is kept in memory."""
        pages = [told(caller.get(path(1), {"limit": "9"})) for _ in range(3)]
        assert pages[0].ids == pages[1].ids == pages[2].ids
        assert pages[0].json["more"]
        return {name for name in names if made[name]["id"] in pages[0].ids}

    assert page(beta) == set(names)
    assert page(gamma) == set(names) - {"inner"}
    assert alpha.delete(f"{path(1)}{made['deleted']['id']}/").status == 200
    assert page(beta) == set(names) - {"deleted"}
    for state in ("erased", "restricted"):
        post(alpha, f"/api/v1/objects/{made[state]['id']}/state", {"state": state, "reason": "A demand."})
        assert state not in page(beta) | page(gamma), state
    told(alpha.push(path(1), [indicator("two servers revised", modified="2026-03-01T00:00:00.000Z")]))
    assert page(beta) == {"personal", "stays", "inner"}
    activate(here)
    assert page(beta) == {"stays", "inner"}
    assert page(gamma) == {"stays"}
    ended = MEMBERS.replace('id = "beta"\n', 'id = "beta"\nrevoked = true\n')
    assert ended != MEMBERS
    (here.folder / "members.toml").write_text(ended, encoding="utf-8")
    applied = here.cibx("apply", "members.toml")
    assert applied.returncode == 0, applied.stderr
    assert beta.get(path(1)).status == 401


def activate(server: RestartedExchange) -> None:
    """A version by which legitimate interests need a record of consent too, made active at once (it only narrows)."""
    texts = dict(texts_of(Path(policies.__file__).parent))
    file = next(name for name in texts if name.endswith("eu_gdpr.toml") and 'evidence = ["lia"]' in texts[name])
    texts[file] = texts[file].replace('evidence = ["lia"]', 'evidence = ["lia", "consent"]')
    for wrong in [case for case in run_cases(packs_of(texts)) if case.fault]:
        head, *cases = texts[wrong.file].split("[[cases]]")
        texts[wrong.file] = "[[cases]]".join([head, *(one for one in cases if f'name = "{wrong.name}"' not in one)])
    exchange = Exchange(Settings(server.database_url))
    changes = exchange.policy_changes()
    changes.propose(texts, "Ana", "a test")
    changes.advance(packs_of(texts).digest[:12], Stage.ACTIVE, "Ana", "a test")
    exchange.engine.dispose()


def test_a_members_limit_is_one_for_both_servers(pair: Pair) -> None:
    callers = [server.caller("delta") for server in pair]
    statuses = [callers[at % 2].get("/taxii2/").status for at in range(50)]
    assert set(statuses) == {200, 429}
    assert 30 <= statuses.count(200) < 45, "each server for itself would let in all 50"


def test_webhooks_go_on_in_order_when_a_server_is_killed_and_repeat_at_most_what_was_under_way(pair: Pair) -> None:
    here, there = pair
    with receiving_webhooks() as receiver:
        post(there.caller("gamma"), "/api/v1/webhooks", {"collection": collection_id(lane(2)), "url": receiver.url})
        pusher, pushed, got = there.caller("alpha"), [], []
        for number in range(12):
            objects = [indicator() for _ in range(3)]
            told(pusher.push(path(2), objects))
            pushed += [one["id"] for one in objects]
            if number == 5:
                got.append([one["id"] for one in receiver.next()[1]["data"]["objects"]])  # more is under way
                here.kill()
        while got[-1][-1] != pushed[-1]:
            got.append([one["id"] for one in receiver.next()[1]["data"]["objects"]])
        assert receiver.got.empty()
    here.start()
    first = list(dict.fromkeys(identity for ids in got for identity in ids))
    assert first == pushed, "each object, in the order of adding"
    repeated = sum(len(ids) for ids in got) - len(pushed)
    assert repeated <= max(map(len, got)), "what one message held may come again"


def test_of_processes_that_are_due_at_once_one_sweeps(pair: Pair) -> None:
    engines = [open_engine(pair[0].database_url) for _ in range(4)]
    for turn in range(1, 6):
        now = microseconds("2090-01-01T00:00:00Z") + turn * 60_000_000
        barrier = threading.Barrier(len(engines))

        def take(engine: Any, now: int = now, barrier: threading.Barrier = barrier) -> bool:
            barrier.wait()
            return take_turn(engine, now)

        with ThreadPoolExecutor(len(engines)) as pool:
            assert sorted(pool.map(take, engines)) == [False, False, False, True]
    for engine in engines:
        engine.dispose()


@contextmanager
def proxy(servers: Pair, folder: Path) -> Iterator[int]:
    """nginx with docker/proxy.conf before both servers; gives its port. Skips where there is no nginx."""
    program, port = shutil.which("nginx"), free_port()
    if program is None:
        warnings.warn("nginx isn't installed: the proxy before two servers isn't tested.", stacklevel=1)
        pytest.skip("nginx isn't installed (Debian: apt-get install nginx-light)")
    text = (Path(__file__).parents[2] / "docker" / "proxy.conf").read_text(encoding="utf-8")
    for old, new in (("server exchange:8080;", " ".join(f"server 127.0.0.1:{one.port};" for one in servers)),
                     ("listen 8081;", f"listen 127.0.0.1:{port};"), ("/tmp/", f"{folder}/")):
        assert old in text
        text = text.replace(old, new)
    (folder / "proxy.conf").write_text(text, encoding="utf-8")
    with open(folder / "nginx.log", "wb") as said:
        process = subprocess.Popen([program, "-e", "stderr", "-c", str(folder / "proxy.conf"), "-g", "daemon off;"],
                                   stdout=said, stderr=said)
    try:
        end = time.monotonic() + 30
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def test_behind_the_proxy_nobody_notices_that_a_server_is_gone(pair: Pair, tmp_path: Path) -> None:
    here, there = pair
    with proxy(pair, tmp_path) as port:
        alpha = HttpCaller(port, here.caller("alpha").authorization)
        pushed = [indicator() for _ in range(8)]
        for at, one in enumerate(pushed):
            if at == 4:
                here.kill()
            told(alpha.push(path(3), [one]))
            assert told(alpha.get(path(3))).ids == [one["id"] for one in pushed[: at + 1]]
        assert told(there.caller("gamma").get(path(3))).ids == [one["id"] for one in pushed]
        alpha.close()


def test_both_keep_one_log_without_a_gap_and_write_no_traceback(pair: Pair) -> None:
    exchange = Exchange(Settings(pair[0].database_url, log_key=pair[0].settings["CIBX_LOG_KEY"]))
    exchange.notary.run()
    with read(exchange.engine) as connection:
        assert log.unplaced(connection, log.cursor(connection, "size")) is None
        assert len(log.all_checkpoints(connection)) > 1
    exchange.engine.dispose()
    for server in pair:
        assert "Traceback" not in server.log(), server.log()[-3_000:]
