"""The pulling client tells what is wrong and what to do, against real sockets."""

from __future__ import annotations

import socket

import pytest

from exchange.client.taxii import Client
from exchange.errors import UnavailableError


@pytest.fixture
def closed_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def test_a_server_that_does_not_answer_is_told_with_a_remedy(closed_port: int) -> None:
    with pytest.raises(UnavailableError, match=r"doesn't answer: ConnectionError\. Check the host and port of the URL"):
        Client(f"http://127.0.0.1:{closed_port}/taxii2/", token="t").collection_url()


def test_an_address_that_cannot_be_one_is_told_with_a_remedy() -> None:
    with pytest.raises(UnavailableError, match=r"doesn't answer: InvalidURL\. Check how the URL is written"):
        Client("http://127.0.0.1:x/", token="t").collection_url()
