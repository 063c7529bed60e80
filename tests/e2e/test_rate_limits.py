"""Two workers with small limits: 429 that tells which, Retry-After, each member for itself, both workers together."""

from __future__ import annotations

import zstandard

from tests.e2e.exchange_process import ExchangeProcess
from tests.e2e.http_caller import TAXII, HttpCaller, assert_taxii_error, envelope
from tests.e2e.stix_objects import indicator

SETTINGS = {"CIBX_REQUESTS_PER_MINUTE": "40", "CIBX_OBJECTS_PER_MINUTE": "50", "CIBX_BYTES_PER_MINUTE": "400000"}
WORKERS = 2


def test_too_many_objects_of_one_organisation_are_429_for_all_its_keys_and_nobody_else(
    exchange: ExchangeProcess, alpha: HttpCaller, beta: HttpCaller, lane: str
) -> None:
    assert alpha.push(lane + "objects/", [indicator() for _ in range(60)]).json["success_count"] == 60  # one debt is let in
    for caller in (alpha, exchange.caller("alpha-two")):
        refused = caller.push(lane + "objects/", [indicator()])
        assert_taxii_error(refused, 429)
        assert "50 objects that this organisation sends in a minute" in refused.json["description"]
        assert 1 <= int(refused.headers["retry-after"]) <= 14
        assert caller.get(lane + "objects/").status == 200  # reading goes on
    assert beta.push(lane + "objects/", [indicator()]).status == 202


def test_too_many_requests_of_one_key_are_429_on_every_path_and_health_is_not_counted(
    exchange: ExchangeProcess, lane: str
) -> None:
    caller, other = exchange.caller("gamma"), exchange.caller("reader")  # of one organisation
    answers = []
    for _ in range(60):
        caller.close()  # either worker takes the next connection
        answers.append(caller.get("/taxii2/"))
    statuses = [answer.status for answer in answers]
    assert 40 <= statuses.count(200) < 60
    refused = next(answer for answer in answers if answer.status == 429)
    assert_taxii_error(refused, 429)
    assert "40 requests of this credential in a minute" in refused.json["description"]
    assert int(refused.headers["retry-after"]) >= 1
    assert other.get("/taxii2/").status == 200
    nobody = exchange.caller()
    assert {nobody.ask("GET", "/healthz", accept=None).status for _ in range(60)} == {200}


def test_bytes_are_counted_as_they_are_undone(exchange: ExchangeProcess, lane: str) -> None:
    caller = exchange.caller("delta")
    body = envelope([indicator(description="lorem ipsum " * 40_000)])
    packed = zstandard.compress(body)
    assert len(packed) < 10_000
    assert len(body) > 400_000
    headers = {"Content-Encoding": "zstd"}
    assert caller.post(lane + "objects/", packed, TAXII, headers=headers).status == 202
    refused = caller.post(lane + "objects/", packed, TAXII, headers=headers)
    assert_taxii_error(refused, 429)
    assert "400000 bytes that this organisation sends" in refused.json["description"]
