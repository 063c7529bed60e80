"""/metrics on its own address tells of all workers and of nobody; error ids lead to lines of the log."""

from __future__ import annotations

import json

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.e2e.exchange_process import ExchangeProcess
from tests.e2e.http_caller import HttpCaller
from tests.e2e.members import SECRETS
from tests.e2e.ports import free_port
from tests.e2e.stix_objects import domain, indicator

PORT = free_port()
SETTINGS = {"CIBX_METRICS": f"127.0.0.1:{PORT}"}
WORKERS = 2


def _samples() -> dict[str, float]:
    """Each sample by its name and labels."""
    caller = HttpCaller(PORT)
    answer = caller.ask("GET", "/metrics", accept=None)
    caller.close()
    assert answer.status == 200
    return {f"{s.name}{sorted(s.labels.items())}": s.value
            for family in text_string_to_metric_families(answer.body.decode()) for s in family.samples}


def _lines(exchange: ExchangeProcess) -> list[dict[str, object]]:
    return [json.loads(line) for line in exchange.log().splitlines() if line.startswith("{")]


def test_requests_of_all_workers_are_counted_by_route_and_class(exchange: ExchangeProcess, lane: str) -> None:
    key = "cibx_request_seconds_count[('method', 'GET'), ('route', '/taxii2/'), ('status', '2xx')]"
    before = _samples().get(key, 0)
    for _ in range(30):  # each on a connection of its own, so that both workers have some
        caller = exchange.caller("beta")
        assert caller.get("/taxii2/").status == 200
        caller.close()
    assert {_samples()[key] for _ in range(6)} == {before + 30}  # whichever worker answers


def test_objects_are_counted_by_what_became_of_them(exchange: ExchangeProcess, alpha: HttpCaller, lane: str) -> None:
    def added() -> float:
        return _samples().get("cibx_objects_total[('code', ''), ('outcome', 'added')]", 0)

    def refused() -> float:
        return sum(v for k, v in _samples().items() if k.startswith("cibx_objects_total") and "'refused'" in k)

    before = added(), refused()
    alpha.push(lane + "objects/", [indicator(), indicator(), {"type": "indicator", "id": "nonsense"}])
    assert (added(), refused()) == (before[0] + 2, before[1] + 1)


def test_what_stands_in_the_store_is_told(exchange: ExchangeProcess) -> None:
    found = _samples()
    assert found["cibx_store_up[]"] == 1
    assert found["cibx_erasure_list[]"] == 1
    assert found["cibx_dead_letters[]"] == 0
    assert found["cibx_log_leaves[]"] >= 0
    assert {f"cibx_webhooks[('state', '{s}')]" for s in ("active", "failing", "due", "stopped")} <= set(found)


def test_an_open_stream_is_counted_while_it_is_open(exchange: ExchangeProcess, lane: str) -> None:
    import socket

    from tests.e2e.http_caller import basic

    name = lane.split("/")[4]
    with socket.create_connection(("127.0.0.1", exchange.port)) as link:
        link.sendall(f"GET /api/v1/collections/{name}/stream HTTP/1.1\r\nHost: x\r\n"
                     f"Authorization: {basic('beta', SECRETS['beta'])}\r\n\r\n".encode())
        assert b"200" in link.recv(1_000)
        assert _samples()["cibx_streams_open[]"] == 1


def test_no_member_key_object_or_address_is_in_the_metrics(exchange: ExchangeProcess, alpha: HttpCaller, lane: str) -> None:
    one = domain("very-private.example")
    alpha.push(lane + "objects/", [one])
    alpha.get(f"{lane}objects/{one['id']}/")
    exchange.caller().get("/taxii2/lorem@people.example/")
    alpha.ask("LOREM", "/taxii2/")
    caller = HttpCaller(PORT)
    text = caller.ask("GET", "/metrics", accept=None).body.decode()
    caller.close()
    for private in (one["id"], one["id"][-36:], "very-private", "alpha", "people.example", "LOREM", lane.split("/")[4], "127.0.0.1"):
        assert private not in text
    assert len(text) < 200_000


@pytest.mark.parametrize(("path", "key"), [("/metrics", None), ("/metrics", "beta")])
def test_members_do_not_find_it_where_they_are_served(exchange: ExchangeProcess, path: str, key: str | None) -> None:
    answer = exchange.caller(key).get(path)
    assert answer.status == (401 if key is None else 404)
    assert b"cibx_" not in answer.body


@pytest.mark.parametrize("path", ["/taxii2/", "/healthz", "/metrics/", "/api/v1/notices"])
def test_nothing_else_is_answered_on_its_address(exchange: ExchangeProcess, path: str) -> None:
    caller = HttpCaller(PORT, exchange.caller("beta").authorization)
    assert caller.get(path).status == 404
    caller.close()


@pytest.mark.parametrize(("method", "path", "status"), [
    ("GET", "/taxii2/no/such/", 404), ("GET", "/taxii2/notices/?x=1", 200),
    ("DELETE", "/taxii2/", 405), ("GET", "LANEobjects/?limit=0", 400), ("POST", "LANEobjects/", 415),
])
def test_the_id_that_a_client_chose_comes_back_and_leads_to_its_line_in_the_log(
    exchange: ExchangeProcess, beta: HttpCaller, lane: str, method: str, path: str, status: int
) -> None:
    chosen = f"lorem-{status}-{lane.split('/')[4][-8:]}"
    given = beta.ask(method, path.replace("LANE", lane), body=b"{}" if method == "POST" else None,
                     headers={"X-Request-ID": chosen})
    assert (given.status, given.headers["x-request-id"]) == (status, chosen)
    found = [line for line in _lines(exchange) if line.get("error_id") == chosen]
    assert [(line["status"], line["org"]) for line in found] == ([] if status == 200 else [(status, "org-beta")])
    without = beta.ask(method, path.replace("LANE", lane), body=b"{}" if method == "POST" else None)
    assert "x-request-id" not in without.headers
    assert without.body == given.body


def test_what_is_sent_fakes_no_line_and_stands_in_none(exchange: ExchangeProcess, lane: str) -> None:
    marker = "zq7marker"
    evil = f"{marker}%0d%0a%7b%22level%22:%22error%22%7d"
    caller = exchange.caller("gamma-ana")
    caller.get(f"/taxii2/{evil}/")
    caller.get(lane + "objects/", f"match[id]={evil}&limit={evil}")
    caller.ask("GET", lane + "objects/", headers={"CIBX-Purpose": marker, "X-Request-ID": f"{marker}\t{{}}"})
    answer = caller.get(f"/taxii2/{evil}/")
    assert answer.headers.get("x-request-id") != marker
    exchange.caller().ask("GET", "/taxii2/", headers={"Authorization": f"Bearer {marker}"})
    log = exchange.log()
    assert marker not in log
    assert "gamma-ana" not in log
    assert "ana@gamma.example" not in log
    assert all(line.startswith("{") for line in log.splitlines()[1:] if "request refused" in line)
    assert all(json.loads(line)["level"] in {"info", "warning"} for line in log.splitlines() if line.startswith("{"))


