"""Every answer with content has a receipt, and the ledger knows what it was, also after the server is killed."""

from __future__ import annotations

import hashlib

from exchange.store.engine import open_engine
from exchange.store.ledger import Ledger, LedgerRow
from tests.e2e.exchange_process import ExchangeProcess
from tests.e2e.outsider import bring
from tests.e2e.stix_objects import indicator


def ledger(exchange: ExchangeProcess) -> dict[str, LedgerRow]:
    rows = Ledger(open_engine(exchange.environment["CIBX_DATABASE_URL"])).after(0, 10_000)
    return {row.receipt: row for row in rows}


def test_what_was_received_is_in_the_ledger(exchange: ExchangeProcess, lane: str) -> None:
    objects = [indicator(f"{lane} {n}") for n in range(3)]
    bring(exchange, lane, [("alpha", objects)])
    gamma = exchange.caller("gamma")
    whole = gamma.get(lane + "objects/")
    one = gamma.get(f"{lane}objects/{objects[1]['id']}/")
    found = ledger(exchange)
    row = found[whole.headers["cibx-receipt"]]
    assert (row.org, row.credential, row.purpose, row.count) == ("org-gamma", "gamma", "cib-detection", 3)
    assert row.digest == hashlib.sha256(whole.body).hexdigest()
    assert row.last - row.first == 2
    assert found[one.headers["cibx-receipt"]].count == 1
    assert len(row.policy) == 64


def test_answers_without_content_have_no_receipt(exchange: ExchangeProcess, lane: str) -> None:
    gamma = exchange.caller("gamma")
    before = len(ledger(exchange))
    assert "cibx-receipt" not in gamma.get(lane + "objects/").headers
    bring(exchange, lane, [("alpha", [indicator(lane)])])
    last = gamma.get(lane + "manifest/")
    assert "cibx-receipt" not in last.headers
    assert "cibx-receipt" not in gamma.get(lane + "objects/", {"added_after": str(last.last)}).headers
    assert len(ledger(exchange)) == before


def test_head_delivers_nothing_and_has_the_headers_of_get(exchange: ExchangeProcess, lane: str) -> None:
    one = indicator(lane)
    bring(exchange, lane, [("alpha", [one])])
    gamma = exchange.caller("gamma")
    before = len(ledger(exchange))
    for path in ("objects/", f"objects/{one['id']}/"):
        head = gamma.ask("HEAD", lane + path)
        assert (head.status, head.body, head.headers.get("cibx-receipt")) == (200, b"", None)
        assert len(ledger(exchange)) == before
        got = gamma.get(lane + path).headers
        assert got.pop("cibx-receipt")
        assert {**head.headers, "date": ""} == {**got, "date": ""}
        before += 1


def test_a_killed_server_forgets_no_delivery(exchange: ExchangeProcess, lane: str) -> None:
    bring(exchange, lane, [("alpha", [indicator(lane)])])
    gamma = exchange.caller("gamma")
    receipts = [gamma.get(lane + "objects/").headers["cibx-receipt"] for _ in range(20)]
    exchange.kill()
    assert set(receipts) <= ledger(exchange).keys()
    exchange.start()
    assert exchange.caller("gamma").get(lane + "objects/").status == 200
