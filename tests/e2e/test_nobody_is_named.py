"""Planted names, addresses, numbers and secrets stand in no line of any log, no metric, no refusal and no audit export."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.exchange_process import ExchangeProcess
from tests.e2e.http_caller import TAXII, Answer, HttpCaller, basic
from tests.e2e.members import SECRETS
from tests.e2e.ports import free_port
from tests.e2e.stix_objects import domain, fixed_id, indicator

PORT = free_port()
SETTINGS = {"CIBX_METRICS": f"127.0.0.1:{PORT}", "CIBX_LOGS": "text", "CIBX_LOG_SECONDS": "1"}
PLANTED = {
    "mail": "quxley.planted@people.example", "phone": "+49 170 5550123", "name": "Quxley Plantedsson",
    "account": "plantedaccount99173", "handle": "@planted_handle_q", "card": "4111 1111 1111 1111",
}
MARKS = ("quxley", "plantedsson", "5550123", "99173", "planted_handle", "4111 1111", "planted")
LANE = "/taxii2/main/collections/indicators/"
ALL = " ".join(PLANTED.values())
OBJECTS = [
    indicator("of people", description=ALL, pattern=f"[email-addr:value = '{PLANTED['mail']}']"),
    {"type": "email-addr", "spec_version": "2.1", "id": fixed_id("email-addr", "p"), "value": PLANTED["mail"]},
    {"type": "user-account", "spec_version": "2.1", "id": fixed_id("user-account", "p"), "user_id": PLANTED["account"],
     "account_login": PLANTED["handle"], "display_name": PLANTED["name"]},
    domain("quxley-plantedsson.example"),
]
REFUSED = [
    indicator("refused", pattern=f"[email-addr:value = '{PLANTED['mail']}"), indicator("refused") | {ALL: 1, "name": 5},
    {"type": PLANTED["name"], "id": PLANTED["mail"]}, {"type": "identity", "id": PLANTED["mail"], "name": PLANTED["name"]},
    indicator("refused", created=PLANTED["phone"]), indicator("refused", object_marking_refs=[PLANTED["account"]]),
]


def _ask(alpha: HttpCaller, nobody: HttpCaller) -> Iterator[Answer]:
    """Everything that a member might do with them; gives the refusals."""
    alpha.push(LANE + "objects/", OBJECTS)
    alpha.push(LANE + "objects/", REFUSED)
    for body in (ALL.encode(), b'{"objects":[' + ALL.encode(), b'{"' + ALL.encode() + b'":1}', b"\xff" + ALL.encode()):
        yield alpha.post(LANE + "objects/", body)
    for one in OBJECTS:
        alpha.get(f"{LANE}objects/{one['id']}/")
    mail = PLANTED["mail"]
    yield alpha.get(f"/taxii2/{mail}/")
    yield alpha.get(LANE + "objects/", {"limit": mail})
    yield alpha.get(LANE + "objects/", {"next": mail, "match[id]": mail})
    yield alpha.get(f"{LANE}objects/{mail}/")
    yield alpha.get(f"/api/v1/cases/{mail}")
    yield alpha.get(f"/log/tile/{mail}")
    yield alpha.ask("GET", LANE, headers={"User-Agent": ALL, "Referer": f"https://{mail}/", "X-Request-ID": mail,
                                          "CIBX-Purpose": mail})
    yield nobody.ask("GET", LANE, headers={"Authorization": basic(mail, ALL)})
    yield nobody.ask("GET", LANE, headers={"Authorization": f"Bearer {mail}"})
    yield nobody.ask(f"GET{PLANTED['account']}", LANE)
    for path in ("webhooks", "cases", f"objects/{OBJECTS[0]['id']}/state", "log/cosignatures", "ai-cluster-reports"):
        yield alpha.post(f"/api/v1/{path}", json.dumps({"note": ALL, ALL[:50]: ALL}).encode(), "application/json")
    yield alpha.post("/api/v1/ai-cluster-reports?collection=indicators", json.dumps({
        "schema_version": "1.0", "report_id": mail, "summary": ALL, "cluster": {"name": PLANTED["name"]},
    }).encode(), "application/json")


@pytest.fixture(scope="module")
def refusals(exchange: ExchangeProcess) -> list[Answer]:
    """What was told after everything was asked."""
    alpha = exchange.caller("alpha")
    return list(_ask(alpha, exchange.caller(source="127.0.9.9")))


def _named(text: str) -> list[str]:
    return [mark for mark in MARKS if mark in text.lower()]


def test_no_line_of_the_log_names_anybody(exchange: ExchangeProcess, refusals: list[Answer]) -> None:
    log = exchange.log()
    assert "request refused" in log
    assert _named(log) == []
    assert not any(secret in log or basic(key, secret)[6:] in log for key, secret in SECRETS.items())


def test_no_metric_names_anybody(exchange: ExchangeProcess, refusals: list[Answer]) -> None:
    caller = HttpCaller(PORT)
    text = caller.ask("GET", "/metrics", accept=None).body.decode()
    caller.close()
    assert "cibx_objects_total" in text
    assert _named(text) == []


def test_a_fault_of_the_whole_request_repeats_nobody(refusals: list[Answer]) -> None:
    taxii = [one for one in refusals if one.headers.get("content-type") == TAXII]
    assert len(taxii) > 12
    assert [one.body for one in taxii if "quxley" in one.body.decode().lower()] == []


def test_the_whole_log_as_auditors_have_it_names_nobody(exchange: ExchangeProcess, refusals: list[Answer],
                                                        tmp_path: Path) -> None:
    exchange.cibx("audit", "export", str(tmp_path / "copy"))
    files = [path for path in (tmp_path / "copy").rglob("*") if path.is_file()]
    assert files
    assert {path.name: found for path in files if (found := _named(path.read_bytes().decode("latin-1")))} == {}
