"""The keys of members' identity providers: JSON web key sets (RFC 7517), fetched with care and kept for a while.

A set is asked for again when it is ten minutes old, or names a key that isn't in it: then at most every half minute,
whatever is sent here. While an issuer can't be asked its last set holds for an hour. All keys of a set are taken, so
an issuer's old and new key overlap for as long as it publishes both.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import Key, import_key

from exchange.errors import ExchangeError, InputError, UnavailableError
from exchange.outbound.patience import Patience
from exchange.outbound.web import Web
from exchange.outbound.wire import Limits
from exchange.settings import Settings
from exchange.web.auth.tokens import KEY_TYPES

_LOG = logging.getLogger("exchange.web")
FRESH = 600.0
"""Seconds for which a set is used without asking again: so long a key may hold that its issuer withdrew."""
LASTS = 3_600.0
"""Seconds for which a set is used while its issuer can't be asked."""
PAUSE = 30.0
"""Seconds between two times that an issuer is asked."""
_PAUSE_OF_FILE = 1.0
_LARGEST = 200_000
"""Bytes of a set."""
_MOST_KEYS = 100
_MOST_DIGITS = 1_400
"""Base64 digits of a number in a key: RSA up to 8,192 bits."""
_MOST_DIGITS_OF_EXPONENT = 6
_SMALLEST_RSA = 2_048


@dataclass(frozen=True)
class Published:
    """One usable key of a set."""

    kid: str | None
    kind: tuple[str, str]
    """Type and curve, as in ``KEY_TYPES``."""
    algorithm: str | None
    key: Key = field(repr=False)

    def fits(self, kid: str | None, algorithm: str) -> bool:
        """Whether it may have signed a token whose header says so."""
        same = self.algorithm is None or KEY_TYPES.get(self.algorithm) == KEY_TYPES[algorithm]
        return same and KEY_TYPES[algorithm] == self.kind and (kid is None or kid == self.kid)


def read_key_set(raw: bytes) -> tuple[Published, ...]:
    """The usable keys of a JWKS; others are left out (RFC 7517, 5). Raises InputError for what is no set."""
    try:
        listed = json.loads(raw)["keys"]
    except (ValueError, RecursionError, KeyError, TypeError):
        raise InputError("The issuer's keys are no JSON web key set.") from None
    if not isinstance(listed, list) or len(listed) > _MOST_KEYS:
        raise InputError("The issuer's keys are no JSON web key set.")
    return tuple(found for one in listed if (found := _usable(one)) is not None)


def _usable(said: Any) -> Published | None:
    if not isinstance(said, dict) or not all(isinstance(name, str) for name in said):
        return None
    texts = {name: said[name] for name in ("kty", "crv", "n", "e", "x", "y") if name in said}
    kind = (said.get("kty", ""), said.get("crv", ""))
    if (kind not in KEY_TYPES.values() or said.get("use", "sig") != "sig"
            or not all(isinstance(value, str) and len(value) <= _MOST_DIGITS for value in texts.values())
            or len(texts.get("e", "")) > _MOST_DIGITS_OF_EXPONENT):
        return None
    kid, algorithm = said.get("kid"), said.get("alg")
    if not isinstance(kid, str | None) or not isinstance(algorithm, str | None):
        return None
    try:
        key = import_key(texts)  # the public half alone, whatever else was published
    except (JoseError, ValueError, TypeError):
        return None
    size = getattr(key.public_key, "key_size", _SMALLEST_RSA)
    return None if kind[0] == "RSA" and size < _SMALLEST_RSA else Published(kid, kind, algorithm, key)


@dataclass
class _Set:
    """What is known of one source of keys."""

    keys: tuple[Published, ...] = ()
    fetched: float = float("-inf")
    tried: float = float("-inf")
    failed: bool = False
    turn: Any = field(default_factory=threading.Lock)
    """Of requests that come at once, one asks."""


class IssuerKeys:
    """The key sets of one process; ``web`` makes a way out for one fetch, ``clock`` gives seconds that only grow."""

    def __init__(self, web: Callable[[], Web], clock: Callable[[], float] = time.monotonic) -> None:
        self._web = web
        self._clock = clock
        self._sets: dict[str, _Set] = {}

    def find(self, oidc: Mapping[str, Any], kid: str | None, algorithm: str) -> Key | None:
        """The key of a token's header; None where the issuer doesn't publish it.

        Without a kid it is the set's only key of that type. Raises UnavailableError while that can't be known: the
        issuer isn't reached, and what it said before doesn't have the key.
        """
        kept = self._sets.setdefault(str(oidc.get("keys") or oidc["keys_file"]), _Set())
        found = _one(kept.keys, kid, algorithm)
        if found is None or self._clock() - kept.fetched > FRESH:
            with kept.turn:
                pause = PAUSE if "keys" in oidc else _PAUSE_OF_FILE
                if self._clock() - kept.tried >= pause:
                    self._renew(kept, oidc)
            found = _one(kept.keys, kid, algorithm) if self._clock() - kept.fetched <= LASTS else None
        if found is None and kept.failed:
            raise UnavailableError("The identity provider that signed the token can't be asked for its keys now.",
                                   fix="Try again shortly with the same token.")
        return found

    def _renew(self, kept: _Set, oidc: Mapping[str, Any]) -> None:
        try:
            kept.keys = read_key_set(self._fetched(oidc))
            kept.fetched, kept.failed = self._clock(), False
        except ExchangeError as error:
            kept.failed = True
            _LOG.warning("the keys of an issuer of tokens can't be had: %s", error)
        finally:
            kept.tried = self._clock()

    def _fetched(self, oidc: Mapping[str, Any]) -> bytes:
        if "keys_file" in oidc:
            try:
                with Path(oidc["keys_file"]).open("rb") as file:
                    return file.read(_LARGEST)
            except OSError as error:
                raise InputError(f"{oidc['keys_file']} can't be read: {error.strerror}.") from None
        with self._web() as web:
            reply = web.request("GET", oidc["keys"], headers={"Accept": "application/jwk-set+json, application/json"},
                                limit=_LARGEST)
        if reply.status != 200:
            raise UnavailableError(f"{reply.url} answered {reply.status}.")
        return reply.body


def _one(keys: tuple[Published, ...], kid: str | None, algorithm: str) -> Key | None:
    found = [one.key for one in keys if one.fits(kid, algorithm)]
    return found[0] if len(found) == 1 else None


def way_to_issuers(settings: Settings) -> Web:
    """One fetch of keys: public addresses or those of CIBX_OIDC_NETWORKS, no redirect, no second try, five seconds."""
    allow = tuple(one.strip() for one in settings.oidc_networks.split(",") if one.strip())
    return Web(allow=allow, patience=Patience(tries=1), limits=Limits(connect=3.0, idle=3.0, total=5.0), redirects=0)
