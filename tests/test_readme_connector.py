"""README's example of a third party's connector, as it stands there: installed by its entry point, run, killed, hostile."""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exchange.cli import main as cibx
from exchange.connect import registry, runner
from exchange.connect.contract import Connector, Row
from exchange.connect.source import Source
from exchange.errors import InputError, UnauthorizedError
from exchange.stix.validate import check
from tests.fakes import one_member
from tests.fakes.memory_sink import MemorySink
from tests.fakes.quick_web import quick_web
from tests.fakes.web_peer import Answer, Asked, WebPeer

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
CODE = next(text for text in re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
            if "class AcmeTakedowns" in text)
PACKAGE = next(text for text in re.findall(r"^```toml\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
               if "entry-points" in text)
TERMS = {"tlp": "TLP:AMBER"}
TOKEN = "lorem-ipsum"


def asset(number: int, value: str, **more: Any) -> dict[str, Any]:
    return {"id": str(number), "network": "Utopia", "removed_at": "2026-02-01T00:00:00.000Z", "tlp": "TLP:GREEN",
            "changed_at": "2026-02-01T00:00:00.000Z", "value": value, **more}


PAGES: list[list[Any]] = [
    [asset(1, "made-up[.]example[.]com"), asset(2, "https://x.com/made_up_2"), asset(3, "lorem", platform="telegram")],
    [asset(4, "bit[.]ly"), asset(5, "no identifier at all"), {"id": 6}, 7, None, asset(8, "x.example", tlp="blue"),
     asset(9, "a@b.example"), asset(10, "late.example.com", changed_at="2026-03-01T00:00:00.000Z")],
]
OUTCOMES = ["indicator"] * 3 + ["note"] + ["quarantined"] * 5 + ["indicator"] * 2


@pytest.fixture
def connector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connector]:
    """Installed as pip would: the module, and its entry point in the metadata."""
    site = tmp_path / "site"
    (site / "acme_takedowns-1.0.dist-info").mkdir(parents=True)
    (site / "acme_takedowns.py").write_text(CODE)
    points = tomllib.loads(PACKAGE)["project"]["entry-points"]
    (site / "acme_takedowns-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-takedowns\nVersion: 1.0\n")
    (site / "acme_takedowns-1.0.dist-info" / "entry_points.txt").write_text("".join(
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in entries.items())
        for group, entries in points.items()))
    monkeypatch.syspath_prepend(str(site))
    yield registry.connector("acme-takedowns")
    sys.modules.pop("acme_takedowns", None)


@pytest.fixture
def peer() -> Iterator[WebPeer]:
    def assets(asked: Asked) -> Answer:
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return Answer(401)
        after = int(asked.query["after"][0] or 0)
        page = {"items": PAGES[after] if after < len(PAGES) else [], "next": str(after + 1)}
        return Answer(200, json.dumps(page).encode(), {"Content-Type": "application/json"})

    with WebPeer() as running:
        running.routes["/api/assets"] = assets
        yield running


def source(peer: WebPeer, token: str = TOKEN) -> Source:
    return Source(peer.url("/api"), secrets={"token": token}, outside=quick_web())


def bring(connector: Connector, peer: WebPeer, sink: MemorySink) -> list[Row]:
    rows: list[Row] = []
    runner.run(connector, source(peer), sink, terms=TERMS, watchers=[lambda step: rows.extend(step.rows)])
    return rows


def test_it_is_short() -> None:
    assert len(CODE.splitlines()) + len(PACKAGE.splitlines()) < 120


def test_it_is_listed(connector: Connector, capsys: pytest.CaptureFixture[str]) -> None:
    assert cibx.run(["connector", "list"]) == 0
    assert f"{connector.name}: {connector.title}" in capsys.readouterr().out


def test_each_item_is_told_once_and_its_objects_are_valid(connector: Connector, peer: WebPeer) -> None:
    rows = bring(connector, peer, MemorySink())
    assert [row.outcome for row in rows] == OUTCOMES
    assert len({(row.file, row.row) for row in rows}) == len(rows)
    assert all(row.reason and row.raw for row in rows if row.outcome == "quarantined")
    for batch in connector.fetch(source(peer), None):
        assert [check(item) for item in batch.upserts] == [None] * len(batch.upserts)


def test_twice_changes_nothing_and_a_later_run_brings_what_is_new(
    connector: Connector, peer: WebPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = MemorySink()
    bring(connector, peer, sink)
    stored = dict(sink.stored)
    assert bring(connector, peer, sink) == []
    assert stored == sink.stored
    monkeypatch.setattr(sys.modules[__name__], "PAGES", [*PAGES, [asset(11, "new.example.com")]])
    assert [row.outcome for row in bring(connector, peer, sink)] == ["indicator"]


def test_killed_at_each_page_and_resumed_it_ends_the_same(
    connector: Connector, peer: WebPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = MemorySink()
    bring(connector, peer, whole)
    monkeypatch.setattr(runner, "MAX_STEP_ROWS", 1)
    for pushes in range(len(PAGES)):
        sink = MemorySink()

        def die(step: runner.Step, left: list[int] = [pushes]) -> None:  # noqa: B006 - counts down
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            runner.run(connector, source(peer), sink, terms=TERMS, watchers=[die])
        bring(connector, peer, sink)
        assert whole.stored == sink.stored


def test_a_reversed_decision_is_taken_back(
    connector: Connector, peer: WebPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = MemorySink()
    bring(connector, peer, sink)
    monkeypatch.setattr(sys.modules[__name__], "PAGES", [*PAGES, [asset(1, "made-up.example.com", status="reversed")]])
    bring(connector, peer, sink)
    revoked = [json.loads(raw)["type"] for raw in sink.stored.values() if json.loads(raw).get("revoked")]
    assert sorted(revoked) == ["indicator", "relationship"]


def test_a_wrong_token_and_a_wrong_answer_are_told(connector: Connector, peer: WebPeer) -> None:
    with pytest.raises(UnauthorizedError):
        runner.run(connector, source(peer, "wrong"), MemorySink(), terms=TERMS)
    peer.routes["/api/assets"] = lambda asked: Answer(200, b"<html>")
    with pytest.raises(InputError, match="JSON"):
        runner.run(connector, source(peer), MemorySink(), terms=TERMS)
    with pytest.raises(InputError, match="policy"):
        runner.run(connector, source(peer), MemorySink(), terms={})


def test_a_person_runs_it_like_any_other(
    connector: Connector, peer: WebPeer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    one_member.make(tmp_path, monkeypatch)
    monkeypatch.setenv("CIBX_SECRET_OF_TOKEN", TOKEN)
    command = ["connector", "run", connector.name, peer.url("/api"), "--as", "org-alpha", "--policy", "demo",
               "--allow-network", "127.0.0.1"]
    assert cibx.run(command) == 3
    told = capsys.readouterr()
    assert "5 rows are in quarantine, 0 objects were refused" in told.out
    assert TOKEN not in told.out + told.err
    assert cibx.run(command) == 0
