"""``cibx connector`` as a person and a job use it: here, to a server with a token, by a file, what went wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exchange.cli import main as cibx
from exchange.connect import registry
from tests.fakes import one_member
from tests.fakes.served_exchange import ServedExchange, served_exchange

MARKED = "marking-definition--0d3a4c0e-7ad0-4b8b-9b1f-8a4d0f8a9cff"


def domain(number: int, **more: Any) -> dict[str, Any]:
    return {"type": "domain-name", "spec_version": "2.1", "value": f"d{number}.example",
            "id": f"domain-name--0d3a4c0e-7ad0-4b8b-9b1f-8a4d0f8a9c{number:02x}", **more}


def write(folder: Path, *objects: Any) -> Path:
    path = folder / "source.json"
    path.write_text(json.dumps({"type": "bundle", "id": "bundle--0d3a4c0e-7ad0-4b8b-9b1f-8a4d0f8a9c01",
                                "objects": list(objects)}))
    return path


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Options of the way into a local database."""
    one_member.make(tmp_path, monkeypatch)
    return ["--as", "org-alpha"]


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServedExchange]:
    with served_exchange(tmp_path, monkeypatch) as running:
        yield running


def records(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    capsys.readouterr()
    cibx.run(["connector", *arguments])
    return capsys.readouterr().out


def test_list_names_every_connector_with_what_it_takes(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(records(capsys, "list", "--json"))
    assert [one["name"] for one in found["in"]] == list(registry.names())
    assert [one["name"] for one in found["out"]] == list(registry.publisher_names())
    text = records(capsys, "list")
    for one in [*found["in"], *found["out"]]:
        assert one["title"] in text
        assert all(f"--option {name}=" in text for name in one["options"])
        assert all(f"--secret {name}=@FILE" in text for name in one["secrets"])


def test_run_status_quarantine_and_replay_in_this_machines_database(
    tmp_path: Path, here: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A marking that isn't known puts one object aside; it goes in mended."""
    source = write(tmp_path, domain(1), 7, domain(2, object_marking_refs=[MARKED]))
    assert cibx.run(["connector", "run", "stix-file", str(source), *here, "--policy", "demo", "--name", "a"]) == 3
    assert "a: fresh; last finished" in records(capsys, "status")
    rows = [json.loads(line) for line in records(capsys, "quarantine", "list", "--json", *here).splitlines()]
    assert [(row["row"], len(row["objects"])) for row in rows] == [(2, 0), (3, 1)]
    assert rows[1]["reason"].startswith("marking-missing")
    number = str(rows[1]["number"])
    assert cibx.run(["connector", "quarantine", "replay", number, *here, "--policy", "demo"]) == 3
    shown = json.loads(records(capsys, "quarantine", "show", number, *here))
    del shown["objects"][0]["object_marking_refs"]
    (tmp_path / "mended.json").write_text(json.dumps(shown))
    assert cibx.run(["connector", "quarantine", "replay", number, *here, "--policy", "demo",
                     "--mended", str(tmp_path / "mended.json")]) == 0
    assert cibx.run(["connector", "quarantine", "drop", str(rows[0]["number"]), *here]) == 0
    assert records(capsys, "quarantine", "list", "--json", *here) == ""
    assert cibx.run(["connector", "run", "stix-file", str(write(tmp_path, domain(1), domain(2))), *here,
                     "--policy", "demo", "--name", "a"]) == 0
    assert "added 0 objects, 2 were there already" in capsys.readouterr().out


def test_a_token_is_all_that_a_run_to_a_server_needs(
    tmp_path: Path, served: ServedExchange, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CIBX_DATABASE_URL", f"sqlite:///{tmp_path / 'none' / 'nothing.db'}")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "token").write_text(served.token + "\n")
    way = ["--server", served.url, "--token-file", "token", "--collection", "indicators"]
    source = write(tmp_path, domain(1), domain(2))
    assert cibx.run(["connector", "check", "stix-file", str(source), *way, "--policy", "demo"]) == 0
    assert "reachable; its first step has 2 objects" in capsys.readouterr().out
    for words in ("added 2 objects, 0 were there already", "added 0 objects, 2 were there already"):
        assert cibx.run(["connector", "run", "stix-file", str(source), *way, "--policy", "demo"]) == 0
        assert words in capsys.readouterr().out
    assert not (tmp_path / "none").exists()
    kept = b"".join(path.read_bytes() for path in (tmp_path / "cibx-connectors").iterdir())
    assert served.token.encode() not in kept


def test_a_wrong_token_is_told_without_repeating_it(
    tmp_path: Path, served: ServedExchange, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CIBX_TOKEN", "lorem-ipsum-dolor")
    source = write(tmp_path, domain(1))
    assert cibx.run(["connector", "run", "stix-file", str(source), "--server", served.url, "--policy", "demo"]) == 1
    told = capsys.readouterr()
    assert "401" in told.err
    assert "lorem-ipsum-dolor" not in told.out + told.err


@pytest.mark.parametrize(("arguments", "words"), [
    (["run", "stix-file", "x"], "--as ORG"), (["run", "stix-file", "x", "--as", "o"], "--policy PACK is missing"),
    (["run", "stix-file", "x", "--as", "o", "--server", "https://a.example"], "--as ORG"),
    (["run", "stix-file", "x", "--server", "https://a.example", "--policy", "demo"], "no token"),
    (["run", "nope", "x", "--as", "o", "--policy", "demo"], "no connector 'nope'"),
    (["run", "--as", "o"], "Name a connector and a source"),
    (["run", "stix-file", "x", "--as", "o", "--policy", "demo", "--option", "a"], "NAME=VALUE"),
    (["run", "stix-file", "x", "--as", "org-alpha", "--policy", "demo", "--option", "a=b"], "no option 'a'. It takes: none"),
    (["run", "stix-file", "x", "--as", "org-alpha", "--policy", "demo", "--secret", "a=lorem"], "given in clear"),
    (["run", "stix-file", "x", "--as", "o", "--policy", "demo", "--every", "soon"], "no duration"),
    (["quarantine", "replay", "1", "--as", "org-alpha"], "--policy PACK is missing"),
    (["quarantine", "show", "1", "--as", "org-alpha"], "no row 1 in quarantine"),
])
def test_a_wrong_command_line_is_told_and_ends_with_2(
    here: list[str], arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cibx.run(["connector", *arguments]) == 2
    told = capsys.readouterr()
    assert words in told.err
    assert "lorem" not in told.out + told.err


def config(folder: Path, **more: str) -> Path:
    path = folder / "sources.toml"
    lines = "".join(f'{name} = "{value}"\n' for name, value in more.items())
    path.write_text(f'org = "org-alpha"\npolicy = "demo"\nmetrics = "connectors.prom"\n[[source]]\nname = "a"\n'
                    f'connector = "stix-file"\nplace = "source.json"\n{lines}[[source]]\nname = "b"\n'
                    'connector = "stix-file"\nplace = "missing.json"\nevery = "1d"\n')
    return path


@pytest.mark.usefixtures("here")
def test_sources_of_a_file_run_one_after_the_other_and_one_that_fails_holds_up_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, domain(1))
    path = config(tmp_path, every="1d")
    assert cibx.run(["connector", "run", "--config", str(path), "--once"]) == 1
    told = capsys.readouterr()
    assert "added 1 object," in told.out
    assert "b: " in told.err
    assert "missing.json" in told.err
    metrics = (tmp_path / "connectors.prom").read_text()
    assert 'cibx_connector_failures_total{whose="org-alpha",source="b",connector="stix-file"} 1' in metrics
    assert cibx.run(["connector", "run", "--config", str(path), "--once", "--only", "a"]) == 0


@pytest.mark.usefixtures("here")
def test_a_silent_source_is_stale_and_a_job_sees_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(tmp_path, domain(1))
    path = config(tmp_path, every="1d", stale_after="1s")
    assert cibx.run(["connector", "status", "--config", str(path)]) == 0
    assert "a: new; never finished a run" in capsys.readouterr().out
    time.sleep(1.01)
    assert cibx.run(["connector", "status", "--config", str(path)]) == 3
    assert "a: STALE" in capsys.readouterr().out
    found = json.loads(records(capsys, "status", "--json"))
    assert {one["source"]: one["state"] for one in found} == {"a": "stale", "b": "new"}


@pytest.mark.usefixtures("here")
def test_a_dry_run_of_a_connector_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = write(tmp_path, domain(1))
    out = tmp_path / "out"
    assert cibx.run(["connector", "run", "stix-file", str(source), "--dry-run", "--out", str(out)]) == 0
    assert "would add 1 object," in capsys.readouterr().out
    assert json.loads((out / "bundle.json").read_text())["objects"] == [domain(1)]
    assert not (tmp_path / "cibx-connectors").exists()


def test_a_scheduled_run_ends_gracefully_when_it_is_told_to(tmp_path: Path, here: list[str]) -> None:
    """As a service: a process of its own, which gets SIGTERM."""
    source = write(tmp_path, domain(1))
    command = [sys.executable, "-c", "from exchange.cli.main import main; main()", "connector", "run", "stix-file",
               str(source), *here, "--policy", "demo", "--every", "1d"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env={**os.environ, "PYTHONUNBUFFERED": "1"})
    assert process.stdout is not None
    assert "added 1 object," in process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (0, "")
    assert "Stopping after the step under way" in err
