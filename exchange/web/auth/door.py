"""Who is let in: by a secret, a token of the member's identity provider, or a client certificate.

A request with an Authorization header is judged by that header; its certificate then only shows that a token is in the
right hands. Whatever is wrong, the refusal is the same bytes, and what a known name costs an unknown one costs too.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import NoReturn

from flask import Request

from exchange.errors import UnauthorizedError
from exchange.model.credential import ENDED, RefusedError, usable, verify
from exchange.model.party import Credential, Directory
from exchange.settings import Settings
from exchange.web.auth import certificate, tokens
from exchange.web.auth.certificate import ClientCertificate, client_certificate
from exchange.web.auth.header import read_authorization
from exchange.web.auth.issuer_keys import IssuerKeys, way_to_issuers
from exchange.web.auth.limit import GuessLimit, Shared
from exchange.web.auth.tokens import Presented

Judge = Callable[[Directory, datetime], Credential]
"""What a request showed, judged by a directory at an aware time; raises RefusedError and UnavailableError."""


@dataclass(frozen=True)
class Proven:
    """Who was let in."""

    credential: Credential
    again: Judge
    """Whether that still holds, for what goes on after the answer began: the proof may have ended since."""


@dataclass(frozen=True)
class _Attempt:
    """What a request tries: for whom, with what, and how that is judged."""

    account: str
    """The name that wrong guesses are counted by: as it was sent, known here or not."""
    proof: str
    judge: Judge


class Door:
    """What one process knows of callers: wrong guesses (``shared``: of all), and the keys of identity providers."""

    def __init__(self, settings: Settings, shared: Shared | None = None) -> None:
        self._settings = settings
        self._limit = GuessLimit(shared)
        self._keys = IssuerKeys(lambda: way_to_issuers(settings))

    def let_in(self, request: Request, directory: Directory, at: datetime, *, former: bool) -> Proven:
        """The credential that the request proves at an aware time; with ``former`` a suspended organisation's too.

        Raises UnauthorizedError, TooManyRequestsError after too many wrong ones, and UnavailableError where the keys
        of a token that fits can't be had.
        """
        address, elapsed = request.remote_addr or "", time.monotonic()  # a limit ends though the clock is set
        try:
            attempt = self._attempt(request, former)
        except RefusedError as refused:  # it can't even be read: that counts too
            attempt = _Attempt("", "", partial(_refuse, refused))
        self._limit.check(attempt.account, address, attempt.proof, elapsed)
        try:
            credential = attempt.judge(directory, at)
        except UnauthorizedError:
            self._limit.wrong(attempt.account, address, elapsed)
            raise
        self._limit.right(attempt.account, address, attempt.proof, elapsed)
        return Proven(credential, attempt.judge)

    def _attempt(self, request: Request, former: bool) -> _Attempt:
        header, found = request.headers.get("Authorization"), client_certificate(request.environ, self._settings)
        if header is None and found is not None:
            name = found.digest.hex()
            return _Attempt(name, name, lambda directory, at: _usable(
                certificate.fitting(directory.credentials, found, at), directory, at, former))
        user, secret = read_authorization(header)
        if user is None and tokens.is_token(secret):
            presented = tokens.read_presented(secret)
            return _Attempt(presented.account, secret, lambda directory, at: _usable(
                self._by_token(presented, found, directory, at), directory, at, former))
        account = user if user is not None else secret.rpartition("_")[0]
        return _Attempt(account, header or "", lambda directory, at: verify(
            directory, user, secret, at, former=former))

    def _by_token(
        self, presented: Presented, found: ClientCertificate | None, directory: Directory, at: datetime
    ) -> Credential:
        """The credential that a token proves.

        What the token says is looked at first, so that nobody has an issuer asked who doesn't know for whom its tokens
        are.
        """
        try:
            credential = tokens.fitting(directory.credentials, presented, at)
            tokens.check_binding(presented, found.thumbprint if found else None)
            key = self._keys.find(credential.oidc or {}, presented.kid, presented.algorithm)
            if key is None:
                raise RefusedError("token key unknown to its issuer")
        except RefusedError:
            with suppress(RefusedError):  # the work that a known one costs
                tokens.check_signature(presented, tokens.decoy(presented.algorithm))
            raise
        tokens.check_signature(presented, key)
        return credential


def _usable(credential: Credential, directory: Directory, at: datetime, former: bool) -> Credential:
    if not usable(credential, directory, at, former):
        raise RefusedError(ENDED)
    return credential


def _refuse(refused: RefusedError, _directory: Directory, _at: datetime) -> NoReturn:
    raise refused
