"""An exchange's application whose members are described by a test, on a clock that stands still."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from werkzeug.test import TestResponse

from exchange.model.description import read_description
from exchange.settings import Settings
from exchange.store.directory import load_directory
from exchange.store.directory_changes import apply
from exchange.store.engine import write
from exchange.web.app import create_app
from exchange.wiring import Exchange, prepare
from tests.fakes.empty_store import lay_empty
from tests.fakes.one_member import MEMBERS

START = 1_781_524_800
"""2026-06-15T12:00:00Z in seconds."""


@dataclass
class Entrance:
    """The application, asked without a socket; each request comes from an address of its own unless one is given."""

    exchange: Exchange
    seconds: int = START
    _app: Any = None
    _addresses: int = 0
    environ: Mapping[str, Any] = field(default_factory=dict)

    def describe(self, text: str) -> None:
        with write(self.exchange.engine) as connection:
            apply(connection, read_description(tomllib.loads(text), load_directory(connection), os.environ, source="x"))

    def ask(self, headers: Mapping[str, str], address: str | None = None, path: str = "/taxii2/",
            **environ: Any) -> TestResponse:
        self._addresses += 1
        where = address or f"192.0.2.{self._addresses % 250}"
        return self._app.test_client().get(path, headers=dict(headers), environ_overrides={
            "REMOTE_ADDR": where, **self.environ, **environ})

    def bearer(self, token: str, **more: Any) -> TestResponse:
        return self.ask({"Authorization": f"Bearer {token}"}, **more)


def entrance(folder: Path, members: str, **settings: Any) -> Entrance:
    """An exchange with org-alpha and what ``members`` adds."""
    made = Settings(database_url=lay_empty(folder / "cibx.db"), **settings)
    prepare(made)
    opened = Entrance(Exchange(made, clock=lambda: opened.seconds * 1_000_000))
    opened.describe(MEMBERS + members)
    opened._app = create_app(opened.exchange)
    return opened
