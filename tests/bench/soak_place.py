"""Where the soak runs: a folder with SQLite or PostgreSQL in it, the preloaded objects, the servers and their memory."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import pwd
import statistics
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select

from exchange.errors import UnavailableError
from exchange.settings import read_settings
from exchange.stix.timestamp import from_microseconds
from exchange.store.engine import open_engine, read
from exchange.store.object_tables import FEED
from exchange.wiring import Exchange, prepare
from tests.bench.soak_members import COLLECTION, INNER, made_up, name
from tests.e2e.restarted_exchange import PostgresServer, as_server_user, postgres_programs

_ENVELOPE = 5_000
WRITERS = 8
"""The first members: what is preloaded is theirs."""
_SAMPLE_SECONDS = 5.0


@contextmanager
def database(engine: str, folder: Path) -> Iterator[tuple[str, PostgresServer | None]]:
    """URL of the database in the folder, which stays there; PostgreSQL runs as long as the block, with fsync."""
    if engine == "sqlite":
        yield f"sqlite:///{folder / 'cibx.db'}", None
        return
    programs, inside = postgres_programs(), folder / "pg"
    if programs is None:
        raise SystemExit("PostgreSQL isn't installed.")
    if not (inside / "data").exists():
        inside.mkdir(exist_ok=True)
        if os.geteuid() == 0:
            folder.chmod(0o711)
            os.chown(inside, pwd.getpwnam("postgres").pw_uid, -1)
        as_server_user([str(programs / "initdb"), "-D", str(inside / "data"), "-U", "cibx", "-A", "trust", "-E", "UTF8",
                        "--locale=C.UTF-8"], inside)
    server = PostgresServer(inside, programs)
    server.start()
    try:
        yield server.url(), server
    finally:
        server.stop("fast")


@dataclass
class Loaded:
    """What lies in a kept folder: how many numbers are used, which of them nobody knows of, the newest date."""

    folder: Path
    next: int = 0
    unknown: list[int] = field(default_factory=list)
    members: int = 0

    @classmethod
    def read(cls, folder: Path) -> Loaded:
        """From the folder's note, or nothing."""
        path = folder / "soak.json"
        return cls(folder, **json.loads(path.read_text(encoding="utf-8"))) if path.exists() else cls(folder)

    def keep(self) -> None:
        """Write the note."""
        said = {"next": self.next, "unknown": self.unknown, "members": self.members}
        (self.folder / "soak.json").write_text(json.dumps(said), encoding="utf-8")


def preload(environment: Mapping[str, str], loaded: Loaded, objects: int, loaders: int) -> float:
    """Push objects through ``Exchange.push`` until so many are there; gives seconds."""
    begin = time.monotonic()
    prepare(read_settings(environment))
    if loaded.next == 0:
        for writer in range(WRITERS):
            _push(Exchange(read_settings(environment)), writer, [json.dumps(INNER).encode()])
    if objects <= loaded.next:
        return 0.0
    starts = range(loaded.next, objects, _ENVELOPE)
    shares = [(dict(environment), [(start, min(start + _ENVELOPE, objects)) for start in starts[at::loaders]])
              for at in range(loaders)]
    with multiprocessing.get_context("spawn").Pool(loaders) as pool:
        pool.starmap(load, shares)
    loaded.next = objects
    loaded.keep()
    return time.monotonic() - begin


def load(environment: Mapping[str, str], envelopes: list[tuple[int, int]]) -> None:
    """One loader's envelopes; each is of one of the pushing members."""
    exchange = Exchange(read_settings(environment))
    for first, end in envelopes:
        writer = first // _ENVELOPE % WRITERS
        while True:
            with contextlib.suppress(UnavailableError):  # the other loader writes: its turn came again
                _push(exchange, writer, [made_up(number) for number in range(first, end)])
                break


def _push(exchange: Exchange, writer: int, objects: list[bytes]) -> None:
    directory = exchange.directory()
    credential = directory.credentials[name(writer)]
    body = b'{"objects":[' + b",".join(objects) + b"]}"
    _, status = exchange.push(directory.organisations[name(writer)], credential, directory.collections[COLLECTION], body,
                              exchange.clock())
    told = json.loads(status)
    if told["failure_count"]:
        raise SystemExit(f"An object wasn't taken: {told['failures'][0]}")


def newest_date(url: str) -> str:
    """Date of adding of the collection's newest object, from the database itself."""
    engine = open_engine(url)
    with read(engine) as connection:
        newest = connection.execute(select(FEED.c.last_seq).where(FEED.c.collection == COLLECTION)).scalar_one()
    engine.dispose()
    return from_microseconds(newest)


class Memory(threading.Thread):
    """Samples the memory of process trees every few seconds until it is told to end."""

    def __init__(self, roots: Mapping[str, int]) -> None:
        super().__init__(daemon=True)
        self._roots = roots
        self._ending = threading.Event()
        self._samples: dict[str, list[tuple[float, float]]] = {}

    def run(self) -> None:
        """Sample by the clock."""
        while not self._ending.is_set():
            for root, pids in ((root, tree(pid)) for root, pid in self._roots.items()):
                if root == "postgres":  # its processes come and go with connections
                    self._note(root, sum(_own_megabytes(pid) for pid in pids))
                    continue
                for at, pid in enumerate(pids):
                    self._note(f"{root} {'master' if not at else f'worker {pid}'}", _own_megabytes(pid))
            self._ending.wait(_SAMPLE_SECONDS)

    def _note(self, label: str, megabytes: float) -> None:
        self._samples.setdefault(label, []).append((time.monotonic(), megabytes))

    def end(self) -> dict[str, Any]:
        """Each process's own memory: MB in the middle and at the end, and the slope of the second half in MB an hour.

        ``flat``: the last quarter's median is at most a tenth and 8 MB above that of the second quarter.
        """
        self._ending.set()
        self.join()
        return {label: _trend(samples) for label, samples in self._samples.items() if len(samples) >= 8}


def _trend(samples: list[tuple[float, float]]) -> dict[str, Any]:
    values, quarter = [value for _, value in samples], len(samples) // 4
    half = samples[len(samples) // 2:]
    slope, _ = statistics.linear_regression([at for at, _ in half], [value for _, value in half])
    second, last = statistics.median(values[quarter:2 * quarter]), statistics.median(values[-quarter:])
    return {"samples": len(samples), "second_quarter_mb": round(second, 1), "last_quarter_mb": round(last, 1),
            "max_mb": round(max(values), 1), "slope_mb_per_hour": round(slope * 3_600, 1),
            "flat": last <= second * 1.1 + 8}


def tree(root: int) -> list[int]:
    """A process and all below it."""
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{pid}/task").iterdir():
                waiting += map(int, (task / "children").read_text(encoding="ascii").split())
    return found


def cpu_seconds(root: int) -> float:
    """User and system time of a process tree so far."""
    ticks = 0
    for pid in tree(root):
        with contextlib.suppress(OSError):
            said = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            ticks += int(said[11]) + int(said[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _own_megabytes(pid: int) -> float:
    """Memory that isn't backed by files; what several processes share counts in part in each."""
    with contextlib.suppress(OSError):  # it ended
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines():
            if line.startswith("Pss_Anon:"):
                return int(line.split()[1]) / 1024
    return 0.0
