"""``cibx match events``: hits as JSON lines, and what is wrong with a line is told with its number."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from exchange.cli.match_events import command

pytest.importorskip("re2")


def ask(folder: Path, lines: list[Any], *options: str) -> tuple[int, list[dict[str, Any]], str]:
    feed = folder / "feed.json"
    feed.write_text(json.dumps({"type": "bundle", "id": "bundle--1", "objects": [
        {"type": "identity", "id": "identity--1", "name": "Alpha"},
        {"type": "indicator", "id": "indicator--1", "created_by_ref": "identity--1", "pattern_type": "stix",
         "pattern": "[x-cib-device:token = 'dv_7c']", "valid_from": "2026-05-31T00:00:00Z", "confidence": 80},
        {"type": "indicator", "id": "indicator--2", "created_by_ref": "identity--1", "pattern_type": "stix",
         "pattern": "[domain-name:value = 'lies.example.org']", "valid_from": "2026-05-31T00:00:00Z"},
        {"type": "indicator", "id": "indicator--3", "created_by_ref": "identity--1", "pattern_type": "stix",
         "pattern": "[domain-name:value LIKE 'li%']", "valid_from": "2026-05-31T00:00:00Z"},
    ]}))
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    result = CliRunner().invoke(command, ["--feed", str(feed), "--at", "2026-06-01T00:00:00Z", *options], input=text,
                                standalone_mode=False)
    if isinstance(result.exception, Exception):
        raise result.exception
    return int(result.return_value), [json.loads(line) for line in result.stdout.splitlines()], result.stderr


SEEN = 1_780_272_000


def test_each_hit_is_a_line_with_source_and_nats(tmp_path: Path) -> None:
    code, hits, told = ask(tmp_path, [
        {"account": "a", "kind": "device", "value": "dv_7c", "seen": SEEN},
        {"account": "b", "kind": "device", "value": "dv_8", "seen": SEEN},
        "", {"account": 9, "kind": "link", "value": "https://lies.example.org/x", "seen": SEEN}])
    assert code == 0
    assert [(hit["account"], hit["indicator"], hit["source_name"]) for hit in hits] == [
        ("a", "indicator--1", "Alpha"), (9, "indicator--2", "Alpha")]
    assert hits[0]["nats"] == pytest.approx(5.0 * 0.8 * 2 ** (-1 / 120), rel=0.01)
    assert "2 indicators" in told


@pytest.mark.parametrize(("line", "told"), [
    ("{", "Line 2 is no JSON object"),
    ("[1]", "Line 2 is no JSON object"),
    ({"kind": "device", "value": "dv_7c"}, "Line 2 needs an account and a value"),
    ({"account": "a", "kind": "shoe", "value": "9"}, "Line 2 has the unknown kind 'shoe'"),
    ({"account": "a", "kind": "device", "value": "dv_7c", "seen": 1_780_272_000_000}, "no moment in Unix seconds"),
    ({"account": "a", "kind": "device", "value": "dv_7c", "holders": 0}, "holders a whole number from 1"),
    ({"account": "a", "kind": "device", "value": "dv_7c", "size": 3}, "unknown word 'size'"),
    ({"account": "a", "kind": "device", "value": "dv_7c", "seen": "2026-06-01T00:00:00Z"}, "no moment in Unix seconds"),
    ({"account": "a", "kind": "device", "value": "dv_7c", "first": SEEN + 0.5}, "no moment in Unix seconds"),
    ({"account": "a", "kind": "device", "value": "  "}, "Line 2: '  ' is no device"),
    ({"account": "a", "kind": "device", "value": -1}, "Line 2: '-1' is no device"),
    ({"account": "a", "kind": "phone", "value": "unknown"}, "Line 2: 'unknown' is no phone"),
    ({"account": "a", "kind": "ip4", "value": "10.0.0.256"}, "Line 2: '10.0.0.256' is no IPv4 address"),
    ({"account": "a", "kind": "ip4", "value": 2**32}, "is no IPv4 address"),
    ({"account": "a", "kind": "domain", "value": "no domain"}, "Line 2: 'no domain' is no domain"),
    ({"account": "a", "kind": "link", "value": "https://"}, "Line 2: 'https://' is no domain, page"),
    ({"account": "a", "kind": "picture", "value": "abc"}, "Line 2: 'abc' is no PDQ fingerprint"),
    ({"account": "a", "kind": "text", "value": "!!!"}, "Line 2: '!!!' has no words"),
    ({"account": "a", "kind": "account", "value": "jo"}, "Line 2: 'jo' is no profile's URL"),
])
def test_a_bad_line_is_told_and_the_rest_goes_on(tmp_path: Path, line: Any, told: str) -> None:
    good = {"account": "a", "kind": "device", "value": "dv_7c", "seen": SEEN}
    code, hits, errors = ask(tmp_path, [good, line, good])
    assert code == 3
    assert len(hits) == 2
    assert told in errors


def test_a_warning_list_takes_a_value_out(tmp_path: Path) -> None:
    lists = tmp_path / "lists.json"
    lists.write_text(json.dumps({"name": "top sites", "type": "string", "list": ["lies.example.org"]}))
    event = {"account": "a", "kind": "domain", "value": "lies.example.org", "seen": SEEN}
    assert len(ask(tmp_path, [event])[1]) == 1
    _, hits, told = ask(tmp_path, [event], "--warning-list", str(lists))
    assert hits == []
    assert "on the warning list 'top sites' (lists.json)" in told


def test_indicators_that_one_event_cannot_decide_are_told(tmp_path: Path) -> None:
    _, _, told = ask(tmp_path, [])
    assert "cibx: 2 indicators." in told
    assert "not used: 1 × one event doesn't decide the pattern" in told
