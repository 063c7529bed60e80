"""A tiny platform whose tables a test writes as CSV, and a run of the matcher over it."""

from __future__ import annotations

import csv
import json
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("duckdb", reason="the matcher's tests need cib-exchange[matcher]")

import duckdb

from exchange.matcher.report import Report
from exchange.matcher.run import Options, match

AT = 1_780_272_000  # 2026-06-01T00:00:00Z
DAY = 86_400
NAMES = uuid.UUID("0b6f3c2e-3f0e-4d8e-9d40-6d6f2b1c7a11")


def stix_id(kind: str, name: str) -> str:
    return f"{kind}--{uuid.uuid5(NAMES, name)}"


def indicator(pattern: str, **given: Any) -> dict[str, Any]:
    """An indicator of yesterday by Alpha, fully confident, unless said otherwise."""
    name = given.pop("name", pattern)
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": stix_id("indicator", str(name)),
        "created": "2026-05-31T00:00:00Z",
        "modified": "2026-05-31T00:00:00Z",
        "pattern": pattern,
        "pattern_type": "stix",
        "valid_from": "2026-05-31T00:00:00Z",
        "confidence": 100,
        "created_by_ref": stix_id("identity", "Alpha"),
        **given,
    }


@dataclass
class Outcome:
    """What a run gave."""

    report: Report
    out: Path

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Query over the tables accounts and evidence."""
        with duckdb.connect() as connection:
            for name in ("accounts", "evidence"):
                connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{self.out / name}.parquet')")
            return connection.execute(sql).fetchall()

    def hits(self) -> list[tuple[Any, ...]]:
        """(account_id, kind) of all direct evidence, in order."""
        return self.rows("SELECT account_id, kind FROM evidence WHERE step = 'direct' ORDER BY ALL")

    def scores(self) -> dict[Any, float]:
        return dict(self.rows("SELECT account_id, score FROM accounts"))

    def problems(self) -> str:
        return "\n".join(self.report.problems)


@dataclass
class Platform:
    """Tables to be; ``run`` writes and matches them."""

    folder: Path
    tables: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    runs: int = 0
    at: int = AT
    day: int = DAY

    indicator = staticmethod(indicator)

    def accounts(self, *ids: Any, **columns: Any) -> None:
        for name in ids:
            hour = 2 * 3_600 * len(self.tables.get("accounts", []))
            self.add("accounts", account_id=name, **{"created": AT - 30 * DAY - hour, **columns})

    def link(self, account: Any, itype: str, value: Any, first: int | None = None, last: int | None = None) -> None:
        self.add(
            "links",
            account_id=account,
            itype=itype,
            value=value,
            first_seen=AT - 20 * DAY if first is None else first,
            last_seen=AT if last is None else last,
        )

    def add(self, table: str, **row: Any) -> None:
        self.tables.setdefault(table, []).append(row)

    def write(self, folder: Path, order: Callable[[list[Any]], Iterable[Any]] = list) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name, rows in self.tables.items():
            columns = list(dict.fromkeys(column for row in rows for column in row))
            with (folder / f"{name}.csv").open("w", newline="") as file:
                writer = csv.DictWriter(file, columns)
                writer.writeheader()
                writer.writerows(order(rows))

    def run(
        self,
        objects: Iterable[Mapping[str, Any]],
        *,
        order: Callable[[list[Any]], Iterable[Any]] = list,
        **options: Any,
    ) -> Outcome:
        self.runs += 1
        entities, out = self.folder / f"in{self.runs}", self.folder / f"out{self.runs}"
        self.write(entities, order)
        report = match(objects, entities, out, Options(at=AT, threads=1, **options))
        assert json.loads((out / "report.json").read_bytes()) == report.as_json()
        return Outcome(report, out)


@pytest.fixture
def platform(tmp_path: Path) -> Platform:
    return Platform(tmp_path)


@pytest.fixture(scope="session")
def make_platform() -> Callable[[Path], Platform]:
    """Makes one in a folder, for a run that several tests look at."""
    return Platform


WORLDS = Path(__file__).parents[2].parent / "shared" / "data" / "worlds"


@pytest.fixture(scope="session")
def sample_world() -> Path:
    """The small sample world with its truth."""
    if not (WORLDS / "tiny").is_dir():
        pytest.skip("the sample worlds are not beside the project (../shared/data/worlds)")
    return WORLDS / "tiny"


@dataclass
class Scene:
    """Two networks that the matcher flags alike: ``agency`` is none of its business, ``network`` is real."""

    platform: Platform
    feed: list[dict[str, Any]]
    agency: list[str]
    network: list[str]

    def run(self, **options: Any) -> Outcome:
        return self.platform.run(self.feed, **options)

    def flagged(self, outcome: Outcome, accounts: list[str]) -> list[str]:
        scores = {str(account): score for account, score in outcome.scores().items()}
        return [account for account in accounts if scores[account] >= 0.5]


@pytest.fixture(scope="session")
def make_scene() -> Callable[[Path], Scene]:
    return _scene


def _scene(folder: Path) -> Scene:
    """Each of 24 accounts, with devices, cards, phones and cookies of its own side, of which two sources share most."""
    platform = Platform(folder)
    feed = []
    sides = {"a": [str(n) for n in range(1, 25)], "b": [str(n) for n in range(101, 125)]}
    for side, members in sides.items():
        for n, name in enumerate(members):
            platform.accounts(int(name), strikes=1, followers=20 + n, audience_quality=0.2 + n / 100)
            for kind, prefix, each in (("device", "dv", 3), ("payment", "pm", 4), ("phone", "ph", 6), ("cookie", "ck", 2)):
                platform.link(int(name), kind, f"{prefix}_{side}{n // each:02x}")
        for source in ("a", "b"):
            for kind, prefix, count in (("device", "dv", 8), ("payment", "pm", 6), ("phone", "ph", 4)):
                feed += [
                    indicator(
                        f"[x-cib-{kind}:token = '{prefix}_{side}{n:02x}']",
                        name=f"{source}{kind}{side}{n}", created_by_ref=f"identity--{source}",
                    )
                    for n in range(count)
                ]
    return Scene(platform, feed, sides["a"], sides["b"])
