"""Keyed hashes that stand for identifiers of people: equal tokens mean one identifier, and nobody can guess back.

The hash is HMAC-SHA256 (RFC 2104) under a key that a group of members holds, over three lines in UTF-8::

    cib-norm-1            the normalisation, with its version
    email                 what it is: a word of hashed_identifiers[].of
    Info@lorem.org        the canonical text of exchange.model.identifiers

joined by one line feed, without one at the end. A further named normalisation stands behind the first
(``cib-norm-1+gmail-fold-1``). Tokens are compared only under one normalisation, kind and key id: a plain hash
of a phone number is reversed by trying all numbers, and tokens of two keys say nothing about each other.
``test_vectors.json`` beside this file holds published examples; any change of one is a new version.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from exchange.model.identifiers.fault import IdentifierError
from exchange.model.identifiers.kind import Kind

NORM = "cib-norm-1"
ALGORITHM = "hmac-sha256"
SHORTEST_SECRET = 32
"""Bytes of a key: as many as the hash has."""
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a group: its public id and its secret. Raises ValueError for an odd id or a short secret."""

    id: str
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not _ID.match(self.id):
            raise ValueError("a key id has 1 to 64 letters, digits, '.', '_' and '-'")
        if len(self.secret) < SHORTEST_SECRET:
            raise ValueError(f"a key has at least {SHORTEST_SECRET} bytes")


@dataclass(frozen=True, slots=True)
class Token:
    """A keyed hash of one identifier; two are equal when all of it is."""

    of: str
    """What was hashed, in the words of ``hashed_identifiers[].of``."""
    key_id: str
    norm: str
    value: str
    """64 lower-case hex digits."""

    @property
    def user_id(self) -> str:
        """The text that stands as ``user_id`` where nothing else names the account."""
        return f"{ALGORITHM}:{self.key_id}:{self.value}"

    def stated(self) -> dict[str, str]:
        """The entry of ``hashed_identifiers`` in the account extension."""
        return {"of": self.of, "alg": ALGORITHM, "key_id": self.key_id, "norm": self.norm, "value": self.value}


def hash_input(kind: Kind, text: str, fold: str = "") -> bytes:
    """The bytes that are hashed for a text of the kind; ``fold`` names a further normalisation.

    Raises IdentifierError for a text that is none, for kinds that no hash stands for and for an unknown fold.
    """
    if not kind.tokenisable:
        raise IdentifierError(f"no keyed hash stands for a {kind.title}: it is nobody's, or travels in the clear")
    value, norm = kind.normalise(text), NORM
    if fold:
        if fold not in kind.norms:
            raise IdentifierError(f"there is no normalisation {fold[:40]!r} of a {kind.title}")
        value, norm = kind.norms[fold](value), f"{NORM}+{fold}"
    return "\n".join((norm, kind.hashed_as, value)).encode()


def token(kind: Kind, text: str, key: Key, fold: str = "") -> Token:
    """The token of a text under a key; raises as ``hash_input``."""
    data = hash_input(kind, text, fold)
    norm = data[: data.index(b"\n")].decode()
    return Token(kind.hashed_as, key.id, norm, hmac.digest(key.secret, data, "sha256").hex())


def user_id(tokens: Iterable[Token], *scope: str) -> str:
    """The ``user_id`` of an account that is known by keyed hashes alone, so that no two strangers become one.

    STIX derives an account's id from type, login and user_id; without a user_id all hashed accounts of a
    platform would be one. A hash of the account's own id names it in every report. Else (a device or an
    address may be shared) only the report does: ``scope`` is what names the account in there, such as
    provider, report and subject. Raises ValueError where there is neither.
    """
    named = sorted(one.user_id for one in tokens if one.of == "account-id")
    if named:
        return named[0]
    if not all(scope) or not scope:
        raise ValueError("an account without a hash of its own id needs the names of its report and subject")
    return "subject:" + hashlib.sha256(json.dumps(scope).encode()).hexdigest()
