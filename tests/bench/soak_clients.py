"""Who pushes and who follows in the soak; each is a thread that keeps a tally of its own."""

from __future__ import annotations

import json
import threading
import time
from abc import abstractmethod
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from queue import Empty
from typing import Any

from exchange.client import Client
from exchange.client.follow import Pace
from exchange.errors import ExchangeError
from tests.bench.soak_members import COLLECTION, INNER, OBJECTS, caller, made_up, name, numbers_in, secret
from tests.bench.soak_tally import Pushed, Tally
from tests.e2e.http_caller import Answer
from tests.fakes.webhook_receiver import WebhookReceiver

_FAULTS = (OSError, AssertionError, HTTPException, ValueError)
_BACK_OFF = 1.0


class _Ended(Exception):  # noqa: N818 - no error: it is how a follower's loop is left
    """The run is over."""


class Member(threading.Thread):
    """One client on one server's port; ``ending`` tells it to stop."""

    def __init__(self, kind: str, port: int, member: int, pushed: Pushed, ending: threading.Event, begins: int) -> None:
        super().__init__(daemon=True, name=f"{kind} {member}")
        self.port = port
        self.member = member
        self.pushed = pushed
        self.ending = ending
        self.tally = Tally(kind, member, begins)

    def run(self) -> None:
        """Go on until the run ends; what isn't an answer is noted, and it goes on."""
        while not self.ending.is_set():
            try:
                self.go()
            except _Ended:
                return
            except (*_FAULTS, ExchangeError) as fault:
                if not self.ending.is_set():
                    self.tally.fail(f"{type(fault).__name__}: {fault}")
                    self.ending.wait(_BACK_OFF)

    @abstractmethod
    def go(self) -> None:
        """Work until told to stop."""

    def rest(self, seconds: float) -> None:
        """Wait, or raise where the run is over."""
        if self.ending.wait(seconds):
            raise _Ended


class Pusher(Member):
    """Pushes envelopes of new objects, so many a second; an envelope that wasn't taken is pushed again."""

    def __init__(self, port: int, member: int, pushed: Pushed, ending: threading.Event, rate: float, size: int) -> None:
        super().__init__("pusher", port, member, pushed, ending, 0)
        self._every, self._size = size / rate, size
        self.seconds: list[float] = []
        """How long each acknowledged push took."""

    def go(self) -> None:
        """Push by the clock until the end; the last envelope is brought to its end."""
        own = caller(self.port, self.member)
        self._send(own, [json.dumps(INNER).encode()])
        due = time.monotonic()
        while True:
            due = max(due + self._every, time.monotonic() - self._every)
            self.rest(max(0.0, due - time.monotonic()))
            numbers = self.pushed.take(self._size)
            if self._send(own, [made_up(number) for number in numbers]):
                self.pushed.acknowledge(numbers)

    def _send(self, own: Any, objects: list[bytes]) -> bool:
        for _ in range(60):
            begin = time.monotonic()
            try:
                answer = own.push(OBJECTS, objects)
            except _FAULTS as fault:
                self.tally.fail(f"{type(fault).__name__}: {fault}")
                time.sleep(_BACK_OFF)
                continue
            if self.tally.is_fine(answer, 202):
                if answer.json["failure_count"]:
                    self.tally.fail(f"refused: {answer.json['failures'][:1]}")
                self.seconds.append(time.monotonic() - begin)
                return True
            if not self.tally.refused:
                return False
            time.sleep(float(answer.headers.get("retry-after", 1)))
        return False


class Poller(Member):
    """A TAXII client that asks for what came after the last date it saw; ``by_next`` pages by ``next`` meanwhile.

    With several ``ports`` it takes the next one at each look.
    """

    def __init__(self, ports: list[int], member: int, pushed: Pushed, ending: threading.Event, *, after: str,
                 begins: int, pause: float, by_next: bool) -> None:
        super().__init__("by next" if by_next else "by added_after", ports[0], member, pushed, ending, begins)
        self._callers = [caller(port, member) for port in ports]
        self._after, self._pause, self._by_next = after, pause, by_next
        self._token: str | None = None

    def go(self) -> None:
        """Look, read on while there is more, rest."""
        while True:
            self._callers.append(self._callers.pop(0))
            query = {"limit": "1000"} | ({"added_after": self._after} if self._after else {})
            answer = self._callers[0].get(OBJECTS, query | ({"next": self._token} if self._token else {}))
            if not self.tally.is_fine(answer):
                self.rest(float(answer.headers.get("retry-after", _BACK_OFF)))
                continue
            self.tally.take(numbers_in(answer.body), self.pushed)
            more = b'"more":true' in answer.body[:100] + answer.body[-200:]
            if self._by_next and more:
                self._token = answer.json["next"]
            else:
                self._token, self._after = None, answer.last or self._after
            self.rest(0 if more else self._pause)


class Streamer(Member):
    """Server-sent events; a stream that ended is opened again behind the last event."""

    def __init__(self, port: int, member: int, pushed: Pushed, ending: threading.Event, *, after: str, begins: int) -> None:
        super().__init__("stream", port, member, pushed, ending, begins)
        self._after = after
        self.opened = 0

    def go(self) -> None:
        """One stream."""
        link = HTTPConnection("127.0.0.1", self.port, timeout=60)
        authorization = caller(self.port, self.member).authorization or ""
        resume = {"Last-Event-ID": self._after} if self._after else {}
        link.request("GET", f"/api/v1/collections/{COLLECTION}/stream", headers={"Authorization": authorization, **resume})
        response = link.getresponse()
        self.opened += 1
        if not self.tally.is_fine(Answer(response.status, [(n.lower(), v) for n, v in response.headers.items()], b"")):
            self.rest(float(response.headers.get("Retry-After", _BACK_OFF)))
            return
        last = ""
        while not self.ending.is_set():
            line = response.readline()
            if line.startswith(b"id: "):
                last = line[4:].strip().decode()
            elif line.startswith(b"data: "):
                self.tally.take(numbers_in(line), self.pushed)
                self._after = last or self._after
            elif line.startswith(b"event: end") or not line:
                raise ConnectionError("the stream was ended by the server")
        link.close()


class Hook(Member):
    """A webhook and its receiver; a message that comes again has the same id."""

    def __init__(self, port: int, member: int, pushed: Pushed, ending: threading.Event, receiver: WebhookReceiver, *,
                 after: str, begins: int) -> None:
        super().__init__("webhook", port, member, pushed, ending, begins)
        self._receiver, self._after = receiver, after
        self._messages: set[str] = set()
        self._made = False

    def go(self) -> None:
        """Make the webhook, then count what comes."""
        if not self._made:
            body = {"collection": COLLECTION, "url": self._receiver.url} | ({"after": self._after} if self._after else {})
            own = caller(self.port, self.member)
            answer = own.post("/api/v1/webhooks", json.dumps(body).encode(), "application/json", accept=None)
            self._made = self.tally.is_fine(answer, 201)
        while True:
            try:
                headers, message = self._receiver.got.get(timeout=0.5)
            except Empty:
                self.rest(0)
                continue
            known = headers["webhook-id"] in self._messages
            self._messages.add(headers["webhook-id"])
            self.tally.take(numbers_in(message), self.pushed, allowed_again=known)


class Library(Member):
    """``exchange.client.Client.follow`` from the beginning, as a detection job uses it, notices and all."""

    def __init__(self, port: int, member: int, pushed: Pushed, ending: threading.Event, folder: Path, pause: float) -> None:
        super().__init__("Client.follow", port, member, pushed, ending, 0)
        self._checkpoint, self._pause = folder / f"{name(member)}.json", pause

    def go(self) -> None:
        """Follow; the pause between two looks is where it is ended."""
        client = Client(f"http://127.0.0.1:{self.port}/taxii2/", name(self.member), secret(self.member))
        pace = Pace(poll=self._pause, sleep=self.rest)
        for change in client.follow("soak", checkpoint=self._checkpoint, pace=pace):
            if change.kind == "object" and change.object["type"] == "indicator":
                self.tally.take([int(change.id.removeprefix("indicator--")[:8], 16)], self.pushed)


class Bystanders(Member):
    """All members in turn, each asking once for what is newest: so many requests a second in all."""

    def __init__(self, port: int, members: int, pushed: Pushed, ending: threading.Event, *, after: str, rate: float) -> None:
        super().__init__("bystanders", port, 0, pushed, ending, 0)
        self._members, self._after, self._every = members, after, 1 / rate

    def go(self) -> None:
        """Ask for ten objects, as the next member."""
        at = 0
        own = [caller(self.port, member) for member in range(self._members)]
        while True:
            query = {"limit": "10"} | ({"added_after": self._after} if self._after else {})
            self.tally.is_fine(own[at].get(OBJECTS, query))
            self.tally._last = ""  # another member's answer
            at = (at + 1) % self._members
            self.rest(self._every)
