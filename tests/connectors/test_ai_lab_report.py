"""AI-lab reports from files: what goes in, what is told of the rest, and a withdrawal all the way to the database."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.ai_lab_report import CONNECTOR
from exchange.ailab.convert import to_stix
from exchange.cli import main as cibx
from exchange.connect.contract import Row
from exchange.connect.local_sink import local_sink
from exchange.connect.runner import run
from exchange.connect.source import Source
from exchange.policy.packs import load
from exchange.settings import read_settings
from exchange.wiring import Exchange
from tests.fakes import one_member
from tests.fakes.lab_reports import FULL, Form, form

TERMS = load().terms("ai-lab-report")


def write(path: Path, *forms: Form) -> Path:
    path.write_text("\n".join(map(json.dumps, forms)))
    return path


def read(place: Path) -> tuple[list[str], list[Row]]:
    batches = list(CONNECTOR.fetch(Source(str(place)), None))
    return [one["id"] for batch in batches for one in batch.upserts], [row for batch in batches for row in batch.rows]


def test_a_form_with_a_fault_is_put_aside_whole_and_not_kept(tmp_path: Path) -> None:
    ids, rows = read(write(tmp_path / "a.jsonl", form(cluster__boundary="jane.doe@mail.example"), form(report_id="rpt-2")))
    assert [row.outcome for row in rows] == ["quarantined", "indicator"]
    assert "cluster.boundary: holds an e-mail address" in rows[0].reason
    assert "jane" not in rows[0].reason + rows[0].raw
    assert set(ids) == {one["id"] for one in to_stix(form(report_id="rpt-2"))}


def test_of_several_versions_the_newest_goes_in_whatever_their_order(tmp_path: Path) -> None:
    write(tmp_path / "b.json", form(version=2, external_assets=[]))
    write(tmp_path / "c.json", FULL)
    ids, rows = read(tmp_path)
    assert [(row.file, row.outcome) for row in rows] == [("b.json", "note"), ("c.json", "note")]
    assert rows[1].reason == "Version 2 of the report stands in b.json, row 1, and replaces this one."
    assert set(ids) == {one["id"] for one in to_stix(form(version=2, external_assets=[]))}


@pytest.mark.parametrize(("content", "words"), [(b"", "is empty"), (b"<html>", "a web page"), (b"lorem", "must begin with")])
def test_what_holds_no_forms_is_refused_with_a_sentence(
    tmp_path: Path, content: bytes, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.json").write_bytes(content)
    assert cibx.run(["report", "ai-lab", "check", str(tmp_path / "a.json")]) == 2
    assert words in capsys.readouterr().err


def test_reports_are_checked_and_shown_as_stix_without_a_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = write(tmp_path / "good.json", FULL), write(tmp_path / "bad.json", form(prompts=["x"]))
    assert cibx.run(["report", "ai-lab", "check", str(good)]) == 0
    assert capsys.readouterr().out == "good.json, report 1: is right.\n"
    assert cibx.run(["report", "ai-lab", "check", str(bad)]) == 3
    assert "prompts: is no field of this form" in capsys.readouterr().err
    assert cibx.run(["report", "ai-lab", "stix", str(bad)]) == 3
    assert capsys.readouterr().out == ""
    assert cibx.run(["report", "ai-lab", "stix", str(good)]) == 0
    assert json.loads(capsys.readouterr().out)["objects"] == list(to_stix(FULL))
    assert cibx.run(["report", "ai-lab", "schema"]) == 0
    assert json.loads(capsys.readouterr().out)["properties"]["schema_version"]["enum"] == ["1", "0.1"]


def test_a_withdrawn_report_takes_back_what_the_file_brought_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_member.make(tmp_path, monkeypatch)
    sink = local_sink(read_settings(), org="org-alpha", collection=None, terms=TERMS)
    source = tmp_path / "source"
    source.mkdir()
    write(source / "1.json", FULL)
    report = run(CONNECTOR, Source(str(source)), sink, terms=TERMS)
    assert report.all_in
    write(source / "2.json", form(version=2, status="withdrawn", published="2026-07-01T00:00:00Z"))
    assert run(CONNECTOR, Source(str(source)), sink, terms=TERMS).all_in
    desk = Exchange(read_settings()).obligations
    for one in to_stix(FULL):
        found = desk.show(one["id"], "org-alpha", 0)
        states = {row["state"] for row in found}
        if one["type"] in ("report", "indicator", "relationship", "infrastructure"):
            assert states == {"revoked"}, one["id"]
        elif one["type"] not in ("marking-definition", "identity"):
            assert states == set(), one["id"]
    again = run(CONNECTOR, Source(str(source)), sink, terms=TERMS)
    assert again.pushed("added") == 0
