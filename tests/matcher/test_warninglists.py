"""What is on a warning list condemns nobody, and the report says which list took what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from exchange.errors import InputError
from exchange.matcher.indicators import Terms, collect, read_indicators
from exchange.matcher.report import Report
from exchange.matcher.warninglists import read_warning_lists, suppress

MISP = Path(__file__).parents[2].parent / "shared" / "data" / "misp" / "warninglists"


def written(folder: Path, entries: Any, kind: str = "string", **more: Any) -> Path:
    path = folder / f"{kind}.json"
    path.write_text(json.dumps({"name": f"a {kind} list", "type": kind, "list": entries, "version": 3, **more}))
    return path


def left(platform: Any, pattern: str, *paths: Path) -> tuple[set[str], Report]:
    """Kinds of what is still looked for, and the report."""
    report = Report()
    terms = Terms(platform.at, 0.5, 0.4)
    lists, problems = read_warning_lists(paths)
    report.problems += problems
    kept = suppress(read_indicators(collect([platform.indicator(pattern)], report), terms, report), lists, report)
    return {probe.kind for indicator in kept for probe in indicator.probes}, report


DOMAIN, URL = "[domain-name:value = 'cdn.lies.example.org']", "[url:value = 'https://Cdn.lies.example.org/a']"
MAIL, ADDRESS = "[email-addr:value = 'Abuse@lies.example.org']", "[ipv4-addr:value = '192.0.2.7']"
RANGE = "[ipv4-addr:value = '192.0.2.0/26']"


@pytest.mark.parametrize(("kind", "entry", "pattern", "suppressed"), [
    ("string", "CDN.lies.example.org", DOMAIN, True),
    ("string", "lies.example.org", DOMAIN, False),
    ("string", "192.0.2.7", ADDRESS, True),
    ("hostname", "lies.example.org", DOMAIN, True),
    ("hostname", "ies.example.org", DOMAIN, False),
    ("hostname", ".example.org", URL, True),
    ("substring", "LIES.example", MAIL, True),
    ("substring", "lies.example", URL, True),
    ("substring", "truth", URL, False),
    ("cidr", "192.0.2.0/24", ADDRESS, True),
    ("cidr", "192.0.2.7", ADDRESS, True),
    ("cidr", "192.0.2.0/24", RANGE, True),
    ("cidr", "192.0.2.0/27", RANGE, False),
    ("cidr", "2001:db8::/32", ADDRESS, False),
    ("regex", r"/^(abuse|noc)\@.*\..*$/i", MAIL, True),
    ("regex", "^abuse@", MAIL, True),
    ("regex", "/^noc@/", MAIL, False),
])
def test_each_type_of_list_suppresses_its_own_way(
    platform: Any, tmp_path: Path, kind: str, entry: str, pattern: str, suppressed: bool
) -> None:
    kinds, report = left(platform, pattern, written(tmp_path, ["other.example", entry] if kind != "cidr" else [entry], kind))
    told = [reason for reason in report.not_used if f"'a {kind} list' ({kind}.json)" in reason]
    main = {DOMAIN: "domain", URL: "url", MAIL: "email", ADDRESS: "ip4", RANGE: "ip_range"}[pattern]
    assert (main not in kinds) == suppressed == bool(told)
    assert report.indicators_used == bool(kinds)
    assert set(report.values_used) == kinds


@pytest.mark.parametrize(("attributes", "suppressed"), [
    (["hostname", "md5"], True), (["ip-src"], False), ([], True), (None, True),
])
def test_a_list_is_about_the_kinds_that_it_names(
    platform: Any, tmp_path: Path, attributes: list[str] | None, suppressed: bool
) -> None:
    kinds, _ = left(platform, DOMAIN, written(tmp_path, ["lies.example.org"], "hostname", matching_attributes=attributes))
    assert ("domain" not in kinds) == suppressed


def test_the_neighbourhood_of_a_value_goes_by_its_own_name(platform: Any, tmp_path: Path) -> None:
    """The registrable parent is on the list, the indicated host isn't: only the parent is no longer looked for."""
    report = Report()
    lists, _ = read_warning_lists([written(tmp_path, ["example.org"])])
    found, = suppress(read_indicators(collect([platform.indicator(DOMAIN)], report), Terms(platform.at, 0.5, 0.4),
                                      report), lists, report)
    assert {probe.text for probe in found.probes if probe.how == "host"} == {"cdn.lies.example.org"}


@pytest.mark.parametrize(("text", "told"), [
    ("{", "can't be read"), ("[]", "has no list of texts"), ('{"list": [1]}', "has no list of texts"),
    ('{"list": [], "type": "shape"}', "unknown type 'shape'"),
])
def test_a_file_that_is_no_list_is_refused_and_in_a_folder_told(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "bad.json").write_text(text)
    with pytest.raises(InputError, match=told):
        read_warning_lists([tmp_path / "bad.json"])
    written(tmp_path, ["a.example"])
    lists, problems = read_warning_lists([tmp_path])
    assert [one.name for one in lists] == ["a string list"]
    assert len(problems) == 1
    assert told in problems[0]
    assert "The other lists are used." in problems[0]


def test_an_empty_folder_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.json"):
        with pytest.raises(InputError, match=r"no warning list|can't be read"):
            read_warning_lists([path])


@pytest.mark.parametrize(("kind", "entry"), [("cidr", "300.1.1.1"), ("regex", "/(?<=a)b/"), ("regex", "(")])
def test_a_bad_entry_is_told_and_the_rest_of_its_list_holds(
    platform: Any, tmp_path: Path, kind: str, entry: str
) -> None:
    good = "192.0.2.7" if kind == "cidr" else r"^192\.0\.2"
    kinds, report = left(platform, ADDRESS, written(tmp_path, [entry, good], kind))
    assert kinds == set()
    assert f"the entry {entry!r} is no {kind}" in " ".join(report.problems)


def test_misps_own_lists_are_read_whole(platform: Any) -> None:
    if not MISP.is_dir():
        pytest.skip("MISP's warning lists are not beside the project (../shared/data/misp/warninglists)")
    lists, problems = read_warning_lists([MISP])
    assert problems == []
    assert {one.name for one in lists} >= {"Parking domains", "Common contact e-mail addresses"}
    assert all(one.entries for one in lists)
    assert left(platform, "[domain-name:value = 'bitly.com']", MISP)[0] == set()
    assert left(platform, "[email-addr:value = 'noc@lies.example.org']", MISP)[0] == set()
    assert "domain" in left(platform, DOMAIN, MISP)[0]
