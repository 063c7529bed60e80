"""An exchange that tests kill and start again on the same port and database, and a PostgreSQL of their own."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e.described import lay_described
from tests.e2e.http_caller import HttpCaller, basic
from tests.e2e.members import SECRETS, collection_id, description, environment_name, lane
from tests.e2e.ports import free_port

_MAIN = "from exchange.cli.main import main; main()"
_START_SECONDS = 90
_LANES = 3


@dataclass
class RestartedExchange:
    """One database and the server processes that serve it, one after the other."""

    folder: Path
    database_url: str
    workers: int = 1
    settings: Mapping[str, str] = field(default_factory=dict)
    before: str = ""
    """Python statements that each server process runs before anything else, such as another clock."""
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What cibx is told by the environment."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CIBX_")}
        secrets = {environment_name(key): secret for key, secret in SECRETS.items()}
        return kept | secrets | {"CIBX_DATABASE_URL": self.database_url, **self.settings}

    @property
    def lane(self) -> str:
        """The path of a collection that every member of the community reads and writes."""
        return f"/taxii2/lanes/collections/{lane(0)}/"

    @property
    def lane_id(self) -> str:
        """The id of the same collection."""
        return collection_id(lane(0))

    def cibx(self, *arguments: str, seconds: float = _START_SECONDS) -> subprocess.CompletedProcess[str]:
        """Run one command to its end."""
        return subprocess.run(
            [sys.executable, "-c", self.before + _MAIN, *arguments], env=self.environment, cwd=self.folder,
            capture_output=True, text=True, check=False, timeout=seconds,
        )

    def describe_members(self) -> None:
        """``cibx apply``, or a copy of what it made."""
        if not self.before and lay_described(self.database_url, _LANES):
            return
        members = self.folder / "members.toml"
        members.write_text(description(_LANES), encoding="utf-8")
        applied = self.cibx("apply", str(members))
        assert applied.returncode == 0, applied.stdout + applied.stderr

    def start(self, *, ready: bool = True) -> None:
        """``cibx serve`` in a process group of its own."""
        with open(self.folder / "serve.log", "ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", self.before + _MAIN, "serve", "--bind", f"127.0.0.1:{self.port}",
                 "--workers", str(self.workers)],
                env=self.environment, cwd=self.folder, stdout=log, stderr=log, start_new_session=True,
            )
        if ready:
            self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Wait for /readyz to say so."""
        end = time.monotonic() + _START_SECONDS
        while time.monotonic() < end:
            assert self.process is not None
            assert self.process.poll() is None, self.log()
            if self.ready() == 200:
                return
            time.sleep(0.05)
        raise AssertionError("the server did not become ready: " + self.log())

    def ready(self) -> int:
        """The status of /readyz; 0 where nobody answers."""
        caller = HttpCaller(self.port)
        try:
            return caller.ask("GET", "/readyz", accept=None).status
        except (OSError, AssertionError):
            return 0
        finally:
            caller.close()

    def kill(self) -> None:
        """SIGKILL to the server and all its workers at once."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def caller(self, key: str) -> HttpCaller:
        """A new connection with a member's credential."""
        return HttpCaller(self.port, basic(key, SECRETS[key]))

    def log(self) -> str:
        """What all server processes wrote so far."""
        return (self.folder / "serve.log").read_text(encoding="utf-8", errors="replace")


@dataclass
class PostgresServer:
    """A PostgreSQL on a socket that can be stopped and started."""

    folder: Path
    programs: Path
    options: str = ""

    def url(self, database: str = "postgres") -> str:
        """URL of one of its databases."""
        return f"postgresql://cibx@/{database}?host={self.folder}"

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        options = f"-k {self.folder} -c listen_addresses='' -c max_connections=120 {self.options}"
        self._control("start", "-l", str(self.folder / "log"), "-o", options)

    def stop(self, mode: str = "immediate") -> None:
        """Stop it; ``immediate`` is its SIGKILL: it recovers from its log at the next start."""
        self._control("stop", "-m", mode)

    def _control(self, what: str, *more: str) -> None:
        as_server_user(
            [str(self.programs / "pg_ctl"), "-D", str(self.folder / "data"), "-w", "-s", *more, what], self.folder
        )


def postgres_programs() -> Path | None:
    """The folder of the newest PostgreSQL's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("pg_ctl")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


def as_server_user(command: Sequence[str], folder: Path) -> None:
    """PostgreSQL refuses to run as root; Debian's packages bring the user ``postgres``."""
    user = "postgres" if os.geteuid() == 0 else None
    done = subprocess.run(
        command, cwd=folder, user=user, group=user, extra_groups=[] if user else None, check=False,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr}")


@contextmanager
def own_postgres(programs: Path, inside: Path | None = None, options: str = "") -> Iterator[PostgresServer]:
    """A new PostgreSQL, started; ``inside`` is the folder to lie in, such as a small file system."""
    folder = Path(tempfile.mkdtemp(prefix="cibx-pg-", dir=inside))
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    server = PostgresServer(folder, programs, options)
    try:
        as_server_user(
            [str(programs / "initdb"), "-D", str(folder / "data"), "-U", "cibx", "-A", "trust", "-N", "-E", "UTF8",
             "--locale=C.UTF-8", "--wal-segsize=1"], folder,
        )
        server.start()
        try:
            yield server
        finally:
            with contextlib.suppress(RuntimeError):  # a test may have stopped it
                server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
