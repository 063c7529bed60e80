"""The connector over the published files themselves, where they are at hand; counted again in another way."""

from __future__ import annotations

import csv
import json
import re
import warnings
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from connectors.meta_threat_research import CONNECTOR
from exchange.connect.contract import Row
from exchange.connect.source import Source
from exchange.model.identifiers.shared_host import shared
from exchange.stix.validate import check

SOURCE = Path(__file__).parents[2].parent / "shared" / "data" / "meta-threat-research"
Run = tuple[list[Row], dict[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def run() -> Run:
    if not SOURCE.is_dir():
        warnings.warn(f"{SOURCE} is absent: the real files are not tested.", stacklevel=1)
        pytest.skip(f"{SOURCE} is absent")
    rows: list[Row] = []
    objects: dict[str, dict[str, Any]] = {}
    for batch in CONNECTOR.fetch(Source(str(SOURCE)), None):
        rows += batch.rows
        for one in batch.upserts:
            assert objects.setdefault(one["id"], dict(one)) == one, "one id, two contents"
    return rows, objects


def tables() -> list[tuple[Path, list[list[str]]]]:
    found = []
    for path in sorted(SOURCE.rglob("*")):
        if path.suffix in (".csv", ".tsv"):
            with path.open(newline="", encoding="utf-8") as file:
                found.append((path, list(csv.reader(file, delimiter="\t" if path.suffix == ".tsv" else ","))))
    return found


def test_every_row_of_every_file_is_accounted_for_once(run: Run) -> None:
    rows, _ = run
    expected = Counter({str(path.relative_to(SOURCE)): len(records) for path, records in tables()})
    for path in SOURCE.rglob("*"):
        if path.suffix == ".json" and path.parent != SOURCE:
            expected[str(path.relative_to(SOURCE))] = len(json.loads(path.read_bytes()))
        elif path.suffix == ".md" and path.parent != SOURCE:
            expected[str(path.relative_to(SOURCE))] = len(path.read_text("utf-8").splitlines())
        elif path.is_file() and path.suffix not in (".csv", ".tsv"):
            expected[str(path.relative_to(SOURCE))] = 1
    assert Counter(row.file for row in rows) == expected
    assert len({(row.file, row.row) for row in rows}) == len(rows)
    assert all(row.reason for row in rows if row.outcome in ("quarantined", "repaired"))


def test_every_object_is_valid_and_every_named_id_is_there(run: Run) -> None:
    rows, objects = run
    assert [one for one in objects.values() if check(one) is not None] == []
    assert {identifier for row in rows for identifier in row.ids} <= set(objects)


def test_no_host_that_many_share_became_an_indicator(run: Run) -> None:
    _, objects = run
    for one in objects.values():
        for host in re.findall(r"domain-name:value = '([^']+)'", one.get("pattern", "")):
            assert shared(host) is None, host
        for address in re.findall(r"url:value = '([^']+)'", one.get("pattern", "")):
            host, _, path = address.partition("//")[2].partition("/")
            assert path or shared(host) is None, address


@pytest.mark.parametrize("forbidden", ["fastdomains", "withheldforprivacy", "titan.email", "tehillim", "7brachot",
                                       "realtimeregistrar", "nicproxy", "point.md", "indiatimes", "bbc."])  # fmt: skip
def test_what_the_source_only_mentions_is_no_indicator(run: Run, forbidden: str) -> None:
    _, objects = run
    assert not [one for one in objects.values() if forbidden in one.get("pattern", "").lower()]


def test_at_least_98_percent_of_the_values_are_indicators(run: Run) -> None:
    """Counted without the connector: cells of CIB tables that are one address from beginning to end."""
    rows, objects = run
    outcomes = {(row.file, row.row): row for row in rows}
    told = "\n".join(
        f"{unquote(one['pattern'])}\n{one['description']}".lower()
        for one in objects.values()
        if one["type"] == "indicator"
    )
    found, missing = 0, []
    for path, records in tables():
        file = str(path.relative_to(SOURCE))
        for number, cells in enumerate(records[1:], 2):
            typed = records[0][0].startswith("indicator")
            cell = (cells[1] if typed else cells[3] if len(cells) > 3 else "").strip()
            plain = cell.replace("[.]", ".").replace("[:]", ":").replace("hxxp", "http")
            row = outcomes[file, number]
            is_address = re.fullmatch(r"(?:https?://)?[\w-]+(?:\.[\w-]+)+(?:/\S*)?", plain)
            if not is_address or row.reason.startswith("Not about") or row.outcome == "note":
                continue
            found += 1
            value = unquote(plain).lower().partition("://")[2] or plain.lower()
            if value.removeprefix("www.").rstrip("/") not in told and cell.lower() not in told:
                missing.append((file, number, cell))
    assert found > 7_500
    assert len(missing) <= 0.02 * found, missing


def test_tsv_and_csv_of_one_network_give_the_same_values(run: Run) -> None:
    rows, _ = run
    for name in ("Croatia_Based", "LEBANON_BASED", "network 1", "2022_09_removing"):
        found = {}
        for suffix in (".csv", ".tsv"):
            plain = name.replace(" ", "_")
            found[suffix] = {
                one
                for row in rows
                if row.file.endswith(suffix) and not re.search("Q[13]_2023", row.file)
                if plain in row.file.replace(" ", "_")
                for one in row.ids
                if one.startswith("indicator")
            }
        assert found[".csv"] == found[".tsv"], name


def test_counts_per_outcome_equal_an_independent_recount(run: Run) -> None:
    rows, _ = run
    counted: Counter[str] = Counter()
    for path, records in tables():
        if "cib" not in path.name.lower():
            continue
        for cells in records[1:]:
            text = " ".join(cells)
            indicator = cells[3].strip() if len(cells) > 3 else ""
            if not text.strip():
                counted["blank"] += 1
            elif re.fullmatch(
                r"[\d,]+ (?:(?:Facebook|Instagram) )?(?:accounts?|pages?|groups?)", indicator, re.IGNORECASE
            ):
                counted["count"] += 1
            elif re.match(r"7\.2\.\d", cells[2]) and re.search(r"\d|\bNo\b", indicator):
                counted["audience"] += 1
            elif cells[2].startswith("7.1.1") and re.search(r"\$\s?\d|\d USD", indicator):
                counted["spend"] += 1
    found = Counter(
        row.outcome for row in rows if row.file.endswith(("csv", "tsv")) and "cib" in row.file.lower().split("/")[-1]
    )
    assert {name: found[name] for name in counted} == dict(counted)
