"""The careful way into other people's web servers, for connectors and whatever else calls out.

Every request has time limits and a limit on what it unpacks, goes to addresses of the public internet only (or those
that the operator allows), verifies TLS, follows few redirects, waits as the server asks, and tells what went wrong
without a query, a credential or a body in it. One ``Web`` serves one thread.
"""

from __future__ import annotations

import json as jsonlib
import random
import ssl
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any, TypeVar

import certifi

from exchange.errors import ExchangeError, ForbiddenError, InputError, UnauthorizedError, UnavailableError
from exchange.outbound.address import networks
from exchange.outbound.body import ACCEPTED, PIECE, lines, unpacked, whole
from exchange.outbound.call import Auth, Call, Params, prepare, redirected, shown
from exchange.outbound.patience import LATER, BusyError, Patience, http_date, retry_after
from exchange.outbound.wire import Connection, Deadline, Gate, Limits, Resolve, dial, system_addresses

MAX_REPLY_BYTES = 50_000_000
MAX_LINE_BYTES = 10_000_000
MAX_REDIRECTS = 5
_KEPT_OPEN = 4

Taken = TypeVar("Taken")


@dataclass(frozen=True)
class Reply:
    """What a server answered; statuses of 400 and more that no rule of ``Web`` covers are the caller's to judge."""

    status: int
    headers: Mapping[str, str]
    """By name in small letters; of several with one name all, joined by commas."""
    body: bytes
    """Unpacked."""
    url: str
    """Where it came from after redirects, for people: without its query."""

    def json(self) -> Any:
        """The body as JSON values; raises InputError that says where it came from."""
        try:
            return jsonlib.loads(self.body)
        except (ValueError, RecursionError):
            kind = self.headers.get("content-type", "no media type")[:80]
            raise InputError(f"{self.url} doesn't answer with JSON ({kind}).",
                             fix="Check the address; it may be that of a page for people.") from None


@dataclass(frozen=True)
class Clocks:
    """Time and chance, so that tests have their own."""

    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    """Seconds; only for the pace."""
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    chance: Callable[[], float] = random.SystemRandom().random


class Web:
    """Asks web servers; keeps a few connections open. A context manager, which closes them."""

    def __init__(
        self, *, allow: Collection[str] = (), plain_http: bool = False, ca_file: Path | None = None,
        per_second: float | None = None, hide: Collection[str] = (), limits: Limits | None = None,
        patience: Patience | None = None, clocks: Clocks | None = None, resolve: Resolve = system_addresses,
        redirects: int = MAX_REDIRECTS,
    ) -> None:
        """``allow``: networks that may be reached though private. ``ca_file``: more certificate authorities (PEM).

        ``per_second``: at most so many requests. ``hide``: secrets, which no error repeats. ``redirects``: at
        most so many are followed.
        """
        self._gate = Gate(networks(allow), plain_http, resolve)
        self._ca_file = ca_file
        self._pause = 1.0 / per_second if per_second else 0.0
        self._hide = sorted({text for text in hide if text}, key=len, reverse=True)
        self._limits = limits or Limits()
        self._patience = patience or Patience()
        self._clocks = clocks or Clocks()
        self._redirects = redirects
        self._open: dict[tuple[str, str, int], Connection] = {}
        self._next_at = float("-inf")

    def request(
        self, method: str, url: str, *, params: Params | None = None, headers: Mapping[str, str] | None = None,
        auth: Auth = None, json: Any = None, body: bytes | None = None, limit: int = MAX_REPLY_BYTES,
        repeatable: bool | None = None,
    ) -> Reply:
        """Ask, and wait for the whole answer of at most ``limit`` bytes (unpacked).

        ``auth`` is a bearer token or (user, password). ``repeatable`` says that asking twice does no harm; None: by
        the method, so that a POST whose answer got lost isn't sent again. Raises UnavailableError for what may work
        later, UnauthorizedError (401) and ForbiddenError (403, or an address that mayn't be reached), InputError for
        an address or answer that is wrong.
        """
        call = prepare(method, url, params, headers, auth, json, body, repeatable)
        with self._reworded():
            return self._patiently(call, lambda sent: self._whole(sent, limit))

    @contextmanager
    def stream(
        self, url: str, *, method: str = "GET", params: Params | None = None,
        headers: Mapping[str, str] | None = None, auth: Auth = None, json: Any = None,
        idle_seconds: float = 120.0, limit: int = MAX_LINE_BYTES,
    ) -> Iterator[Iterator[bytes]]:
        """The answer's lines without their ends, each as soon as it is there, for as long as the server speaks.

        A line has at most ``limit`` bytes. Opening is retried as in ``request``; raises UnavailableError, also in the
        midst, for silence of ``idle_seconds`` or a broken connection, and InputError for any status but 200.
        """
        call = prepare(method, url, params, {"Accept-Encoding": "identity", **(headers or {})}, auth, json, None, True)
        with self._reworded():
            sent = self._patiently(call, lambda answered: answered)
            sent.over.wire.deadline = Deadline(idle_seconds, None)
            try:
                if sent.response.status != 200:
                    raise InputError(f"{shown(sent.call.url)} answered {sent.response.status}.",
                                     fix="Check the address and what it was asked for.")
                yield lines(self._pieces(sent), limit)
            finally:
                self._drop(sent)

    def close(self) -> None:
        """Close what is open."""
        while self._open:
            self._open.popitem()[1].close()

    def __enter__(self) -> Web:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- one call, until it is answered

    def _patiently(self, call: Call, take: Callable[[_Sent], Taken]) -> Taken:
        """Send, again where that may help, and take the answer."""
        failed, waited = 0, 0.0
        while True:
            try:
                return take(self._follow(call))
            except BusyError as busy:
                failed += 1
                pause = self._patience.pause(failed, busy.retry_after, waited, self._clocks.chance)
                if pause is None:
                    raise
            self._clocks.sleep(pause)
            waited += pause

    def _follow(self, call: Call) -> _Sent:
        """Send, and go where redirects lead."""
        for _ in range(self._redirects + 1):
            sent = self._send(call)
            target = sent.response.headers.get("Location")
            if sent.response.status not in (301, 302, 303, 307, 308) or not target:
                return self._judged(sent)
            self._drop(sent)
            call = redirected(call, sent.response.status, target)
        raise InputError(f"{shown(call.url)} redirects more than {self._redirects} times.", fix="Check the address.")

    def _judged(self, sent: _Sent) -> _Sent:
        """Raise for the statuses that mean the same everywhere."""
        status, headers, where = sent.response.status, sent.response.headers, shown(sent.call.url)
        if status in LATER:
            asked = retry_after(headers.get("Retry-After"), http_date(headers.get("Date")) or self._clocks.now())
            self._drop(sent)
            if status in (502, 504) and not sent.call.repeatable:  # behind the gateway it may have been done
                raise UnavailableError(f"{where} answered {status}.", fix="See whether it was done, and try again.")
            later = "" if asked is None else f" It asks to wait {asked:,.0f} seconds."
            raise BusyError(f"{where} answered {status}: it can't serve this now.{later}", retry_after=asked,
                            fix="Try again later.")
        if status == 401:
            self._drop(sent)
            raise UnauthorizedError(f"{where} doesn't accept the credential (401).",
                                    fix="Check the secret, and whether it has expired.")
        if status == 403:
            self._drop(sent)
            raise ForbiddenError(f"{where} refuses this (403).", fix="Ask there what the credential may do.")
        return sent

    def _send(self, call: Call) -> _Sent:
        """Send once, over an open connection where there is one; raises BusyError where trying again may help."""
        self._keep_pace()
        kept = self._open.pop(call.origin, None)
        if kept is not None and call.repeatable:
            with suppress(ConnectionError, ssl.SSLError):  # it may have been closed while it was idle: say it anew
                return self._ask(kept, call, kept=True)
        if kept is not None:
            kept.close()
        return self._ask(self._dial(call), call)

    def _dial(self, call: Call) -> Connection:
        scheme, host, port = call.origin
        try:
            tls = self._tls if scheme == "https" else None
            wire = dial(self._gate.addresses(scheme, host, port), host, port, tls, self._limits)
        except ssl.SSLCertVerificationError as error:
            raise ForbiddenError(f"The certificate of {host} isn't valid here: {error.verify_message}.",
                                 fix="Have it mended; for an authority of your own give --ca-file.") from None
        except OSError as error:
            raise BusyError(f"{shown(call.url)} can't be reached: {_reason(error)}.",
                            fix="Check the host and port, and that a firewall lets this through.") from None
        return Connection(wire, host, port, scheme)

    def _ask(self, over: Connection, call: Call, *, kept: bool = False) -> _Sent:
        over.wire.deadline = Deadline(self._limits.idle, time.monotonic() + self._limits.total)
        try:
            over.request(call.method, call.target, body=call.body, headers={
                "Accept-Encoding": ACCEPTED, "User-Agent": "cib-exchange", **call.headers})
            response = over.getresponse()
            if over.wire.ended:  # http.client takes a head that breaks off for a whole one
                raise HTTPException("its head broke off")
            return _Sent(call, over, response)
        except (ConnectionError, ssl.SSLError) as error:
            over.close()
            if kept:
                raise
            raise self._lost(call, error) from None
        except (OSError, HTTPException) as error:
            over.close()
            raise self._lost(call, error) from None

    def _lost(self, call: Call, error: Exception) -> UnavailableError:
        """No answer came. What mustn't be sent twice isn't tried again: it may have arrived."""
        kind = BusyError if call.repeatable else UnavailableError
        return kind(f"{shown(call.url)} doesn't answer: {_reason(error)}.", fix="Try again later.")

    def _whole(self, sent: _Sent, limit: int) -> Reply:
        try:
            body = whole(self._pieces(sent), limit)
        except ExchangeError:
            self._drop(sent)
            raise
        headers: dict[str, str] = {}
        for name, value in sent.response.headers.items():
            known = headers.get(name.lower())
            headers[name.lower()] = value if known is None else f"{known}, {value}"
        status, will_close = sent.response.status, sent.response.will_close
        sent.response.close()
        if will_close or len(self._open) >= _KEPT_OPEN:
            sent.over.close()
        else:
            self._open[sent.call.origin] = sent.over
        return Reply(status, headers, body, shown(sent.call.url))

    def _pieces(self, sent: _Sent) -> Iterator[bytes]:
        """The unpacked body; raises BusyError (UnavailableError for what isn't repeatable) where it breaks off."""
        coding = ", ".join(sent.response.headers.get_all("Content-Encoding") or [])
        try:
            yield from unpacked(_raw(sent.response), coding)
        except (OSError, HTTPException) as error:
            kind = BusyError if sent.call.repeatable else UnavailableError
            raise kind(f"The answer of {shown(sent.call.url)} broke off: {_reason(error)}.",
                       fix="Try again later.") from None
        except InputError as error:
            raise InputError(f"{shown(sent.call.url)}: {error.what}", fix=error.fix) from None

    def _drop(self, sent: _Sent) -> None:
        sent.response.close()
        sent.over.close()

    def _keep_pace(self) -> None:
        """Wait until the next request is due."""
        if not self._pause:
            return
        now = self._clocks.monotonic()
        if now < self._next_at:
            self._clocks.sleep(self._next_at - now)
            now = self._next_at
        self._next_at = now + self._pause

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_verify_locations(certifi.where())
        if self._ca_file is not None:
            try:
                context.load_verify_locations(self._ca_file)
            except OSError as error:
                raise InputError(f"{self._ca_file} can't be read as certificates: {error.strerror or error}.",
                                 fix="Give a file of PEM certificates.") from None
        return context

    @contextmanager
    def _reworded(self) -> Iterator[None]:
        """Keep secrets out of errors, wherever a server made us repeat one."""
        try:
            yield
        except ExchangeError as error:
            for name in ("what", "why", "fix"):
                text = getattr(error, name)
                for secret in self._hide:
                    text = text.replace(secret, "***")
                setattr(error, name, text)
            error.args = (error.what,)
            raise


@dataclass
class _Sent:
    """A call that was answered: status and headers are here, the body isn't read yet."""

    call: Call
    over: Connection
    response: HTTPResponse


def _raw(response: HTTPResponse) -> Iterator[bytes]:
    while piece := response.read1(PIECE):
        yield piece
    if response.length:  # http.client tells a short body only where it is read at once
        raise HTTPException(f"{response.length:,} bytes are missing")


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it took too long"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__ if not isinstance(error, HTTPException) else (str(error)[:100] or type(error).__name__)
