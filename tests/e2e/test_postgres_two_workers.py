"""On PostgreSQL with two workers: the filters, and what an outsider is told, are the same as on SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.exchange_process import ExchangeProcess, new_database, serving
from tests.e2e.filter_tables import BY_ID, MANY, MATCHES, PUSHES, VERSIONS, Feed, fill
from tests.e2e.http_caller import HttpCaller, assert_taxii_error
from tests.e2e.outsider import SECRETS, VISIBLE, Watcher, bring, exact, first_difference, script
from tests.e2e.stix_objects import Object, indicator

pytestmark = pytest.mark.postgres
KINDS = (
    "amber without an audience",
    "amber for another group",
    "embargoed",
    "newer version of a visible object",
)


@pytest.fixture(scope="module")
def exchange(postgres_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExchangeProcess]:
    """Instead of the server on SQLite."""
    url = new_database(postgres_server, "black_box")
    settings = {"CIBX_PAGE_SIZE": "20"}
    with serving(tmp_path_factory.mktemp("exchange"), database_url=url, workers=2, settings=settings) as running:
        yield running


@pytest.fixture(scope="module")
def feed(exchange: ExchangeProcess, alpha: HttpCaller) -> Feed:
    return fill(exchange, alpha)


@pytest.mark.parametrize(("query", "expected"), MATCHES, ids=lambda v: str(v) if isinstance(v, dict) else "")
def test_filters_give_the_same_objects_and_manifest(feed: Feed, query: dict[str, str], expected: list[str]) -> None:
    assert feed.objects(query) == expected
    assert feed.manifest(query) == expected


def test_versions_of_one_object_are_the_same(feed: Feed) -> None:
    for query, expected in BY_ID:
        assert feed.objects(query, f"objects/{MANY}/") == expected
    for query, expected in VERSIONS:
        answer = feed.caller.get(f"{feed.path}objects/{MANY}/versions/", feed.query(query))
        assert answer.json["versions"] == expected


@pytest.mark.parametrize("endpoint", ["objects/", "manifest/"])
def test_pages_end_and_repeat_nothing(feed: Feed, endpoint: str) -> None:
    found: list[Any] = []
    query = {"limit": "1", "match[version]": "all"}
    page = feed.caller.get(feed.path + endpoint, query)
    while True:
        feed.caller.close()  # any worker takes the next page
        found += page.ids
        if not page.json.get("more"):
            break
        page = feed.caller.get(feed.path + endpoint, {**query, "next": page.json["next"]})
    assert found == [one["id"] for one in PUSHES.values()]


@pytest.mark.parametrize("name", KINDS)
def test_reading_is_the_same_before_and_after_a_secret(exchange: ExchangeProcess, lane: str, name: str) -> None:
    bring(exchange, lane, VISIBLE)
    before, after = Watcher(exchange.caller("gamma"), lane), Watcher(exchange.caller("gamma"), lane)
    before.look()
    bring(exchange, lane, SECRETS[name])
    after.look()
    found = [(w, exact(a)) for w, a in after.noted]
    expected = [(w, exact(a)) for w, a in before.noted]
    assert found == expected, first_difference(found, expected)


@pytest.mark.parametrize("name", KINDS[:2])
def test_writing_is_the_same_with_and_without_a_secret(exchange: ExchangeProcess, name: str) -> None:
    found, expected = script(exchange, [*VISIBLE, *SECRETS[name]]), script(exchange, VISIBLE)
    assert found == expected, first_difference(found, expected)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"type":"indicator"}',
        b'{"a":"\\u0000"}',
        b'{"type":"indicator","x":"\\ud800"}',
        b'{"x":1e999}',
        b"[[]]",
        b"\xff",
    ],
)
def test_what_the_engine_itself_could_not_hold_is_no_server_fault(alpha: HttpCaller, lane: str, raw: bytes) -> None:
    good: Object = indicator("neighbour")
    answer = alpha.push(lane + "objects/", [good, raw])
    if answer.status == 202:
        assert (answer.json["success_count"], answer.json["failure_count"]) == (1, 1)
        assert alpha.get(lane + "objects/").objects == [good]
    else:
        assert_taxii_error(answer, 400, 422)
        assert alpha.get(lane + "objects/").ids == []


@pytest.mark.parametrize(
    "query",
    [
        {"match[id]": "\u0000"},
        {"match[type]": "\ud7ff"},
        {"match[id]": "%00"},
        {"next": "\u0000"},
        {"limit": "9" * 40},
        {"match[version]": "9999-12-31T23:59:59.999999999Z"},
    ],
    ids=ascii,
)
def test_values_that_the_engine_could_not_hold_are_no_server_fault(alpha: HttpCaller, lane: str, query: Any) -> None:
    assert alpha.get(lane + "objects/", query).status in {200, 400}


def test_the_log_holds_no_traceback(exchange: ExchangeProcess) -> None:
    assert "Traceback" not in exchange.log(), exchange.log()[-3_000:]
