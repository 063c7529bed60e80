"""TAXII 2.1, 3.4: filters on objects, by id, manifest and versions, as decision tables over one collection."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.exchange_process import ExchangeProcess
from tests.e2e.filter_tables import (
    ALL,
    BY_ID,
    FINER,
    HALF,
    MANY,
    MATCHES,
    NEXT_DAY,
    PUSHES,
    VERSIONS,
    WHOLE,
    Feed,
    fill,
)
from tests.e2e.http_caller import HttpCaller, assert_taxii_error


@pytest.fixture(scope="module")
def feed(exchange: ExchangeProcess, alpha: HttpCaller) -> Feed:
    return fill(exchange, alpha)


@pytest.mark.parametrize(("query", "expected"), MATCHES, ids=lambda v: str(v) if isinstance(v, dict) else "")
def test_a_filter_gives_the_objects_it_names_in_the_order_of_adding(
    feed: Feed, query: dict[str, str], expected: list[str]
) -> None:
    assert feed.objects(query) == expected


@pytest.mark.parametrize(("query", "expected"), MATCHES, ids=lambda v: str(v) if isinstance(v, dict) else "")
def test_the_manifest_filters_as_objects_do(feed: Feed, query: dict[str, str], expected: list[str]) -> None:
    assert feed.manifest(query) == expected


@pytest.mark.parametrize(("query", "expected"), BY_ID, ids=str)
def test_an_object_by_id_comes_in_the_versions_asked_for(feed: Feed, query: Any, expected: list[str]) -> None:
    assert feed.objects(query, f"objects/{MANY}/") == expected


@pytest.mark.parametrize(
    "query",
    [
        {"match[version]": "1999-01-01T00:00:00Z"},
        {"match[spec_version]": "2.0"},
        {"added_after": "9999-01-01T00:00:00Z"},
    ],
    ids=str,
)
def test_an_object_that_exists_without_a_fitting_version_is_empty_or_404(feed: Feed, query: Any) -> None:
    answer = feed.caller.get(f"{feed.path}objects/{MANY}/", query)
    if answer.status == 200:
        assert answer.objects == []
        assert answer.first is None
    else:
        assert_taxii_error(answer, 404)


@pytest.mark.parametrize(("query", "expected"), VERSIONS, ids=str)
def test_versions_are_texts_as_they_were_written(feed: Feed, query: Any, expected: list[str]) -> None:
    answer = feed.caller.get(f"{feed.path}objects/{MANY}/versions/", feed.query(query))
    assert answer.json["versions"] == expected
    by_version = {WHOLE: "whole", HALF: "half", FINER: "finer", NEXT_DAY: "next day"}
    assert answer.first == feed.dates[by_version[expected[0]]]
    assert answer.last == feed.dates[by_version[expected[-1]]]


@pytest.mark.parametrize("label", ["domain", "plain", "statement", "campaign"])
def test_manifest_and_versions_name_modified_else_created_else_the_date_added(feed: Feed, label: str) -> None:
    one = PUSHES[label]
    expected = one.get("modified") or one.get("created") or feed.dates[label]
    (record,) = feed.caller.get(feed.path + "manifest/", {"match[id]": one["id"]}).objects
    assert record == {
        "id": one["id"],
        "date_added": feed.dates[label],
        "version": expected,
        "media_type": "application/stix+json;version=2.1",
    }
    versions = feed.caller.get(f"{feed.path}objects/{one['id']}/versions/")
    assert versions.json["versions"] == [expected]


def test_dates_added_are_microseconds_in_utc_and_increase(feed: Feed) -> None:
    dates = list(feed.dates.values())
    assert dates == sorted(set(dates))
    assert all(len(date) == len("2026-01-01T00:00:00.000000Z") and date.endswith("Z") for date in dates)


@pytest.mark.parametrize("label", ALL)
@pytest.mark.parametrize("tail", ["", "0", "000", "1", "999999", "0" * 40, "9" * 40])
def test_added_after_takes_any_number_of_fraction_digits(feed: Feed, label: str, tail: str) -> None:
    after = feed.dates[label][:-1] + tail + "Z"
    assert feed.objects({"added_after": after, "match[version]": "all"}) == ALL[ALL.index(label) + 1 :]


@pytest.mark.parametrize("label", ALL)
def test_added_after_just_before_an_object_includes_it(feed: Feed, label: str) -> None:
    date = feed.dates[label]
    before = f"{date[:20]}{int(date[20:26]) - 1:06}9Z" if int(date[20:26]) else None
    if before is not None:
        assert feed.objects({"added_after": before, "match[version]": "all"})[0] == label


NEVER_A_TIME = [
    "yesterday",
    "0",
    "2026-01-01",
    "2026-01-01T00:00:00",
    "2026-01-01 00:00:00Z",
    "2026-01-01T00:00:00+00:00",
    "2026-01-01T00:00:00.Z",
    "2026-02-30T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-01-01T25:00:00Z",
    "2026-01-01T00:60:00Z",
    "２０２６-01-01T00:00:00Z",
    " 2026-01-01T00:00:00Z",
    "2026-01-01T00:00:00Z ",
    "2026-01-01T00:00:00ZZ",
    "20260101T000000Z",
    "2026-1-1T00:00:00Z",
    "2026-01-01T00:00:00,5Z",
    "-001-01-01T00:00:00Z",
    "2026-01-01T00:00Z",
    "0000-01-01T00:00:00Z",
    "2026-01-01T00:00:00\u0000Z",
    "2026-01-01T00:00:00Z\n",
    "٢026-01-01T00:00:00Z",
    "99999-01-01T00:00:00Z",
    "NaN",
    "null",
    "2026-001T00:00:00Z",
    "2025-02-29T00:00:00Z",
]
NEVER_A_LIMIT = [
    "0",
    "-1",
    "+1",
    "1_0",
    "1.0",
    "1e1",
    " 1",
    "1 ",
    "０",
    "１",
    "１０",
    "٣",
    "²",
    "0x1",
    "abc",
    "1,2",
    "NaN",
    "00",
    "-0",
    "1\n",
    "1\u0000",
    "∞",
    "①",
    "null",
    "--",
    "1;2",
]
NEVER_A_VERSION = [
    "latest",
    "FIRST",
    "all,first",
    "first,all",
    "all,all",
    "first,first",
    "last,last",
    f"{HALF},{HALF}",
    f"all,{HALF}",
    "first,",
    ",first",
    ",",
    " first",
    "first ",
    "first, last",
    "2026-01-15",
    "2.1",
    "*",
    "first;last",
    "last,nonsense",
    *NEVER_A_TIME[3:12],
]
MALFORMED = (
    [("added_after", value) for value in NEVER_A_TIME]
    + [("limit", value) for value in NEVER_A_LIMIT]
    + [("match[version]", value) for value in NEVER_A_VERSION]
    + [
        (name, value)
        for name in ("match[id]", "match[type]", "match[spec_version]")
        for value in (",", f"{MANY},", f",{MANY}")
    ]
    + [
        (name, "")
        for name in (
            "added_after",
            "limit",
            "next",
            "match[id]",
            "match[type]",
            "match[version]",
            "match[spec_version]",
        )
    ]
    + [
        ("next", value)
        for value in (
            "x",
            "0",
            "1",
            "-1",
            "bnVsbA",
            "MTIz.abc",
            "%",
            "'",
            "\u0000",
            "🙂",
            "a" * 3_000,
            "null",
        )
    ]
)


@pytest.mark.parametrize(("name", "value"), MALFORMED)
def test_a_malformed_filter_is_400_on_every_endpoint_that_has_it(feed: Feed, name: str, value: str) -> None:
    for endpoint in ("objects/", "manifest/"):
        assert_taxii_error(feed.caller.get(feed.path + endpoint, {name: value}), 400)
    if name not in {"match[id]", "match[type]"}:
        assert_taxii_error(feed.caller.get(f"{feed.path}objects/{MANY}/", {name: value}), 400)
    if name not in {"match[id]", "match[type]", "match[version]"}:
        assert_taxii_error(feed.caller.get(f"{feed.path}objects/{MANY}/versions/", {name: value}), 400)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("added_after", "1970-01-01T00:00:00Z"),
        ("limit", "5"),
        ("match[id]", MANY),
        ("match[type]", "indicator"),
        ("match[version]", "last"),
        ("match[spec_version]", "2.1"),
        ("next", "x"),
    ],
)
@pytest.mark.parametrize("endpoint", ["objects/", "manifest/"])
def test_the_same_filter_twice_is_400(feed: Feed, name: str, value: str, endpoint: str) -> None:
    query = f"{name}={value}&{name}={value}"
    assert_taxii_error(feed.caller.get(feed.path + endpoint, query), 400)
    encoded = query.replace("[", "%5B", 1).replace("]", "%5D", 1)
    assert_taxii_error(feed.caller.get(feed.path + endpoint, encoded), 400)


@pytest.mark.parametrize(
    "query",
    [
        "match[type]=indicator",
        "match%5Btype%5D=indicator",
        "match%5btype%5d=%69ndicator",
        "&match[type]=indicator&",
        "x&match[type]=indicator",
        "match[type]=indicator&match=x&match[]=y",
    ],
)
def test_a_query_is_read_however_it_is_encoded(feed: Feed, query: str) -> None:
    answer = feed.caller.get(feed.path + "objects/", query)
    assert answer.ids == [MANY]


@pytest.mark.parametrize(
    "query",
    [
        "match[id]=%00",
        "match[type]=%ff%fe",
        "match[id]=%F0%9F%99%82",
        "match[spec_version]=%ED%A0%80",
        "%",
        "=",
        "&&&",
        "limit",
        "match[id]",
        "match[type]=" + "a" * 5_000,
        "match[id]=" + ",".join("x" * 3 + str(n) for n in range(900)),
        "next=%00",
        "added_after=%ff",
        "match[version]=%00",
        "limit=%00",
        "match[type]=' OR 1=1 --".replace(" ", "%20"),
    ],
)
def test_a_strange_query_is_no_server_fault(feed: Feed, query: str) -> None:
    answer = feed.caller.get(feed.path + "objects/", query)
    if answer.status == 200:
        assert "match" not in query or not answer.objects
    else:
        assert_taxii_error(answer, 400, 414)


def test_an_empty_collection_is_an_answer_without_objects(lane: str, alpha: HttpCaller) -> None:
    for endpoint in ("objects/", "manifest/"):
        answer = alpha.get(lane + endpoint)
        assert answer.status == 200
        assert answer.json.get("more", False) is False
        assert "objects" not in answer.json
        assert "next" not in answer.json
        assert answer.first is answer.last is None
