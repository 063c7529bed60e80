"""What follows a collection through the server's deaths: ``cibx follow`` into files and lines, a stream, a webhook."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from tests.e2e.members import SECRETS
from tests.e2e.restarted_exchange import RestartedExchange
from tests.fakes.webhook_receiver import WebhookReceiver

SHORT_LEASE = "import exchange.webhooks.dispatch as dispatch\ndispatch._LEASE = 3_000_000\n"
"""For ``RestartedExchange.before``: a webhook that a killed server held is taken up after 3 s, not 120."""
SETTINGS = {"CIBX_WEBHOOK_NETWORKS": "127.0.0.0/8", "CIBX_LOG_SECONDS": "1"}
_FOLLOW = [sys.executable, "-c", "from exchange.cli.main import main; main()", "follow"]
_KEY = "beta"
_PATIENCE_SECONDS = 900
"""A soak's hundred thousand files are read through on a machine that may have other things to do."""


@dataclass
class Consumers:
    """Four ways to follow ``exchange.lane``, all by one member; each must get everything, in order."""

    exchange: RestartedExchange
    receiver: WebhookReceiver
    streamed: list[str] = field(default_factory=list)
    """Ids in the order in which the stream gave them, over all its connections."""
    _runs: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _ending: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    @property
    def folder(self) -> Path:
        """Where ``cibx follow --out`` writes."""
        return self.exchange.folder / "followed"

    @property
    def lines(self) -> Path:
        """What ``cibx follow --jsonl`` wrote, over all its runs."""
        return self.exchange.folder / "followed.jsonl"

    def begin(self) -> None:
        """Start them; the server must be up."""
        body = json.dumps({"collection": self.exchange.lane_id, "url": self.receiver.url}).encode()
        caller = self.exchange.caller(_KEY)
        made = caller.post("/api/v1/webhooks", body, content_type="application/json", accept=None)
        assert made.status == 201, made
        for how in ("out", "jsonl"):
            self._follow(how)
        self._thread = threading.Thread(target=self._stream, daemon=True)
        self._thread.start()

    def kill(self, how: str) -> None:
        """SIGKILL to one ``cibx follow`` (out or jsonl), and start it again."""
        self._runs[how].kill()
        self._runs[how].wait()
        self._follow(how)

    def stop(self) -> None:
        """End whatever still runs."""
        self._ending.set()
        for run in self._runs.values():
            run.send_signal(signal.SIGINT)
        for run in self._runs.values():
            try:
                run.wait(30)
            except subprocess.TimeoutExpired:
                run.kill()
                run.wait()

    def check(self, ids: Sequence[str]) -> None:
        """Wait until each has all of these, the collection's ids in their order; then compare. Stops them."""
        wanted, hooked = set(ids), []
        _wait("the stream", lambda: len(self.streamed) >= len(ids))
        _wait("cibx follow --jsonl", lambda: wanted <= set(self._in_lines()))
        _wait("the webhook", lambda: wanted <= set(self._drained(hooked)))
        _wait("cibx follow --out", lambda: wanted <= self._in_files())
        self.stop()
        assert self.streamed == list(ids), "the stream missed, repeated or disordered something"
        assert list(dict.fromkeys(self._in_lines())) == list(ids)
        assert list(dict.fromkeys(hooked)) == list(ids)
        assert self._in_files() == wanted

    def proof(self) -> str:
        """What ``cibx follow --verify`` says of the folder, which no follower may be using."""
        done = subprocess.run([*_FOLLOW, *self._arguments("out"), "--verify"], env=self._environment, check=False,
                              capture_output=True, text=True, timeout=_PATIENCE_SECONDS)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _follow(self, how: str) -> None:
        with self.lines.open("ab") as out, (self.exchange.folder / f"follow-{how}.log").open("ab") as log:
            self._runs[how] = subprocess.Popen(
                [*_FOLLOW, *self._arguments(how), "--poll", "0.2"], env=self._environment, stdout=out, stderr=log)

    def _arguments(self, how: str) -> list[str]:
        place = ["--out", str(self.folder)] if how == "out" else [
            "--jsonl", "--checkpoint", str(self.exchange.folder / "jsonl.json")]
        return [f"http://127.0.0.1:{self.exchange.port}{self.exchange.lane}", "--user", _KEY, "--no-notices", *place]

    @property
    def _environment(self) -> dict[str, str]:
        return self.exchange.environment | {"CIBX_TOKEN": SECRETS[_KEY]}

    def _in_files(self) -> set[str]:
        """Ids that have a folder; ``glob`` finds nothing where the first page isn't written yet."""
        return {path.name for path in self.folder.glob("indicator/*")}

    def _in_lines(self) -> list[str]:
        """Ids of whole lines: one that a kill cut short isn't a line, and its object comes again."""
        found = []
        for line in self.lines.read_bytes().split(b"\n"):
            if line.endswith(b"}"):
                try:
                    found.append(str(json.loads(line)["id"]))
                except ValueError:
                    continue
        return found

    def _drained(self, hooked: list[str]) -> list[str]:
        while not self.receiver.got.empty():
            _, body = self.receiver.got.get()
            hooked += [str(one["id"]) for one in json.loads(body)["data"]["objects"]]
        return hooked

    def _stream(self) -> None:
        url = f"http://127.0.0.1:{self.exchange.port}/api/v1/collections/{self.exchange.lane_id}/stream"
        last = ""
        while not self._ending.is_set():
            try:
                with requests.get(url, headers={"Last-Event-ID": last} if last else {}, auth=(_KEY, SECRETS[_KEY]),
                                  stream=True, timeout=20) as response:
                    if response.status_code == 200:
                        for place, stix_id in _events(response):
                            self.streamed.append(stix_id)
                            last = place
                            if self._ending.is_set():
                                return
            except requests.RequestException:
                pass
            time.sleep(0.05)


def _events(response: requests.Response) -> Any:
    """(place, id of the object) of each whole event."""
    place, data = "", ""
    for line in response.iter_lines(chunk_size=4096, decode_unicode=True):
        name, _, value = line.partition(": ")
        if name == "id":
            place = value
        elif name == "data":
            data += value
        elif not line:
            if place and data:
                yield place, str(json.loads(data)["id"])
            place, data = "", ""


def _wait(who: str, done: Callable[[], bool]) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while not done():
        assert time.monotonic() < end, f"{who} hasn't got everything"
        time.sleep(0.1)
