"""Kills the server again and again while members push and follow; run by hand, not by CI.

    python -m tests.bench.soak_faults sqlite --workers 2 --kills 100 --seed 7
    python -m tests.bench.soak_faults postgres --minutes 15 --pause 1.5 --kill-database

Four writers push envelopes of 1 to 1,000 objects; followers ask by the last date they saw and by ``next``, and two
``cibx follow`` (files, lines; killed now and then too), a stream and a webhook follow as well.
At the end everything acknowledged must be there once, whole, in the order that each of them saw, with its
status, its event and a leaf of the log, which verifies. PostgreSQL runs with fsync, in a temporary folder.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.e2e.followed_writers import Run, everything
from tests.e2e.lasting_consumers import SETTINGS, SHORT_LEASE, Consumers
from tests.e2e.restarted_exchange import PostgresServer, RestartedExchange, own_postgres, postgres_programs
from tests.fakes.webhook_receiver import receiving_webhooks


def main() -> None:
    """Run the soak; stops at the first thing that isn't as it must be."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("engine", choices=("sqlite", "postgres"))
    arguments.add_argument("--workers", type=int, default=2)
    arguments.add_argument("--kills", type=int, default=50)
    arguments.add_argument("--minutes", type=float, default=0.0, help="kill for so long, however often that is")
    arguments.add_argument("--pause", type=float, default=0.0, help="seconds that a writer rests after each push")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--kill-database", action="store_true", help="stop PostgreSQL at once now and then, too")
    given = arguments.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url, server = f"sqlite:///{folder / 'cibx.db'}", None
        if given.engine == "postgres":
            programs = postgres_programs()
            assert programs is not None, "PostgreSQL isn't installed"
            server = stack.enter_context(own_postgres(programs))
            url = server.url()
        exchange = RestartedExchange(folder, url, given.workers, SETTINGS, SHORT_LEASE)
        stack.callback(exchange.kill)
        exchange.describe_members()
        exchange.start()
        run = Run(exchange, seed=given.seed, rest=given.pause)
        consumers = Consumers(exchange, stack.enter_context(receiving_webhooks()))
        stack.callback(consumers.stop)
        consumers.begin()
        run.begin()
        kills = _kill_again_and_again(given, exchange, consumers, run, server)
        run.end()
        print(f"\n{kills} kills; checking", flush=True)
        objects = run.check()
        statuses = run.check_statuses()
        run.check_events(objects)
        consumers.check([one["id"] for one in everything(exchange, "beta")])
        print(consumers.proof().strip(), flush=True)
        verified = exchange.cibx("audit", "verify", seconds=900)
        assert verified.returncode == 0, verified.stdout + verified.stderr
        print(verified.stdout.strip())
        print(f"{objects:,} objects, {statuses:,} acknowledged pushes: all there, once, in one order, for everyone")
        assert "Traceback" not in exchange.log(), exchange.log()[-3_000:]


def _kill_again_and_again(
    given: argparse.Namespace, exchange: RestartedExchange, consumers: Consumers, run: Run,
    server: PostgresServer | None,
) -> int:
    """Kill and start until it was enough; gives how often."""
    chance, end, kills = random.Random(given.seed), time.monotonic() + given.minutes * 60, 0
    while kills < given.kills if not given.minutes else time.monotonic() < end:
        time.sleep(chance.expovariate(0.3 if given.minutes else 1.0))
        exchange.kill()
        if chance.random() < 0.2:
            consumers.kill(chance.choice(("out", "jsonl")))
        if given.kill_database and server is not None and chance.random() < 0.3:
            server.stop()
            server.start()
        exchange.start()
        kills += 1
        print(f"\r{kills} kills, {len(run.sent):,} pushes", end="", flush=True)
    return kills


if __name__ == "__main__":
    main()
