"""Tokens of members' own identity providers: what is taken of a JSON web token, and how it is checked.

RFC 9068 (access tokens as JWT), RFC 7519 (claims), RFC 7515 (signatures), RFC 8725 (what goes wrong), RFC 8705, 3.1
(tokens bound to a certificate). Signatures are joserfc's; what is decided before one is checked stands here. A header's
``jku``, ``x5u``, ``jwk`` and ``x5c`` are the sender's own word about its key: nothing reads them.

Pure: keys, certificate and time come from outside.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from joserfc.errors import ClaimError, JoseError, UnsupportedAlgorithmError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.jws import JWSRegistry, deserialize_compact
from joserfc.jwt import JWTClaimsRegistry

from exchange.model.credential import PREFIX, RefusedError, in_force
from exchange.model.party import Credential
from exchange.stix.fault import StixFault
from exchange.stix.parse import parse_strict

KEY_TYPES: Mapping[str, tuple[str, str]] = {
    "RS256": ("RSA", ""), "ES256": ("EC", "P-256"), "Ed25519": ("OKP", "Ed25519"), "EdDSA": ("OKP", "Ed25519"),
}
"""Algorithms that are taken, each with the one type and curve of key that it goes with: no HMAC, and never none."""
LEEWAY = 60
"""Seconds by which the issuer's clock may be off."""
LONGEST = 8_000
"""Characters of a token."""
_TYPES = {"at+jwt": ("at+jwt", "application/at+jwt"), "JWT": ("jwt", "application/jwt", "")}
_PART = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


@dataclass(frozen=True)
class Presented:
    """A token as it was sent, taken apart: nothing of it is proven."""

    text: str = field(repr=False)
    header: Mapping[str, Any]
    claims: Mapping[str, Any]

    @property
    def algorithm(self) -> str:
        """One of KEY_TYPES."""
        return str(self.header["alg"])

    @property
    def kid(self) -> str | None:
        """Which of the issuer's keys signed it, by the header's word."""
        kid: str | None = self.header.get("kid")
        return kid

    @property
    def account(self) -> str:
        """Whom it would stand for: what wrong guesses are counted by."""
        return f"{self.claims.get('iss')} {self.claims.get('sub')}"


def is_token(text: str) -> bool:
    """Whether a Bearer's text has a signed token's form: three parts with dots between (RFC 7515, 3.1).

    A key's own token has its id in it, which may have dots too.
    """
    return text.count(".") == 2 and not text.startswith(PREFIX)


def read_presented(text: str) -> Presented:
    """Take a token apart; raises RefusedError for one that can't be taken, whoever signed it."""
    if len(text) > LONGEST:
        raise RefusedError("token too long")
    parts = text.split(".")
    if len(parts) != 3 or not all(map(_PART.fullmatch, parts)):
        raise RefusedError("token malformed")
    header, claims = map(_object, parts[:2])
    if not isinstance(header.get("alg"), str) or header["alg"] not in KEY_TYPES:
        raise RefusedError("token algorithm not taken")
    if "crit" in header or "b64" in header or "cty" in header:
        raise RefusedError("token header asks for more than is done here")
    kid = header.get("kid", "")
    if not isinstance(kid, str) or len(kid) > 500:
        raise RefusedError("token kid malformed")
    return Presented(text, header, claims)


def _object(part: str) -> dict[str, Any]:
    try:
        return parse_strict(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (StixFault, ValueError):
        raise RefusedError("token malformed") from None


def check_claims(presented: Presented, oidc: Mapping[str, Any], now: int) -> None:
    """Raise RefusedError unless the token, if it is genuine, proves the credential with these terms at ``now`` (s)."""
    typ = presented.header.get("typ", "")
    if not isinstance(typ, str) or typ.lower() not in _TYPES[oidc.get("typ", "at+jwt")]:
        raise RefusedError("token of another type")
    rules = JWTClaimsRegistry(
        now=now, leeway=LEEWAY, iss={"essential": True, "value": oidc["issuer"]},
        aud={"essential": True, "value": oidc["audience"]}, exp={"essential": True})
    try:
        rules.validate(dict(presented.claims))
    except ClaimError as wrong:
        raise RefusedError(f"token {wrong.error}: {wrong.claim}") from None
    wanted = dict(oidc.get("claims", {}))
    if "subject" in oidc:
        wanted["sub"] = oidc["subject"]
    if not all(_holds(presented.claims.get(name), name, value) for name, value in wanted.items()):
        raise RefusedError("token subject or claims fit no credential")


def _holds(found: object, name: str, wanted: str) -> bool:
    if name == "scope" and isinstance(found, str):  # RFC 8693, 4.2: words with a space between
        return wanted in found.split(" ")
    return wanted in found if isinstance(found, list) else found == wanted


def check_binding(presented: Presented, thumbprint: str | None) -> None:
    """Raise RefusedError where a token is bound to a key that this connection doesn't prove.

    ``thumbprint`` is that of the connection's client certificate (x5t#S256). Any other binding can't be checked here,
    so such a token isn't taken for a plain one.
    """
    if "cnf" not in presented.claims:
        return
    cnf = presented.claims["cnf"]
    if not isinstance(cnf, dict) or set(cnf) != {"x5t#S256"}:
        raise RefusedError("token bound in a way that isn't known here")
    if thumbprint is None or cnf["x5t#S256"] != thumbprint:
        raise RefusedError("token bound to another certificate")


def check_signature(presented: Presented, key: Key) -> None:
    """Raise RefusedError unless the key signed the token with the algorithm that goes with its type."""
    try:
        deserialize_compact(presented.text.encode("ascii"), key, registry=_Registry(strict_check_header=False))
    except (JoseError, ValueError, TypeError):
        raise RefusedError("token signature wrong") from None


class _Registry(JWSRegistry):
    """joserfc's rules with ours: our algorithms alone, and room for the certificates that some issuers add."""

    max_header_length = LONGEST

    def get_alg(self, name: str) -> Any:
        """The algorithm's own code; raises UnsupportedAlgorithmError."""
        if name not in KEY_TYPES:
            raise UnsupportedAlgorithmError(name)
        return self.algorithms[name]


@cache
def decoy(algorithm: str) -> Key:
    """A key that nobody has: checked against where there is none, so that this takes the same work."""
    kind = KEY_TYPES[algorithm][0]
    if kind == "RSA":
        return RSAKey.import_key(rsa.RSAPublicNumbers(65_537, (1 << 2_048) - 1_942_289).public_key())
    if kind == "EC":
        return ECKey.import_key(ec.derive_private_key(1, ec.SECP256R1()).public_key())
    return OKPKey.import_key(ed25519.Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key())


def fitting(credentials: Mapping[str, Credential], presented: Presented, at: datetime) -> Credential:
    """The one credential that the token would prove at an aware time, by its own word; raises RefusedError.

    One whose dates are over doesn't stand in the way of its successor.
    """
    reason = "token of an unknown issuer"
    found = []
    for credential in credentials.values():
        oidc = credential.oidc
        if oidc is None or credential.revoked or oidc["issuer"] != presented.claims.get("iss"):
            continue
        try:
            check_claims(presented, oidc, int(at.timestamp()))
            found.append(credential)
        except RefusedError as refused:
            reason = refused.reason
    found = [one for one in found if in_force(one.since, one.until, at)] or found
    if len(found) > 1:
        reason = "token fits several credentials"
    if len(found) != 1:
        raise RefusedError(reason)
    return found[0]
