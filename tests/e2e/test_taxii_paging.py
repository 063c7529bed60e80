"""TAXII 2.1, 3.5: pages by limit, next and added_after on objects, by id, manifest and versions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.exchange_process import ExchangeProcess
from tests.e2e.http_caller import Answer, HttpCaller, assert_taxii_error
from tests.e2e.stix_objects import domain, fixed_id, indicator

SETTINGS = {"CIBX_PAGE_SIZE": "7"}
PAGE_SIZE = 7
MANY = fixed_id("indicator", "paged")
VERSIONS = [f"2026-02-01T00:00:{second:02}.000Z" for second in range(23)]
ENDPOINTS = ["objects/", "manifest/", f"objects/{MANY}/", f"objects/{MANY}/versions/"]


def items(answer: Answer) -> list[Any]:
    """What a page lists, comparable: versions as texts, objects and records as they are."""
    assert answer.status == 200, answer.body
    found: list[Any] = answer.json.get("objects", answer.json.get("versions", []))
    return found


def crawl(caller: HttpCaller, path: str, query: dict[str, str], most: int = 200) -> list[Answer]:
    """All pages by following ``next``."""
    pages = [caller.get(path, query)]
    while pages[-1].json.get("more"):
        assert len(pages) < most, "paging doesn't end"
        pages.append(caller.get(path, {**query, "next": pages[-1].json["next"]}))
    return pages


@pytest.fixture(scope="module")
def feed(exchange: ExchangeProcess, alpha: HttpCaller) -> str:
    path = exchange.next_lane()
    for version in VERSIONS:
        answer = alpha.push(
            path + "objects/", [indicator("paged", modified=version), domain(f"{version[17:19]}.example")]
        )
        assert answer.json["success_count"] == 2, answer.body
    return path


def everything(endpoint: str) -> dict[str, str]:
    """The query that gives all rows of an endpoint."""
    return {} if endpoint.endswith("versions/") else {"match[version]": "all"}


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("limit", ["1", "2", "3", "5", "7", "8", "22", "1000", None])
def test_pages_by_next_give_everything_once_and_end(
    alpha: HttpCaller, feed: str, endpoint: str, limit: str | None
) -> None:
    query = everything(endpoint) | ({"limit": limit} if limit else {})
    pages = crawl(alpha, feed + endpoint, query)
    found = [item for page in pages for item in items(page)]
    assert len(found) == (2 if endpoint in {"objects/", "manifest/"} else 1) * len(VERSIONS)
    assert len({str(item) for item in found}) == len(found)
    size = min(int(limit or PAGE_SIZE), PAGE_SIZE)
    assert [len(items(page)) for page in pages[:-1]] == [size] * (len(pages) - 1)
    for page in pages:
        assert page.first is not None
        assert page.last is not None
        assert ("next" in page.json) == page.json.get("more", False)
    firsts, lasts = [page.first for page in pages], [page.last for page in pages]
    dates = [date for pair in zip(firsts, lasts, strict=True) for date in pair]
    assert dates == sorted(dates, key=str)
    assert all(last < first for last, first in zip(lasts, firsts[1:], strict=False) if last and first)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("limit", ["1", "3", "7"])
def test_pages_by_added_after_give_everything_once(alpha: HttpCaller, feed: str, endpoint: str, limit: str) -> None:
    query = everything(endpoint) | {"limit": limit}
    found: list[Any] = []
    page = alpha.get(feed + endpoint, query)
    while page.status == 200 and items(page):
        found += items(page)
        assert page.last is not None
        page = alpha.get(feed + endpoint, {**query, "added_after": page.last})
    whole = [item for one in crawl(alpha, feed + endpoint, everything(endpoint)) for item in items(one)]
    assert found == whole


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_the_dates_of_a_page_are_those_of_the_manifest(alpha: HttpCaller, feed: str, endpoint: str) -> None:
    records = [r for p in crawl(alpha, feed + "manifest/", {"match[version]": "all"}) for r in items(p)]
    if MANY in endpoint:
        records = [r for r in records if r["id"] == MANY]
    dates = [r["date_added"] for r in records]
    assert dates == sorted(set(dates))
    pages = crawl(alpha, feed + endpoint, everything(endpoint) | {"limit": "4"})
    sizes = [len(items(p)) for p in pages]
    starts = [sum(sizes[:n]) for n in range(len(sizes))]
    assert [(p.first, p.last) for p in pages] == [
        (dates[at], dates[at + size - 1]) for at, size in zip(starts, sizes, strict=True)
    ]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("limit", ["1", "6", "7", "100"])
def test_more_is_false_when_the_page_ends_with_the_last_object(
    alpha: HttpCaller, feed: str, endpoint: str, limit: str
) -> None:
    query = everything(endpoint)
    records = [r for p in crawl(alpha, feed + endpoint, query) for r in items(p)]
    pages = crawl(alpha, feed + endpoint, query | {"limit": limit})
    assert pages[-1].json.get("more", False) is False
    assert "next" not in pages[-1].json
    assert len(pages) == -(-len(records) // min(int(limit), PAGE_SIZE))


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_the_same_next_can_be_asked_again_with_another_limit_or_none(
    alpha: HttpCaller, feed: str, endpoint: str
) -> None:
    query = everything(endpoint)
    token = alpha.get(feed + endpoint, {**query, "limit": "2"}).json["next"]
    answers = [alpha.get(feed + endpoint, {**query, "next": token, "limit": "3"}) for _ in range(3)]
    assert len({a.body for a in answers}) == 1
    shorter = alpha.get(feed + endpoint, {**query, "next": token, "limit": "1"})
    unlimited = alpha.get(feed + endpoint, {**query, "next": token})
    assert items(shorter) == items(answers[0])[:1]
    assert items(unlimited)[:3] == items(answers[0])


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_next_and_added_after_both_hold(alpha: HttpCaller, feed: str, endpoint: str) -> None:
    query = everything(endpoint)
    whole = [r for p in crawl(alpha, feed + endpoint, query) for r in items(p)]
    first = alpha.get(feed + endpoint, {**query, "limit": "2"})
    seventh = alpha.get(feed + endpoint, {**query, "limit": "7"})
    early = {**query, "limit": "3", "next": first.json["next"], "added_after": "1970-01-01T00:00:00Z"}
    late = {**query, "limit": "3", "next": first.json["next"], "added_after": str(seventh.last)}
    assert items(alpha.get(feed + endpoint, early)) == whole[2:5]
    assert items(alpha.get(feed + endpoint, late)) == whole[7:10]


def tampered(token: str) -> list[str]:
    """Other texts made of a token."""
    middle = len(token) // 2
    flipped = token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1 :]
    return [
        token[:-1],
        token + "A",
        flipped,
        token.swapcase(),
        token[::-1],
        token[1:],
        token * 2,
        token[:4],
        "A" + token,
        token.replace(token[0], "_", 1),
        token + "\u0000",
        token + "==",
    ]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_changed_next_is_400(alpha: HttpCaller, feed: str, endpoint: str) -> None:
    query = everything(endpoint)
    token = alpha.get(feed + endpoint, {**query, "limit": "2"}).json["next"]
    for wrong in tampered(token):
        if wrong != token:
            assert_taxii_error(alpha.get(feed + endpoint, {**query, "next": wrong}), 400)


@pytest.mark.parametrize(("made", "used"), [(a, b) for a in ENDPOINTS for b in ENDPOINTS if a != b])
def test_a_next_of_one_endpoint_is_worth_nothing_at_another(alpha: HttpCaller, feed: str, made: str, used: str) -> None:
    token = alpha.get(feed + made, everything(made) | {"limit": "2"}).json["next"]
    assert_taxii_error(alpha.get(feed + used, everything(used) | {"next": token}), 400)


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"match[version]": "first,last"},
        {"match[version]": "all", "match[type]": "indicator"},
        {"match[version]": "all", "match[id]": MANY},
        {"match[version]": "all", "match[spec_version]": "2.1"},
    ],
    ids=str,
)
def test_a_next_of_one_filter_is_worth_nothing_with_another(
    alpha: HttpCaller, feed: str, other: dict[str, str]
) -> None:
    token = alpha.get(feed + "objects/", {"match[version]": "all", "limit": "2"}).json["next"]
    assert_taxii_error(alpha.get(feed + "objects/", other | {"next": token}), 400)


def test_a_next_of_one_collection_or_member_is_worth_nothing_for_another(
    exchange: ExchangeProcess, alpha: HttpCaller, beta: HttpCaller, feed: str
) -> None:
    token = alpha.get(feed + "objects/", {"limit": "2"}).json["next"]
    assert_taxii_error(beta.get(feed + "objects/", {"next": token}), 400)
    assert_taxii_error(alpha.get(exchange.next_lane() + "objects/", {"next": token}), 400)
    other = alpha.get(f"{feed}objects/{MANY}/", {"match[version]": "all", "limit": "2"}).json["next"]
    absent = fixed_id("indicator", "absent")
    assert_taxii_error(alpha.get(f"{feed}objects/{absent}/", {"match[version]": "all", "next": other}), 400, 404)


def test_a_next_says_nothing_in_the_clear(alpha: HttpCaller, feed: str) -> None:
    token = alpha.get(feed + "objects/", {"limit": "2"}).json["next"]
    assert all(word not in token for word in ("indicator", "lane", "alpha", "SELECT"))
    assert token.isascii()


@pytest.mark.parametrize("endpoint", ["objects/", "manifest/"])
def test_adding_and_deleting_between_pages_neither_repeats_nor_skips(
    alpha: HttpCaller, exchange: ExchangeProcess, endpoint: str
) -> None:
    path = exchange.next_lane()
    words = [indicator() for _ in range(9)]
    alpha.push(path + "objects/", words)
    first = alpha.get(path + endpoint, {"limit": "3"})
    assert first.ids == [w["id"] for w in words[:3]]
    for gone in (words[0], words[2], words[4]):
        assert alpha.delete(f"{path}objects/{gone['id']}/").status == 200
    added = indicator()
    alpha.push(path + "objects/", [added])
    second = alpha.get(path + endpoint, {"limit": "3", "next": first.json["next"]})
    third = alpha.get(path + endpoint, {"limit": "3", "next": second.json["next"]})
    assert second.ids + third.ids == [words[n]["id"] for n in (3, 5, 6, 7, 8)] + [added["id"]]
    assert third.json.get("more", False) is False


def test_a_newer_version_between_pages_comes_once_in_its_place(alpha: HttpCaller, exchange: ExchangeProcess) -> None:
    path = exchange.next_lane()
    words = [indicator(f"between-{n}") for n in range(4)]
    alpha.push(path + "objects/", words)
    first = alpha.get(path + "objects/", {"limit": "2"})
    newer = indicator("between-0", modified="2026-03-01T00:00:00.000Z")
    alpha.push(path + "objects/", [newer])
    second = alpha.get(path + "objects/", {"limit": "5", "next": first.json["next"]})
    assert second.objects == [words[2], words[3], newer]


def test_objects_of_one_envelope_have_dates_of_their_own_in_its_order(alpha: HttpCaller, lane: str) -> None:
    words = [indicator() for _ in range(20)]
    alpha.push(lane + "objects/", words)
    records = [r for p in crawl(alpha, lane + "manifest/", {}) for r in items(p)]
    assert [r["id"] for r in records] == [w["id"] for w in words]
    dates = [r["date_added"] for r in records]
    assert dates == sorted(set(dates))
