"""A real exchange for tests: ``cibx apply`` and ``cibx serve`` as child processes on a loopback port."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e.http_caller import HttpCaller, basic
from tests.e2e.members import LANES, SECRETS, description, environment_name, lane

_CIBX = [sys.executable, "-c", "from exchange.cli.main import main; main()"]
_START_SECONDS = 90
_STOP_SECONDS = 45


@dataclass
class ExchangeProcess:
    """A serving exchange and the callers that tests made to it."""

    port: int
    folder: Path
    process: subprocess.Popen[bytes]
    lanes: Iterator[int] = field(default_factory=lambda: iter(range(LANES)))
    _callers: list[HttpCaller] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Base URL without a final slash."""
        return f"http://127.0.0.1:{self.port}"

    def caller(self, key: str | None = None, source: str = "127.0.0.1") -> HttpCaller:
        """A new connection with a member's credential, or without any."""
        authorization = None if key is None else basic(key, SECRETS[key])
        made = HttpCaller(self.port, authorization, source)
        self._callers.append(made)
        return made

    def next_lane(self) -> str:
        """The path of a collection that nobody used yet."""
        return f"/taxii2/lanes/collections/{lane(next(self.lanes))}/"

    def log(self) -> str:
        """What the server wrote so far."""
        return (self.folder / "serve.log").read_text(encoding="utf-8", errors="replace")

    def stop(self) -> int:
        """End the server as Ctrl-C would; gives its exit code."""
        for caller in self._callers:
            caller.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        return self.process.returncode


@contextmanager
def serving(
    folder: Path, *, database_url: str = "", workers: int = 1, settings: Mapping[str, str] | None = None
) -> Iterator[ExchangeProcess]:
    """Describe the members, serve, and stop at the end; ``settings`` are CIBX_* variables."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CIBX_")}
    environment |= {
        "CIBX_DATABASE_URL": database_url or f"sqlite:///{folder / 'cibx.db'}",
        **(settings or {}),
    }
    secrets = {environment_name(key): secret for key, secret in SECRETS.items()}
    members = folder / "members.toml"
    members.write_text(description(), encoding="utf-8")
    applied = subprocess.run(
        [*_CIBX, "apply", str(members)],
        env=environment | secrets,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=_START_SECONDS,
    )
    assert applied.returncode == 0, applied.stdout + applied.stderr
    port = _free_port()
    with open(folder / "serve.log", "wb") as log:
        process = subprocess.Popen(
            [*_CIBX, "serve", "--bind", f"127.0.0.1:{port}", "--workers", str(workers)],
            env=environment,
            cwd=folder,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    running = ExchangeProcess(port, folder, process)
    try:
        _wait_until_ready(running)
        yield running
    finally:
        running.stop()


def new_database(server: str, name: str) -> str:
    """URL of an empty database ``name`` on the tests' PostgreSQL server, which goes with that server."""
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return server.replace("/postgres?", f"/{name}?")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(running: ExchangeProcess) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        assert running.process.poll() is None, running.log()
        caller = HttpCaller(running.port)
        try:
            if caller.ask("GET", "/readyz", accept=None).status == 200:
                return
        except OSError:
            time.sleep(0.1)
        finally:
            caller.close()
    raise AssertionError("the server did not become ready: " + running.log())
