"""Times the matcher on a made-up platform: ``python tests/bench/bench_matcher.py [--accounts N] [--memory 4GB]``.

Prints one JSON object: rows of the world, wall seconds by step, and the peak memory of a process of its own that
does nothing but match. With ``--keep DIR`` the world stays there and is used again. A world is made in memory; larger
ones are copies of one, laid side by side in bounded memory: ten million accounts are ``--copies 10``.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from side_by_side import lay_copies

from exchange.matcher.bundle import read_objects
from exchange.matcher.run import Options, match
from exchange.matcher.world import make_world
from exchange.matcher.world.make import AT, FEED


def peak_mb() -> int:
    """Most memory this process ever held (ru_maxrss would count the parent's at the fork)."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) // 1024


def matched(folder: Path, memory: str | None, threads: int) -> dict[str, object]:
    """One run in this process."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as out:
        options = Options(at=AT, memory=memory, threads=threads)
        report = match(read_objects(folder / FEED), folder, Path(out), options)
    return {
        "wall_seconds": round(time.perf_counter() - start, 1),
        "cpu_seconds": round(time.process_time(), 1),
        "peak_rss_mb": peak_mb(),
        **{key: report.as_json()[key] for key in (
            "seconds", "accounts", "accounts_with_evidence", "accounts_likely", "indicators_used", "hits", "engine")},
        "rows": {name: table.read for name, table in report.tables.items()},
    }


def main() -> None:
    """Make the world here, match in a child."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--accounts", type=int, default=1_000_000)
    arguments.add_argument("--seed", type=int, default=5)
    arguments.add_argument("--difficulty", type=float, default=0.5)
    arguments.add_argument("--copies", type=int, default=1, help="Times the accounts: that many copies side by side.")
    arguments.add_argument("--memory")
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--keep", type=Path)
    arguments.add_argument("--only-match", type=Path, help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.only_match:
        print(json.dumps(matched(given.only_match, given.memory, given.threads)))
        return
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        folder = given.keep or Path(scratch)
        made: dict[str, object] = {}
        if not (folder / FEED).exists():
            start = time.perf_counter()
            first = folder if given.copies == 1 else Path(stack.enter_context(tempfile.TemporaryDirectory()))
            world = make_world(first, accounts=given.accounts, seed=given.seed, difficulty=given.difficulty)
            if given.copies > 1:
                lay_copies(first, folder, given.copies)
            made = {key: str(value) for key, value in asdict(world).items()}
            made["seconds"] = round(time.perf_counter() - start, 1)
            made["peak_rss_mb"] = peak_mb()
        command = [sys.executable, __file__, "--only-match", str(folder), "--threads", str(given.threads)]
        command += ["--memory", given.memory] if given.memory else []
        child = subprocess.run(command, check=True, capture_output=True, text=True)
        print(json.dumps({"world": made, "match": json.loads(child.stdout)}, indent=1))


if __name__ == "__main__":
    main()
