"""A real exchange for tests: ``cibx apply`` and ``cibx serve`` as child processes on a loopback port."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e.cibx_here import cibx_here
from tests.e2e.described import lay_described
from tests.e2e.http_caller import HttpCaller, basic
from tests.e2e.members import LANES, SECRETS, description, environment_name, lane
from tests.e2e.ports import free_port

_CIBX = [sys.executable, "-c", "from exchange.cli.main import main; main()"]
_START_SECONDS = 90
_STOP_SECONDS = 45


@dataclass
class ExchangeProcess:
    """A serving exchange and the callers that tests made to it."""

    folder: Path
    environment: Mapping[str, str]
    workers: int
    port: int
    process: subprocess.Popen[bytes] | None = None
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

    def cibx(self, *arguments: str) -> str:
        """Run a command of cibx on the same database, beside the server; gives what it printed."""
        done = cibx_here(arguments, self._with_secrets, self.folder)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def cibx_apart(self, *arguments: str) -> str:
        """The same in a process of its own, which leaves nothing open and may run beside the test's."""
        done = subprocess.run(
            [*_CIBX, *arguments], env=self._with_secrets, cwd=self.folder,
            capture_output=True, text=True, check=False, timeout=_START_SECONDS,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @property
    def _with_secrets(self) -> dict[str, str]:
        return {**self.environment, **{environment_name(key): secret for key, secret in SECRETS.items()}}

    def apply(self, text: str) -> str:
        """``cibx apply`` a description."""
        members = self.folder / "members.toml"
        members.write_text(text, encoding="utf-8")
        return self.cibx("apply", str(members))

    def start(self) -> None:
        """Serve, on the same port as before."""
        with open(self.folder / "serve.log", "ab") as log:
            self.process = subprocess.Popen(
                [*_CIBX, "serve", "--bind", f"127.0.0.1:{self.port}", "--workers", str(self.workers)],
                env=dict(self.environment), cwd=self.folder, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        _wait_until_ready(self, self.process)

    def log(self) -> str:
        """What the server wrote so far."""
        return (self.folder / "serve.log").read_text(encoding="utf-8", errors="replace")

    def stop(self) -> int:
        """End the server as Ctrl-C would; gives its exit code."""
        for caller in self._callers:
            caller.close()
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.process.returncode

    def kill(self) -> None:
        """End the server and its workers as a crash would."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


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
    running = ExchangeProcess(folder, environment, workers, free_port())
    if not lay_described(environment["CIBX_DATABASE_URL"], LANES):
        running.apply(description())
    try:
        running.start()
        yield running
    finally:
        if running.process is not None:
            running.stop()


def new_database(server: str, name: str) -> str:
    """URL of an empty database ``name`` on the tests' PostgreSQL server, which goes with that server."""
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return server.replace("/postgres?", f"/{name}?")


def _wait_until_ready(running: ExchangeProcess, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        assert process.poll() is None, running.log()
        caller = HttpCaller(running.port)
        try:
            if caller.ask("GET", "/readyz", accept=None).status == 200:
                return
        except OSError:  # nobody listens yet
            time.sleep(0.1)
        finally:
            caller.close()
    raise AssertionError("the server did not become ready: " + running.log())
