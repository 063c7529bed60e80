"""What idle keep-alive connections cost the worker that holds them, in memory: ``python -m tests.bench.bench_idle_connections``.

One worker, 4,900 connections of one member on loopback. Each asks so often (0: it only connected), and the directory
changes so often meanwhile; then the worker's own memory is read. Needs ``ulimit -n`` of 11,000.
"""

from __future__ import annotations

import argparse
import socket
import tempfile
import time
from pathlib import Path

from tests.e2e.exchange_process import ExchangeProcess, serving
from tests.e2e.http_caller import basic
from tests.e2e.members import SECRETS, lane

_EMPTY = f"/taxii2/lanes/collections/{lane(0)}/objects/?added_after=2030-01-01T00:00:00Z"


def main() -> None:
    """Print a line for each way to be idle."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=4_900)
    given = parser.parse_args()
    for asks, path, changes in ((0, _EMPTY, 0), (1, "/taxii2/", 0), (1, _EMPTY, 0), (3, _EMPTY, 0), (3, _EMPTY, 30)):
        with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as served:
            before, after, seconds = held(served, given.connections, asks, path, changes)
        print(f"{asks} × GET {path.partition('?')[0]}, {changes} changes of the directory, in {seconds:.0f} s:"
              f" {before:,.0f} kB before, {after:,.0f} kB after, {(after - before) / given.connections:.1f} kB a connection",
              flush=True)


def held(served: ExchangeProcess, count: int, asks: int, path: str, changes: int) -> tuple[float, float, float]:
    """Memory (kB) of the worker before and after the connections, and how many seconds they took."""
    ask = (f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/taxii+json;version=2.1\r\n"
           f"Authorization: {basic('beta', SECRETS['beta'])}\r\n\r\n").encode()
    warm = [connected(served, ask, 3) for _ in range(50)]
    before, begun, held_open = memory(served), time.monotonic(), []
    try:
        for number in range(count):
            if changes and number % (count // changes) == 0:
                served.cibx("org", "add", f"org-{number}", "--name", "Lorem", "--kind", "platform", "--jurisdiction", "IE")
            held_open.append(connected(served, ask, asks))
        time.sleep(1)
        return before, memory(served), time.monotonic() - begun
    finally:
        for one in (*warm, *held_open):
            one.close()


def connected(served: ExchangeProcess, ask: bytes, asks: int) -> socket.socket:
    """An open connection that has its answers."""
    made = socket.create_connection(("127.0.0.1", served.port), timeout=30)
    for _ in range(asks):
        made.sendall(ask)
        answer = made.recv(65_536)
        if not answer.startswith(b"HTTP/1.1 200"):
            raise SystemExit(answer.decode("latin-1"))
    return made


def memory(served: ExchangeProcess) -> float:
    """Unshared memory (kB) of the one worker."""
    assert served.process is not None
    (worker,) = Path(f"/proc/{served.process.pid}/task/{served.process.pid}/children").read_text().split()
    told = Path(f"/proc/{worker}/smaps_rollup").read_text()
    return float(sum(int(line.split()[1]) for line in told.splitlines() if line.startswith("Private_")))


if __name__ == "__main__":
    main()
