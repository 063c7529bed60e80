"""From one MISP into a real exchange and out into others': whoever the source left out gets nothing of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.misp import CONNECTOR
from connectors.out.misp import PUBLISHER
from exchange.cli import main as cibx
from exchange.connect import runner
from exchange.connect.gates import local_gate
from exchange.connect.local_sink import local_sink
from exchange.connect.outward import Target, send
from exchange.connect.report import Report
from exchange.connect.source import Source
from exchange.policy.packs import load
from exchange.settings import read_settings
from tests.e2e.members import SECRETS, description, environment_name
from tests.fakes.memory_sink import MemorySink
from tests.fakes.misp_events import STAMP, attribute, event, part, sample_events, thing, write_feed

AUDIENCE = {"audience": "community=group:inner"}
LEVELS = {"3": "all.example", "1": "community.example", "0": "own.example"}


@pytest.fixture(autouse=True)
def _members(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The members of the end-to-end tests: alpha brings MISP in, beta is of the group ``inner``, gamma isn't."""
    for key, secret in SECRETS.items():
        monkeypatch.setenv(environment_name(key), secret)
    monkeypatch.setenv("CIBX_DATABASE_URL", f"sqlite:///{tmp_path / 'cibx.db'}")
    (tmp_path / "members.toml").write_text(description(lanes=0))
    assert cibx.run(["apply", str(tmp_path / "members.toml")]) == 0


def bring(folder: Path, events: list[dict]) -> Report:
    sink = local_sink(read_settings(), org="org-alpha", collection="indicators", terms={})
    source = Source(str(write_feed(folder, events)), AUDIENCE)
    return runner.run(CONNECTOR, source, sink, terms=load().terms("meta-threat-research"))


def feed_of(org: str, folder: Path, credential: str) -> str:
    """Everything in the feed that an organisation writes of what it may have."""
    gate = local_gate(read_settings(), org=org, collection="indicators", credential=credential)
    send(PUBLISHER, Target(str(folder / org)), gate, MemorySink())
    return "".join(path.read_text() for path in sorted((folder / org).glob("*.json")))


def three() -> list[dict]:
    return [event(attribute("domain", name), info=f"Event {level}", distribution=level, tags=("tlp:green",))
            for level, name in LEVELS.items()]


@pytest.mark.parametrize(("org", "credential", "levels"), [
    ("org-alpha", "alpha", "310"), ("org-beta", "beta", "31"), ("org-gamma", "gamma", "3"), ("org-delta", "delta", "3"),
])  # fmt: skip
def test_each_member_gets_what_the_source_let_it_have(tmp_path: Path, org: str, credential: str, levels: str) -> None:
    bring(tmp_path / "in", three())
    found = feed_of(org, tmp_path, credential)
    assert {level for level, name in LEVELS.items() if name in found} == set(levels)
    assert {one["distribution"] for path in (tmp_path / org).glob("*-*.json")
            for one in [json.loads(path.read_text())["Event"]]} == {"0"}  # its own organisation: no other community's


def test_an_attribute_that_is_kept_narrower_stays_where_it_may_be(tmp_path: Path) -> None:
    items = [attribute("domain", name, distribution=level) for level, name in LEVELS.items()]
    items.append(attribute("email", "lorem@kept.example", distribution="0"))
    bring(tmp_path / "in", [event(*items, tags=("tlp:green",))])
    assert [name in feed_of("org-gamma", tmp_path, "gamma") for name in (*LEVELS.values(), "kept.example")] == [
        True, False, False, False]
    assert [name in feed_of("org-beta", tmp_path, "beta") for name in (*LEVELS.values(), "kept.example")] == [
        True, True, False, False]


def test_what_is_narrowed_or_deleted_upstream_goes_from_the_others_feeds(tmp_path: Path) -> None:
    bring(tmp_path / "in", three())
    assert LEVELS["3"] in feed_of("org-gamma", tmp_path, "gamma")
    later = [event(attribute("domain", LEVELS["3"], deleted=True), info="Event 3", tags=("tlp:green",),
                   timestamp=str(STAMP + 60)), *three()[1:]]
    report = bring(tmp_path / "in", later)
    assert report.withdrawn == 3  # the indicator and its relationships
    assert LEVELS["3"] not in feed_of("org-gamma", tmp_path, "gamma")


def test_the_exchange_takes_everything_that_the_connector_makes(tmp_path: Path) -> None:
    victim = thing("impersonation", part("type-of-account", "Twitter"), part("account-name", "lorem_fake", to_ids=True),
                   part("impersonated-account-name", "lorem_true"))
    people = event(attribute("email", "a@lorem.example"), attribute("phone-number", "+442079460958"), objects=(victim,),
                   info="People", tags=("tlp:amber", "PAP:AMBER"))
    report = bring(tmp_path / "in", [*sample_events(), people])
    assert report.pushed("refused") == 0
    assert report.outcomes["quarantined"] == 1  # the IBAN, which never leaves its source
