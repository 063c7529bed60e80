"""Measures connectors from files to stored and audited objects; run by hand, not by CI.

    python tests/bench/bench_connectors.py                 every figure that its source is there for
    python tests/bench/bench_connectors.py --only stix     one of them: meta, stix, csv, stix-memory, csv-memory

Each figure is one run of a process of its own into an empty SQLite database in a temporary folder (SQLite with
synchronous=FULL, as in production): CPU and wall seconds from opening the database to the last object being
durable and, for Meta's set, the whole log being sequenced and signed. A busy machine lengthens wall time.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[2]
META = PROJECT.parent / "shared" / "data" / "meta-threat-research"
OBJECTS = 50_000
ROWS = 20_000
PACK = "demo"


class Clock:
    """Seconds since it was made, on the wall and of this process."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def rates(self, what: str, count: int) -> dict[str, float]:
        """How many in a second."""
        return {f"{what}/s": count / (time.perf_counter() - self._wall),
                f"{what}/CPU s": count / (time.process_time() - self._cpu)}


def made_up_bundle(path: Path, count: int) -> None:
    """A bundle of ``count`` objects: domains, their indicators, and what joins them."""
    with path.open("w") as file:
        file.write('{"type": "bundle", "id": "bundle--0d3a4c0e-7ad0-4b8b-9b1f-8a4d0f8a9c01", "objects": [\n')
        for number, item in enumerate(made_up_objects(count)):
            file.write((",\n" if number else "") + json.dumps(item))
        file.write("\n]}\n")


def made_up_objects(count: int) -> Iterator[dict[str, Any]]:
    """As many as asked, three kinds in turn."""
    from exchange.stix.ids import derived_id, sco_id

    head = {"spec_version": "2.1", "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z"}
    for number in range((count + 2) // 3):
        named = {"value": f"made-up-{number}.example"}
        domain = {"type": "domain-name", "spec_version": "2.1", "id": sco_id("domain-name", named), **named}
        indicator = {
            "type": "indicator", "id": derived_id("indicator", "bench", str(number)), **head,
            "name": f"Made up {number}", "pattern": f"[domain-name:value = 'made-up-{number}.example']",
            "pattern_type": "stix", "valid_from": "2026-01-01T00:00:00Z", "indicator_types": ["malicious-activity"],
        }
        relation = {
            "type": "relationship", "id": derived_id("relationship", "bench", str(number)), **head,
            "relationship_type": "based-on", "source_ref": indicator["id"], "target_ref": domain["id"],
        }
        yield from [domain, indicator, relation][: min(3, count - 3 * number)]


def made_up_table(path: Path, rows: int) -> None:
    """A table of made-up domains and accounts."""
    with path.open("w") as file:
        file.write("indicator_type,indicator_value,comment,first_seen\n")
        for number in range(rows):
            kind, value = (("domain", f"made-up-{number}[.]example") if number % 2 else
                           ("url", f"hxxps://x[.]com/made_up_{number}"))
            file.write(f"{kind},{value},row {number},2026-01-01\n")


def open_database(folder: Path) -> None:
    """An empty database with one member, in the current folder."""
    os.chdir(folder)
    os.environ["CIBX_DATABASE_URL"] = f"sqlite:///{folder / 'bench.db'}"
    sys.path.insert(0, str(PROJECT))
    from exchange.cli.main import run
    from tests.fakes.one_member import MEMBERS

    (folder / "members.toml").write_text(MEMBERS)
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - the rest of this process
    if run(["apply", "members.toml"]):
        raise SystemExit("the members can't be made")


def bring_in(name: str, place: Path, options: dict[str, str], pack: str) -> tuple[int, int]:
    """Run a connector; gives rows and objects."""
    from exchange.connect import registry, runner
    from exchange.connect.local_sink import local_sink
    from exchange.connect.source import Source
    from exchange.settings import read_settings
    from exchange.wiring import packs_in_force

    settings = read_settings()
    terms = packs_in_force(settings, "org-alpha").terms(pack)
    sink = local_sink(settings, org="org-alpha", collection=None, terms=terms)
    report = runner.run(registry.connector(name), Source(str(place), options), sink, terms=terms, watchers=[look])
    if report.pushed("refused"):
        raise SystemExit(f"{report.pushed('refused'):,} objects were refused: {report.aside[:3]}")
    return report.rows, sum(sum(counts.values()) for counts in report.objects.values())


def sequence() -> int:
    """Take every event into the signed log; gives its leaves."""
    from exchange.settings import read_settings
    from exchange.wiring import Exchange

    exchange = Exchange(read_settings())
    exchange.notary.establish()
    return exchange.notary.run().signed or 0


def meta() -> dict[str, Any]:
    """Meta's whole shared set: files to stored and audited objects."""
    rows, objects = bring_in("meta-threat-research", META, {}, "meta-threat-research")
    return {"rows": rows, "objects": objects, "log leaves": sequence()}


def stix() -> dict[str, Any]:
    """A STIX bundle into the store."""
    made_up_bundle(Path("bundle.json"), OBJECTS)
    clock = Clock()
    _, objects = bring_in("stix-file", Path("bundle.json"), {}, PACK)
    return {"objects": objects, **clock.rates("objects", objects)}


def csv() -> dict[str, Any]:
    """A table into the store."""
    made_up_table(Path("table.csv"), ROWS)
    clock = Clock()
    rows, objects = bring_in("table", Path("table.csv"), {}, PACK)
    return {"rows": rows, "objects": objects, **clock.rates("rows", rows)}


HIGHEST = [0.0]
"""The most memory that this process was seen to have, in MB, without pages of files, which the kernel takes back."""


def look(_step: Any = None) -> float:
    """Look at the memory now; gives the highest so far."""
    status = Path("/proc/self/status").read_text()
    now = int(status.split("RssAnon:")[1].split()[0]) / 1_024
    HIGHEST[0] = max(HIGHEST[0], now)
    return HIGHEST[0]


def stix_memory() -> dict[str, Any]:
    """A bundle, then one four times as large: the peak should stay where it was."""
    made_up_bundle(Path("small.json"), OBJECTS // 2)
    made_up_bundle(Path("large.json"), OBJECTS * 2)
    bring_in("stix-file", Path("small.json"), {}, PACK)
    first = look()
    bring_in("stix-file", Path("large.json"), {}, PACK)
    return {"objects": OBJECTS * 2, "MB at a quarter": first, "file MB": Path("large.json").stat().st_size / 1e6}


def csv_memory() -> dict[str, Any]:
    """A table, then one four times as large."""
    made_up_table(Path("small.csv"), ROWS // 2)
    made_up_table(Path("large.csv"), ROWS * 2)
    bring_in("table", Path("small.csv"), {}, PACK)
    first = look()
    bring_in("table", Path("large.csv"), {}, PACK)
    return {"rows": ROWS * 2, "MB at a quarter": first, "file MB": Path("large.csv").stat().st_size / 1e6}


FIGURES: dict[str, Callable[[], dict[str, Any]]] = {
    "meta": meta, "stix": stix, "csv": csv, "stix-memory": stix_memory, "csv-memory": csv_memory,
}


def _measured(name: str, folder: str, answer: Any) -> None:
    open_database(Path(folder))
    began, cpu = time.perf_counter(), time.process_time()
    found = FIGURES[name]()
    answer.put({**found, "wall s": time.perf_counter() - began, "CPU s": time.process_time() - cpu,
                "highest MB": look()})


def main() -> None:
    """Print each figure as it is found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=[*FIGURES])
    chosen = parser.parse_args().only
    context = multiprocessing.get_context("spawn")
    for name in [chosen] if chosen else FIGURES:
        if name == "meta" and not META.is_dir():
            print(f"meta: left out, {META.name} isn't beside the project")
            continue
        with tempfile.TemporaryDirectory() as folder:
            answer: Any = context.Queue()
            process = context.Process(target=_measured, args=(name, folder, answer))
            process.start()
            process.join()
            if process.exitcode:
                raise SystemExit(f"{name} failed")
            print(f"{name}: " + ", ".join(f"{key} {value:,.1f}" if isinstance(value, float) else f"{value:,} {key}"
                                          for key, value in answer.get().items()), flush=True)


if __name__ == "__main__":
    main()
