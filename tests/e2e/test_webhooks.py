"""Webhooks over HTTP: made by a member, delivered by the server's workers once, looked at and dropped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.exchange_process import ExchangeProcess
from tests.e2e.http_caller import Answer, HttpCaller
from tests.e2e.stix_objects import indicator
from tests.fakes.webhook_receiver import WebhookReceiver, is_signed, receiving_webhooks

SETTINGS = {"CIBX_WEBHOOK_NETWORKS": "127.0.0.0/8"}
WORKERS = 2


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    with receiving_webhooks() as one:
        yield one


def post(caller: HttpCaller, path: str, body: Any) -> Answer:
    return caller.post("/api/v1/webhooks" + path, json.dumps(body).encode(), content_type="application/json", accept=None)


def test_two_workers_deliver_each_object_once_in_order(
    exchange: ExchangeProcess, alpha: HttpCaller, beta: HttpCaller, lane: str, receiver: WebhookReceiver
) -> None:
    answer = post(beta, "", {"collection": lane.split("/")[4], "url": receiver.url})
    assert answer.status == 201, answer
    pushed = [indicator() for _ in range(30)]
    for at in range(0, 30, 10):
        alpha.push(lane + "objects/", pushed[at : at + 10])
    seen: list[str] = []
    while len(seen) < 30:
        headers, body = receiver.got.get(timeout=60)
        assert is_signed(answer.json["secret"], headers, body)
        seen += [one["id"] for one in json.loads(body)["data"]["objects"]]
    assert seen == [one["id"] for one in pushed]
    for key in ("secret",):
        assert key not in beta.get("/api/v1/webhooks").json["webhooks"][0]
    name = answer.json["id"]
    assert alpha.get(f"/api/v1/webhooks/{name}").status == 404
    assert post(beta, f"/{name}/stop", {}).status == 200
    alpha.push(lane + "objects/", [late := indicator()])
    resumed = post(beta, f"/{name}/resume", {"after": alpha.get(lane + "objects/").first})
    assert resumed.json["state"] == "active"
    again = [one["id"] for one in receiver.next()[1]["data"]["objects"]]
    assert again == [*[one["id"] for one in pushed[1:]], late["id"]]


@pytest.mark.parametrize(("body", "status"), [
    ({}, 422), ({"url": 7, "collection": "x"}, 422), ({"url": "https://lorem.example/", "collection": "nowhere"}, 404),
    ({"url": "https://lorem.example/"}, 404), ({"url": "https://lorem.example/", "collection": "indicators", "colour": 1}, 422),
    ({"url": "https://lorem.example/", "collection": "indicators", "match": {"colour": ["red"]}}, 422),
    ({"url": "https://lorem.example/", "collection": "indicators", "match": {"type": "indicator"}}, 422),
    ({"url": "https://lorem.example/", "collection": "indicators", "after": "yesterday"}, 422),
    ({"url": "https://lorem.example/", "collection": "alpha-only"}, 404),
])  # fmt: skip
def test_what_cannot_be_a_webhook_is_refused(beta: HttpCaller, body: dict[str, Any], status: int) -> None:
    assert post(beta, "", body).status == status
