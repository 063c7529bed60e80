"""cibx serve over TLS that it ends itself: real handshakes, and members who are known by their certificates."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from exchange.model.description import read_description
from exchange.store.directory import load_directory
from exchange.store.directory_changes import apply
from exchange.store.engine import open_engine, write
from tests.e2e.members import description
from tests.e2e.ports import free_port
from tests.fakes.certificates import Made, authority, certificate, host

_CIBX = [sys.executable, "-c", "from exchange.cli.main import main; main()"]


@dataclass
class Served:
    """A serving exchange, its authority, and members' certificates."""

    port: int
    metrics_port: int
    folder: Path
    environment: dict[str, str]
    process: subprocess.Popen[bytes]

    def context(self, name: str = "", **versions: ssl.TLSVersion) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.folder / "ca.pem")
        if name:
            context.load_cert_chain(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        for key, version in versions.items():
            setattr(context, key, version)
        return context

    def get(self, path: str, name: str = "", **headers: str) -> tuple[int, dict[str, str]]:
        link = http.client.HTTPSConnection("127.0.0.1", self.port, context=self.context(name), timeout=20)
        try:
            link.request("GET", path, headers=headers)
            answer = link.getresponse()
            answer.read()
            return answer.status, {key.lower(): value for key, value in answer.getheaders()}
        finally:
            link.close()

    def describe(self, text: str) -> None:
        """As cibx apply does, in this process."""
        engine = open_engine(self.environment["CIBX_DATABASE_URL"])
        with write(engine) as connection:
            apply(connection, read_description(tomllib.loads(text), load_directory(connection), {}, source="x"))
        engine.dispose()


def credential(names: list[str]) -> str:
    return f'[[credential]]\nid = "by-certificate"\norg = "org-alpha"\npurpose = "cib-detection"\ncertificates = {names!r}\n'


@pytest.fixture(scope="module")
def made() -> dict[str, Made]:
    at = datetime.now(UTC)
    by, other = authority("Authority", at), authority("Another authority", at)
    return {"ca": by, "server": certificate("server", by, at, host("127.0.0.1")),
            "next": certificate("server", by, at, host("127.0.0.1")), "old": certificate("old", by, at),
            "new": certificate("new", by, at), "unknown": certificate("unknown", by, at),
            "expired": certificate("expired", by, at, days=0), "foreign": certificate("foreign", other, at)}


@pytest.fixture(scope="module")
def served(made: dict[str, Made], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("tls")
    for name, one in made.items():
        one.write(folder, name)
    port, metrics = free_port(), free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CIBX_")} | {
        "CIBX_DATABASE_URL": f"sqlite:///{folder}/cibx.db", "CIBX_METRICS": f"127.0.0.1:{metrics}",
        "CIBX_TLS_CERTIFICATE": str(folder / "server.pem"), "CIBX_TLS_KEY": str(folder / "server.key"),
        "CIBX_TLS_CLIENT_CA": str(folder / "ca.pem"),
    }
    (folder / "members.toml").write_text("\n".join(
        line for line in description(lanes=0).splitlines() if "secret_env" not in line) + "\n" + credential([made["old"].name]))
    subprocess.run([*_CIBX, "apply", "members.toml"], env=environment, cwd=folder, check=True, capture_output=True, timeout=90)
    with open(folder / "serve.log", "wb") as log:
        process = subprocess.Popen([*_CIBX, "serve", "--bind", f"127.0.0.1:{port}", "--workers", "1"], env=environment,
                                   cwd=folder, stdout=log, stderr=log, start_new_session=True)
    running = Served(port, metrics, folder, environment, process)
    try:
        _wait(running)
        yield running
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(45)


def _wait(running: Served) -> None:
    for _ in range(600):
        assert running.process.poll() is None, (running.folder / "serve.log").read_text()
        try:
            if running.get("/readyz")[0] == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError((running.folder / "serve.log").read_text())


@pytest.mark.parametrize(("name", "status"), [("old", 200), ("unknown", 401), ("", 401)])
def test_a_certificate_is_its_members_credential(served: Served, name: str, status: int) -> None:
    assert served.get("/taxii2/", name)[0] == status


@pytest.mark.parametrize("name", ["foreign", "expired"])
def test_a_certificate_that_cant_be_verified_ends_the_connection(served: Served, name: str) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError, http.client.HTTPException)):
        served.get("/taxii2/", name)


def test_two_certificates_overlap_and_each_ends_at_once(served: Served, made: dict[str, Made]) -> None:
    held = []
    for names in (["old", "new"], ["new"], ["old"]):
        served.describe(credential([made[name].name for name in names]))
        held.append([name for name in ("old", "new") if served.get("/taxii2/", name)[0] == 200])
    assert held == [["old", "new"], ["new"], ["old"]]


def test_a_revocation_holds_on_connections_that_are_open(served: Served, made: dict[str, Made]) -> None:
    link = http.client.HTTPSConnection("127.0.0.1", served.port, context=served.context("old"), timeout=20)
    given = []
    for names in (["old"], ["new"], ["old"]):
        served.describe(credential([made[name].name for name in names]))
        link.request("GET", "/taxii2/")
        answer = link.getresponse()
        answer.read()
        given.append(answer.status)
    link.close()
    assert given == [200, 401, 200]


def test_a_stream_ends_with_the_certificate_that_opened_it(served: Served, made: dict[str, Made]) -> None:
    served.describe(credential([made["old"].name]))
    link = http.client.HTTPSConnection("127.0.0.1", served.port, context=served.context("old"), timeout=20)
    link.request("GET", "/api/v1/collections/indicators/stream")
    answer = link.getresponse()
    served.describe(credential([made["new"].name]))
    said = answer.read().decode()
    link.close()
    served.describe(credential([made["old"].name]))
    assert answer.status == 200
    assert "event: end\ndata: The credential isn't valid any more." in said


def test_a_header_of_the_client_names_no_certificate(served: Served, made: dict[str, Made]) -> None:
    from urllib.parse import quote

    assert served.get("/taxii2/", **{"Client-Cert": quote(made["old"].pem), "CIBX-Proxy-Secret": "x" * 40})[0] == 401


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_old_tls_is_refused_and_answers_say_that_https_stays(served: Served) -> None:
    old = served.context(minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1)
    old.set_ciphers("ALL:@SECLEVEL=0")
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as link, pytest.raises((ssl.SSLError, ConnectionError)):
        old.wrap_socket(link, server_hostname="127.0.0.1")
    assert "max-age=" in served.get("/taxii2/")[1]["strict-transport-security"]


def test_who_speaks_no_tls_or_never_ends_the_handshake_stops_nobody(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as silent, \
            socket.create_connection(("127.0.0.1", served.port), timeout=20) as plain:
        silent.sendall(b"\x16")
        plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert served.get("/taxii2/", "old")[0] == 200
        with contextlib.suppress(ConnectionResetError):
            assert not plain.recv(100).startswith(b"HTTP")


def test_the_figures_are_inside_and_without_tls(served: Served) -> None:
    link = http.client.HTTPConnection("127.0.0.1", served.metrics_port, timeout=20)
    link.request("GET", "/metrics")
    assert link.getresponse().status == 200
    link.close()


def test_cibx_follow_comes_with_a_certificate(served: Served, made: dict[str, Made]) -> None:
    served.describe(credential([made["old"].name]))
    environment = {**served.environment, "REQUESTS_CA_BUNDLE": str(served.folder / "ca.pem")}
    command = [*_CIBX, "follow", f"https://127.0.0.1:{served.port}/taxii2/", "--collection", "indicators", "--once", "--jsonl",
               "--certificate", "old.pem", "old.key"]
    done = subprocess.run(command, env=environment, cwd=served.folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    gone = subprocess.run([*command[:-1], "none.key"], env=environment, cwd=served.folder, capture_output=True, text=True, timeout=60, check=False)
    assert (gone.returncode, "none.key" in gone.stderr, "Traceback" in gone.stderr) == (2, True, False)


def _until(true: Callable[[], bool]) -> None:
    for _ in range(300):
        with contextlib.suppress(OSError, http.client.HTTPException):
            if true():
                return
        time.sleep(0.1)
    raise AssertionError("it doesn't come about")


def test_files_that_dont_belong_together_end_no_server(served: Served, made: dict[str, Made]) -> None:
    """The certificate is exchanged, and its key isn't there yet."""
    served.describe(credential([made["old"].name]))
    log = served.folder / "serve.log"
    shutil.copy(served.folder / "next.pem", served.folder / "server.pem")
    served.process.send_signal(signal.SIGHUP)
    _until(lambda: "SIGHUP changes nothing: CIBX_TLS_CERTIFICATE and CIBX_TLS_KEY" in log.read_text())
    assert served.get("/taxii2/", "old")[0] == 200
    worker = Path(f"/proc/{served.process.pid}/task/{served.process.pid}/children").read_text().split()[0]
    os.kill(int(worker), signal.SIGKILL)  # whatever ends a worker meanwhile
    _until(lambda: "a worker can't begin" in log.read_text())
    shutil.copy(served.folder / "next.key", served.folder / "server.key")
    _until(lambda: served.get("/taxii2/", "old")[0] == 200)
    served_now = ssl.get_server_certificate(("127.0.0.1", served.port))
    assert (served.process.poll(), ssl.PEM_cert_to_DER_cert(served_now)) == (None, made["next"].der)
