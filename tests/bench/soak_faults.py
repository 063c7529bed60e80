"""Kills the server again and again while members push and follow; run by hand, not by CI.

    python -m tests.bench.soak_faults sqlite --workers 2 --kills 100 --seed 7
    python -m tests.bench.soak_faults postgres --kills 100 --kill-database

Four writers push envelopes of 1 to 1,000 objects, one follower asks by the last date it saw and one by ``next``.
At the end everything acknowledged must be there once, whole, in the order that the followers saw, with its
status and event. PostgreSQL runs with fsync, in a temporary folder.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.e2e.followed_writers import Run
from tests.e2e.restarted_exchange import RestartedExchange, own_postgres, postgres_programs


def main() -> None:
    """Run the soak; stops at the first thing that isn't as it must be."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("engine", choices=("sqlite", "postgres"))
    arguments.add_argument("--workers", type=int, default=2)
    arguments.add_argument("--kills", type=int, default=50)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--kill-database", action="store_true", help="stop PostgreSQL at once now and then, too")
    given = arguments.parse_args()
    chance = random.Random(given.seed)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url, server = f"sqlite:///{folder / 'cibx.db'}", None
        if given.engine == "postgres":
            programs = postgres_programs()
            assert programs is not None, "PostgreSQL isn't installed"
            server = stack.enter_context(own_postgres(programs))
            url = server.url()
        exchange = RestartedExchange(folder, url, given.workers)
        stack.callback(exchange.kill)
        exchange.describe_members()
        exchange.start()
        run = Run(exchange, seed=given.seed)
        run.begin()
        for number in range(given.kills):
            time.sleep(chance.expovariate(1.0))
            exchange.kill()
            if given.kill_database and server is not None and chance.random() < 0.3:
                server.stop()
                server.start()
            exchange.start()
            print(f"\r{number + 1} kills, {len(run.sent):,} pushes", end="", flush=True)
        run.end()
        objects = run.check()
        statuses = run.check_statuses()
        run.check_events(objects)
        print(f"\n{objects:,} objects, {statuses:,} acknowledged pushes: all there, once, in one order")
        assert "Traceback" not in exchange.log(), exchange.log()[-3_000:]


if __name__ == "__main__":
    main()
