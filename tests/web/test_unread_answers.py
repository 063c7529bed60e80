"""Who takes nothing of an answer is given up: the answer stands in the server's memory all the while."""

from __future__ import annotations

import errno
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from gunicorn.workers.ggevent import GeventWorker

from exchange.web import worker
from exchange.web.worker import TaxiiWorker

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="TCP_USER_TIMEOUT is Linux's")


@pytest.mark.parametrize("reads", [True, False])
def test_a_connection_on_which_nothing_is_taken_ends_and_one_that_is_read_goes_on(
    monkeypatch: pytest.MonkeyPatch, reads: bool
) -> None:
    whole = 30_000_000

    def answer(_worker: Any, _listener: Any, client: socket.socket, _addr: Any) -> None:
        client.sendall(bytes(whole))
        client.close()

    monkeypatch.setattr(worker, "_UNREAD_MILLISECONDS", 300)
    monkeypatch.setattr(GeventWorker, "handle", answer)
    serving = TaxiiWorker.__new__(TaxiiWorker)
    serving._tls = None
    with (socket.create_server(("127.0.0.1", 0)) as listener, socket.create_connection(listener.getsockname()) as link,
          ThreadPoolExecutor(1) as aside):
        link.settimeout(30)
        client, address = listener.accept()
        served = aside.submit(serving.handle, listener, client, address)
        if reads:
            taken = 0
            while part := link.recv(1_000_000):
                taken += len(part)
            served.result(30)
            assert taken == whole
            return
        try:
            with pytest.raises(OSError, match=r"timed out") as given_up:
                served.result(30)
            assert given_up.value.errno == errno.ETIMEDOUT
        finally:
            client.close()
