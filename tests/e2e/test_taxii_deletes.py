"""TAXII 2.1, 5.7: withdrawing one's own objects; filters hold; gone and never there look alike."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.exchange_process import ExchangeProcess
from tests.e2e.http_caller import HttpCaller, assert_taxii_error
from tests.e2e.stix_objects import domain, fixed_id, indicator

FIRST, SECOND, THIRD = "2026-02-01T00:00:05Z", "2026-02-01T00:00:05.500Z", "2026-02-02T00:00:00.000Z"
VERSIONS = [SECOND, FIRST, THIRD]
"""In the order of adding."""
MANY = fixed_id("indicator", "deleted")


@pytest.fixture
def path(alpha: HttpCaller, lane: str) -> str:
    """The object's path in a collection of its own, next to a neighbour."""
    objects = [indicator("deleted", created=FIRST, modified=m) for m in VERSIONS]
    status = alpha.push(lane + "objects/", [*objects, indicator("neighbour")]).json
    assert status["success_count"] == 4, status
    return f"{lane}objects/{MANY}/"


def left(caller: HttpCaller, path: str) -> list[str]:
    """The versions that are still there, checked on every endpoint."""
    lane = path.partition("objects/")[0]
    versions = caller.get(path + "versions/")
    found: list[str] = versions.json["versions"] if versions.status == 200 else []
    every = {"match[version]": "all"}
    assert [o["modified"] for o in caller.get(lane + "objects/", every).objects if o["id"] == MANY] == found
    assert [r["version"] for r in caller.get(lane + "manifest/", every).objects if r["id"] == MANY] == found
    by_id = caller.get(path, every)
    assert [o["modified"] for o in by_id.objects] == found if by_id.status == 200 else found == []
    assert indicator("neighbour") in caller.get(lane + "objects/").objects
    return found


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, []),
        ({"match[version]": "all"}, []),
        ({"match[version]": "last"}, [SECOND, FIRST]),
        ({"match[version]": "first"}, [SECOND, THIRD]),
        ({"match[version]": "first,last"}, [SECOND]),
        ({"match[version]": FIRST}, [SECOND, THIRD]),
        ({"match[version]": "2026-02-01T00:00:05.000Z"}, [SECOND, THIRD]),
        ({"match[version]": "2026-02-01T00:00:05.5Z"}, [FIRST, THIRD]),
        ({"match[version]": f"{SECOND},last"}, [FIRST]),
        ({"match[version]": f"{FIRST},{SECOND},{THIRD}"}, []),
        ({"match[spec_version]": "2.1"}, []),
        ({"match[spec_version]": "2.1", "match[version]": "last"}, [SECOND, FIRST]),
    ],
    ids=str,
)
def test_delete_removes_the_versions_that_its_filters_name(
    alpha: HttpCaller, beta: HttpCaller, path: str, query: dict[str, str], expected: list[str]
) -> None:
    assert alpha.delete(path, query).status == 200
    for caller in (alpha, beta):
        assert left(caller, path) == expected


@pytest.mark.parametrize(
    "query",
    [
        {"match[version]": "1999-01-01T00:00:00Z"},
        {"match[spec_version]": "2.0"},
        {"match[spec_version]": "2.0", "match[version]": "all"},
        {"match[version]": "2026-02-01T00:00:05.500001Z"},
    ],
    ids=str,
)
def test_a_filter_that_names_no_version_removes_nothing(alpha: HttpCaller, path: str, query: dict[str, str]) -> None:
    assert alpha.delete(path, query).status in {200, 404}
    assert left(alpha, path) == VERSIONS


@pytest.mark.parametrize(
    "query",
    [
        "match[version]=",
        "match[version]=all,first",
        "match[version]=latest",
        "match[version]=all&match[version]=first",
        "match[version]=%20last",
        "match[version]=,",
        "match[spec_version]=",
        "match[spec_version]=,2.1",
        "match[version]=2026-02-01",
        "match[spec_version]=2.1&match[spec_version]=2.1",
        "match[version]=" + "%EF%BC%92" * 4,
    ],
)
def test_a_malformed_filter_removes_nothing(alpha: HttpCaller, path: str, query: str) -> None:
    assert_taxii_error(alpha.delete(path, query), 400)
    assert left(alpha, path) == VERSIONS


@pytest.mark.parametrize(
    "query",
    [
        "match[versions]=first",
        "version=first",
        "match[Version]=last",
        "match%5Bversion=first",
        "match[id]=x",
        "match[type]=malware",
        "added_after=2030-01-01T00:00:00Z",
        "limit=1",
    ],
)
def test_a_filter_that_delete_does_not_have_never_removes_more_than_was_meant(
    alpha: HttpCaller, path: str, query: str
) -> None:
    assert_taxii_error(alpha.delete(path, query), 400)
    assert left(alpha, path) == VERSIONS


def test_deleted_and_never_there_look_alike(alpha: HttpCaller, path: str) -> None:
    absent = path.replace(MANY, fixed_id("indicator", "never there"))
    alpha.delete(path)
    for rest in ("", "versions/"):
        gone, never = alpha.get(path + rest), alpha.get(absent + rest)
        assert_taxii_error(gone, 404)
        assert (gone.body, gone.headers | {"date": ""}) == (never.body, never.headers | {"date": ""})
    again, never = alpha.delete(path), alpha.delete(absent)
    assert_taxii_error(again, 404)
    assert again.body == never.body


@pytest.mark.parametrize("one", [indicator("back"), domain("back.example")], ids=lambda o: o["type"])
def test_adding_again_after_a_delete_is_new(alpha: HttpCaller, lane: str, one: dict[str, Any]) -> None:
    alpha.push(lane + "objects/", [one])
    before = alpha.get(lane + "manifest/").objects[0]["date_added"]
    assert alpha.delete(f"{lane}objects/{one['id']}/").status == 200
    assert alpha.get(lane + "objects/").ids == []
    assert alpha.push(lane + "objects/", [one]).json["success_count"] == 1
    assert alpha.get(lane + "manifest/").objects[0]["date_added"] > before
    assert alpha.get(lane + "objects/", {"added_after": before}).objects == [one]


def test_nobody_deletes_what_another_contributed(
    exchange: ExchangeProcess, alpha: HttpCaller, beta: HttpCaller, path: str
) -> None:
    before = alpha.get(path.partition(MANY)[0], {"match[version]": "all"}).body
    absent = beta.delete(path.replace(MANY, fixed_id("indicator", "never there")))
    for query in ({}, {"match[version]": "all"}, {"match[version]": FIRST}):
        answer = beta.delete(path, query)
        assert_taxii_error(answer, 403, 404)
    assert absent.status == 404
    assert alpha.get(path.partition(MANY)[0], {"match[version]": "all"}).body == before
    assert exchange.caller("alpha-two").delete(path).status == 200
    assert left(alpha, path) == []


def test_a_deleted_version_gives_its_place_to_the_one_before(alpha: HttpCaller, path: str) -> None:
    alpha.delete(path, {"match[version]": "last"})
    assert [o["modified"] for o in alpha.get(path).objects] == [SECOND]
    alpha.delete(path, {"match[version]": "first"})
    assert [o["modified"] for o in alpha.get(path).objects] == [SECOND]
    alpha.delete(path, {"match[version]": "first"})
    assert_taxii_error(alpha.get(path), 404)


def test_a_delete_in_one_collection_leaves_the_others(alpha: HttpCaller, exchange: ExchangeProcess, path: str) -> None:
    other = exchange.next_lane()
    alpha.push(other + "objects/", [indicator("deleted", created=FIRST, modified=FIRST)])
    alpha.delete(path)
    assert alpha.get(f"{other}objects/{MANY}/").status == 200
