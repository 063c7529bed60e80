"""From matching back to the exchange: a sighting arrives and others see it, disputes dispute, and the next run knows it."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("duckdb", reason="the matcher's tests need cib-exchange[matcher]")

from exchange.cli.main import run as cibx
from tests.e2e.exchange_process import ExchangeProcess, serving
from tests.e2e.members import SECRETS, collection_id, description
from tests.e2e.stix_objects import fixed_id, indicator

IDENTITIES = {name: fixed_id("identity", f"results {name}") for name in ("alpha", "beta", "gamma", "delta")}
DAY = 86_400


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExchangeProcess]:
    """An exchange whose members have said which STIX identity is theirs."""
    text = description()
    for name, identity in IDENTITIES.items():
        text = text.replace(f'id = "org-{name}"\n', f'id = "org-{name}"\nidentity = "{identity}"\n')
    with serving(tmp_path_factory.mktemp("exchange")) as running:
        running.apply(text)
        yield running


@pytest.fixture
def entities(tmp_path: Path) -> Path:
    """Twenty-four accounts with one machine and one card, and names that nothing else has."""
    folder, now = tmp_path / "platform", int(time.time())
    folder.mkdir()
    rows: dict[str, list[dict[str, Any]]] = {"accounts": [], "links": []}
    for number in range(24):
        rows["accounts"].append({"account_id": f"λογ{number:02}", "created": now - (410 + number) * DAY})
        rows["links"] += [{"account_id": f"λογ{number:02}", "itype": kind, "value": value,
                           "first_seen": now - 400 * DAY, "last_seen": now}
                          for kind, value in (("device", "dv_7c"), ("payment", "pm_7c"))]
    for name, lines in rows.items():
        with (folder / f"{name}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, list(lines[0]))
            writer.writeheader()
            writer.writerows(lines)
    return folder


def named(exchange: ExchangeProcess, lane: str, who: str) -> list[str]:
    """Two indicators by a member, pushed by it."""
    made = [indicator(f"results {who} {lane} {value}", pattern=f"[{path}:token = '{value}']",
                      created_by_ref=IDENTITIES[who], confidence=95, valid_from="2026-06-01T00:00:00Z")
            for path, value in (("x-cib-device", "dv_7c"), ("x-cib-payment", "pm_7c"))]
    pushed = exchange.caller(who).push(lane + "objects/", made)
    assert pushed.json.get("failures", []) == []
    return [one["id"] for one in made]


def match(exchange: ExchangeProcess, lane: str, entities: Path, out: Path) -> dict[str, Any]:
    assert cibx(["match", "--feed", f"{exchange.url}/taxii2/lanes/", "--collection", collection_id(lane.split("/")[4]),
                 "--user", "gamma", "--entities", str(entities), "--out", str(out), "--threads", "1"]) == 0
    report: dict[str, Any] = json.loads((out / "report.json").read_bytes())
    return report


def share(exchange: ExchangeProcess, lane: str, out: Path, who: str, *more: str) -> int:
    return cibx(["match", "share", "--out", str(out), "--identity", IDENTITIES[who], "--ledger", str(out / f"{who}.json"),
                 "--to", f"{exchange.url}/taxii2/lanes/", "--collection", collection_id(lane.split("/")[4]),
                 "--user", who, "--token-env", f"SECRET_OF_{who.upper()}", *more])


def test_results_go_back_and_change_what_others_find(
    exchange: ExchangeProcess, lane: str, entities: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CIBX_SECRET_OF_FEED", SECRETS["gamma"])
    for who in ("beta", "gamma"):
        monkeypatch.setenv(f"SECRET_OF_{who.upper()}", SECRETS[who])
    alphas, deltas = named(exchange, lane, "alpha"), named(exchange, lane, "delta")
    out = tmp_path / "results"
    assert match(exchange, lane, entities, out)["accounts_likely"] == 24

    beta = exchange.caller("beta")
    assert share(exchange, lane, out, "gamma", "--preview") == 0
    shown = capsys.readouterr().out
    assert f"sighting of {alphas[0]}" in shown
    assert "org-beta: granted" in shown
    assert [one for one in beta.get(lane + "objects/").objects if one["type"] == "sighting"] == []

    assert share(exchange, lane, out, "gamma") == 0
    seen = [one for one in beta.get(lane + "objects/").objects if one["type"] == "sighting"]
    assert {one["sighting_of_ref"]: one["count"] for one in seen} == dict.fromkeys(alphas + deltas, 20)
    assert "λογ" not in json.dumps(seen, ensure_ascii=False)

    reviewed = [f"λογ{number:02}" for number in range(12)]
    assert cibx(["match", "review", *reviewed, "--out", str(out), "--overturned", "--reason", "a fan club",
                 "--reviewer", "ana"]) == 0
    for who in ("gamma", "beta"):
        assert share(exchange, lane, out, who, "--reviews", str(out / "reviews")) == 0
    said = beta.get(lane + "objects/").objects
    opinions = {(one["created_by_ref"], one["object_refs"][0]): one["opinion"] for one in said if one["type"] == "opinion"}
    assert opinions == {(IDENTITIES[who], about): "strongly-disagree"
                        for who in ("gamma", "beta") for about in alphas + deltas}
    assert {one["count"] for one in said if one["type"] == "sighting"} == {0}, "the sighting is taken back"
    marked = {one["object_refs"][0] for one in said if one["type"] == "note" and "disputed" in one["labels"]}
    assert marked == set(alphas + deltas)

    again = match(exchange, lane, entities, tmp_path / "again")
    assert again["disputed"] == 4
    assert again["accounts_likely"] == 0


def test_the_exchange_tells_whose_record_is_whose(exchange: ExchangeProcess) -> None:
    """The records that the matcher fetches name the exchange's own identity, which nobody else may write as."""
    answer = exchange.caller("gamma").ask("GET", "/api/v1/records", accept="application/json").json
    assert answer["exchange"].startswith("identity--")
    forged = indicator("forged", created_by_ref=answer["exchange"])
    refused = exchange.caller("beta").push(exchange.next_lane() + "objects/", [forged]).json["failures"]
    assert refused[0]["message"].startswith("not-object-creator")
