"""A member's identity provider on this machine: publishes its keys over HTTP and signs whatever a test asks for."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tests.fakes.web_peer import Answer, WebPeer

Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


@cache
def private_key(kind: str, number: int = 1) -> Private:
    """A key pair of this kind; each number another one."""
    if kind.startswith("RSA"):
        return rsa.generate_private_key(65_537, int(kind[3:] or 2_048))
    if kind == "EC":
        return ec.generate_private_key(ec.SECP256R1())
    return ed25519.Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)


def public_jwk(private: Private, **more: Any) -> dict[str, Any]:
    """The public half as the key set has it."""
    public = private.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        numbers = public.public_numbers()
        return {"kty": "RSA", "n": b64(numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8)), "e": "AQAB", **more}
    if isinstance(public, ec.EllipticCurvePublicKey):
        point = public.public_numbers()
        return {"kty": "EC", "crv": "P-256", "x": b64(point.x.to_bytes(32)), "y": b64(point.y.to_bytes(32)), **more}
    return {"kty": "OKP", "crv": "Ed25519", "x": b64(public.public_bytes_raw()), **more}


def sign(private: Private, signed: bytes) -> bytes:
    """The signature as RFC 7518 and RFC 8037 write it."""
    if isinstance(private, rsa.RSAPrivateKey):
        return private.sign(signed, padding.PKCS1v15(), hashes.SHA256())
    if isinstance(private, ec.EllipticCurvePrivateKey):
        return b"".join(part.to_bytes(32) for part in decode_dss_signature(private.sign(signed, ec.ECDSA(hashes.SHA256()))))
    return private.sign(signed)


def jws(header: dict[str, Any] | str, claims: dict[str, Any] | str, signer: Callable[[bytes], bytes]) -> str:
    """A compact token of any header and claims, be they texts that are no JSON."""
    parts = [b64((part if isinstance(part, str) else json.dumps(part)).encode()) for part in (header, claims)]
    signed = ".".join(parts)
    return f"{signed}.{b64(signer(signed.encode()))}"


@dataclass
class IdentityProvider:
    """Keys by kid, and what a token says unless a test says otherwise."""

    peer: WebPeer
    now: Callable[[], int]
    """Seconds since the epoch."""
    audience: str = "https://exchange.example"
    keys: dict[str, tuple[str, Private]] = field(default_factory=dict)
    """Kid to algorithm and private key."""
    issuer: str = "https://login.alpha.example"

    def __post_init__(self) -> None:
        self.peer.routes["/keys"] = lambda asked: Answer(body=json.dumps(self.key_set()).encode())

    @property
    def keys_url(self) -> str:
        return self.peer.url("/keys")

    @property
    def times_asked(self) -> int:
        return sum(asked.path == "/keys" for asked in self.peer.asked)

    def key_set(self) -> dict[str, Any]:
        return {"keys": [public_jwk(key, kid=kid, alg=algorithm, use="sig")
                         for kid, (algorithm, key) in self.keys.items()]}

    def claims(self, **more: Any) -> dict[str, Any]:
        """Of a good token, with changes; None takes a claim away."""
        now = self.now()
        said = {"iss": self.issuer, "aud": self.audience, "sub": "pipeline", "iat": now, "exp": now + 300,
                "client_id": "pipeline", "jti": "1", **more}
        return {name: value for name, value in said.items() if value is not None}

    def token(self, kid: str = "one", header: dict[str, Any] | None = None, **claims: Any) -> str:
        """Signed by the key of that kid."""
        algorithm, key = self.keys[kid]
        head = {"alg": algorithm, "kid": kid, "typ": "at+jwt", **(header or {})}
        return jws({name: value for name, value in head.items() if value is not None}, self.claims(**claims),
                   lambda signed: sign(key, signed))
