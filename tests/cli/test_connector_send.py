"""``cibx connector send``: what a member may have goes to another system of it, once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from exchange.cli import main as cibx
from exchange.connect.local_sink import local_sink
from exchange.settings import read_settings
from tests.e2e.members import SECRETS, description, environment_name
from tests.e2e.stix_objects import TLP, domain, indicator
from tests.fakes.taxii_receiver import Receiver, receiving


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database in which alpha shared an indicator with everybody, and one with nobody."""
    for key, secret in SECRETS.items():
        monkeypatch.setenv(environment_name(key), secret)
    monkeypatch.setenv("CIBX_DATABASE_URL", f"sqlite:///{tmp_path / 'cibx.db'}")
    (tmp_path / "members.toml").write_text(description(lanes=0))
    assert cibx.run(["apply", str(tmp_path / "members.toml")]) == 0
    push(indicator("shared"), indicator("hidden", object_marking_refs=[TLP["RED"]]))
    return tmp_path


def push(*objects: object) -> None:
    sink = local_sink(read_settings(), org="org-alpha", collection="indicators", terms={})
    assert [one.state for one in sink.push([json.dumps(item).encode() for item in objects], terms={})] == ["added"] * len(objects)


def send(publisher: str, target: object, *more: str) -> int:
    return cibx.run(["connector", "send", publisher, str(target), "--as", "org-beta", "--collection", "indicators", *more])


def test_a_bundle_for_opencti_holds_what_the_member_may_have(place: Path) -> None:
    assert send("opencti", place / "out") == 0
    bundle = json.loads((place / "out" / "bundle.json").read_bytes())
    assert [item["id"] for item in bundle["objects"]] == [indicator("shared")["id"]]
    assert bundle["objects"][0]["x_opencti_main_observable_type"] == "Domain-Name"


def test_a_server_gets_each_object_once_and_the_token_stays_secret(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiving(Receiver()) as receiver:
        monkeypatch.setenv("CIBX_SECRET_OF_TOKEN", receiver.token)
        given = ("--allow-network", "127.0.0.0/8")
        assert send("taxii", receiver.url, *given) == 0
        push(domain("late"))
        assert send("taxii", receiver.url, *given) == 0
        assert [item["id"] for item in receiver.got] == [indicator("shared")["id"], domain("late")["id"]]
        receiver.refuse = {indicator("refused")["id"]: "no room"}
        push(indicator("refused"))
        capsys.readouterr()
        assert send("taxii", receiver.url, *given) == 3
        told = capsys.readouterr()
        assert "1 refused" in told.out
        assert "no room" in told.err
        kept = b"".join(path.read_bytes() for path in place.rglob("*") if path.is_file() and "connectors" in str(path))
        assert receiver.token.encode() not in kept


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(("arguments", "words"), [
    (["taxii", "http://127.0.0.1:1/"], "127.0.0.1"),
    (["nothing", "somewhere"], "no publisher 'nothing'"),
    (["opencti", "out", "--option", "colour=red"], "no option 'colour'"),
])
def test_what_cannot_be_sent_is_told(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert send(*arguments) in (1, 2)
    assert words in capsys.readouterr().err
