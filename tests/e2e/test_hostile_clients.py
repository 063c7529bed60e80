"""Clients that are slow, idle, endless or guessing: others are served all the while, and nothing breaks."""

from __future__ import annotations

import contextlib
import resource
import socket
from collections.abc import Iterator

import pytest

from tests.e2e.exchange_process import ExchangeProcess
from tests.e2e.http_caller import (
    PATIENCE_SECONDS,
    TAXII,
    HttpCaller,
    assert_taxii_error,
    basic,
    envelope,
    parsed,
    read_answer,
)
from tests.e2e.members import SECRETS
from tests.e2e.stix_objects import indicator

WORKERS = 2
SETTINGS = {"CIBX_MAX_CONTENT_LENGTH": "1000000"}
OBJECTS = "/taxii2/main/collections/indicators/objects/"
AUTH = f"Host: x\r\nAuthorization: {basic('alpha', SECRETS['alpha'])}\r\nAccept: {TAXII}\r\n"
PUSH = f"POST {OBJECTS} HTTP/1.1\r\n{AUTH}Content-Type: {TAXII}\r\n"
GUESSES = 20


@contextlib.contextmanager
def connections(port: int, count: int, sent: bytes) -> Iterator[list[socket.socket]]:
    """Many open connections that sent something and now do nothing."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, count + 500)), hard))
    with contextlib.ExitStack() as stack:
        links = []
        for _ in range(count):
            link = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS))
            if sent:
                link.sendall(sent)
            links.append(link)
        yield links


def assert_others_are_served(exchange: ExchangeProcess) -> None:
    """New callers read and write, on every worker."""
    for number in range(8):
        caller = exchange.caller(("alpha", "beta")[number % 2])
        assert caller.get("/taxii2/").status == 200
        assert caller.push(OBJECTS, [indicator()]).json["success_count"] == 1
        caller.close()


@pytest.mark.parametrize(
    ("count", "sent"),
    [
        (500, b""),
        (100, b"G"),
        (100, b"GET /taxii2/ HTTP/1.1\r\nHost: x\r\nX-Slow: a"),
        (100, PUSH.encode()),
        (100, (PUSH + "Content-Length: 1000\r\n\r\n{").encode()),
        (100, (PUSH + "Transfer-Encoding: chunked\r\n\r\n5\r\n{").encode()),
        (100, (PUSH + "Expect: 100-continue\r\nContent-Length: 1000\r\n\r\n").encode()),
        (50, b"POST /taxii2/ HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n{"),
    ],
    ids=["idle", "one byte", "header", "no body yet", "body", "chunk", "expecting", "without credential"],
)
def test_slow_and_idle_connections_keep_nobody_out(exchange: ExchangeProcess, count: int, sent: bytes) -> None:
    with connections(exchange.port, count, sent) as links:
        assert_others_are_served(exchange)
        for link in links[::10]:
            with contextlib.suppress(OSError):
                link.sendall(b"x")
        assert_others_are_served(exchange)
    assert_others_are_served(exchange)


def test_a_slow_request_is_answered_when_it_is_complete(exchange: ExchangeProcess) -> None:
    body = envelope([indicator("slow")])
    whole = (PUSH + f"Content-Length: {len(body)}\r\n\r\n").encode() + body
    with connections(exchange.port, 1, b"") as (link,):
        for at in range(0, len(whole), 40):
            link.sendall(whole[at : at + 40])
        answer = parsed(read_answer(link))
    assert answer.status == 202
    assert answer.json["success_count"] == 1


def test_kept_alive_connections_keep_nobody_out(exchange: ExchangeProcess) -> None:
    with connections(exchange.port, 200, f"GET /taxii2/ HTTP/1.1\r\n{AUTH}\r\n".encode()) as links:
        assert {parsed(read_answer(link)).status for link in links} == {200}
        assert_others_are_served(exchange)


@pytest.mark.parametrize(
    "head",
    [
        PUSH,
        f"POST {OBJECTS} HTTP/1.1\r\nHost: x\r\nContent-Type: {TAXII}\r\n",
        f"DELETE {OBJECTS}indicator--1/ HTTP/1.1\r\n{AUTH}",
        f"GET /taxii2/ HTTP/1.1\r\n{AUTH}",
        f"POST /taxii2/nothing/ HTTP/1.1\r\n{AUTH}",
    ],
    ids=["push", "push without credential", "delete", "get", "unknown path"],
)
def test_an_endless_chunked_body_is_cut_off(exchange: ExchangeProcess, head: str) -> None:
    part = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    most = 60_000_000
    sent = 0
    with connections(exchange.port, 1, (head + "Transfer-Encoding: chunked\r\n\r\n").encode()) as (link,):
        link.settimeout(5)
        try:
            while sent < most:
                link.sendall(part)
                sent += len(part)
        except TimeoutError:
            pass  # the server stopped reading
        except OSError:
            pass  # the server closed
    assert sent < most
    assert_others_are_served(exchange)


def test_a_body_of_tiny_chunks_is_no_server_fault(exchange: ExchangeProcess, alpha: HttpCaller) -> None:
    body = envelope([indicator("tiny chunks", description="x" * 20_000)])
    answer = alpha.post(OBJECTS, [body[at : at + 1] for at in range(len(body))], chunked=True)
    assert answer.status in {202, 400, 413}
    assert_others_are_served(exchange)


@pytest.mark.parametrize(
    "sent",
    [
        PUSH + "Content-Length: 1000\r\n\r\n{",
        PUSH + "Transfer-Encoding: chunked\r\n\r\n5\r\n{",
        f"GET {OBJECTS} HTTP/1.1\r\n{AUTH}\r\n",
        f"GET {OBJECTS} HTTP/1.1\r\nHost",
        PUSH + "Content-Length: 1000000\r\n\r\n" + "x" * 500_000,
    ],
    ids=["in the body", "in a chunk", "before the answer", "in the head", "in a large body"],
)
def test_clients_that_vanish_leave_no_trace(exchange: ExchangeProcess, sent: str) -> None:
    before = exchange.log()
    for _ in range(30):
        with connections(exchange.port, 1, b"") as (link,), contextlib.suppress(OSError):
            link.sendall(sent.encode())
    assert_others_are_served(exchange)
    assert "Traceback" not in exchange.log().removeprefix(before)


def test_pipelined_requests_are_answered_in_their_order(exchange: ExchangeProcess) -> None:
    paths = ["/taxii2/main/", "/taxii2/lanes/", "/taxii2/main/collections/indicators/", "/taxii2/nothing/"]
    sent = (
        "".join(f"GET {path} HTTP/1.1\r\n{AUTH}\r\n" for path in paths)
        + f"GET /taxii2/ HTTP/1.1\r\n{AUTH}Connection: close\r\n\r\n"
    )
    received = b""
    with connections(exchange.port, 1, sent.encode()) as (link,):
        while part := link.recv(65_536):
            received += part
    words = [
        b"Community main",
        b"Community lanes",
        b"Collection indicators",
        b"There is no such API root",
        b"api_roots",
    ]
    places = [received.find(word) for word in words]
    assert -1 not in places
    assert places == sorted(places)


# -- guessing ---------------------------------------------------------------------------------------------------------
def guesses(exchange: ExchangeProcess, source: str, key: str, method: str = "GET", most: int = GUESSES) -> list[int]:
    """Statuses of wrong guesses of one key, each on a connection of its own so that all workers are asked."""
    found = []
    for number in range(most):
        caller = exchange.caller(source=source)
        answer = caller.ask(method, OBJECTS, headers={"Authorization": basic(key, f"wrong guess {number}")})
        caller.close()
        found.append(answer.status)
        if answer.status == 429:
            assert int(answer.headers["retry-after"]) > 0
            if method != "HEAD":
                assert_taxii_error(answer, 429)
            break
    return found


@pytest.mark.parametrize(
    ("key", "source"), [("beta", "127.0.1.1"), ("nobody-of-that-name", "127.0.1.2"), ("revoked", "127.0.1.3")]
)
def test_wrong_guesses_are_limited_within_twenty(exchange: ExchangeProcess, key: str, source: str) -> None:
    found = guesses(exchange, source, key)
    assert found[-1] == 429
    assert set(found[:-1]) == {401}
    assert len(found) > 3


@pytest.mark.parametrize(
    ("method", "source"),
    [
        ("HEAD", "127.0.2.1"),
        ("POST", "127.0.2.2"),
        ("DELETE", "127.0.2.3"),
        ("PUT", "127.0.2.4"),
        ("OPTIONS", "127.0.2.5"),
        ("TRACE", "127.0.2.6"),
    ],
)
def test_the_limit_holds_on_every_method(exchange: ExchangeProcess, method: str, source: str) -> None:
    assert guesses(exchange, source, "gamma", method)[-1] == 429


def test_methods_and_spellings_share_one_limit(exchange: ExchangeProcess) -> None:
    statuses = []
    for number in range(GUESSES * 2):
        caller = exchange.caller(source="127.0.3.1")
        key = ("delta", "DELTA", "Delta", "dElta")[number % 4]
        method = ("GET", "HEAD", "POST", "DELETE")[number % 4]
        spoofed = {
            "X-Forwarded-For": f"10.0.0.{number}",
            "Forwarded": f"for=10.0.0.{number}",
            "Authorization": basic(key, f"wrong guess {number}"),
        }
        statuses.append(caller.ask(method, OBJECTS + f"?x={number}", headers=spoofed).status)
        caller.close()
    assert 429 in statuses[:GUESSES]
    assert statuses.count(401) <= GUESSES


def test_a_right_credential_is_refused_too_while_it_is_being_guessed(exchange: ExchangeProcess) -> None:
    """Otherwise the limit would tell the right guess."""
    assert guesses(exchange, "127.0.4.1", "outside")[-1] == 429
    statuses = set()
    for _ in range(GUESSES):
        caller = exchange.caller("outside", source="127.0.4.1")
        statuses.add(caller.get("/taxii2/").status)
        caller.close()
    assert 429 in statuses


def test_guessing_from_elsewhere_does_not_lock_the_owner_out(exchange: ExchangeProcess) -> None:
    owner = exchange.caller("delta", source="127.0.5.1")
    assert owner.get("/taxii2/").status == 200
    assert guesses(exchange, "127.0.5.2", "delta")[-1] == 429
    for _ in range(6):
        assert owner.get("/taxii2/").status == 200
        owner.close()


def test_guessing_many_names_from_one_address_is_limited(exchange: ExchangeProcess) -> None:
    statuses = []
    for number in range(300):
        caller = exchange.caller(source="127.0.6.1")
        statuses.append(caller.get("/taxii2/", headers={"Authorization": basic(f"name-{number}", "password")}).status)
        caller.close()
    assert 429 in statuses
    assert statuses.count(401) <= 200


def test_bearer_tokens_are_limited_too(exchange: ExchangeProcess) -> None:
    statuses = []
    for number in range(GUESSES):
        caller = exchange.caller(source="127.0.7.1")
        token = f"cibx_beta_{number:049}"
        statuses.append(caller.get("/taxii2/", headers={"Authorization": f"Bearer {token}"}).status)
        caller.close()
    assert 429 in statuses


def test_the_log_holds_no_secret_and_no_traceback(exchange: ExchangeProcess) -> None:
    log = exchange.log()
    assert "Traceback" not in log, log[-3_000:]
    assert "wrong guess" not in log
    assert not any(secret in log or basic(key, secret)[6:] in log for key, secret in SECRETS.items())
