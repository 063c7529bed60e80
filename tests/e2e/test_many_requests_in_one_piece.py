"""Who sends requests without waiting for their answers doesn't keep the server from others."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress

from tests.e2e.exchange_process import ExchangeProcess
from tests.e2e.http_caller import PATIENCE_SECONDS, TAXII, basic
from tests.e2e.members import SECRETS
from tests.e2e.stix_objects import indicator

MANY = 400
LINE = b"HTTP/1.1 200 OK\r\n"


def test_another_is_answered_before_all_that_was_sent_in_one_piece(exchange: ExchangeProcess, lane: str) -> None:
    other, one = exchange.caller("alpha"), indicator("one")
    assert other.push(f"{lane}objects/", [one]).status == 202
    target = f"{lane}objects/{one['id']}/"
    assert other.get(target).status == 200
    head = (f"GET {target} HTTP/1.1\r\nHost: x\r\nAuthorization: {basic('beta', SECRETS['beta'])}\r\n"
            f"Accept: {TAXII}\r\n\r\n").encode()
    assert other._link is not None
    with socket.create_connection(other._link.getpeername()[:2]) as link:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**20)
        assert any(is_before(link, head * MANY, lambda: other.get(target).status) for _ in range(5))
    other.close()


def is_before(link: socket.socket, sent: bytes, ask: Callable[[], int]) -> bool:
    """Whether another's request is answered before all of ``sent``; not where that was done before it could ask."""
    link.settimeout(PATIENCE_SECONDS)
    link.sendall(sent)
    received = link.recv(1)  # the server is at it
    assert ask() == 200
    link.setblocking(False)
    with suppress(BlockingIOError):
        while True:
            received += link.recv(2**20)
    meanwhile = received.count(LINE)
    link.settimeout(PATIENCE_SECONDS)
    while received.count(LINE) < MANY or not received.endswith(b"}"):
        received += link.recv(2**20)
    return meanwhile < MANY
