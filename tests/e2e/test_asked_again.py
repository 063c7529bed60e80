"""One connection asks the same again and again: each answer is what a first request would get, on both engines.

The connection is a proxy's: several members come over it.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest

from tests.e2e.exchange_process import ExchangeProcess, new_database, serving
from tests.e2e.http_caller import TAXII, Answer, HttpCaller, basic, parsed, read_answer
from tests.e2e.members import SECRETS, description
from tests.e2e.stix_objects import indicator

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
EMPTY = b'{"more":false}'
BETA = basic("beta", SECRETS["beta"])


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def exchange(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExchangeProcess]:
    """Instead of the server on SQLite alone; two workers, so that others write beside the one that is asked."""
    url = ""
    if request.param == "postgres":
        url = new_database(request.getfixturevalue("postgres_server"), "asked_again")
    with serving(tmp_path_factory.mktemp("exchange"), database_url=url, workers=2) as running:
        yield running


class Poller:
    """Asks for all that is in an empty collection, over one connection."""

    def __init__(self, exchange: ExchangeProcess, lane: str) -> None:
        self.exchange, self.lane = exchange, lane
        self.caller: HttpCaller = exchange.caller()

    def poll(self, authorization: str = BETA, method: str = "GET", **headers: str) -> Answer:
        return self.caller.ask(method, f"{self.lane}objects/", headers={"Authorization": authorization, **headers})

    def settle(self) -> socket.socket:
        """Ask till the answer is one of those that are given again; gives the connection."""
        for _ in range(4):
            answer = self.poll()
            assert (answer.status, answer.body) == (200, EMPTY)
        link = self.caller._link
        assert link is not None
        return link


@pytest.fixture
def poller(exchange: ExchangeProcess, lane: str) -> Poller:
    return Poller(exchange, lane)


def test_what_any_worker_takes_is_told_by_the_next_answer(poller: Poller) -> None:
    link = poller.settle()
    sent = []
    for number in range(4):
        sent.append(indicator(f"{poller.lane} {number}"))
        other = poller.exchange.caller("alpha")
        assert other.push(f"{poller.lane}objects/", sent[-1:]).status == 202
        other.close()
        assert poller.poll().ids == [one["id"] for one in sent]
    assert poller.caller._link is link


def test_each_request_of_a_connection_is_its_own_callers(poller: Poller) -> None:
    link = poller.settle()
    expected = {BETA: 200, basic("beta", "wrong"): 401, basic("outside", SECRETS["outside"]): 404, "Basic x": 401}
    for _ in range(2):
        for authorization, status in expected.items():
            assert poller.poll(authorization).status == status
            assert poller.poll(authorization).status == status
            assert poller.poll().body == EMPTY
    assert poller.caller._link is link


def test_each_request_is_answered_by_its_own_headers(poller: Poller) -> None:
    link = poller.settle()
    for name in ("first-request", "other-request"):
        for _ in range(3):
            answer = poller.poll(**{"X-Request-ID": name})
            assert (answer.headers["x-request-id"], answer.body) == (name, EMPTY)
    assert "x-request-id" not in poller.poll().headers
    for _ in range(2):
        assert poller.poll(Accept="application/json;version=9").status == 406
        assert poller.poll(**{"CIBX-Purpose": "nothing of that name"}).status == 403
        assert poller.poll(method="HEAD").body == b""
        assert poller.poll().body == EMPTY
    assert poller.caller._link is link


def test_requests_in_one_piece_and_with_bodies_keep_their_order(poller: Poller) -> None:
    link = poller.settle()
    head = f"GET {poller.lane}objects/ HTTP/1.1\r\nHost: x\r\nAuthorization: {BETA}\r\nAccept: {TAXII}\r\n"
    expecting = f"{head}Content-Length: 5\r\nExpect: 100-continue\r\n\r\n".encode()
    for _ in range(3):
        link.sendall(expecting)
        assert link.recv(len(CONTINUE), socket.MSG_WAITALL) == CONTINUE
        link.sendall(b"GET /")
        assert parsed(read_answer(link)).body == EMPTY
    for _ in range(3):
        link.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        link.sendall(b"5\r\nGET /\r\n0\r\n\r\n")
        assert parsed(read_answer(link)).body == EMPTY
    link.sendall(f"{head}\r\n".encode() * 3 + f"{head}Connection: close\r\n\r\n".encode())
    received = b""
    while part := link.recv(65_536):
        received += part
    assert received.count(b"HTTP/1.1 200 OK") == received.count(EMPTY) == 4
    assert received.count(b"Connection: close") == 1
    poller.caller.close()


class Finder(Poller):
    """Asks for objects by their ids, over one connection."""

    def __init__(self, exchange: ExchangeProcess, lane: str) -> None:
        super().__init__(exchange, lane)
        self.sent = [indicator(f"{lane} {number}") for number in range(4)]
        writer = exchange.caller("alpha")
        assert writer.push(f"{lane}objects/", self.sent).status == 202
        writer.close()

    def find(self, stix_id: str, authorization: str = BETA, method: str = "GET", **headers: str) -> Answer:
        return self.caller.ask(method, f"{self.lane}objects/{stix_id}/",
                               headers={"Authorization": authorization, **headers})


@pytest.fixture
def finder(exchange: ExchangeProcess) -> Finder:
    return Finder(exchange, exchange.next_lane())


def said(answer: Answer) -> tuple[int, list[tuple[str, str]], bytes]:
    """What an answer says, but for what differs from one to the next."""
    return answer.status, [(n, v) for n, v in answer.pairs if n not in {"date", "cibx-receipt"}], answer.body


def test_objects_by_their_ids_are_answered_as_to_a_first_request(finder: Finder) -> None:
    absent = [indicator("absent")["id"], "x", "-", "a" * 600, finder.sent[0]["id"].upper()]
    for stix_id in [one["id"] for one in finder.sent] * 2 + absent + [finder.sent[0]["id"]]:
        alone = finder.exchange.caller()
        first = alone.get(f"{finder.lane}objects/{stix_id}/", headers={"Authorization": BETA})
        alone.close()
        given = finder.find(stix_id)
        assert said(given) == said(first)
        receipts = [answer.headers.get("cibx-receipt") for answer in (given, first)]
        assert (None in receipts) is (first.status == 404)
        assert len(set(receipts)) == (1 if first.status == 404 else 2)


def test_each_request_by_id_is_its_own_callers_and_by_its_own_headers(finder: Finder) -> None:
    ids = [one["id"] for one in finder.sent]
    expected = {BETA: 200, basic("beta", "wrong"): 401, basic("outside", SECRETS["outside"]): 404, "Basic x": 401}
    for authorization, status in expected.items():
        for stix_id in ids:
            assert finder.find(stix_id, authorization).status == status
    for stix_id in ids:
        assert finder.find(stix_id, **{"X-Request-ID": f"request-{stix_id}"}).headers["x-request-id"] == f"request-{stix_id}"
        assert "x-request-id" not in finder.find(stix_id).headers
    for stix_id in ids:
        assert finder.find(stix_id, Accept="application/json;version=9").status == 406
        assert finder.find(stix_id, **{"CIBX-Purpose": "nothing of that name"}).status == 403
        assert finder.find(stix_id, method="HEAD").body == b""
        assert finder.find(stix_id).ids == [stix_id]
        assert finder.poll().ids == ids


def test_an_object_that_is_withdrawn_or_gets_a_newer_version_is_found_as_it_is(finder: Finder) -> None:
    first, second, *_ = finder.sent
    for one in finder.sent:
        assert finder.find(one["id"]).objects == [one]
    writer = finder.exchange.caller("alpha")
    assert writer.delete(f"{finder.lane}objects/{first['id']}/").status == 200
    newer = second | {"modified": "2026-11-02T00:00:00.000Z", "name": "Newer"}
    assert writer.push(f"{finder.lane}objects/", [newer]).status == 202
    writer.close()
    assert finder.find(first["id"]).status == 404
    assert finder.find(second["id"]).objects == [newer]


def membership(status: str) -> Callable[[ExchangeProcess], object]:
    return lambda exchange: exchange.apply(f'[[membership]]\norg = "org-beta"\ngroup = "circle"\nstatus = "{status}"\n')


def organisation(active: str) -> Callable[[ExchangeProcess], object]:
    line = 'id = "org-beta"\n'
    assert line in description()
    return lambda exchange: exchange.apply(description().replace(line, f"{line}active = {active}\n", 1))


def revoke(exchange: ExchangeProcess) -> None:
    exchange.cibx("credential", "revoke", "beta")


@pytest.mark.parametrize(("act", "status", "undo"), [
    (membership("ended"), 404, membership("active")), (organisation("false"), 401, organisation("true")),
    (revoke, 401, None),
], ids=["its membership ends", "its organisation is suspended", "its key is revoked"])
def test_what_an_operator_changes_holds_at_the_very_next_request(
    finder: Finder, poller: Poller, act: Callable[[ExchangeProcess], object], status: int,
    undo: Callable[[ExchangeProcess], object] | None,
) -> None:
    poller.settle()
    stix_id = finder.sent[0]["id"]
    assert [finder.find(one["id"]).status for one in finder.sent] == [200] * 4
    act(poller.exchange)
    assert poller.poll().status == status
    assert finder.find(stix_id).status == status
    if undo is not None:  # nothing follows a key that is revoked
        undo(poller.exchange)
        assert poller.poll().body == EMPTY
        assert finder.find(stix_id).ids == [stix_id]
