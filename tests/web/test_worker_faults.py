"""What the worker says of a request that never reached the application, or that broke beside it."""

from __future__ import annotations

import json
import logging
import socket

import pytest
from gunicorn.http.errors import InvalidRequestLine, LimitRequestLine

from exchange.web.worker import TaxiiWorker


@pytest.mark.parametrize(("fault", "status", "said"), [
    (InvalidRequestLine("lorem"), 400, "isn't HTTP"), (LimitRequestLine(9_000, 8_000), 414, "isn't HTTP"),
    (ZeroDivisionError("ipsum"), 500, "server failed"),
])
def test_whose_fault_it_is_is_told_without_what_was_sent(
    fault: BaseException, status: int, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    worker = TaxiiWorker.__new__(TaxiiWorker)
    ours, theirs = socket.socketpair()
    with ours, theirs, caplog.at_level(logging.INFO, "exchange.web"):
        worker.handle_error(None, ours, None, fault)
        head, _, body = theirs.recv(65_536).partition(b"\r\n\r\n")
    told = json.loads(body)
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert told["http_status"] == str(status)
    assert said in told["description"]
    assert b"lorem" not in body
    assert b"ipsum" not in body
    assert any(record.exc_info for record in caplog.records) is (status == 500)
