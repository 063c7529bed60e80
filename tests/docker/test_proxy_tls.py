"""docker/proxy.conf with docker/tls.conf in a real nginx: what of a client's certificate reaches the exchange."""

from __future__ import annotations

import http.client
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from exchange.settings import Settings
from exchange.web.auth.certificate import client_certificate
from tests.e2e.ports import free_port
from tests.fakes.certificates import Made, authority, certificate, host
from tests.fakes.web_peer import Answer, Asked, WebPeer

DOCKER = Path(__file__).parents[2] / "docker"
pytestmark = pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx isn't installed: the proxy is NOT tested")
FORGED = {"Client-Cert": ":Zm9yZ2Vk:", "CIBX-Proxy-Secret": "forged", "X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "ftp"}


@pytest.fixture(scope="module")
def made() -> dict[str, Made]:
    at = datetime.now(UTC)
    by, other = authority("Authority", at), authority("Another", at)
    return {"fullchain": certificate("server", by, at, host("127.0.0.1")), "clients": by,
            "member": certificate("member", by, at, host("alpha.example")), "foreign": certificate("foreign", other, at)}


@pytest.fixture(scope="module")
def proxy(made: dict[str, Made], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int, WebPeer, Path]]:
    """Ports of HTTPS and HTTP, what stands behind, and the folder of certificates."""
    folder = tmp_path_factory.mktemp("proxy")
    folder.chmod(0o755)
    for name, one in made.items():
        one.write(folder, name)
    (folder / "fullchain.key").rename(folder / "privkey.pem")
    secure, plain = free_port(), free_port()
    with WebPeer() as peer:
        peer.fallback = lambda asked: Answer(200)
        upstream = peer.url("").removeprefix("http://")
        changes = {"/tmp/": f"{folder}/", "server exchange:8080;": f"server {upstream};", "listen 8081;": f"listen 127.0.0.1:{plain};",
                   "listen 8443 ssl;": f"listen 127.0.0.1:{secure} ssl;", "/etc/nginx/tls/": f"{folder}/",
                   "/etc/nginx/conf.d/tls*.conf": f"{folder}/tls*.conf",
                   "/dev/stdout": f"{folder}/access.log"}
        for name in ("proxy.conf", "tls.conf"):
            text = (DOCKER / name).read_text()
            for old, new in changes.items():
                text = text.replace(old, new)
            (folder / name).write_text(text)
        nginx = subprocess.Popen(
            ["nginx", "-e", f"{folder}/error.log", "-c", str(folder / "proxy.conf"), "-g", "daemon off;"])
        try:
            _wait(nginx, plain, folder)
            yield secure, plain, peer, folder
        finally:
            nginx.terminate()
            nginx.wait(20)


def _wait(nginx: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    for _ in range(200):
        assert nginx.poll() is None, (folder / "error.log").read_text()
        link = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            link.request("GET", "/")
            link.getresponse()
            return
        except OSError:
            time.sleep(0.05)
        finally:
            link.close()
    raise AssertionError((folder / "error.log").read_text())


def ask(proxy: tuple[int, int, WebPeer, Path], member: str = "", secure: bool = True) -> tuple[http.client.HTTPResponse, Asked | None]:
    """The answer, and the request as it came behind the proxy."""
    port, plain, peer, folder = proxy
    peer.asked.clear()
    context = ssl.create_default_context(cafile=folder / "clients.pem")
    if member:
        context.load_cert_chain(folder / f"{member}.pem", folder / f"{member}.key")
    link = (http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=10) if secure
            else http.client.HTTPConnection("127.0.0.1", plain, timeout=10))
    try:
        link.request("GET", "/taxii2/", headers=FORGED)
        answer = link.getresponse()
        answer.read()
        return answer, peer.asked[0] if peer.asked else None
    finally:
        link.close()


def test_a_verified_certificate_reaches_the_exchange_which_reads_it(proxy: tuple[int, int, WebPeer, Path], made: dict[str, Made]) -> None:
    answer, asked = ask(proxy, "member")
    assert asked is not None
    environ = {"HTTP_CLIENT_CERT": asked.headers["client-cert"], "REMOTE_ADDR": "172.31.250.2"}
    found = client_certificate(environ, Settings(certificate_proxies="172.31.250.0/28"))
    assert found is not None
    assert found.names == {made["member"].name, "dns:alpha.example"}
    assert (asked.headers["x-forwarded-proto"], asked.headers["x-forwarded-for"]) == ("https", "127.0.0.1")
    assert "max-age=" in str(answer.getheader("Strict-Transport-Security"))


@pytest.mark.parametrize("secure", [True, False])
def test_what_a_client_says_of_itself_doesnt_pass(proxy: tuple[int, int, WebPeer, Path], secure: bool) -> None:
    _, asked = ask(proxy, secure=secure)
    assert asked is not None
    assert not {"client-cert", "cibx-proxy-secret"} & set(asked.headers)
    assert asked.headers["x-forwarded-for"] == "127.0.0.1"


def test_a_certificate_of_another_authority_reaches_nobody(proxy: tuple[int, int, WebPeer, Path]) -> None:
    answer, asked = ask(proxy, "foreign")
    assert (answer.status, asked) == (400, None)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_old_tls_is_refused(proxy: tuple[int, int, WebPeer, Path]) -> None:
    context = ssl.create_default_context(cafile=proxy[3] / "clients.pem")
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    link = http.client.HTTPSConnection("127.0.0.1", proxy[0], context=context, timeout=10)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        link.request("GET", "/")
    link.close()
