"""A government agency's public bundles: every object is accounted for, and what is operated is what the agency lists.

The agency publishes its lists of domains apart from the bundles: each that stands in both must be an indicator.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from connectors.opencti import CONNECTOR
from exchange.connect.contract import Row
from exchange.connect.runner import run
from exchange.connect.source import Source
from exchange.stix.validate import check
from tests.fakes.memory_sink import MemorySink

FOLDER = Path(__file__).parents[2].parent / "shared" / "data" / "viginum"
REPORTS = {
    # folder: indicators, listed in the CSV and not derived, derived and not in the CSV
    "202306 - RRN": (348, {"deknzuerstnch.fun", "spiegel.ltd"}, {
        "bmi.bund.pe", "diplomatie.gouv.fm", "elfpress.info", "gitver.com", "marvelgoodies.com", "news.spiegeli.today",
        "raremotion.com", "waronfakes.com"}),
    "202402 - Portal Kombat": (507, set(), set()),
}
NEVER = {"ria.ru", "tass.com", "iz.ru", "ukraina.ru", "change.org", "t.me/tass_fr", "t.me/RTenfrancais",
         "t.me/geopolitiqueprofonde", "observateurcontinental.fr", "github.com/Sheva777/TigerWebHello"}  # fmt: skip
"""Outlets, and whom the sites copy from: named in the reports, operated by others."""


@pytest.fixture(params=REPORTS)
def report(request: pytest.FixtureRequest) -> str:
    if not list((FOLDER / request.param).glob("*.json")):
        pytest.skip("the shared VIGINUM bundles are not beside the project")
    return str(request.param)


def bring(folder: str) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[Row]]:
    path = next((FOLDER / folder).glob("*.json"))
    sink, rows = MemorySink(), list[Row]()
    outcome = run(CONNECTOR, Source(str(path)), sink, terms={"tlp": "TLP:CLEAR"},
                  watchers=[lambda step: rows.extend(step.rows)])
    assert outcome.all_in
    return json.loads(path.read_bytes())["objects"], [json.loads(raw) for raw in sink.stored.values()], rows


def test_every_object_is_accounted_for_and_kept(report: str) -> None:
    objects, stored, rows = bring(report)
    assert sorted(row.row for row in rows) == list(range(1, len(objects) + 1))
    assert {item["id"] for item in objects} <= {item["id"] for item in stored}
    assert all(check(item) is None for item in stored)
    assert {row.outcome for row in rows} <= {"note", "repaired", "behaviour", "indicator"}


def test_what_is_operated_is_what_the_agency_lists(report: str) -> None:
    count, missed, more = REPORTS[report]
    objects, stored, rows = bring(report)
    names = {item["id"]: item.get("value") or item.get("name") for item in objects}
    derived = {names[row.ids[0]] for row in rows if row.outcome == "indicator"}
    assert sum(item["type"] == "indicator" for item in stored) == count
    assert not derived & NEVER
    listed = {one for path in (FOLDER / report).glob("*.csv") for one in _domains(path)}
    in_both = listed & set(names.values())
    assert missed == in_both - derived
    assert len(in_both & derived) >= 0.98 * len(in_both)
    assert more == {name for name in derived - listed if "/" not in str(name)}


def test_each_indicator_says_by_whom_and_why(report: str) -> None:
    _, stored, _ = bring(report)
    by_id = {item["id"]: item for item in stored}
    claims = Counter(item["source_ref"] for item in stored if item.get("relationship_type") == "indicates")
    made = [item for item in stored if item["type"] == "indicator"]
    assert all("Derived from a " in item["description"] for item in made)
    assert all(claims[item["id"]] <= 1 for item in made)
    actors = Counter(by_id[item["target_ref"]]["name"] for item in stored if item.get("relationship_type") == "indicates")
    assert sum(actors.values()) >= 0.97 * len(made)
    assert set(actors) <= {"RRN", "Portal Kombat", "Portal Kombat's infrastructure",
                           "Creation and use of a web infrastructure targeting local audiences"}


def _domains(path: Path) -> list[str]:
    with open(path, encoding="utf-8-sig", newline="") as file:
        return [row[0].replace("[.]", ".").strip().lower() for row in csv.reader(file)][1:]
