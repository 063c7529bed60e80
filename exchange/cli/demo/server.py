"""The demonstration's server: ``cibx serve`` as a child process on the loopback address."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from exchange.errors import InputError, UnavailableError
from exchange.settings import Settings

HOST = "127.0.0.1"
USUAL_PORT = 8080
_START_SECONDS = 20.0
_END_SECONDS = 10.0
_PROGRAM = "from exchange.cli.main import main; main()"


@dataclass(frozen=True)
class Server:
    """A running child."""

    port: int
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        """Base URL, without a slash at the end."""
        return f"http://{HOST}:{self.port}"

    def wait(self) -> None:
        """Until the child ends, which it shouldn't by itself: raises UnavailableError."""
        code = self.process.wait()
        raise UnavailableError(f"The server of the demonstration ended by itself (exit code {code}).",
                               fix="Run cibx demo again; with --folder DIR its log stays in DIR/server.log.")


@contextmanager
def serving(settings: Settings, port: int, folder: Path) -> Iterator[Server]:
    """Serve the database; the child is ended on the way out, whatever happens.

    It stands in a session of its own, so that Ctrl-C reaches the demonstration only, which then ends it.
    Raises UnavailableError when the server doesn't come up.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CIBX_")}
    environment["CIBX_DATABASE_URL"] = settings.database_url
    arguments = [sys.executable, "-c", _PROGRAM, "serve", "--bind", f"{HOST}:{port}", "--workers", "1"]
    with (folder / "server.log").open("ab") as log:
        process = subprocess.Popen(arguments, env=environment, cwd=folder,  # noqa: S603 - our own program
                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    try:
        server = Server(port, process)
        _wait_until_ready(server, folder)
        yield server
    finally:
        _end(process)


def free_port(wanted: int | None) -> int:
    """The port asked for (0: any); else the usual one where it is free, else any. Raises InputError for one in use.

    "Any" is one of those after the usual: what the kernel would give for 0 lies where it also gives clients their
    ports, and one of those may take it before the server listens.
    """
    after = range(USUAL_PORT + 1, USUAL_PORT + 500)
    for port in [USUAL_PORT, *after] if wanted is None else after if wanted == 0 else [wanted]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise InputError(f"Port {wanted} is in use or not allowed.", fix="Choose another with --port, or leave it out.")


def _wait_until_ready(server: Server, folder: Path) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and server.process.poll() is None:
        try:
            with urlopen(f"{server.url}/readyz", timeout=2) as answer:  # noqa: S310 - our own loopback address # nosec B310
                if answer.status == 200:
                    return
        except (URLError, OSError):
            time.sleep(0.05)
    last = (folder / "server.log").read_text(encoding="utf-8", errors="replace").strip().rpartition("\n")[2]
    raise UnavailableError("The server of the demonstration didn't come up.", why=last)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end, then make it; whatever is left of its session goes too."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
