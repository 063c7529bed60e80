"""Writers and followers that live through the server's deaths, and what must be true of the store afterwards."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.http_caller import Answer, HttpCaller, envelope
from tests.e2e.restarted_exchange import RestartedExchange
from tests.e2e.stix_objects import Object, indicator

WRITERS = ("alpha", "alpha-two", "beta", "delta")
_PAUSE = 0.05


@dataclass
class Sent:
    """One envelope: what was in it, and the answer that acknowledged it, if one came."""

    key: str
    objects: list[Object]
    answer: Answer | None = None


@dataclass
class Run:
    """Writers and followers of one collection of one exchange."""

    exchange: RestartedExchange
    sizes: tuple[int, ...] = (1, 1, 1, 40, 1_000)
    seed: int = 0
    rest: float = 0.0
    """Seconds that a writer rests after each push."""
    stopping: threading.Event = field(default_factory=threading.Event)
    quiet: threading.Event = field(default_factory=threading.Event)
    """Nothing more will be pushed: followers end at their next empty page."""
    sent: list[Sent] = field(default_factory=list)
    refused: list[Answer] = field(default_factory=list)
    """Answers that were neither 202 nor 503 nor 507."""
    seen: dict[str, list[str]] = field(default_factory=dict)
    """Follower to ids in the order it met them."""
    _threads: list[threading.Thread] = field(default_factory=list)

    def begin(self, writers: Iterable[str] = WRITERS) -> None:
        """Start four writers and two followers."""
        for key in writers:
            self._threads.append(threading.Thread(target=self._write, args=(key,), daemon=True))
        for how in ("added_after", "next"):
            self.seen[how] = []
            self._threads.append(threading.Thread(target=self._follow, args=(how,), daemon=True))
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Stop the writers, let the followers catch up; the server must be up."""
        self.stopping.set()
        for thread in self._threads[:-2]:
            thread.join(60)
        self.quiet.set()
        for thread in self._threads[-2:]:
            thread.join(60)
        assert not any(thread.is_alive() for thread in self._threads), "a writer or follower hangs"

    def _write(self, key: str) -> None:
        chance = random.Random(f"{self.seed}{key}")
        caller = self.exchange.caller(key)
        while not self.stopping.is_set():
            sent = Sent(key, [indicator() for _ in range(chance.choice(self.sizes))])
            self.sent.append(sent)
            body = envelope(sent.objects)
            while not self.stopping.is_set():
                answer = asked(lambda: caller.post(self.exchange.lane + "objects/", body))  # noqa: B023 - called at once
                if answer is not None and answer.status == 202:
                    sent.answer = answer
                    self.stopping.wait(self.rest)
                    break
                if answer is not None and answer.status not in {503, 507}:
                    self.refused.append(answer)
                    break
                caller.close()
                time.sleep(_PAUSE)
                if chance.random() < 0.5:
                    break  # given up: it must be there whole or not at all
        caller.close()

    def _follow(self, how: str) -> None:
        caller = self.exchange.caller("gamma")
        path = self.exchange.lane + "objects/"
        last: str | None = None
        token: str | None = None
        while True:
            ending = self.quiet.is_set()
            query: dict[str, Any] = {"limit": "300"}
            if token is not None:
                query["next"] = token
            elif last is not None:
                query["added_after"] = last
            answer = asked(lambda: caller.get(path, query))  # noqa: B023 - called at once
            if answer is None or answer.status in {503, 507}:
                caller.close()
                time.sleep(_PAUSE)
                continue
            if answer.status != 200:
                self.refused.append(answer)
                return
            self.seen[how] += answer.ids
            last = answer.last or last
            token = answer.json.get("next") if how == "next" else None
            if not answer.ids:
                if ending:
                    return
                time.sleep(_PAUSE)

    # -- what must be true

    def check(self) -> int:
        """Check what was acknowledged against what is there; gives the number of objects. Followers have ended."""
        assert not self.refused, self.refused[:3]
        listed = everything(self.exchange)
        ids = [one["id"] for one in listed]
        assert len(ids) == len(set(ids)), "an object is there twice"
        there = {one["id"]: one for one in listed}
        for sent in list(self.sent):
            found = [there.get(one["id"]) for one in sent.objects]
            if sent.answer is not None:
                assert found == sent.objects, f"an acknowledged push of {len(found)} objects isn't there"
            else:
                assert all(found) or not any(found), "half of an envelope is there"
        for how, seen in self.seen.items():
            assert seen == ids, f"the follower by {how} has {len(seen)} of {len(ids)}"
        return len(ids)

    def check_statuses(self) -> int:
        """Every acknowledged push has the status resource that its answer had."""
        acknowledged = [s for s in self.sent if s.answer is not None]
        callers = {key: self.exchange.caller(key) for key in WRITERS}
        for sent in acknowledged:
            assert sent.answer is not None
            status = callers[sent.key].get(f"/taxii2/lanes/status/{sent.answer.json['id']}/")
            assert status.status == 200, (status, sent.answer.json["id"])
            assert status.json == sent.answer.json
            assert status.json["success_count"] == len(sent.objects)
        return len(acknowledged)

    def check_events(self, objects: int) -> None:
        """The events of the collection add up to what it holds."""
        added = [e["added"] for e in pushes_recorded(self.exchange)]
        assert sum(added) == objects
        acknowledged = sum(1 for s in self.sent if s.answer is not None)
        assert len(added) >= acknowledged


def asked(ask: Any) -> Answer | None:
    """The answer, or None where the server is away or died meanwhile."""
    try:
        answer: Answer = ask()
        json.loads(answer.body)
    except (OSError, AssertionError, ValueError):
        return None
    return answer


def everything(exchange: RestartedExchange, key: str = "gamma") -> list[Object]:
    """All objects of the collection in their order."""
    caller: HttpCaller = exchange.caller(key)
    found: list[Object] = []
    query: dict[str, str] = {}
    while True:
        answer = caller.get(exchange.lane + "objects/", query)
        assert answer.status == 200, answer
        found += answer.objects
        if not answer.json.get("more"):
            caller.close()
            return found
        query = {"next": answer.json["next"]}


def pushes_recorded(exchange: RestartedExchange) -> list[dict[str, Any]]:
    """The details of the collection's push events, read from the database itself."""
    from sqlalchemy import text

    from exchange.store.engine import open_engine, read

    engine = open_engine(exchange.database_url)
    with read(engine) as connection:
        rows = connection.execute(text("SELECT detail FROM event WHERE kind = 'push' ORDER BY number")).scalars()
        details = [json.loads(row) for row in rows]
    engine.dispose()
    return [d for d in details if d["collection"] == exchange.lane_id]
