"""OpenCTI's live stream: each event once and in order, on from where the last run stood, what is taken back too."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import repeat
from typing import Any

import pytest

from connectors.opencti import CONNECTOR
from connectors.opencti.derive import based_on_id, indicates_id, indicator_id
from connectors.opencti.reach import OCTI
from exchange.connect.contract import Batch, Row
from exchange.connect.runner import run
from exchange.connect.source import Source
from exchange.errors import ExchangeError, InputError, UnauthorizedError, UnavailableError
from exchange.outbound.web import Web
from exchange.stix.validate import check
from tests.fakes.memory_sink import MemorySink
from tests.fakes.opencti_objects import GREEN, RED, link, observable, thing
from tests.fakes.opencti_peer import OpenCtiPeer, event_id, told
from tests.fakes.quick_web import quick_web
from tests.fakes.web_peer import Answer

CAMPAIGN = thing("campaign", "Lorem")
SET = thing("intrusion-set", "Ipsum")
SITE = thing("channel", "lorem-news.example.net", object_marking_refs=[GREEN])
DOMAIN = observable("domain-name", "lorem-dolor.net")
CLAIM = link(CAMPAIGN, "uses", SITE)
STORY = [told("create", one) for one in (CAMPAIGN, SITE, CLAIM)]


def ticking(step: float = 1.0) -> Callable[[], datetime]:
    """A clock that goes on by so many seconds each time it is looked at."""
    at = datetime(2026, 3, 1, tzinfo=UTC)

    def now() -> datetime:
        nonlocal at
        at += timedelta(seconds=step)
        return at

    return now


@pytest.fixture
def web() -> Iterator[Web]:
    with quick_web() as way:
        yield way


def follow(web: Web, peer: OpenCtiPeer, checkpoint: Mapping[str, Any] | None = None, step: float = 0.001,
           **options: str) -> list[Batch]:
    source = Source(peer.url, {"idle": "1", "seconds": "600", "events": "1000", **options},
                    {"token": peer.token} if peer.token else {}, web, ticking(step))
    return list(CONNECTOR.fetch(source, checkpoint))


def items(batches: list[Batch]) -> list[dict[str, Any]]:
    return [dict(item) for batch in batches for item in batch.upserts]


def rows(batches: list[Batch]) -> list[Row]:
    return [row for batch in batches for row in batch.rows]


def withdrawn(batches: list[Batch]) -> set[str]:
    return {one for batch in batches for one in batch.withdrawn}


def made(value: dict[str, Any], actor: dict[str, Any]) -> set[str]:
    return {make(value["id"], actor["id"]) for make in (indicator_id, indicates_id, based_on_id)}


def test_objects_come_in_the_order_of_events_and_make_the_same_as_a_file(web: Web, tmp_path: Any) -> None:
    with OpenCtiPeer(STORY) as peer:
        batches = follow(web, peer)
    path = tmp_path / "bundle.json"
    path.write_text(json.dumps([CAMPAIGN, SITE, CLAIM]))
    of_file = items(list(CONNECTOR.fetch(Source(str(path)), None)))
    by_id = {item["id"]: item for item in of_file}
    assert by_id == {item["id"]: item for item in items(batches)}
    assert [row.outcome for row in rows(batches)] == ["note", "note", "indicator"]
    assert [row.row for row in rows(batches)] == [1, 2, 3]
    assert all(check(item) is None for item in items(batches))


@pytest.mark.parametrize("done", [1, 2, 3])
def test_a_run_goes_on_after_the_last_event_that_was_dealt_with(web: Web, done: int) -> None:
    with OpenCtiPeer([*STORY, told("create", DOMAIN)]) as peer:
        first = follow(web, peer)[:done]
        mark = json.loads(json.dumps(first[-1].checkpoint))
        then = follow(web, peer, mark)
        asked = peer.web.asked[-1]
        whole = follow(web, peer)
    assert mark["id"] == event_id(done - 1)
    assert asked.query["from"] == [mark["id"]]
    assert asked.headers["last-event-id"] == mark["id"]
    assert [row.row for row in rows(first + then)] == [1, 2, 3, 4]
    assert items(first + then) == items(whole)


def test_a_replay_makes_the_same_objects(web: Web) -> None:
    with OpenCtiPeer(STORY) as peer:
        once, twice = items(follow(web, peer)), items(follow(web, peer))
    assert once == twice


def test_what_a_stream_is_asked_for(web: Web) -> None:
    with OpenCtiPeer([], holds=[CAMPAIGN], token="made up") as peer:
        found = follow(web, peer)
        query = peer.web.asked[0].query
        follow(web, peer, **{"from": "1650000000000-0"})
        assert "recover" not in peer.web.asked[1].query
        assert peer.web.asked[1].query["from"] == ["1650000000000-0"]
    assert items(found) == [CAMPAIGN]
    assert query["from"] == ["0-0"]
    assert query["recover"] == ["2026-03-01T00:00:00.000Z"]
    assert query["listen-delete"] == ["true"]
    assert "made up" not in json.dumps([batch.checkpoint for batch in found])


def test_a_recovery_that_was_cut_goes_on(web: Web) -> None:
    with OpenCtiPeer(STORY, holds=[DOMAIN, SET]) as peer:
        first = follow(web, peer, events="1")
        assert items(first) == [DOMAIN]
        then = follow(web, peer, first[-1].checkpoint)
        assert peer.web.asked[1].query["recover"] == [first[-1].checkpoint["recover"]]
    assert {item["id"] for item in (SET, CAMPAIGN, SITE)} <= {item["id"] for item in items(then)}
    assert DOMAIN not in items(then)


def test_a_stream_that_lost_its_beginning_is_recovered_and_the_gap_told(web: Web) -> None:
    with OpenCtiPeer(STORY, holds=[SET]) as peer:
        mark = {**follow(web, peer, events="2")[-1].checkpoint, "recover": ""}
        assert mark["id"] != event_id(2)
        peer.happened += [told("create", DOMAIN)] * 3
        peer.trimmed = 4
        then = follow(web, peer, {**mark, "id": event_id(0)})
    told_rows = [row for row in rows(then) if row.outcome == "quarantined"]
    assert len(told_rows) == 1
    assert event_id(0) in told_rows[0].reason
    assert "recover" in peer.web.asked[-1].query
    assert len({row.row for row in rows(then)}) == len(rows(then))


def test_silence_ends_a_run_and_so_does_its_time(web: Web) -> None:
    with OpenCtiPeer(STORY, heartbeats=100_000) as peer:
        assert len(rows(follow(web, peer, step=1.0, idle="20"))) == 3
        assert len(rows(follow(web, peer, step=1.0, idle="1000", seconds="30"))) == 3
        assert len(rows(follow(web, peer, events="2"))) == 2


def test_an_event_that_was_cut_off_is_left_for_the_next_run(web: Web) -> None:
    with OpenCtiPeer(STORY, cut=True) as peer:
        cut = follow(web, peer)
        peer.cut = False
        then = follow(web, peer, cut[-1].checkpoint)
    assert cut[-1].checkpoint["id"] == event_id(1)
    assert [row.outcome for row in rows(cut + then)] == ["note", "note", "indicator"]
    assert CLAIM["id"] in rows(then)[0].ids


GONE: dict[str, tuple[tuple[str, Any], set[str]]] = {
    "the relationship": (told("delete", CLAIM), {CLAIM["id"], *made(SITE, CAMPAIGN)}),
    "the channel": (told("delete", SITE), {SITE["id"], *made(SITE, CAMPAIGN)}),
    "the campaign": (told("delete", CAMPAIGN), {CAMPAIGN["id"], *made(SITE, CAMPAIGN)}),
    "a revoked channel": (told("update", {**SITE, "revoked": True, "modified": "2026-02-02T00:00:00Z"},
                               patch=[{"op": "replace", "path": "/revoked", "value": True}]), made(SITE, CAMPAIGN)),
    "a revoked relationship": (told("update", {**CLAIM, "revoked": True, "modified": "2026-02-02T00:00:00Z"}),
                               made(SITE, CAMPAIGN)),
    "a channel that is said to be impersonated": (told("create", link(SET, "impersonates", SITE)), made(SITE, CAMPAIGN)),
    "a merged channel": (told("merge", DOMAIN, sources=[SITE]), {SITE["id"], *made(SITE, CAMPAIGN)}),
    "a renamed channel": (
        told("update", thing("channel", "other.example.net"),
             reverse_patch=[{"op": "replace", "path": "/id", "value": SITE["id"]}]), {SITE["id"], *made(SITE, CAMPAIGN)}),
}


@pytest.mark.parametrize(("event", "gone"), GONE.values(), ids=GONE)
@pytest.mark.parametrize("again", [False, True], ids=["in one run", "in the next run"])
def test_what_is_taken_back_takes_its_indicator_along(
    web: Web, event: tuple[str, Any], gone: set[str], again: bool
) -> None:
    with OpenCtiPeer(STORY) as peer:
        mark = follow(web, peer)[-1].checkpoint if again else None
        peer.happened.append(event)
        found = follow(web, peer, mark)
    assert gone <= withdrawn(found)
    assert not {item["id"] for item in items(found[-1:])} & gone


def test_stricter_markings_of_a_channel_reach_what_was_made_of_it(web: Web) -> None:
    strict = {**SITE, "object_marking_refs": [RED], "modified": "2026-02-02T00:00:00.000Z"}
    patch = [{"op": "replace", "path": "/object_marking_refs/0", "value": RED}]
    with OpenCtiPeer([*STORY, told("update", strict, patch=patch)]) as peer:
        in_one = follow(web, peer)
        mark = json.loads(json.dumps(in_one[2].checkpoint))
        in_next = follow(web, peer, mark)
        forgotten = follow(web, peer, {**mark, "values": [], "claims": []})
    again = next(item for item in items(in_one[-1:]) if item["type"] == "indicator")
    assert (again["object_marking_refs"], again["modified"]) == ([RED], strict["modified"])
    assert items(in_one[-1:]) == items(in_next)
    assert withdrawn(in_one + in_next) == set()
    assert made(SITE, CAMPAIGN) <= withdrawn(forgotten)  # better none than one that goes too far


def test_what_becomes_restricted_to_organisations_is_taken_back(web: Web) -> None:
    restricted = {**SITE, "x_opencti_granted_refs": ["identity--1"], "modified": "2026-02-02T00:00:00.000Z"}
    with OpenCtiPeer([*STORY, told("update", restricted)]) as peer:
        found = follow(web, peer)[-1:]
    assert items(found) == []
    assert rows(found)[0].outcome == "quarantined"
    assert {SITE["id"], *made(SITE, CAMPAIGN)} <= withdrawn(found)


def test_a_label_of_legitimate_turns_the_indicator_into_a_benign_one(web: Web) -> None:
    labelled = {**SITE, "labels": ["legitimate"], "modified": "2026-02-02T00:00:00.000Z"}
    with OpenCtiPeer([*STORY, told("update", labelled, patch=[{"op": "add", "path": "/labels/0"}])]) as peer:
        found = follow(web, peer)[-1:]
    assert [item["indicator_types"] for item in items(found) if item["type"] == "indicator"] == [["benign"]]
    assert made(SITE, CAMPAIGN) <= withdrawn(found)


TOLD_ALONE = {
    "unmarked": ([], True),
    "marked": (["5e57c739-internal"], False),
    "not told": (None, False),
}


@pytest.mark.parametrize(("marks", "derived"), TOLD_ALONE.values(), ids=TOLD_ALONE)
def test_a_value_told_only_with_its_relationship_counts_where_it_bears_no_marking(
    web: Web, marks: list[str] | None, derived: bool
) -> None:
    says = {"extension_type": "property-extension", "target_value": SITE["name"], "target_type": "Channel",
            **({} if marks is None else {"target_ref_object_marking_refs": marks})}
    with OpenCtiPeer([told("create", {**CLAIM, "extensions": {OCTI: says}})]) as peer:
        found = follow(web, peer)
    assert any(item["type"] == "indicator" for item in items(found)) is derived
    assert derived or "markings aren't known" in rows(found)[0].reason


BROKEN: dict[str, Any] = {
    "no JSON": "oops",
    "no object": told("create", 7)[1],
    "nothing": {},
    "an object that isn't STIX": told("create", {"type": "domain-name", "id": "domain-name--1"})[1],
    "twice the same key": '{"data": {"type": "a", "type": "b"}}',
    "deep": '{"data": ' + "[" * 100 + "]" * 100 + "}",
    "patches of nonsense": told("update", DOMAIN, patch=7, reverse_patch=[1, {"path": "/id", "value": []}], sources={})[1],
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("name", ["create", "update", "delete", "merge"])
def test_a_broken_event_is_one_row_and_the_next_ones_come(web: Web, name: str, data: Any) -> None:
    with OpenCtiPeer([(name, data), told("create", CAMPAIGN)]) as peer:
        found = follow(web, peer)
    assert CAMPAIGN in items(found)
    assert len(rows(found)) == 2
    assert rows(found)[0].outcome == "quarantined" or "patches" in json.dumps(data) or isinstance(data, dict)
    assert rows(found)[0].reason


def test_internal_and_unknown_events_bring_nothing(web: Web) -> None:
    with OpenCtiPeer([told("create", {"type": "user", "id": "user--1"}, scope="internal"),
                      ("consumer-metrics", {"lag": 0}), told("create", CAMPAIGN)]) as peer:
        found = follow(web, peer)
    assert [row.outcome for row in rows(found)] == ["blank", "note"]


def test_a_stream_that_recovers_nothing_is_told(web: Web) -> None:
    with OpenCtiPeer([("no-recover", {"resume": "x"}), *STORY]) as peer:
        found = follow(web, peer)
    assert [row.outcome for row in rows(found)] == ["quarantined", "note", "note", "indicator"]
    assert "export" in rows(found)[0].reason
    assert found[-1].checkpoint["recover"] == ""


def test_a_stream_of_no_token_and_an_address_of_no_stream_are_told(web: Web) -> None:
    with OpenCtiPeer([], token="right") as peer:
        peer.token, token = "wrong", peer.token
        source = Source(peer.url, {"idle": "1"}, {"token": token}, web)
        with pytest.raises(UnauthorizedError):
            list(CONNECTOR.fetch(source, None))
        with pytest.raises(InputError, match="404"):
            list(CONNECTOR.fetch(Source(peer.web.url("/nothing"), {}, {}, web), None))


def test_a_stream_that_breaks_off_is_unavailable(web: Web) -> None:
    with OpenCtiPeer([]) as peer:
        peer.web.routes["/stream/lorem"] = lambda _asked: Answer(
            raw=b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 1000\r\n\r\nevent: connected\n")
        with pytest.raises(UnavailableError):
            follow(web, peer)


HOSTILE: dict[str, Answer] = {
    "a page for people": Answer(200, b"<!doctype html>\n<title>lorem</title>\n", {"Content-Type": "text/html"}),
    "nothing": Answer(200, b""),
    "JSON": Answer(200, b'{"data": {"type": "campaign"}}'),
    "no credential": Answer(401),
    "not found": Answer(404, b"{}"),
    "a fault": Answer(500, b"lorem"),
    "busy": Answer(503, headers={"Retry-After": "1"}),
    "a private address": Answer(302, headers={"Location": "http://10.0.0.1/latest/meta-data/"}),
    "an endless line": Answer(200, repeat(b"x" * 1_000_000)),
    "an endless event": Answer(200, repeat(b"data: " + b"x" * 100_000 + b"\n")),
}


@pytest.mark.parametrize("answer", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_server_is_told_and_nothing_comes(web: Web, answer: Answer) -> None:
    with OpenCtiPeer([]) as peer:
        peer.web.routes["/stream/lorem"] = lambda _asked: answer
        with pytest.raises(ExchangeError) as caught:
            follow(web, peer)
    assert caught.value.what


@pytest.mark.parametrize("nonsense", [{"format": 9}, {"id": 7}, {"rows": "x"}, {"values": 7}, {"claims": [{}]},
                                      {"values": [{"id": 7}], "actors": [[]]}])
def test_a_checkpoint_of_nonsense_is_as_good_as_none(web: Web, nonsense: dict[str, Any]) -> None:
    with OpenCtiPeer(STORY) as peer:
        whole = follow(web, peer)
        mark = {**whole[0].checkpoint, **nonsense}
        then = follow(web, peer, mark)
    assert [item["id"] for item in items(whole)][-6:] == [item["id"] for item in items(then)][-6:]


@pytest.mark.parametrize("option", ["idle", "seconds", "events"])
def test_options_that_make_no_sense_are_told(web: Web, option: str) -> None:
    with OpenCtiPeer([]) as peer, pytest.raises(InputError, match=option):
        follow(web, peer, **{option: "soon"})


def test_a_run_brings_a_stream_in_and_the_next_one_takes_back(web: Web) -> None:
    sink = MemorySink()
    with OpenCtiPeer(STORY) as peer:
        source = Source(peer.url, {"idle": "1", "seconds": "600", "events": "100"}, {}, web, ticking(0.001))
        assert run(CONNECTOR, source, sink, terms={"tlp": "TLP:AMBER"}).pushed("added") == 7
        peer.happened.append(told("delete", CLAIM))
        report = run(CONNECTOR, source, sink, terms={"tlp": "TLP:AMBER"})
    assert report.withdrawn == 4
