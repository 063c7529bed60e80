"""How a credential is made, written, read and checked: 256 random bits of which only a digest is kept.

Written out it is one token, ``cibx_<key id>_<secret><checksum>``: 43 digits of secret and 6 of checksum in
base 62. The prefix lets secret scanners find a leaked one, the checksum lets them be sure without asking the
server. HTTP Basic takes the key id as user and the secret (or the whole token) as password; Bearer takes the
token. A secret that an operator chose (16 characters or more) goes as a Basic password only.

Pure: randomness and the clock come from outside.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest

from exchange.errors import InputError, UnauthorizedError
from exchange.model.party import Credential, Directory

KEY_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}", re.ASCII)
"""A key id: no colon (Basic's separator), no space, at most 64 characters."""
SHORTEST_CHOSEN_SECRET = 16
SCOPES = ("read", "write", "operate", "audit", "protect", "review", "emergency")
"""What a credential may be for: pull; push; run the exchange (policy versions, members); read everything's log and
explanations; act as data-protection officer (erase, restrict, hold); judge contests; work in the crisis lane."""
DEFAULT_SCOPES = ("read", "write")

PREFIX = "cibx_"
"""What every token of a key begins with."""
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SECRET_DIGITS = 43
"""62**43 > 2**256."""
_CHECKSUM_DIGITS = 6
"""62**6 > 2**32."""
_TOKEN_TAIL = re.compile(rf"[0-9A-Za-z]{{{_SECRET_DIGITS + _CHECKSUM_DIGITS}}}", re.ASCII)
_NOBODY = "0" * 64
"""Compared with for an unknown key id, or one without a secret, which takes as long; no secret has this digest."""
_LONGEST = 1024
REFUSAL = "The credential is not valid here."
"""Whatever was wrong with it."""
ENDED = "credential revoked or out of its dates, or its member suspended"


class RefusedError(UnauthorizedError):
    """A credential that isn't valid here, in the same words always; ``reason`` is for the log, and holds nothing that
    was sent."""

    def __init__(self, reason: str) -> None:
        super().__init__(REFUSAL)
        self.reason = reason


@dataclass(frozen=True)
class Issued:
    """A new credential's secret, to be shown once and then forgotten."""

    id: str
    secret: str = field(repr=False)
    """Password for HTTP Basic."""
    token: str = field(repr=False)
    """The whole for Bearer."""

    @property
    def digest(self) -> str:
        """What is kept of it."""
        return digest(self.secret)


def issue(key_id: str, entropy: bytes) -> Issued:
    """Make the secret of ``key_id`` out of 32 random bytes. Raises ValueError for another length."""
    if len(entropy) != 32:
        raise ValueError("a secret is made of 32 random bytes")
    secret = _base62(int.from_bytes(entropy, "big"), _SECRET_DIGITS)
    body = f"{PREFIX}{key_id}_{secret}"
    return Issued(id=key_id, secret=secret, token=body + _checksum(body))


def digest(secret: str) -> str:
    """Hex SHA-256 of the secret's UTF-8 form: 256 random bits need no slow hash."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def digest_of_chosen(key_id: str, secret: str) -> str:
    """The digest of a secret that the operator chose, or of a whole token issued earlier for this key id.

    Raises InputError when it is too short, too long, or the token of another key.
    """
    if not SHORTEST_CHOSEN_SECRET <= len(secret) <= _LONGEST:
        raise InputError(f"it has {len(secret)} characters",
                         fix=f"Use {SHORTEST_CHOSEN_SECRET} to {_LONGEST} random characters.")
    token = read_token(secret)
    if token is None:
        return digest(secret)
    if token[0] != key_id:
        raise InputError(f"it is the token of {token[0]!r}", fix="Give this key's token, or another secret.")
    return digest(token[1])


def read_token(text: str) -> tuple[str, str] | None:
    """Key id and secret of a token; None when ``text`` isn't one or its checksum is wrong."""
    if not text.startswith(PREFIX) or len(text) > _LONGEST:
        return None
    key_id, _, tail = text.removeprefix(PREFIX).rpartition("_")
    if not KEY_ID.fullmatch(key_id) or not _TOKEN_TAIL.fullmatch(tail):
        return None
    if _checksum(text[:-_CHECKSUM_DIGITS]) != text[-_CHECKSUM_DIGITS:]:
        return None
    return key_id, tail[:_SECRET_DIGITS]


def verify(
    directory: Directory, user: str | None, secret: str, at: datetime, *, former: bool = False
) -> Credential:
    """The credential that ``user`` and ``secret`` prove, at an aware time.

    ``user`` is None for a Bearer token. With ``former`` a suspended organisation is let in too: for its
    notices. Raises RefusedError with one and the same sentence whatever was
    wrong: user, secret, dates, revocation, or a suspended organisation; the digest is always compared.
    """
    if len(secret) > _LONGEST:
        raise RefusedError("secret too long")
    token = read_token(secret)
    if token is not None:
        same_user = user is None or user == token[0]
        user, secret = token
    else:
        same_user = user is not None
    credential = directory.credentials.get(user or "")
    matches = compare_digest(digest(secret), (credential.digest if credential else "") or _NOBODY)
    if credential is None:
        raise RefusedError("key id unknown")
    if not (matches and same_user):
        raise RefusedError("secret wrong")
    if not usable(credential, directory, at, former):
        raise RefusedError(ENDED)
    return credential


def in_force(since: str | None, until: str | None, at: datetime) -> bool:
    """Whether ``at`` lies in [since, until); None is open (P9)."""
    if since is not None and at < datetime.fromisoformat(since):
        return False
    return until is None or at < datetime.fromisoformat(until)


def usable(credential: Credential, directory: Directory, at: datetime, former: bool) -> bool:
    """Whether a proven credential opens anything at an aware time: neither it nor its organisation is ended.

    With ``former`` a suspended organisation's does too.
    """
    organisation = directory.organisations.get(credential.org)
    return (
        organisation is not None
        and (organisation.active or former)
        and not credential.revoked
        and in_force(credential.since, credential.until, at)
    )


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), _CHECKSUM_DIGITS)


def _base62(number: int, digits: int) -> str:
    """``number`` in exactly ``digits`` digits, leading zeros kept."""
    text = ""
    for _ in range(digits):
        number, digit = divmod(number, 62)
        text = _DIGITS[digit] + text
    return text
