"""Server-sent events: TAXII's order and policy, resumed by Last-Event-ID, ended with the right to read."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from exchange.stix.extensions import CAMPAIGN
from tests.e2e.exchange_process import ExchangeProcess
from tests.e2e.http_caller import HttpCaller
from tests.e2e.members import SECRETS
from tests.e2e.stix_objects import TLP, campaign, domain, indicator

SETTINGS = {"CIBX_STREAMS_OF_ONE": "30"}


@dataclass
class Event:
    id: str = ""
    event: str = ""
    data: str = ""

    @property
    def object(self) -> Any:
        return json.loads(self.data)


def events(response: requests.Response) -> Iterator[Event]:
    event = Event()
    for line in response.iter_lines(chunk_size=1, decode_unicode=True):
        name, _, value = line.partition(": ")
        assert line != ":", "a heartbeat came where an event was expected"
        if not line:
            if event.event:
                yield event
            event = Event()
        elif name == "data":
            event.data += value if not event.data else "\n" + value
        elif name in ("id", "event"):
            setattr(event, name, value)


def opened(exchange: ExchangeProcess, lane: str, key: str = "beta", after: str = "", **query: str) -> requests.Response:
    headers = {"Last-Event-ID": after} if after else {}
    return requests.get(f"{exchange.url}/api/v1/collections/{lane.split('/')[4]}/stream", params=query, headers=headers,
                        auth=(key, SECRETS[key]), stream=True, timeout=30)


def first(exchange: ExchangeProcess, lane: str, count: int, **more: str) -> list[Event]:
    with opened(exchange, lane, **more) as response:
        assert response.status_code == 200, response.text
        found = events(response)
        return [next(found) for _ in range(count)]


def test_objects_come_in_the_order_of_adding_and_as_they_were_sent(exchange: ExchangeProcess, alpha: HttpCaller, lane: str) -> None:
    pushed = [indicator() for _ in range(5)]
    alpha.push(lane + "objects/", pushed)
    found = first(exchange, lane, 5)
    assert [event.object for event in found] == pushed
    assert {event.event for event in found} == {"object"}
    assert [event.id for event in found] == sorted(event.id for event in found)


def test_what_is_pushed_later_arrives_and_a_resumed_stream_repeats_nothing(
    exchange: ExchangeProcess, alpha: HttpCaller, lane: str
) -> None:
    one, two = indicator(), indicator()
    alpha.push(lane + "objects/", [one])
    with opened(exchange, lane) as response:
        found = events(response)
        begun = next(found)
        alpha.push(lane + "objects/", [two])
        assert [begun.object, next(found).object] == [one, two]
    assert first(exchange, lane, 1, after=begun.id)[0].object == two
    assert first(exchange, lane, 1, added_after=begun.id)[0].object == two


def test_a_revoked_version_is_told_to_who_has_the_object(exchange: ExchangeProcess, alpha: HttpCaller, lane: str) -> None:
    one = indicator()
    alpha.push(lane + "objects/", [one])
    received = first(exchange, lane, 1)[0]
    alpha.push(lane + "objects/", [{**one, "modified": "2026-03-01T00:00:00.000Z", "revoked": True}])
    assert [event.event for event in first(exchange, lane, 1, after=received.id)] == ["revoked"]


def test_what_the_policy_withholds_never_comes(exchange: ExchangeProcess, alpha: HttpCaller, lane: str) -> None:
    hidden, shown = indicator(object_marking_refs=[TLP["RED"]]), indicator()
    assert alpha.push(lane + "objects/", [hidden, shown]).json["success_count"] == 2
    assert [event.object["id"] for event in first(exchange, lane, 1)] == [shown["id"]]


def test_line_ends_inside_an_object_make_no_events(exchange: ExchangeProcess, alpha: HttpCaller, lane: str) -> None:
    one = indicator()
    body = b'{"objects":[' + json.dumps(one, indent=2).replace("\n", "\r\n").encode() + b"]}"
    assert alpha.post(lane + "objects/", body).status == 202
    assert first(exchange, lane, 1)[0].object == one


@pytest.mark.parametrize(("query", "expected"), [
    ({"match[type]": "campaign"}, ["campaign"]),
    ({"match[type]": "campaign,domain-name"}, ["domain", "campaign"]),
    ({"match[class]": "spam"}, ["campaign"]),
    ({"match[behaviour]": "T0146"}, ["campaign"]),
    ({"match[platform]": "x"}, ["account", "link"]),
    ({"match[platform]": "twitter", "match[type]": "indicator"}, ["account", "link"]),
])  # fmt: skip
def test_filters_leave_out_the_rest_and_the_stream_goes_on_behind_it(
    exchange: ExchangeProcess, alpha: HttpCaller, lane: str, query: dict[str, str], expected: list[str]
) -> None:
    made = {
        "plain": indicator(), "domain": domain(f"d{lane[-5:-1]}"),
        "account": indicator(pattern="[user-account:account_type = 'x' AND user-account:account_login = 'lorem']"),
        "link": indicator(pattern="[url:value = 'https://x.com/lorem']"),
        "campaign": campaign(lane, extensions={CAMPAIGN: {
            "extension_type": "property-extension", "campaign_class": "spam",
            "behaviours": [{"framework": "DISARM", "id": "T0146.001"}]}}),
    }
    assert alpha.push(lane + "objects/", list(made.values())).json["success_count"] == 5
    found = first(exchange, lane, len(expected) + ("campaign" not in expected), **query)
    assert [event.object["id"] for event in found if event.event == "object"] == [made[name]["id"] for name in expected]
    assert found[-1].id == alpha.get(lane + "objects/").last


def test_deliveries_of_a_filtered_stream_are_only_what_left(exchange: ExchangeProcess, alpha: HttpCaller, lane: str) -> None:
    plain, wanted = indicator(), campaign(lane)
    alpha.push(lane + "objects/", [plain, wanted])
    first(exchange, lane, 1, key="gamma", **{"match[type]": "campaign"})
    for one, told in ((plain, 0), (wanted, 1)):
        exchange.cibx("state", "erase", one["id"], "--by", "dana", "--reason", "A demand.")
        notices = json.loads(exchange.cibx("notice", "list", "--org", "org-gamma", "--all", "--json"))
        assert sum(one["id"] in json.dumps(notice) for notice in notices) == told


@pytest.mark.parametrize(("query", "status"), [
    ({"match[colour]": "red"}, 400), ({"match[type]": ""}, 400), ({"limit": "5"}, 400), ({"added_after": "yesterday"}, 400),
])
def test_a_query_that_means_nothing_is_refused(exchange: ExchangeProcess, lane: str, query: dict[str, str], status: int) -> None:
    assert opened(exchange, lane, **query).status_code == status


def test_a_collection_that_may_not_be_read_is_not_there(exchange: ExchangeProcess, lane: str) -> None:
    assert opened(exchange, lane, "outside").status_code == 404
    assert opened(exchange, lane, "writer").status_code == 404
    absent = requests.get(f"{exchange.url}/api/v1/collections/nowhere/stream", auth=("beta", SECRETS["beta"]), timeout=30)
    assert opened(exchange, lane, "outside").content == absent.content


def test_streams_above_the_limit_wait_and_closed_ones_make_room(exchange: ExchangeProcess, alpha: HttpCaller, lane: str) -> None:
    alpha.push(lane + "objects/", [indicator()])
    held = [opened(exchange, lane, "delta") for _ in range(30)]
    assert [one.status_code for one in held] == [200] * 30
    refused = opened(exchange, lane, "delta")
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    with opened(exchange, lane, "beta") as other:
        assert other.status_code == 200
    for one in held:
        one.close()
    for _ in range(100):
        with opened(exchange, lane, "delta") as again:
            if again.status_code == 200:
                return
        time.sleep(0.1)
    pytest.fail("closed streams made no room")


def test_a_revoked_credential_ends_its_stream_with_a_sentence(exchange: ExchangeProcess, alpha: HttpCaller, lane: str) -> None:
    alpha.push(lane + "objects/", [indicator()])
    with opened(exchange, lane, "reader") as response:
        found = events(response)
        assert next(found).event == "object"
        exchange.cibx("credential", "revoke", "reader")
        ended = next(found)
        assert (ended.event, "isn't valid any more" in ended.data) == ("end", True)
        assert list(found) == []


def test_a_server_that_stops_tells_its_streams_to_come_back(exchange: ExchangeProcess, alpha: HttpCaller, lane: str) -> None:
    alpha.push(lane + "objects/", [indicator()])
    with opened(exchange, lane) as response:
        found = events(response)
        begun = next(found)
        assert exchange.stop() == 0
        assert [(event.event, "come back" in event.data) for event in found] == [("end", True)]
    exchange.start()
    caller = exchange.caller("alpha")
    late = indicator()
    caller.push(lane + "objects/", [late])
    assert first(exchange, lane, 1, after=begun.id)[0].object == late
