"""TAXII pull: whatever a server gets wrong, all objects come, each once, and the walk ends."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.taxii import CONNECTOR
from exchange.connect.contract import Batch, Row
from exchange.connect.source import Source
from exchange.errors import ExchangeError, InputError, NotFoundError, UnauthorizedError
from exchange.outbound.web import Web
from exchange.stix.timestamp import microseconds
from tests.fakes.taxii_peer import ID, TaxiiPeer, domain, held, stamp

NOW = datetime(2026, 3, 2, tzinfo=UTC)
SPREAD = [0.0, 0.2, 0.4, 30.0, 30.1, 61.5, 62.0, 95.0, 96.0, 97.5, 180.0]
EQUAL = [0.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 9.0]
CROWDED = {"alone": EQUAL, "after others of its second": [4.7, 4.9, 5.0, 5.0, 5.0, 5.0, 5.0, 9.0]}


@pytest.fixture
def web() -> Iterator[Web]:
    with Web(allow=("127.0.0.0/8",)) as way:
        yield way


def pull(web: Web, place: str, checkpoint: Mapping[str, Any] | None = None, *, secrets: Mapping[str, str] | None = None,
         now: datetime = NOW, **options: str) -> list[Batch]:
    """Read to the end; options are written with _ for -."""
    told = {name.replace("_", "-"): value for name, value in options.items()}
    source = Source(place, {"limit": "100", "pages": "300", **told}, secrets or {}, web, lambda: now)
    return list(CONNECTOR.fetch(source, checkpoint))


def values(batches: list[Batch]) -> list[str]:
    return [item["value"] for batch in batches for item in batch.upserts]


def rows(batches: list[Batch]) -> list[Row]:
    return [row for batch in batches for row in batch.rows]


MANNERS: dict[str, dict[str, Any]] = {
    "as the specification says": {},
    "pages of one object": {"page_size": 1},
    "everything on one page": {"page_size": 50},
    "more without next": {"nexts": "none"},
    "more without next, added_after inclusive": {"nexts": "none", "inclusive": True},
    "more without next or header": {"nexts": "none", "headers": False},
    "no header": {"headers": False},
    "no header, no manifest": {"headers": False, "manifest": False},
    "next without more": {"more": "unsaid"},
    "next is refused with added_after": {"nexts": "alone"},
    "next is ignored": {"nexts": "ignored"},
    "next is ignored with added_after": {"nexts": "ignored with date"},
    "next is always refused": {"nexts": "refused"},
    "more is always true": {"more": "always"},
    "more is always true, without next": {"more": "always", "nexts": "none"},
    "more is always true, next ignored": {"more": "always", "nexts": "ignored"},
    "more is always true, no dates": {"more": "always", "headers": False, "manifest": False},
    "more is never true, next is given": {"more": "never"},
    "more is never true, next is given and refused": {"more": "never", "nexts": "refused", "page_size": 50},
    "a large limit is refused": {"largest": 100},
    "any limit but the server's own is refused": {"largest": 99, "page_size": 50, "caps": False},
    "pages are partial content": {"partial": 206},
    "media type of STIX": {"media": "application/vnd.oasis.stix+json; version=2.1"},
    "empty pages before full ones": {"blank_pages": 3},
    "media type without a version": {"media": "application/taxii+json"},
    "plain JSON": {"media": "application/json; charset=utf-8"},
    "dates with an offset": {"spell": lambda date: date.replace("Z", "+00:00")},
    "dates without a zone": {"spell": lambda date: date.rstrip("Z")},
    "dates that are none": {"spell": lambda date: "yesterday"},
    "dates in the far future": {"spell": lambda date: "2999-01-01T00:00:00Z"},
}


@pytest.mark.parametrize("manner", MANNERS.values(), ids=MANNERS)
def test_every_object_comes_once_and_the_walk_ends(web: Web, manner: dict[str, Any]) -> None:
    with TaxiiPeer(held(SPREAD), **manner) as peer:
        batches = pull(web, peer.collection_url)
    assert [f"d{number}.example" for number in range(len(SPREAD))] == values(batches)
    assert list(range(1, len(SPREAD) + 1)) == [row.row for row in rows(batches)]
    assert {row.outcome for row in rows(batches)} == {"note"}


@pytest.mark.parametrize("manner", MANNERS.values(), ids=MANNERS)
@pytest.mark.parametrize("after", [1, 2, 3])
def test_an_interrupted_walk_goes_on_where_it_was(web: Web, manner: dict[str, Any], after: int) -> None:
    with TaxiiPeer(held(SPREAD), **manner) as peer:
        whole = pull(web, peer.collection_url)
        first = whole[:after]
        then = pull(web, peer.collection_url, json.loads(json.dumps(first[-1].checkpoint)))
    both = values(first) + values(then)
    assert set(values(whole)) == set(both)
    assert len(both) == len(set(both))
    assert list(range(1, len(both) + 1)) == [row.row for row in rows([*first, *then])]


@pytest.mark.parametrize("manner", MANNERS.values(), ids=MANNERS)
def test_the_next_run_brings_what_was_added_since_and_nothing_else(web: Web, manner: dict[str, Any]) -> None:
    with TaxiiPeer(held(SPREAD), **manner) as peer:
        mark = pull(web, peer.collection_url)[-1].checkpoint
        again = pull(web, peer.collection_url, mark)
        assert values(again) == []
        assert rows(again) == []
        late = [(stamp(179.4), domain(90)), (stamp(180.0), domain(91))]  # clocks and commits aren't in one order
        new = [(stamp(200.0 + number), domain(100 + number)) for number in range(7)]
        peer.held += [*late, *new]
        peer.held.sort(key=lambda pair: pair[0])
        then = pull(web, peer.collection_url, again[-1].checkpoint)
    assert {one["value"] for _, one in [*late, *new]} == set(values(then))
    assert len(values(then)) == len(late) + len(new)


@pytest.mark.parametrize("manner", [{}, {"nexts": "alone"}, {"nexts": "none", "page_size": 6}, {"headers": False},
                                    {"nexts": "none", "caps": False}])
def test_equal_dates_are_all_brought(web: Web, manner: dict[str, Any]) -> None:
    with TaxiiPeer(held(EQUAL), **manner) as peer:
        found = values(pull(web, peer.collection_url, limit="2" if "caps" in manner else "100"))
    assert [f"d{number}.example" for number in range(len(EQUAL))] == found


@pytest.mark.parametrize("headers", [True, False])
@pytest.mark.parametrize("seconds", CROWDED.values(), ids=CROWDED)
def test_objects_that_no_query_reaches_are_told_as_a_gap_and_what_follows_comes(
    web: Web, seconds: list[float], headers: bool
) -> None:
    with TaxiiPeer(held(seconds), nexts="none", page_size=3, headers=headers) as peer:
        batches = pull(web, peer.collection_url)
    assert "d7.example" in values(batches)
    told = [row for row in rows(batches) if row.outcome == "quarantined"]
    assert len(told) == 1
    assert f"added at {stamp(5.0)}" in told[0].reason
    assert len({row.row for row in rows(batches)}) == len(rows(batches))


def test_more_without_next_dates_or_manifest_is_told(web: Web) -> None:
    with TaxiiPeer(held(SPREAD), nexts="none", headers=False, manifest=False) as peer:
        batches = pull(web, peer.collection_url)
    assert values(batches) == ["d0.example", "d1.example", "d2.example"]
    assert "can't be reached" in rows(batches)[-1].reason


def test_pages_without_end_end_with_the_run_and_the_next_run_goes_on(web: Web) -> None:
    with TaxiiPeer(held([float(number) for number in range(40)]), page_size=2) as peer:
        first = pull(web, peer.collection_url, pages="5")
        assert len(values(first)) == 10
        second = pull(web, peer.collection_url, first[-1].checkpoint, pages="5")
    assert values(first + second) == [f"d{number}.example" for number in range(20)]


def test_empty_pages_without_end_end(web: Web) -> None:
    with TaxiiPeer(held([1.0]), blank_pages=10**9) as peer:
        batches = pull(web, peer.collection_url, pages="1000")
        assert len(peer.pages_asked()) < 60
    assert values(batches) == []


def test_broken_objects_spoil_neither_their_neighbours_nor_the_paging(web: Web) -> None:
    bad = [b'{"type": "domain-name", "type": "x"}', b'{"type": oops}', b"7", b'{"type": "identity", "n": NaN}',
           b'{"type": "bundle", "objects": []}', b'{"a": ' + b"[" * 70 + b"]" * 70 + b"}"]  # fmt: skip
    with TaxiiPeer(held(SPREAD), extra=bad) as peer:
        batches = pull(web, peer.collection_url)
    assert [f"d{number}.example" for number in range(len(SPREAD))] == values(batches)
    told = [row for row in rows(batches) if row.outcome == "quarantined"]
    assert len(bad) == len(told)  # the same bytes on each page are one object
    assert all(row.reason for row in told)


def test_a_server_that_asks_to_wait_is_asked_again(web: Web) -> None:
    from tests.fakes.quick_web import quick_web
    from tests.fakes.web_peer import Answer

    with TaxiiPeer(held(SPREAD)) as peer, quick_web() as patient:
        right, busy = peer.web.fallback, iter([429, 503])
        peer.web.fallback = lambda asked: (
            right(asked) if (status := next(busy, 0)) == 0 else Answer(status, headers={"Retry-After": "7"}))
        assert len(values(pull(patient, peer.collection_url))) == len(SPREAD)


def test_the_same_version_is_told_once_and_a_new_one_again(web: Web) -> None:
    identity = {"type": "identity", "spec_version": "2.1", "id": "identity--0d3a4c0e-7ad0-4b8b-9b1f-000000000001",
                "created": "2026-01-01T00:00:00Z", "modified": "2026-01-01T00:00:00Z", "name": "Lorem"}
    revoked = {**identity, "modified": "2026-02-01T00:00:00Z", "revoked": True}
    with TaxiiPeer([(stamp(1), identity), (stamp(1.5), identity), (stamp(90), revoked)]) as peer:
        found = [item for batch in pull(web, peer.collection_url) for item in batch.upserts]
    assert found == [identity, revoked]


@pytest.mark.parametrize("place", ["discovery", "root", "collection_url"])
@pytest.mark.parametrize("name", ["lorem", "Lorem", ID])
def test_a_collection_is_found_by_each_of_its_names(web: Web, place: str, name: str) -> None:
    with TaxiiPeer(held([1.0])) as peer:
        assert values(pull(web, getattr(peer, place), collection=name)) == ["d0.example"]


def test_a_host_alone_is_asked_for_its_discovery(web: Web) -> None:
    with TaxiiPeer(held([1.0])) as peer:
        assert values(pull(web, peer.web.url("/"), collection="lorem")) == ["d0.example"]


@pytest.mark.parametrize(("name", "said"), [("dolor", "no collection 'dolor'"), ("", "more than one collection")])
def test_a_collection_that_is_not_clear_is_told_with_those_that_there_are(web: Web, name: str, said: str) -> None:
    with TaxiiPeer([]) as peer, pytest.raises(NotFoundError, match=said) as caught:
        pull(web, peer.discovery, collection=name)
    assert "lorem, Ipsum" in str(caught.value)
    assert "Box" not in str(caught.value)


@pytest.mark.parametrize("secrets", [{"token": "made up"}, {"user": "user", "password": "made up"}])
def test_either_credential_is_sent_and_stands_in_no_checkpoint(web: Web, secrets: dict[str, str]) -> None:
    with TaxiiPeer(held(SPREAD), token="made up") as peer:
        batches = pull(web, peer.discovery, secrets=secrets, collection="lorem")
    assert len(values(batches)) == len(SPREAD)
    assert "made up" not in json.dumps([batch.checkpoint for batch in batches])
    assert not any("made up" in repr(row) for row in rows(batches))


def test_a_wrong_credential_is_told_without_it(web: Web) -> None:
    with TaxiiPeer([], token="right") as peer, pytest.raises(UnauthorizedError) as caught:
        pull(web, peer.collection_url, secrets={"token": "wrong-secret"})
    assert "wrong-secret" not in str(caught.value)


def test_filters_are_sent_as_the_specification_names_them(web: Web) -> None:
    with TaxiiPeer(held(SPREAD)) as peer:
        mark = pull(web, peer.collection_url)[-1].checkpoint
        before = len(peer.pages_asked())
        pull(web, peer.collection_url, mark, types="indicator,campaign", versions="all", spec_versions="2.1",
             since=stamp(60), limit="7")
        asked = peer.pages_asked()[before].query
    assert asked == {"limit": ["7"], "added_after": [stamp(60)], "match[type]": ["indicator,campaign"],
                     "match[version]": ["all"], "match[spec_version]": ["2.1"]}


def test_next_goes_with_the_query_it_came_from(web: Web) -> None:
    with TaxiiPeer(held(SPREAD)) as peer:
        pull(web, peer.collection_url, since=stamp(0.3))
        dates = [asked.query["added_after"] for asked in peer.pages_asked()]
    assert len(dates) > 2
    assert all(date == [stamp(0.3)] for date in dates)


def test_a_new_walk_begins_one_second_before_the_last_date(web: Web) -> None:
    with TaxiiPeer(held(SPREAD)) as peer:
        mark = pull(web, peer.collection_url)[-1].checkpoint
    assert microseconds(mark["last"]) - microseconds(mark["since"]) == 1_000_000


REFUSALS: dict[str, tuple[int, str, bytes, str]] = {
    "not there": (404, "application/taxii+json", b"{}", "nothing at this address"),
    "not acceptable": (406, "application/taxii+json", b"{}", "doesn't speak TAXII 2.1"),
    "pages by ranges": (416, "application/json", b"{}", "TAXII 2.0"),
    "the older protocol": (200, "application/vnd.oasis.stix+json; version=2.0", b"{}", "TAXII 2.0"),
    "a page for people": (200, "text/html", b"<html>", "not TAXII 2.1"),
    "XML": (200, "application/xml", b"<taxii/>", "not TAXII 2.1"),
    "no JSON": (200, "application/taxii+json", b"oops", "no envelope"),
    "a list": (200, "application/taxii+json", b"[1, 2]", "no envelope"),
    "objects that are no list": (200, "application/taxii+json", b'{"objects": {"a": 1}}', "no envelope"),
    "cut off": (200, "application/taxii+json", b'{"more": true, "objects": [{"type": "x"}', "no envelope"),
    "a fault of its own": (500, "application/taxii+json", b'{"title": "lorem broke"}', "lorem broke"),
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_what_cannot_be_read_is_one_sentence(web: Web, refusal: tuple[int, str, bytes, str]) -> None:
    from tests.fakes.web_peer import Answer

    status, media, body, said = refusal
    with TaxiiPeer([]) as peer:
        peer.web.fallback = lambda _asked: Answer(status, body, {"Content-Type": media})
        with pytest.raises(ExchangeError, match=said) as caught:
            pull(web, peer.collection_url)
    assert caught.value.fix


def test_a_server_that_takes_no_version_in_accept_is_asked_without(web: Web) -> None:
    from tests.fakes.web_peer import Answer

    with TaxiiPeer(held(SPREAD)) as peer:
        right = peer.web.fallback
        peer.web.fallback = lambda asked: (
            Answer(406, b"{}") if "version" in asked.headers["accept"] else right(asked))
        assert len(values(pull(web, peer.collection_url))) == len(SPREAD)


def test_another_servers_root_gets_no_credential(web: Web) -> None:
    from tests.fakes.web_peer import Answer

    with TaxiiPeer([]) as peer:
        peer.web.routes["/taxii2/"] = lambda _asked: Answer(
            200, b'{"title": "x", "api_roots": ["https://other.example/root/"]}', {"Content-Type": "application/json"})
        with pytest.raises(InputError, match=r"other\.example"):
            pull(web, peer.discovery, secrets={"token": "made up"})


@pytest.mark.parametrize("options", [{"limit": "0"}, {"limit": "-1"}, {"limit": "x"}, {"pages": "1_0"},
                                     {"since": "yesterday"}, {"limit": "\N{FULLWIDTH DIGIT FIVE}"}])
def test_options_that_make_no_sense_are_told(web: Web, options: dict[str, str]) -> None:
    with TaxiiPeer([]) as peer, pytest.raises(InputError, match=next(iter(options))):
        pull(web, peer.collection_url, **options)
    assert peer.web.asked == []


@pytest.mark.parametrize("nonsense", [{}, {"format": 99}, {"format": 1, "since": 7}, {"seen": {}}, {"way": "up"},
                                      {"rows": "many"}])
def test_a_checkpoint_of_nonsense_starts_anew(web: Web, nonsense: dict[str, Any]) -> None:
    with TaxiiPeer(held(SPREAD)) as peer:
        good = pull(web, peer.collection_url)[-1].checkpoint
        broken = {**good, **nonsense} if nonsense else {}
        assert len(values(pull(web, peer.collection_url, broken))) == len(SPREAD)
