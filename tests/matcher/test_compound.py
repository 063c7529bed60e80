"""Patterns of several values, expressions, sequences and windows are asked of the member's own accounts."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.matcher.compare import compound

DEVICE, PHONE = "[x-cib-device:token = 'dv_1']", "[phone-number:value = '+447911123456']"
SAID = "[x-cib-post:text LIKE '%harbour%']"


def settle(platform: Any) -> Any:
    """One with both values (the phone ten days after the device), one with each, one who writes and links."""
    day, at = platform.day, platform.at
    platform.accounts("both", "device", "phone", "writer", "turned")
    for name, kind, value, days in (
        ("both", "device", "dv_1", 30), ("both", "phone", "+447911123456", 20), ("device", "device", "dv_1", 30),
        ("phone", "phone", "+447911123456", 20), ("turned", "device", "dv_1", 10),
        ("turned", "phone", "+447911123456", 40),
    ):
        platform.link(name, kind, value, at - days * day, at - days * day)
    platform.add("posts", account_id="writer", ts=at - 5 * day, kind="original", object="", text="Our Harbour burns")
    platform.add("posts", account_id="writer", ts=at - 4 * day, kind="original", object="", text="the harbour is fine")
    platform.add("posts", account_id="writer", ts=at - 4 * day, kind="link", object="https://news.lies.example/1", text="")
    platform.add("posts", account_id="both", ts=at - 4 * day, kind="link", object="https://truth.example/1", text="")
    platform.link("both", "ip4", "192.0.2.9")
    return platform


@pytest.fixture
def people(platform: Any) -> Any:
    return settle(platform)


def of_its_own(platform: Any, pattern: str) -> Any:
    """An indicator of a source that says nothing else, so that none of the others is a repetition of it."""
    return platform.indicator(pattern, created_by_ref=f"identity--{pattern}")


MEANT = {
    f"{DEVICE} AND {PHONE}": {"both", "turned"},
    f"{DEVICE} FOLLOWEDBY {PHONE}": {"both"},
    f"({DEVICE} AND {PHONE}) WITHIN 864001 SECONDS": {"both"},
    f"({DEVICE} AND {PHONE}) WITHIN 864000 SECONDS": set(),
    f"{DEVICE} START t'2026-05-01T00:00:00Z' STOP t'2026-05-10T00:00:00Z'": {"both", "device"},
    f"{DEVICE} REPEATS 2 TIMES": set(),
    f"{SAID} REPEATS 1 TIMES": {"writer"},
    "[domain-name:value LIKE '%.lies.example']": {"writer"},
    "[domain-name:value MATCHES '(lies|truth)\\\\.example$']": {"both", "writer"},
    "[url:value MATCHES 'truth' AND url:value NOT LIKE '%/2']": {"both"},
    "[domain-name:value LIKE '%.example' AND domain-name:value != 'truth.example']": {"writer"},
    f"[domain-name:value LIKE '%.lies.example'] AND {SAID}": {"writer"},
    f"[ipv4-addr:value ISSUBSET '192.0.2.0/24'] AND {DEVICE}": {"both"},
    f"{DEVICE} AND ({PHONE} OR {SAID})": {"both", "turned"},
    f"{SAID} OR {DEVICE} REPEATS 9 TIMES": {"writer"},
}
"""Each pattern, and whom it means."""


@pytest.fixture(scope="module")
def asked(make_platform: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """All of them asked in one run."""
    platform = settle(make_platform(tmp_path_factory.mktemp("asked")))
    return platform.run([of_its_own(platform, pattern) for pattern in MEANT])


@pytest.mark.parametrize(("pattern", "who"), MEANT.items(), ids=MEANT)
def test_an_account_stands_for_observed_data(platform: Any, asked: Any, pattern: str, who: set[str]) -> None:
    named = of_its_own(platform, pattern)["id"]
    found = asked.rows(f"SELECT account_id FROM evidence WHERE step = 'direct' AND indicator_id = '{named}'")
    assert {account for account, in found} == who
    assert asked.report.not_used == {}


def test_a_hit_of_a_pattern_shows_the_values_and_counts_its_holders(people: Any) -> None:
    found = people.run([people.indicator(f"{DEVICE} FOLLOWEDBY {PHONE}")])
    assert found.rows("SELECT kind, local_value, shared_value, holders FROM evidence WHERE step = 'direct'") == [
        ("device", "+447911123456 + dv_1", f"{DEVICE} FOLLOWEDBY {PHONE}", 1)]
    assert found.report.hits == {"device": 1}


def test_an_alternative_that_is_a_value_stands_by_itself(people: Any) -> None:
    found = people.run([people.indicator(f"{DEVICE} OR ({PHONE} FOLLOWEDBY {PHONE})")])
    assert {account for account, _ in found.hits()} == {"both", "device", "turned"}


EXCLUDES = "the pattern excludes values"
UNASKED = {
    "[domain-name:value != 'a.example']": EXCLUDES,
    "[domain-name:value NOT LIKE '%a']": EXCLUDES,
    "[file:size > 3] AND [file:size < 9]": "the pattern compares with >",
    "[email-addr:value LIKE '%@a.example']": "the pattern compares with LIKE what isn't kept in the clear"
                                             " (email-addr:value)",
    "[x-cib-device:token = 'dv_1' AND domain-name:value = 'a.example']":
        "the pattern asks one object to be of two types (AND in brackets)",
    "[domain-name:value MATCHES '(a)\\\\1']": "The regular expression '(a)\\\\1' needs what can't be searched in bounded"
                                           " time (references back, look-around, atomic groups, or too many"
                                           " repetitions).",
    f"{DEVICE} AND [file:name = 'x']": "nothing local is compared with file:name",
    "[domain-name:value MATCHES '(']": "the pattern is invalid",
}
"""Each pattern, and why nobody is asked for it."""


def test_what_cannot_be_asked_is_told_with_its_reason_and_the_rest_is_asked(people: Any) -> None:
    found = people.run([*(of_its_own(people, pattern) for pattern in UNASKED), people.indicator(PHONE)])
    assert found.report.not_used == dict.fromkeys(UNASKED.values(), 1) | {EXCLUDES: 2}
    assert {account for account, _ in found.hits()} == {"both", "phone", "turned"}


def test_a_table_that_is_not_there_is_told(platform: Any) -> None:
    platform.accounts("a")
    found = platform.run([platform.indicator(SAID)])
    assert found.report.not_used == {"there is no local table of posts to compare with": 1}


def test_expressions_are_limited_in_number_and_in_what_they_bring(people: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compound, "MOST_SCANS", 1)
    objects = [people.indicator(SAID, id="indicator--1"), people.indicator("[domain-name:value LIKE '%'] AND " + SAID)]
    found = people.run(objects)
    assert found.hits() == [("writer", "text")]
    assert found.report.not_used == {"a feed's expressions (LIKE, MATCHES) beyond the first 1": 2}
    monkeypatch.setattr(compound, "MOST_ROWS", 0)
    found = people.run([people.indicator(SAID)])
    assert found.hits() == []
    assert found.report.not_used == {"the expression is true of over 0 local rows: it names everybody": 1}


def test_a_benign_value_takes_its_part_out(people: Any) -> None:
    benign = people.indicator(DEVICE, name="no", indicator_types=["benign"])
    assert people.run([people.indicator(f"{DEVICE} AND {PHONE}"), benign]).hits() == []
    both = people.indicator(f"{DEVICE} AND {PHONE}", name="no", indicator_types=["benign"])
    assert len(people.run([people.indicator(DEVICE), both]).hits()) == 3
