"""``cibx follow`` and ``Client.follow`` against a served exchange: nothing missed, revocations and erasures applied."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import stix2

from exchange.cli import main as cibx
from exchange.client import Client
from exchange.client.change import Change
from exchange.client.follow import Follower, Pace
from exchange.errors import InputError, NotFoundError, UnauthorizedError
from tests.e2e.exchange_process import ExchangeProcess
from tests.e2e.http_caller import HttpCaller
from tests.e2e.members import SECRETS
from tests.e2e.stix_objects import TLP, domain, indicator
from tests.fakes.watched_disk import watch_disk

SETTINGS = {"CIBX_PAGE_SIZE": "5"}
ONCE = Pace(once=True)


def client(exchange: ExchangeProcess, key: str = "beta") -> Client:
    return Client(exchange.url + "/taxii2/", key, SECRETS[key])


def followed(exchange: ExchangeProcess, lane: str, place: Path, key: str = "beta") -> list[Change]:
    return list(client(exchange, key).follow(lane.split("/")[4], checkpoint=place, pace=ONCE))


def follow(exchange: ExchangeProcess, lane: str, folder: Path, monkeypatch: pytest.MonkeyPatch, *more: str) -> int:
    monkeypatch.setenv("CIBX_TOKEN", SECRETS["beta"])
    return cibx.run(["follow", exchange.url + lane, "--user", "beta", "--once", "--checkpoint", str(folder / "place.json"), *more])


@pytest.fixture
def pushed(alpha: HttpCaller, lane: str) -> list[dict[str, Any]]:
    objects = [indicator() for _ in range(12)]
    assert alpha.push(lane + "objects/", objects).json["success_count"] == 12
    return objects


def test_a_second_look_gives_only_what_is_new(
    exchange: ExchangeProcess, alpha: HttpCaller, lane: str, pushed: list[dict[str, Any]], tmp_path: Path
) -> None:
    place = tmp_path / "place.json"
    assert [one.id for one in followed(exchange, lane, place)] == [one["id"] for one in pushed]
    assert followed(exchange, lane, place) == []
    late = [indicator() for _ in range(3)]
    alpha.push(lane + "objects/", late)
    assert [one.id for one in followed(exchange, lane, place)] == [one["id"] for one in late]


def test_a_server_is_named_by_its_host_alone(exchange: ExchangeProcess, lane: str) -> None:
    name = lane.split("/")[4]
    assert Client(exchange.url, "beta", SECRETS["beta"]).collection_url(name) == client(exchange).collection_url(name)


def test_a_refusal_is_told_with_the_servers_words_and_a_remedy(exchange: ExchangeProcess) -> None:
    with pytest.raises(UnauthorizedError, match=r"answered 401: .*not valid here\. Check the credential"):
        Client(exchange.url, "beta", "wrong").collection_url()
    with pytest.raises(NotFoundError, match=r"answered 404: .*Check the URL: that of TAXII often ends in /taxii2/"):
        Client(exchange.url + "/taxi/", "beta", SECRETS["beta"]).collection_url()
    with pytest.raises(NotFoundError, match=r"no collection 'nope' .*Name one of: .*lane-001, .* and \d+ more\."):
        client(exchange).collection_url("nope")


def test_what_a_consumer_had_under_way_when_it_died_comes_again(
    exchange: ExchangeProcess, lane: str, pushed: list[dict[str, Any]], tmp_path: Path
) -> None:
    place = tmp_path / "place.json"

    dying = client(exchange).follow(lane.split("/")[4], checkpoint=place, pace=ONCE)
    assert [next(dying).id for _ in range(7)] == [one["id"] for one in pushed[:7]]
    dying.close()
    assert [one.id for one in followed(exchange, lane, place)] == [one["id"] for one in pushed[5:]]


def test_files_are_read_by_stix2_and_follow_revocation(
    exchange: ExchangeProcess, alpha: HttpCaller, lane: str, pushed: list[dict[str, Any]], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert follow(exchange, lane, tmp_path, monkeypatch, "--out", str(tmp_path / "out")) == 0
    store = stix2.FileSystemSource(str(tmp_path / "out"), allow_custom=True)
    assert {one["id"] for one in store.query([stix2.Filter("type", "=", "indicator")])} == {one["id"] for one in pushed}
    revoked = {**pushed[0], "revoked": True, "modified": "2026-02-01T00:00:00.000Z"}
    seen = domain("lorem")
    assert alpha.push(lane + "objects/", [revoked, seen]).json["success_count"] == 2
    assert follow(exchange, lane, tmp_path, monkeypatch, "--out", str(tmp_path / "out")) == 0
    assert store.get(pushed[0]["id"])["revoked"] is True
    assert len(store.all_versions(pushed[0]["id"])) == 2
    assert json.loads((tmp_path / "out" / "domain-name" / f"{seen['id']}.json").read_bytes()) == seen


def test_no_checkpoint_is_ahead_of_the_files_on_the_disk(
    exchange: ExchangeProcess, lane: str, pushed: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, place = watch_disk(monkeypatch, tmp_path), tmp_path / "place.json"
    assert follow(exchange, lane, tmp_path, monkeypatch, "--out", str(tmp_path / "out"), "--no-notices") == 0
    kept = [{json.loads(content)["id"] for path, content in there.items() if path.parent != tmp_path}
            for path, there in disk.renamed if path == place]
    assert kept == [{one["id"] for one in pushed[:until]} for until in (5, 10, 12)], "a page at a time"


def test_an_erasure_deletes_the_files_and_is_acknowledged(
    exchange: ExchangeProcess, alpha: HttpCaller, lane: str, pushed: list[dict[str, Any]], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out, erased = tmp_path / "out", pushed[4]["id"]
    assert follow(exchange, lane, tmp_path, monkeypatch, "--out", str(out)) == 0
    assert (out / "indicator" / erased).is_dir()
    exchange.cibx("state", "erase", erased, "--by", "dana", "--reason", "A demand under Art. 17.")
    assert [one["obligation"] for one in client(exchange).notices().awaited()] == ["delete"]
    assert follow(exchange, lane, tmp_path, monkeypatch, "--out", str(out)) == 0
    assert not (out / "indicator" / erased).exists()
    assert len(list((out / "notices").iterdir())) == 1
    assert client(exchange).notices().awaited() == []


def test_a_notice_that_the_consumer_could_not_apply_is_answered_so_once(
    exchange: ExchangeProcess, lane: str, pushed: list[dict[str, Any]], tmp_path: Path
) -> None:
    place = tmp_path / "place.json"
    followed(exchange, lane, place, "gamma")
    exchange.cibx("state", "erase", pushed[0]["id"], "--by", "dana", "--reason", "A demand under Art. 17.")
    found = []
    for change in client(exchange, "gamma").follow(lane.split("/")[4], checkpoint=place, pace=ONCE):
        assert change.obligation == "delete"
        assert change.concerned == (pushed[0]["id"],)
        change.done, change.statement = False, "The index is read-only."
        found.append(change.id)
    shown = json.loads(exchange.cibx("notice", "show", found[0]))
    assert [(one["done"], one["statement"]) for one in shown["answers"]] == [(False, "The index is read-only.")]


def test_completeness_is_proved_by_count_and_root(
    exchange: ExchangeProcess, alpha: HttpCaller, lane: str, pushed: list[dict[str, Any]], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    marking = {"type": "marking-definition", "spec_version": "2.1", "created": "2026-01-01T00:00:00.000Z",
               "id": f"marking-definition--{pushed[0]['id'].partition('--')[2]}", "definition_type": "statement",
               "definition": {"statement": "lorem"}}
    revised = {**pushed[1], "modified": "2026-02-01T00:00:00.000Z", "name": "Another"}
    hidden = indicator(object_marking_refs=[TLP["RED"]])
    assert alpha.push(lane + "objects/", [marking, revised, hidden, domain(lane)]).json["success_count"] == 4
    exchange.cibx("state", "erase", pushed[2]["id"], "--by", "dana", "--reason", "A demand.")
    assert follow(exchange, lane, tmp_path, monkeypatch, "--out", str(out), "--verify") == 0
    assert "Complete: 13 objects" in capsys.readouterr().out
    lost = out / "indicator" / pushed[5]["id"]
    for path in lost.iterdir():
        path.unlink()
    strange = indicator()
    (out / "indicator" / f"{strange['id']}.json").write_text(json.dumps(strange))
    assert follow(exchange, lane, tmp_path, monkeypatch, "--out", str(out), "--verify") == 3
    told = capsys.readouterr().out
    assert "1 missing, 1 left over" in told
    assert f"missing: {pushed[5]['id']}" in told
    assert f"left over: {strange['id']}" in told


def test_a_program_gets_lines_and_its_failure_keeps_the_batch(
    exchange: ExchangeProcess, lane: str, pushed: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "job.py"
    script.write_text(
        "import sys, pathlib\nplace = pathlib.Path(sys.argv[1])\nlines = sys.stdin.read()\n"
        "with open(place, 'a') as file: file.write(lines)\nsys.exit(1 if sys.argv[2:] else 0)\n")
    run = f"{sys.executable} {script} {tmp_path / 'got'}"
    assert follow(exchange, lane, tmp_path, monkeypatch, "--exec", run + " fail") == 1
    assert follow(exchange, lane, tmp_path, monkeypatch, "--exec", run) == 0
    lines = [json.loads(line) for line in (tmp_path / "got").read_text().splitlines()]
    assert [line["id"] for line in lines] == [one["id"] for one in [*pushed[:5], *pushed]]
    assert lines[0] == {"change": "object", "id": pushed[0]["id"], "object": pushed[0]}


@pytest.mark.usefixtures("pushed")
def test_lines_go_to_the_standard_output(
    exchange: ExchangeProcess, lane: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert follow(exchange, lane, tmp_path, monkeypatch) == 0
    assert len(capsys.readouterr().out.splitlines()) == 12


def test_an_expired_credential_ends_with_a_sentence(exchange: ExchangeProcess, lane: str, tmp_path: Path) -> None:
    follower = Follower(lambda: client(exchange, "expired"), None, tmp_path / "place.json", ONCE)
    with pytest.raises(UnauthorizedError):
        list(follower.batches())
    made = iter([client(exchange), Client(exchange.url + lane, "beta", "wrong secret 0123456789")])
    url = client(exchange).collection_url(lane.split("/")[4])
    going = Follower(lambda: next(made), url.rstrip("/").rpartition("/")[2], tmp_path / "other.json", ONCE)
    assert list(going.batches()) == []


def test_a_renewed_credential_is_taken_up(exchange: ExchangeProcess, lane: str, pushed: list[dict[str, Any]], tmp_path: Path) -> None:
    class Expiring(Client):
        """Its credential is taken away after the first page."""

        def pages(self, *args: Any, **more: Any) -> Any:
            yield next(super().pages(*args, **more))
            raise UnauthorizedError("expired")

    first = Expiring(exchange.url + "/taxii2/", "beta", SECRETS["beta"])
    made = iter([first, client(exchange)])
    follower = Follower(lambda: next(made), lane.split("/")[4], tmp_path / "place.json", ONCE)
    assert [one.id for batch in follower.batches() for one in batch] == [one["id"] for one in pushed]


def test_a_server_that_is_gone_is_waited_for(exchange: ExchangeProcess, alpha: HttpCaller, lane: str, tmp_path: Path) -> None:
    told: list[str] = []
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 1:
            exchange.stop()
        elif len(pauses) == 4:
            exchange.start()
            with_new = exchange.caller("alpha")
            with_new.push(lane + "objects/", [indicator("after the restart")])

    follower = Follower(lambda: client(exchange), lane.split("/")[4], tmp_path / "place.json", Pace(sleep=sleep), tell=told.append)
    first = next(follower.batches())
    assert [one.id for one in first] == [indicator("after the restart")["id"]]
    assert pauses == [10.0, 1.0, 2.0, 4.0]
    assert ["doesn't answer" in told[0], "Trying again" in told[0]] == [True, True]


def test_the_detection_job_of_the_readme_runs_as_it_stands_there(
    exchange: ExchangeProcess, alpha: HttpCaller, tmp_path: Path
) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    (job,) = [block for block in re.findall(r"```python\n(.*?)```", readme, re.DOTALL) if "client.follow" in block]
    assert sum(bool(line.strip()) for line in job.splitlines()) <= 10
    shared = indicator("of the detection job")
    assert alpha.push("/taxii2/main/collections/indicators/objects/", [shared]).json["success_count"] == 1
    secret = re.search(r"\S{40,}", exchange.cibx("credential", "issue", "org-beta", "--purpose", "cib-detection"))
    assert secret is not None
    (tmp_path / "job.py").write_text(job.replace("https://exchange.example", exchange.url))
    running = subprocess.Popen([sys.executable, "-u", "job.py"], cwd=tmp_path, stdout=subprocess.PIPE, text=True,
                               env={**os.environ, "CIBX_TOKEN": secret[0]})
    try:
        assert running.stdout is not None
        assert running.stdout.readline() == f"look for {shared['pattern']}\n"
    finally:
        running.kill()
        running.communicate()


def test_two_followers_do_not_share_a_checkpoint(exchange: ExchangeProcess, lane: str, pushed: list[dict[str, Any]], tmp_path: Path) -> None:
    place = tmp_path / "place.json"
    one = client(exchange).follow(lane.split("/")[4], checkpoint=place, pace=ONCE)
    next(one)
    with pytest.raises(InputError, match="Another follower"):
        followed(exchange, lane, place)
    one.close()
    other = exchange.next_lane()
    followed(exchange, lane, place)
    with pytest.raises(InputError, match="is of http"):
        followed(exchange, other, place)
