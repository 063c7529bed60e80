"""The client certificate of a request: of the TLS connection itself, or of the one that ended at the proxy in front.

Whoever ended TLS has verified the certificate's chain and that the client holds its key. A proxy passes it on in
``Client-Cert``: RFC 9440's form, or nginx's ``$ssl_client_escaped_cert``. That header is anybody's word, so it is
read only from the addresses, or with the secret, that the operator named; else it is as if it weren't there.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from ipaddress import ip_address
from typing import Any
from urllib.parse import unquote

from cryptography import x509

from exchange.model.credential import RefusedError, in_force
from exchange.model.party import Credential
from exchange.outbound.address import allowed, networks
from exchange.settings import Settings

_HEADER, _SECRET = "HTTP_CLIENT_CERT", "HTTP_CIBX_PROXY_SECRET"


@dataclass(frozen=True)
class ClientCertificate:
    """What is looked at in a certificate; times are aware."""

    digest: bytes
    """SHA-256 of its DER."""
    names: frozenset[str]
    """As credentials name it: ``sha256:``, ``dns:`` and ``uri:``."""
    since: datetime
    until: datetime

    @property
    def thumbprint(self) -> str:
        """Its ``x5t#S256`` (RFC 8705, 3.1)."""
        return base64.urlsafe_b64encode(self.digest).decode("ascii").rstrip("=")


@lru_cache(maxsize=1_000)
def read_certificate(der: bytes) -> ClientCertificate:
    """Read a certificate; raises RefusedError for what is none."""
    try:
        found = x509.load_der_x509_certificate(der)
        names = _alternative_names(found)
    except (ValueError, x509.DuplicateExtension, x509.InvalidVersion, x509.UnsupportedGeneralNameType):
        raise RefusedError("client certificate unreadable") from None
    digest = sha256(der).digest()
    return ClientCertificate(digest, names | {f"sha256:{digest.hex()}"}, found.not_valid_before_utc,
                             found.not_valid_after_utc)


def _alternative_names(found: x509.Certificate) -> frozenset[str]:
    try:
        said = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return frozenset()
    return frozenset(f"dns:{name.lower()}" for name in said.get_values_for_type(x509.DNSName)) | frozenset(
        f"uri:{name}" for name in said.get_values_for_type(x509.UniformResourceIdentifier))


def client_certificate(environ: Mapping[str, Any], settings: Settings) -> ClientCertificate | None:
    """The request's certificate; None where there is none. Raises RefusedError for one that can't be read."""
    header = str(environ.get(_HEADER, ""))
    if header and _believed(environ, settings):
        return read_certificate(_der(header))
    link = environ.get("gunicorn.socket")
    der = link.getpeercert(binary_form=True) if isinstance(link, ssl.SSLSocket) else None
    return read_certificate(der) if der else None


def _believed(environ: Mapping[str, Any], settings: Settings) -> bool:
    """Whether the header is of a proxy that the operator named: by each of address and secret that is set."""
    if not settings.certificate_proxies and not settings.proxy_secret:
        return False
    if settings.proxy_secret:
        said = str(environ.get(_SECRET, "")).encode("utf-8", "surrogatepass")
        if not hmac.compare_digest(sha256(said).digest(), sha256(settings.proxy_secret.encode()).digest()):
            return False
    # ProxyFix puts the client's address in the place of the one that the connection came from.
    peer = environ.get("werkzeug.proxy_fix.orig", environ).get("REMOTE_ADDR", "")
    return not settings.certificate_proxies or _among(str(peer), settings.certificate_proxies)


def _among(peer: str, named: str) -> bool:
    try:
        ip_address(peer.partition("%")[0])
    except ValueError:  # a Unix socket has no address
        return False
    return allowed(peer, networks(filter(None, map(str.strip, named.split(",")))))


def _der(header: str) -> bytes:
    try:
        if header.startswith(":") and header.endswith(":"):  # a byte sequence of RFC 8941
            return base64.b64decode(header[1:-1], validate=True)
        body = unquote(header).replace("-----BEGIN CERTIFICATE-----", "").replace("-----END CERTIFICATE-----", "")
        return base64.b64decode("".join(body.split()), validate=True)
    except (binascii.Error, ValueError):
        raise RefusedError("client certificate unreadable") from None


def fitting(credentials: Mapping[str, Credential], found: ClientCertificate, at: datetime) -> Credential:
    """The one credential that a certificate proves at an aware time; its digest counts before its other names.

    One whose dates are over doesn't stand in the way of its successor. Raises RefusedError.
    """
    if not found.since <= at <= found.until:
        raise RefusedError("client certificate not valid at this time")
    named = [one for one in credentials.values() if not one.revoked and not found.names.isdisjoint(one.certificates)]
    named = [one for one in named if in_force(one.since, one.until, at)] or named
    exact = [one for one in named if f"sha256:{found.digest.hex()}" in one.certificates]
    if len(exact or named) != 1:
        raise RefusedError("client certificate fits several credentials" if named else "client certificate unknown")
    return (exact or named)[0]
