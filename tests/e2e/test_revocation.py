"""Revoked: who received the object is told, others see nothing, and no version follows (P15; STIX 2.1, 3.6.3)."""

from __future__ import annotations

from tests.e2e.exchange_process import ExchangeProcess
from tests.e2e.outsider import bring
from tests.e2e.stix_objects import indicator

LATER, LATEST = "2026-02-15T08:00:00.000Z", "2026-03-15T08:00:00.000Z"
ALL = {"match[version]": "all"}


def test_recipients_see_the_revoked_version_and_others_nothing(exchange: ExchangeProcess, lane: str) -> None:
    one = indicator(lane)
    revoked = indicator(lane, modified=LATER, revoked=True)
    bring(exchange, lane, [("alpha", [one])])
    assert exchange.caller("gamma").get(lane + "objects/").ids == [one["id"]]
    bring(exchange, lane, [("alpha", [revoked])])
    gamma, delta, alpha = (exchange.caller(key) for key in ("gamma", "delta", "alpha"))
    assert gamma.get(lane + "objects/").objects == [revoked]
    assert gamma.get(f"{lane}objects/{one['id']}/", ALL).objects == [revoked]
    assert delta.get(lane + "objects/").objects == []
    assert delta.get(lane + "manifest/").objects == []
    assert delta.get(f"{lane}objects/{one['id']}/").status == 404
    assert alpha.get(f"{lane}objects/{one['id']}/", ALL).objects == [one, revoked]


def test_no_version_follows_a_revoked_one(exchange: ExchangeProcess, lane: str) -> None:
    bring(exchange, lane, [("alpha", [indicator(lane)]), ("alpha", [indicator(lane, modified=LATER, revoked=True)])])
    status = exchange.caller("alpha").push(lane + "objects/", [indicator(lane, modified=LATEST)]).json
    assert status["failure_count"] == 1
    assert status["failures"][0]["message"].startswith("revoked-permanently")
    again = exchange.caller("alpha").push(lane + "objects/", [indicator(lane, modified=LATER, revoked=True)]).json
    assert again["failure_count"] == 0


def test_what_was_revoked_before_anybody_received_it_is_seen_by_nobody_else(
    exchange: ExchangeProcess, lane: str
) -> None:
    bring(exchange, lane, [("alpha", [indicator(lane, revoked=True)])])
    assert exchange.caller("gamma").get(lane + "objects/").objects == []
    assert len(exchange.caller("alpha").get(lane + "objects/").objects) == 1
