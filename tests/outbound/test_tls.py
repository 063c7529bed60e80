"""TLS is verified: against the authorities that are trusted, and against the name that was asked for."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from exchange.errors import ForbiddenError, InputError
from exchange.outbound.web import Web
from tests.fakes.web_peer import Answer, WebPeer


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for peer.example by itself, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "peer.example")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(7).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("peer.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "certificate.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return path


@pytest.fixture
def peer(certificate: Path) -> Iterator[WebPeer]:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    with WebPeer(tls) as running:
        running.routes["/a"] = lambda asked: Answer(200, b"safe")
        yield running


def web(ca_file: Path | None = None) -> Web:
    return Web(allow=["127.0.0.1"], ca_file=ca_file, resolve=lambda host, port: ["127.0.0.1"])


def test_an_authority_that_the_operator_trusts_is_trusted(peer: WebPeer, certificate: Path) -> None:
    with web(certificate) as trusting:
        assert trusting.request("GET", peer.url("/a", host="peer.example")).body == b"safe"


def test_an_unknown_authority_is_refused_also_in_an_allowed_network(peer: WebPeer) -> None:
    with web() as strict, pytest.raises(ForbiddenError, match=r"certificate of peer\.example isn't valid"):
        strict.request("GET", peer.url("/a", host="peer.example"))
    assert peer.asked == []


def test_a_certificate_of_another_name_is_refused(peer: WebPeer, certificate: Path) -> None:
    with web(certificate) as trusting, pytest.raises(ForbiddenError, match=r"certificate of other\.example isn't valid"):
        trusting.request("GET", peer.url("/a", host="other.example"))


def test_a_file_that_holds_no_certificate_is_told(peer: WebPeer, tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_text("lorem")
    with web(tmp_path / "x.pem") as wrong, pytest.raises(InputError, match=r"x\.pem can't be read as certificates"):
        wrong.request("GET", peer.url("/a", host="peer.example"))
