"""Members push and follow for half an hour; run by hand, not by CI.

    python -m tests.bench.soak sqlite   --keep DIR                     1,000,000 objects, 200 members, 30 minutes
    python -m tests.bench.soak postgres --keep DIR --servers 2         two servers on one PostgreSQL
    python -m tests.bench.soak sqlite --objects 20000 --members 20 --followers 8 --pushers 2 --minutes 1

The objects are pushed through ``Exchange.push`` first, with all checks: a million takes some two minutes on two quiet
cores, ten on busy ones (90 us of CPU each); ``--keep DIR`` keeps them, so that the next run in that folder begins at
once (give a short path, which others may enter: PostgreSQL's socket lies in it). Of the
followers one in 16 is ``Client.follow`` from the very beginning, one in 16 pages by ``next`` from there, one in 16 is
a webhook, a quarter are event streams, the others ask for what came after the last date they saw; with several
servers these take turns between them. All other members ask for the newest ten objects now and then.

At the end each follower has everything that the policy entitles it to, once, in order, and nothing else; answers
other than 200, 202 and a 429 or 503 with Retry-After are faults. The memory of each server process is sampled. What
was found is printed as JSON; the exit code is 1 where a follower isn't ``ok``, or a process isn't ``flat`` in a run of
ten minutes or more (caches fill before). Everything is on the loopback address, and ends by itself.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.bench.soak_clients import Bystanders, Hook, Library, Member, Poller, Pusher, Streamer
from tests.bench.soak_members import description, secrets
from tests.bench.soak_place import WRITERS, Loaded, Memory, cpu_seconds, database, newest_date, preload
from tests.bench.soak_tally import Pushed, quantiles
from tests.e2e.exchange_process import ExchangeProcess
from tests.e2e.ports import free_port
from tests.fakes.webhook_receiver import receiving_webhooks

_SETTLE_SECONDS = 90
_JUDGES_MEMORY = 10.0
"""Minutes."""


def main() -> None:
    """Preload, run, judge, print."""
    given = read_arguments()
    with ExitStack() as stack:
        folder = given.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cibx-soak-")))
        folder.mkdir(exist_ok=True)
        url, postgres = stack.enter_context(database(given.engine, folder))
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CIBX_")} | {
            "CIBX_DATABASE_URL": url, "CIBX_WEBHOOK_NETWORKS": "127.0.0.0/8", "CIBX_LOG_KEY": str(folder / "log-key"),
            "CIBX_SEAL_KEY": str(folder / "seal-key"), "CIBX_ERASURES": str(folder / "erasures"),
            **secrets(given.members),
        }
        servers = [ExchangeProcess(folder, environment, given.workers, free_port()) for _ in range(given.servers)]
        loaded = Loaded.read(folder)
        if loaded.members != given.members:
            servers[0].apply(description(given.members))
            loaded.members = given.members
        seconds = preload(environment, loaded, given.objects, given.loaders)
        say(f"{loaded.next:,} objects are there; {seconds:,.0f} s")
        for server in servers:
            server.start()
            stack.callback(server.stop)
        found = Soak(given, servers, loaded, folder, stack).run(None if postgres is None else postgres.folder)
        found["preload_s"] = round(seconds, 1)
        faulty = [server.port for server in servers if "Traceback" in server.log()]
    found["ok"] = found["ok"] and not faulty and (found["flat"] or given.minutes < _JUDGES_MEMORY)
    found["tracebacks"] = len(faulty)
    print(json.dumps(found, indent=1))
    sys.exit(0 if found["ok"] else 1)


def read_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("engine", choices=("sqlite", "postgres"))
    parser.add_argument("--objects", type=int, default=1_000_000, help="preloaded objects")
    parser.add_argument("--members", type=int, default=200)
    parser.add_argument("--followers", type=int, default=64)
    parser.add_argument("--pushers", type=int, default=8)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--servers", type=int, default=1, help="more than one on PostgreSQL alone")
    parser.add_argument("--workers", type=int, default=2, help="worker processes of each server")
    parser.add_argument("--loaders", type=int, default=2, help="processes that preload")
    parser.add_argument("--rate", type=float, default=10.0, help="objects a second of each pusher")
    parser.add_argument("--envelope", type=int, default=20, help="objects of one push")
    parser.add_argument("--pause", type=float, default=2.0, help="seconds between two looks of a poller")
    parser.add_argument("--bystanders", type=float, default=10.0, help="requests a second of all other members together")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the database there, and use what is there")
    given = parser.parse_args()
    if given.members < max(WRITERS, given.pushers) + given.followers:
        parser.error("--members must be more: followers contributed nothing themselves")
    if given.servers > 1 and given.engine == "sqlite":
        parser.error("several servers need PostgreSQL")
    return given


def say(sentence: str) -> None:
    """Progress, apart from the figures."""
    print(f"{time.strftime('%H:%M:%S')} {sentence}", file=sys.stderr, flush=True)


class Soak:
    """One run over servers that are up."""

    def __init__(self, given: argparse.Namespace, servers: list[ExchangeProcess], loaded: Loaded, folder: Path,
                 stack: ExitStack) -> None:
        self._given = given
        self._servers = servers
        self._ports = [server.port for server in servers]
        self._loaded = loaded
        self._folder = folder
        self._stack = stack
        self._pushed = Pushed(loaded.next, set(loaded.unknown))
        self._quiet, self._ending = threading.Event(), threading.Event()
        self._after = newest_date(servers[0].environment["CIBX_DATABASE_URL"])

    def run(self, postgres: Path | None) -> dict[str, Any]:
        """Start everybody, wait, let followers catch up, judge."""
        given, begin = self._given, time.monotonic()
        followers = self._followers()
        pushers = [Pusher(self._ports[at % len(self._ports)], at, self._pushed, self._quiet, given.rate, given.envelope)
                   for at in range(given.pushers)]
        bystanders = Bystanders(self._ports[0], given.members, self._pushed, self._ending, after=self._after,
                                rate=given.bystanders)
        roots = {f"server {at + 1}": server.process.pid for at, server in enumerate(self._servers) if server.process}
        if postgres is not None:
            roots["postgres"] = int((postgres / "data" / "postmaster.pid").read_text().split()[0])
        memory, spent = Memory(roots), {name: cpu_seconds(pid) for name, pid in roots.items()}
        for thread in (memory, *followers, *pushers, bystanders):
            thread.start()
        self._quiet.wait(given.minutes * 60)
        self._quiet.set()
        for pusher in pushers:
            pusher.join(120)
        say(f"{self._pushed.next - self._loaded.next:,} objects were pushed; followers catch up")
        self._settle(followers)
        trend = memory.end()
        cpu = {name: round(cpu_seconds(pid) - spent[name], 1) for name, pid in roots.items()}
        self._ending.set()
        for thread in (*followers, bystanders):
            thread.join(60)
        return self._judged(followers, pushers, bystanders) | {
            "memory": trend, "flat": all(one["flat"] for one in trend.values()), "cpu_s": cpu,
            "client_cpu_s": round(sum(os.times()[:2]), 1), "elapsed_s": round(time.monotonic() - begin, 1),
        }

    def _followers(self) -> list[Member]:
        given, pushed, ending, new = self._given, self._pushed, self._ending, self._loaded.next
        few = max(1, given.followers // 16)
        kinds = ["library", "next", "webhook"] * few + ["stream"] * (given.followers // 4)
        made: list[Member] = []
        for at, kind in enumerate((kinds + ["poll"] * given.followers)[:given.followers]):
            member, port = max(WRITERS, given.pushers) + at, self._ports[at % len(self._ports)]
            if kind == "library":
                made.append(Library(port, member, pushed, ending, self._checkpoints(), given.pause))
            elif kind == "webhook":
                receiver = self._stack.enter_context(receiving_webhooks())
                made.append(Hook(port, member, pushed, ending, receiver, after=self._after, begins=new))
            elif kind == "stream":
                made.append(Streamer(port, member, pushed, ending, after=self._after, begins=new))
            else:
                early = kind == "next"
                turns = self._ports[at % len(self._ports):] + self._ports[:at % len(self._ports)]
                made.append(Poller(turns, member, pushed, ending, after="" if early else self._after,
                                   begins=0 if early else new, pause=given.pause, by_next=early))
        return made

    def _checkpoints(self) -> Path:
        return Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="cibx-soak-places-")))

    def _settle(self, followers: list[Member]) -> None:
        """Wait until nobody got anything new for a while, or for as long as it may take."""
        end, before, still = time.monotonic() + _SETTLE_SECONDS, -1, 0
        while time.monotonic() < end and still < 3:
            time.sleep(self._given.pause + 1)
            count = sum(sum(one.tally.counts) for one in followers)
            still = still + 1 if count == before else 0
            before = count

    def _judged(self, followers: list[Member], pushers: list[Pusher], bystanders: Bystanders) -> dict[str, Any]:
        judged = [one.tally.judged(self._pushed) for one in followers]
        for one in (*pushers, bystanders):
            one.tally.begins = self._pushed.next
        others = [one.tally.judged(self._pushed) for one in (*pushers, bystanders)]
        taken = self._pushed.next - self._loaded.next
        self._loaded.next, self._loaded.unknown = self._pushed.next, sorted(self._pushed.unknown)
        self._loaded.keep()
        kinds = Counter(one["kind"] for one in judged)
        return {
            "ok": all(one["ok"] for one in (*judged, *others)), "pushed": taken, "without_answer": len(self._pushed.unknown),
            "kinds": dict(kinds), "entitled": sum(one["entitled"] for one in judged),
            **{what: sum(one[what] for one in judged) for what in (
                "seen", "missed", "duplicates", "delivered_again", "not_entitled", "before_begin", "backwards")},
            "errors": sum(one["errors"] for one in (*judged, *others)),
            "refused": dict(sum((Counter(one["refused"]) for one in (*judged, *others)), Counter())),
            "requests": sum(one["asked"] for one in (*judged, *others)),
            "push_s": quantiles([second for one in pushers for second in one.seconds]),
            "lag_s": {kind: quantiles([lag for one in followers if one.tally.kind == kind for lag in one.tally.lags])
                      for kind in kinds},
            "faulty": [one for one in (*judged, *others) if not one["ok"]],
        }


if __name__ == "__main__":
    main()
