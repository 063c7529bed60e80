"""``cibx snapshot``: whole or not at all, the same as a pull, and a follower goes on behind it without a gap."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import duckdb
import pytest
import stix2

from exchange.cli import main as cibx
from exchange.client import Client
from exchange.client.follow import Pace
from exchange.client.snapshot import read_snapshot
from exchange.client.snapshot_files import COLUMNS, PARQUET_SCHEMA
from tests.e2e.exchange_process import ExchangeProcess
from tests.e2e.http_caller import HttpCaller
from tests.e2e.members import SECRETS
from tests.e2e.outsider import LATER
from tests.e2e.stix_objects import TLP, domain, indicator

SETTINGS = {"CIBX_PAGE_SIZE": "5"}
Objects = list[dict[str, Any]]


@pytest.fixture
def pushed(alpha: HttpCaller, lane: str) -> Objects:
    objects = [indicator(f"{lane} {n}", labels=["lorem"], confidence=70) for n in range(9)]
    objects += [domain(f"{lane.split('/')[4]}.example", x_number=12345678901234567890123)]
    hidden = indicator(f"{lane} hidden", object_marking_refs=[TLP["AMBER"]])
    assert alpha.push(lane + "objects/", [*objects, hidden]).json["success_count"] == 11
    return objects


def snapshot(exchange: ExchangeProcess, lane: str, out: Path, monkeypatch: pytest.MonkeyPatch, *more: str, key: str = "beta") -> int:
    monkeypatch.setenv("CIBX_TOKEN", SECRETS[key])
    return cibx.run(["snapshot", exchange.url + lane, "--user", key, "--out", str(out), *more])


def bundled(path: Path) -> Objects:
    bundle = json.loads(path.read_bytes())
    assert bundle["type"] == "bundle"
    return list(bundle.get("objects", []))


def client(exchange: ExchangeProcess, key: str = "beta") -> Client:
    return Client(exchange.url + "/taxii2/", key, SECRETS[key])


def test_both_files_hold_what_a_pull_gives_and_the_description_proves_it(
    exchange: ExchangeProcess, lane: str, pushed: Objects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert snapshot(exchange, lane, tmp_path / "out", monkeypatch) == 0
    out = tmp_path / "out"
    assert sorted(path.name for path in out.iterdir()) == ["bundle.json", "objects.parquet", "snapshot.json"]
    assert bundled(out / "bundle.json") == pushed
    made = read_snapshot(out)
    told = exchange.caller("beta").get(f"/api/v1/collections/{lane.split('/')[4]}/tally").json
    assert (made.count, made.root, made.cursor, made.proved) == (told["count"], told["root"], told["until"], True)
    assert (made.member, made.collection.endswith(f"/collections/{lane.split('/')[4]}/")) == ("beta", True)
    stix2.parse({**json.loads((out / "bundle.json").read_bytes())}, allow_custom=True)
    rows = duckdb.sql(f"SELECT * FROM '{out}/objects.parquet'")
    assert rows.columns == list(COLUMNS)
    found = [dict(zip(rows.columns, row, strict=True)) for row in rows.fetchall()]
    assert [json.loads(row["object"]) for row in found] == pushed
    assert [row["value_kinds"] for row in found] == [["domain-name:value"]] * 9 + [["domain-name"]]
    assert [row["confidence"] for row in found] == [70] * 9 + [None]
    dates = {one["id"]: one["date_added"] for page in client(exchange).manifest(exchange.url + lane) for one in page}
    assert {row["id"]: row["date_added"] for row in found} == dates
    said = dict(duckdb.sql(f"SELECT decode(key), decode(value) FROM parquet_kv_metadata('{out}/objects.parquet')").fetchall())
    assert said["schema"] == PARQUET_SCHEMA
    assert snapshot(exchange, lane, out, monkeypatch, "--verify") == 0


def test_it_is_noted_as_a_pull_is(exchange: ExchangeProcess, lane: str, pushed: Objects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert snapshot(exchange, lane, tmp_path / "out", monkeypatch, "--format", "bundle") == 0
    exchange.cibx("state", "erase", pushed[0]["id"], "--by", "Ana", "--reason", "a test")
    owed = client(exchange).notices().awaited()
    assert any(one["obligation"] == "delete" and pushed[0]["id"] in str(one["objects"]) for one in owed)


def test_one_file_has_its_description_beside_it(exchange: ExchangeProcess, lane: str, pushed: Objects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert snapshot(exchange, lane, tmp_path / "all.json", monkeypatch) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.json", "all.snapshot.json"]
    assert bundled(tmp_path / "all.json") == pushed


def test_verify_tells_of_another_file_and_of_a_later_revision(
    exchange: ExchangeProcess, alpha: HttpCaller, lane: str, pushed: Objects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert snapshot(exchange, lane, tmp_path, monkeypatch, "--format", "bundle") == 0
    (tmp_path / "bundle.json").write_text("{}")
    assert snapshot(exchange, lane, tmp_path, monkeypatch, "--format", "bundle", "--verify") == 3
    assert "bundle.json isn't as it was written." in capsys.readouterr().out
    alpha.push(lane + "objects/", [pushed[0] | {"modified": LATER}])
    assert snapshot(exchange, lane, tmp_path, monkeypatch, "--verify") == 3
    assert "9 objects" in capsys.readouterr().out


def test_killed_in_the_middle_it_goes_on(
    exchange: ExchangeProcess, alpha: HttpCaller, lane: str, pushed: Objects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = [indicator(f"{lane} more {n}") for n in range(300)]
    alpha.push(lane + "objects/", more)
    out = tmp_path / "out"
    running = subprocess.Popen(
        [sys.executable, "-c", "from exchange.cli.main import main; main()", "snapshot", exchange.url + lane, "--user", "beta", "--out", str(out)],
        env={**os.environ, "CIBX_TOKEN": SECRETS["beta"]}, stderr=subprocess.PIPE, text=True)
    assert running.stderr is not None
    for line in running.stderr:
        if line.startswith("50 objects"):
            break
    running.send_signal(signal.SIGKILL)
    running.communicate()
    assert not (out / "snapshot.json").exists()
    assert not (out / "bundle.json").exists()
    deliveries = json.loads(exchange.cibx("state", "show", pushed[0]["id"]))
    assert snapshot(exchange, lane, out, monkeypatch) == 0
    assert json.loads(exchange.cibx("state", "show", pushed[0]["id"])) == deliveries
    assert bundled(out / "bundle.json") == [*pushed, *more]
    assert sorted(path.name for path in out.iterdir()) == ["bundle.json", "objects.parquet", "snapshot.json"]


def test_while_others_push_revise_and_withdraw_the_union_with_what_follows_is_all(
    exchange: ExchangeProcess, alpha: HttpCaller, lane: str, pushed: Objects, tmp_path: Path
) -> None:
    pushed_later: Objects = []

    def write() -> None:
        caller = exchange.caller("alpha-two")
        for turn in range(40):
            new = [indicator(f"{lane} later {turn} {n}") for n in range(3)]
            new.append(pushed[turn % 9] | {"modified": f"2026-03-01T00:00:{turn:02}.000Z"})
            assert caller.push(lane + "objects/", new).json["failure_count"] == 0
            pushed_later.extend(new)
            if turn % 10 == 5:
                assert caller.delete(f"{lane}objects/{new[0]['id']}/").status == 200
            time.sleep(0.01)
        caller.close()

    writer = threading.Thread(target=write)
    writer.start()
    beta, name = client(exchange), lane.split("/")[4]
    made = beta.snapshot(tmp_path / "out", name, "bundle")
    writer.join()
    held = {one["id"]: one.get("modified", "") for one in bundled(tmp_path / "out" / "bundle.json")}
    assert len(held) == made.count
    place = tmp_path / "follow.json"
    before = dict(held)
    from exchange.client.snapshot import begin_follower

    begin_follower(tmp_path / "out", beta.collection_url(name), place)
    came = [one.object for one in beta.follow(name, checkpoint=place, pace=Pace(once=True), notices=False)]
    assert len({(one["id"], one.get("modified")) for one in came}) == len(came)
    assert not {(one["id"], one.get("modified", "")) for one in came} & set(before.items()), "repeated"
    held |= {one["id"]: one.get("modified", "") for one in came}
    now = {one["id"]: one.get("modified", "") for one in beta.pull(name)}
    assert now.items() <= held.items(), "missed"
    withdrawn = set(held) - set(now)
    assert withdrawn <= {one["id"] for one in pushed_later}


def test_cibx_follow_goes_on_behind_it(
    exchange: ExchangeProcess, alpha: HttpCaller, lane: str, pushed: Objects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert snapshot(exchange, lane, tmp_path / "all.json", monkeypatch) == 0
    late = indicator(f"{lane} late")
    alpha.push(lane + "objects/", [late])
    capsys.readouterr()
    follow = ["follow", exchange.url + lane, "--user", "beta", "--once", "--no-notices", "--checkpoint", str(tmp_path / "f.json"),
              "--from-snapshot", str(tmp_path / "all.snapshot.json")]
    assert cibx.run(follow) == 0
    assert [json.loads(line)["id"] for line in capsys.readouterr().out.splitlines()] == [late["id"]]
    assert cibx.run(follow) == 0
    assert capsys.readouterr().out == ""
    other = exchange.url + exchange.next_lane()
    assert cibx.run(["follow", other, *follow[2:-3], str(tmp_path / "g.json"), *follow[-2:]]) == 2
    assert "is a snapshot of" in capsys.readouterr().err


def bad_inputs(folder: Path) -> dict[str, tuple[list[str], int, str]]:
    """What is given: exit code, and what the sentence says."""
    (folder / "file").write_text("x")
    (folder / "there.json").write_text("x")
    (folder / "broken.part").write_text("x")
    return {
        "no such collection": (["--collection", "nowhere", "--out", str(folder / "a")], 2, "no collection 'nowhere'"),
        "a folder that can't be": (["--collection", "indicators", "--out", str(folder / "file" / "x")], 2, "Name another place"),
        "a file that is there": (["--collection", "indicators", "--out", str(folder / "there.json")], 2, "there.json exists"),
        "a format for another file": (["--collection", "indicators", "--out", str(folder / "x.json"), "--format", "parquet"], 2, "one file"),
        "nothing to verify": (["--collection", "indicators", "--out", str(folder / "b"), "--verify"], 2, "can't be read"),
        "several collections": (["--out", str(folder / "c")], 2, "more than one"),
    }


@pytest.mark.parametrize("name", ["no such collection", "a folder that can't be", "a file that is there", "a format for another file",
                                  "nothing to verify", "several collections"])
def test_what_cannot_be_is_told_in_a_sentence(
    exchange: ExchangeProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    arguments, code, words = bad_inputs(tmp_path)[name]
    monkeypatch.setenv("CIBX_TOKEN", SECRETS["beta"])
    assert cibx.run(["snapshot", exchange.url + "/taxii2/", "--user", "beta", *arguments]) == code
    said = capsys.readouterr().err
    assert words in said
    assert "Traceback" not in said


def test_who_may_not_read_is_told_so(exchange: ExchangeProcess, lane: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert snapshot(exchange, lane, tmp_path / "out", monkeypatch, key="outside") == 2
    assert "404" in capsys.readouterr().err
    monkeypatch.setenv("CIBX_TOKEN", "wrong and long enough")
    assert cibx.run(["snapshot", exchange.url + lane, "--user", "beta", "--out", str(tmp_path / "two")]) == 1
    assert "401" in capsys.readouterr().err


def test_a_full_disk_is_told_and_nothing_half_is_left(exchange: ExchangeProcess, alpha: HttpCaller, lane: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alpha.push(lane + "objects/", [indicator(f"{lane} {n}", description="lorem ipsum " * 200) for n in range(60)])
    limited = ("import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000));"
               "from exchange.cli.main import main; main()")
    out = tmp_path / "out"
    done = subprocess.run([sys.executable, "-c", limited, "snapshot", exchange.url + lane, "--user", "beta", "--out", str(out), "--format", "bundle"],
                          env={**os.environ, "CIBX_TOKEN": SECRETS["beta"]}, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1, done.stderr
    assert "can't be written" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(out.glob("*.json"))
    assert snapshot(exchange, lane, out, monkeypatch, "--format", "bundle") == 0
    assert len(bundled(out / "bundle.json")) == 60
