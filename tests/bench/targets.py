"""The servers that are measured: ours, OpenTAXII, and a bare Flask view under our server; each a process tree.

All listen on the loopback address and keep everything in the folder they are given.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from http_load import Feed

HOST = "127.0.0.1"
START_SECONDS = 60
_TICK = os.sysconf("SC_CLK_TCK")
_CIBX = [sys.executable, "-c", "from exchange.cli.main import main; main()"]
_DIRECTORY = """
[[group]]
id = "all"
[[community]]
id = "bench"
title = "Bench"
group = "all"
[[community.collection]]
alias = "objects"
title = "Objects"
readers = ["all"]
writers = ["giver"]
[community.collection.default_terms]
tlp = "TLP:GREEN"
purposes = ["cib-detection"]
retention_days = 365
personal = "no"
[[organisation]]
id = "giver"
name = "Giver"
kind = "platform"
jurisdiction = "IE"
groups = ["all"]
[[organisation.agreement]]
id = "base"
purposes = ["cib-detection"]
[[organisation.credential]]
id = "giver"
purpose = "cib-detection"
secret_env = "CIBX_SECRET_OF_GIVER"
"""
_OPENTAXII = """---
domain: "{host}:{port}"
auth_api:
  class: opentaxii.auth.sqldb.SQLDatabaseAPI
  parameters: {{db_connection: "sqlite:///{folder}/auth.db", create_tables: yes, secret: {secret}}}
taxii1:
taxii2:
  public_discovery: true
  allow_custom_properties: true
  contact: nobody@made-up.example
  title: bench
  description: bench
  max_content_length: 104857600
  persistence_api:
    class: opentaxii.persistence.sqldb.Taxii2SQLDatabaseAPI
    parameters: {{db_connection: "sqlite:///{folder}/data.db", create_tables: yes}}
logging: {{opentaxii: error, root: error}}
"""
_OPENTAXII_SETUP = """
import json
from opentaxii.http import app
with app.app_context():
    api = app.taxii_server.servers.taxii2.persistence.api
    root = api.add_api_root(title="bench", description="bench", default=True)
    made = api.add_collection(api_root_id=root.id, title="objects", description="objects", alias="objects",
                              is_public=True, is_public_write=True)
    print(json.dumps([str(root.id), str(made.id)]))
"""
_BARE = """
import sys
from pathlib import Path
from flask import Flask, Response, request
from exchange.settings import Settings
from exchange.web.server import Server
body = Path(sys.argv[1]).read_bytes()
class Bare(Server):
    def load(self):
        app = Flask("bare")
        @app.get("/objects/")
        def objects():
            return Response(body, content_type="application/taxii+json;version=2.1")
        @app.get("/healthz")
        def healthz():
            return "ok"
        return app
Bare(Settings(), bind=sys.argv[2], workers=1).run()
"""


@dataclass(frozen=True)
class Target:
    """A running server."""

    name: str
    feed: Feed
    process: subprocess.Popen[bytes]
    database: Path | None

    def processes(self) -> list[int]:
        """The server's own processes: the child and all below it."""
        found, waiting = [], [self.process.pid]
        while waiting:
            pid = waiting.pop()
            found.append(pid)
            for task in Path(f"/proc/{pid}/task").iterdir():
                waiting += map(int, (task / "children").read_text(encoding="ascii").split())
        return found

    def cpu_seconds(self) -> float:
        """User and system time of all its processes so far (in ticks of 10 ms)."""
        total = 0
        for pid in self.processes():
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            total += int(stat[11]) + int(stat[12])
        return total / _TICK

    def memory(self) -> dict[str, float]:
        """Megabytes of all its processes together: resident (a page that two share counts half in each), of that
        not backed by files.
        """
        sums = {"Pss": 0.0, "Pss_Anon": 0.0}
        for pid in self.processes():
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines():
                name, _, rest = line.partition(":")
                if name in sums:
                    sums[name] += int(rest.split()[0]) / 1024
        return sums

    def disk_bytes(self) -> int:
        """Size of the SQLite file after its log was folded in; 0 for other engines."""
        if self.database is None:
            return 0
        with closing(sqlite3.connect(self.database, timeout=30)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return sum(path.stat().st_size for path in self.database.parent.glob(self.database.name + "*"))


@contextmanager
def ours(folder: Path, database_url: str | None = None, workers: int = 1) -> Iterator[Target]:
    """``cibx serve`` on a fresh database, one member with one credential."""
    folder.mkdir(parents=True)
    secret, port = secrets.token_urlsafe(24), free_port()
    database = None if database_url else folder / "cibx.db"
    environment = {**os.environ, "CIBX_DATABASE_URL": database_url or f"sqlite:///{database}",
                   "CIBX_SECRET_OF_GIVER": secret}
    members = folder / "members.toml"
    members.write_text(_DIRECTORY, encoding="utf-8")
    subprocess.run([*_CIBX, "apply", str(members)], env=environment, check=True, stdout=subprocess.DEVNULL)
    serve = [*_CIBX, "serve", "--bind", f"{HOST}:{port}", "--workers", str(workers)]
    with _running(serve, environment, folder, f"http://{HOST}:{port}/healthz") as process:
        feed = Feed(HOST, port, "/taxii2/bench/collections/objects/objects/", "giver", secret)
        yield Target("cibx", feed, process, database)


@contextmanager
def opentaxii(folder: Path, venv: Path) -> Iterator[Target]:
    """OpenTAXII of a virtual environment, on SQLite, its collection open to all (which spares it the password)."""
    folder.mkdir(parents=True)
    port = free_port()
    configuration = folder / "opentaxii.yml"
    configuration.write_text(_OPENTAXII.format(host=HOST, port=port, folder=folder, secret=secrets.token_hex(16)),
                             encoding="utf-8")
    environment = {**os.environ, "OPENTAXII_CONFIG": str(configuration)}
    made = subprocess.run([venv / "bin/python", "-W", "ignore", "-c", _OPENTAXII_SETUP], env=environment, check=True,
                          capture_output=True, text=True)
    root, collection = json.loads(made.stdout.strip().splitlines()[-1])
    serve = [str(venv / "bin/gunicorn"), "--bind", f"{HOST}:{port}", "--workers", "1", "--worker-class", "gthread",
             "--threads", "40", "--timeout", "600", "opentaxii.http:app"]
    with _running(serve, environment, folder, f"http://{HOST}:{port}/management/health") as process:
        feed = Feed(HOST, port, f"/taxii2/{root}/collections/{collection}/objects/")
        yield Target("opentaxii", feed, process, folder / "data.db")


@contextmanager
def bare_view(folder: Path, body: bytes) -> Iterator[Target]:
    """A Flask view that returns these bytes and does nothing else, under our own server's settings."""
    folder.mkdir(parents=True)
    port = free_port()
    (folder / "body").write_bytes(body)
    serve = [sys.executable, "-c", _BARE, str(folder / "body"), f"{HOST}:{port}"]
    with _running(serve, dict(os.environ), folder, f"http://{HOST}:{port}/healthz") as process:
        yield Target("bare", Feed(HOST, port, "/objects/"), process, None)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def _running(command: list[str], environment: dict[str, str], folder: Path, health: str
             ) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)
    try:
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                urlopen(health, timeout=5).close()
                break
            except OSError as error:
                if isinstance(getattr(error, "code", None), int):
                    break  # it answers, if with another status
                if process.poll() is not None or time.monotonic() > end:
                    text = (folder / "server.log").read_text(errors="replace")[-2_000:]
                    raise RuntimeError(f"{command[0]} didn't come up:\n{text}") from error
                time.sleep(0.1)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(40)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
