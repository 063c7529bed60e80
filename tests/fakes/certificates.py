"""Certificates made on the spot: an authority, a server's, members'."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Made:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def name(self) -> str:
        """As credentials name it."""
        return f"sha256:{sha256(self.der).hexdigest()}"

    def write(self, folder: Path, name: str) -> tuple[str, str]:
        """Write NAME.pem and NAME.key; gives both paths."""
        certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
        certificate.write_text(self.pem)
        key.touch(0o600)
        key.write_bytes(self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return str(certificate), str(key)


def authority(name: str, at: datetime) -> Made:
    """A certificate authority that is valid at a time."""
    return _made(name, at, None, [], days=3_650)


def certificate(name: str, by: Made, at: datetime, *names: x509.GeneralName, days: int = 30,
                more: x509.ExtensionType | None = None) -> Made:
    """A certificate that began a day before ``at`` and lasts for ``days`` after it."""
    return _made(name, at, by, list(names), days, more)


def host(name: str) -> x509.GeneralName:
    """A host's name or address as an alternative name."""
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _made(name: str, at: datetime, by: Made | None, names: list[x509.GeneralName], days: int,
          more: x509.ExtensionType | None = None) -> Made:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer = subject if by is None else by.certificate.subject
    builder = x509.CertificateBuilder(
        issuer, subject, key.public_key(), x509.random_serial_number(), at - timedelta(days=1), at + timedelta(days=days),
    ).add_extension(x509.BasicConstraints(ca=by is None, path_length=None), critical=True).add_extension(
        x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False).add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key((by.key if by else key).public_key()), critical=False)
    if by is None:
        builder = builder.add_extension(x509.KeyUsage(False, False, False, False, False, True, True, False, False), critical=True)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if more is not None:
        builder = builder.add_extension(more, critical=False)
    return Made(builder.sign((by.key if by else key), hashes.SHA256()), key)
