"""Measures the server in CPU seconds of its own processes; run by hand, not by CI.

    python tests/bench/bench_server.py                                   10,000 objects, SQLite
    python tests/bench/bench_server.py --against opentaxii=VENV          interleaved with OpenTAXII of that environment
    python tests/bench/bench_server.py --large 1000000                   then grow to a million, and measure again
    python tests/bench/bench_server.py --database-url postgresql://…     an empty database of yours instead of SQLite

A VENV for OpenTAXII: pip install 'opentaxii==0.10.0b1' 'sqlalchemy<2' gunicorn (0.9.3 answers pushes with 500 here).
Everything goes over the loopback address, every loop is bounded, all files lie in a temporary folder. Each figure
is the median of the rounds; rounds of two servers alternate, so that both meet the same disturbances.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from http_load import Polled, made_up_objects, poll_together
from targets import Target, bare_view, opentaxii, ours

ENVELOPE = 1_000
KEPT_IDS = 5_000


class Figures:
    """Measured values by name and server; the last word is the median."""

    def __init__(self) -> None:
        self._values: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))

    def add(self, name: str, target: Target, value: float) -> None:
        """One round's value."""
        self._values[name][target.name].append(value)
        print(f"    {name:<44} {target.name:<10} {value:>12,.3f}", flush=True)

    def medians(self) -> dict[str, dict[str, float]]:
        """Name to server to median."""
        return {name: {server: statistics.median(values) for server, values in by.items()}
                for name, by in self._values.items()}

    def show(self) -> None:
        """The table; a ratio above 1 is in our favour."""
        print(f"\n{'median of rounds':<44}{'cibx':>13}{'opentaxii':>13}{'ratio':>9}")
        for name, found in self.medians().items():
            mine, other = found.get("cibx", found.get("bare")), found.get("opentaxii")
            text = f"{name:<44}" + "".join("-".rjust(13) if v is None else f"{v:>13,.3f}" for v in (mine, other))
            if mine and other:
                text += f"{(mine / other if 'per' in name and '/' in name else other / mine):>9.1f}"
            print(text)


class Bench:
    """The measurements; each takes one target and adds its figures."""

    def __init__(self, figures: Figures, label: str) -> None:
        self._figures = figures
        self._label = label
        self.ids: dict[str, list[str]] = defaultdict(list)
        self.count: dict[str, int] = defaultdict(int)

    def _add(self, name: str, target: Target, value: float) -> None:
        self._figures.add(f"{self._label} {name}", target, value)

    def ingest(self, target: Target, objects: int, *, quiet: bool = False) -> None:
        """Envelopes of 1,000."""
        made = list(made_up_objects(objects))
        with cpu_of(target) as spent:
            for start in range(0, objects, ENVELOPE):
                target.feed.push([raw for _, raw in made[start:start + ENVELOPE]])
        self._remember(target, [identity for identity, _ in made])
        if not quiet:
            self._add("ingest, objects/CPU-s per 1,000", target, objects / spent())

    def singles(self, target: Target, objects: int) -> None:
        """One object per request."""
        made = list(made_up_objects(objects))
        with cpu_of(target) as spent:
            for _, raw in made:
                target.feed.push([raw])
        self._remember(target, [identity for identity, _ in made])
        self._add("ingest, objects/CPU-s per single", target, objects / spent())

    def crawl(self, target: Target, pages: int) -> bytes:
        """limit=1000 from the beginning, again until so many pages were read; gives the first page's bytes."""
        first, read = b"", 0
        with cpu_of(target) as spent:
            while read < pages:
                for page in target.feed.pages(1_000, pages - read):
                    first = first or page.body
                    read += 1
        self._add("page of 1,000, ms CPU", target, spent() / read * 1_000)
        return first

    def empty_polls(self, target: Target, times: int) -> None:
        """added_after the last date."""
        last = target.feed.last_date()
        with cpu_of(target) as spent:
            for _ in range(times):
                target.feed.get(added_after=last)
        self._add("empty poll, ms CPU", target, spent() / times * 1_000)

    def by_id(self, target: Target, times: int) -> None:
        """Random objects."""
        known = self.ids[target.name]
        with cpu_of(target) as spent:
            for _ in range(times):
                target.feed.get(random.choice(known))
        self._add("by id, ms CPU", target, spent() / times * 1_000)

    def many_pollers(self, target: Target, seconds: float) -> None:
        """32 pollers that ask for what is new, without a pause."""
        last = target.feed.last_date()
        with cpu_of(target) as spent:
            polled = poll_together(target.feed, 32, seconds, 0, added_after=last)
        self._add("32 pollers, requests/s per server", target, polled.rate)
        self._add("32 pollers, ms CPU", target, spent() / len(polled.seconds) * 1_000)

    def polls_while_ingesting(self, target: Target, seconds: float) -> None:
        """Four pollers ask 20 times a second while one writer pushes envelopes of 1,000."""
        last, polled = target.feed.last_date(), []

        def poll() -> None:
            polled.append(poll_together(target.feed, 4, seconds, 0.05, added_after=last, limit=1))

        writer, thread = target.feed.again(), threading.Thread(target=poll)
        envelopes = [[raw for _, raw in made_up_objects(ENVELOPE)] for _ in range(4)]
        thread.start()
        end, pushed = time.perf_counter() + seconds, 0
        while time.perf_counter() < end and pushed < 200:
            if pushed >= len(envelopes):
                envelopes.append([raw for _, raw in made_up_objects(ENVELOPE)])
            writer.push(envelopes[pushed])
            pushed += 1
        thread.join()
        self.count[target.name] += pushed * ENVELOPE
        told: Polled = polled[0]
        self._add("poll while ingesting, p50 ms", target, told.quantile(0.5) * 1_000)
        self._add("poll while ingesting, p99 ms", target, told.quantile(0.99) * 1_000)

    def sizes(self, target: Target) -> None:
        """Disk per object, memory."""
        disk = target.disk_bytes()
        if disk:
            self._add("disk, bytes an object", target, disk / self.count[target.name])
        for name, megabytes in target.memory().items():
            self._add(f"memory {name}, MB", target, megabytes)

    def _remember(self, target: Target, ids: list[str]) -> None:
        self.count[target.name] += len(ids)
        kept = self.ids[target.name]
        kept += ids
        if len(kept) > KEPT_IDS:
            self.ids[target.name] = random.sample(kept, KEPT_IDS)


@contextmanager
def cpu_of(target: Target) -> Iterator[Callable[[], float]]:
    """CPU seconds that the server's processes spend inside the block (at least one tick)."""
    before, spent = target.cpu_seconds(), [0.0]
    yield lambda: spent[0]
    spent[0] = max(target.cpu_seconds() - before, 0.01)


def measure(bench: Bench, targets: list[Target], arguments: argparse.Namespace) -> bytes:
    """All reads in rounds; the servers take turns. Gives a page of ours."""
    scale, page = arguments.scale, b""
    for number in range(arguments.rounds):
        print(f"  round {number + 1}", flush=True)
        for target in targets:
            few = 10 if target.name == "opentaxii" else 1
            bench.singles(target, max(20, int(600 * scale) // few))
            page = bench.crawl(target, max(4, int(200 * scale) // few)) if target.name == "cibx" else (
                bench.crawl(target, max(4, int(200 * scale) // few)) and page)
            bench.empty_polls(target, max(20, int(3_000 * scale) // few))
            bench.by_id(target, max(20, int(2_000 * scale) // few))
            bench.many_pollers(target, max(4.0, 8 * scale))
    return page


def disturb(bench: Bench, targets: list[Target], arguments: argparse.Namespace) -> None:
    """What makes the collection many times as large, so after all that is read from a small one; then the sizes."""
    for _ in range(arguments.rounds):
        for target in targets:
            bench.polls_while_ingesting(target, max(4.0, 10 * arguments.scale))
    for target in targets:
        bench.sizes(target)


def bare_ratio(bench: Bench, figures: Figures, mine: Target, page: bytes, folder: Path, scale: float) -> None:
    """Our page against a view that does nothing but return the same bytes."""
    with bare_view(folder, page) as bare:
        times = max(20, int(500 * scale))
        with cpu_of(bare) as spent:
            for _ in range(times):
                bare.feed.get().json()  # as a crawl does: what the client does between requests costs the server too
        figures.add("bare view, same page, ms CPU", bare, spent() / times * 1_000)
        bench.crawl(mine, max(4, int(200 * scale)))
    costs = figures.medians()
    ratio = costs["10k page of 1,000, ms CPU"]["cibx"] / costs["bare view, same page, ms CPU"]["bare"]
    print(f"    our page costs {ratio:.1f} times the bare view")


def main() -> None:
    """Start the servers, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", metavar="opentaxii=VENV", help="a peer in a virtual environment of its own")
    parser.add_argument("--database-url", help="an empty database for ours instead of SQLite")
    parser.add_argument("--workers", type=int, default=1, help="worker processes of ours")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the requests; 0.05 only tries the bench")
    parser.add_argument("--large", type=int, default=0, metavar="N", help="afterwards grow ours to N objects")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the medians there")
    arguments = parser.parse_args()
    figures, start = Figures(), max(2_000, int(10_000 * arguments.scale))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="cibx-bench-")))
        mine = stack.enter_context(ours(folder / "cibx", arguments.database_url, arguments.workers))
        targets = [mine]
        if arguments.against:
            name, _, venv = arguments.against.partition("=")
            if name != "opentaxii" or not venv:
                parser.error("--against takes opentaxii=VENV")
            targets.append(stack.enter_context(opentaxii(folder / "opentaxii", Path(venv).absolute())))
        bench = Bench(figures, "10k")
        for _ in range(max(1, start // 2_000)):
            for target in targets:
                bench.ingest(target, 2_000)
        page = measure(bench, targets, arguments)
        bare_ratio(bench, figures, mine, page, folder / "bare", arguments.scale)
        disturb(bench, targets, arguments)
        if arguments.large:
            large(bench, figures, mine, arguments)
    figures.show()
    if arguments.json:
        arguments.json.write_text(json.dumps(figures.medians(), indent=2), encoding="utf-8")


def large(small: Bench, figures: Figures, mine: Target, arguments: argparse.Namespace) -> None:
    """Grow ours, and measure the same again."""
    begin = time.perf_counter()
    while small.count[mine.name] < arguments.large:
        small.ingest(mine, 20_000, quiet=True)
        if small.count[mine.name] % 100_000 < 20_000:
            print(f"    {small.count[mine.name]:,} objects, {time.perf_counter() - begin:,.0f} s", flush=True)
    bench = Bench(figures, "large")
    bench.ids, bench.count = small.ids, small.count
    for _ in range(3):
        bench.ingest(mine, 10_000)
    measure(bench, [mine], arguments)
    disturb(bench, [mine], arguments)


if __name__ == "__main__":
    main()
