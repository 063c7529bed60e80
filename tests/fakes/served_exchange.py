"""A real exchange over HTTP in this process, with one member, org-alpha, and its token."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner
from werkzeug.serving import make_server

from exchange.cli.main import group
from exchange.settings import read_settings
from exchange.web.app import create_app
from exchange.wiring import Exchange, prepare
from tests.fakes import one_member


@dataclass(frozen=True)
class ServedExchange:
    """Where it is, and the member's token."""

    url: str
    token: str


@contextmanager
def served_exchange(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ServedExchange]:
    """Serve the database of ``one_member``; the settings name it too."""
    one_member.make(folder, monkeypatch)
    issued = CliRunner().invoke(group, ["credential", "issue", "org-alpha", "--purpose", "cib-detection"])
    token = re.search(r"Bearer token: (\S+)", issued.output)
    assert token, issued.output
    settings = read_settings()
    prepare(settings)
    exchange = Exchange(settings)
    server = make_server("127.0.0.1", 0, create_app(exchange))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield ServedExchange(f"http://127.0.0.1:{server.port}/taxii2/", token[1])
    finally:
        server.shutdown()
        thread.join()
        exchange.engine.dispose()
