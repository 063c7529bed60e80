"""One request as it will be sent: address, headers, body; and what becomes of it after a redirect."""

from __future__ import annotations

import base64
import json as jsonlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

import ada_url

from exchange.errors import InputError

Auth = str | tuple[str, str] | None
"""A bearer token, or user and password."""
Params = Mapping[str, str | int | Sequence[str] | Sequence[int]]

_HARMLESS = frozenset({"accept", "accept-encoding", "accept-language", "user-agent"})
"""What may be told to a server that a redirect led to; all else may be a credential."""
_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
"""Methods that may be sent twice (RFC 9110, 9.2.2)."""


@dataclass(frozen=True)
class Call:
    """A request that is ready to be sent."""

    method: str
    url: str
    """Normalised, without user and fragment."""
    headers: Mapping[str, str]
    body: bytes | None
    repeatable: bool

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host (no brackets) and port."""
        parts = ada_url.URL(self.url)
        scheme = parts.protocol.rstrip(":")
        return scheme, parts.hostname.strip("[]"), int(parts.port or (443 if scheme == "https" else 80))

    @property
    def target(self) -> str:
        """Path and query, as they stand in the request's first line."""
        parts = ada_url.URL(self.url)
        return f"{parts.pathname}{parts.search}"


def prepare(
    method: str, url: str, params: Params | None, headers: Mapping[str, str] | None, auth: Auth, json: Any,
    body: bytes | None, repeatable: bool | None,
) -> Call:
    """Put a request together; raises InputError for an address that can't be asked."""
    parts = _parsed(url)
    if parts.username or parts.password:
        raise InputError(f"{shown(url)} holds a user or password.", why="Addresses are written to logs.",
                         fix="Give it as a secret.")
    if params:
        query = urlencode(params, doseq=True)
        parts.search = f"{parts.search}&{query}" if parts.search else query
    parts.hash = ""
    told = dict(headers or {})
    if isinstance(auth, str):
        told["Authorization"] = f"Bearer {auth}"
    elif auth is not None:
        told["Authorization"] = "Basic " + base64.b64encode(":".join(auth).encode()).decode("ascii")
    if json is not None:
        body = jsonlib.dumps(json, ensure_ascii=False).encode()
        told.setdefault("Content-Type", "application/json")
    bad = [name for name, value in told.items() if not (name + value).isprintable()]
    if bad:
        raise InputError(f"The header {bad[0][:40]!r} holds a sign that can't be sent.",
                         fix="A secret from a file mustn't have line breaks inside.")
    method = method.upper()
    return Call(method, parts.href, told, body, method in _SAFE if repeatable is None else repeatable)


def redirected(call: Call, status: int, location: str) -> Call:
    """The request that a redirect asks for (RFC 9110, 15.4).

    At another origin nothing of what might be a credential is told. Raises InputError where it leads from https to
    http, away with a body, or to no web address.
    """
    where = shown(call.url)
    try:
        parts = _parsed(location, call.url)
    except InputError:
        raise InputError(f"{where} redirects to what is no web address.", fix="Check the address.") from None
    parts.username = parts.password = parts.hash = ""
    method, body, headers = call.method, call.body, dict(call.headers)
    if status == 303 or (status in (301, 302) and method == "POST"):
        method, body = ("HEAD" if method == "HEAD" else "GET"), None
        headers = {name: value for name, value in headers.items() if not name.lower().startswith("content-")}
    moved = replace(call, method=method, url=parts.href, headers=headers, body=body)
    if moved.origin == call.origin:
        return moved
    if call.origin[0] == "https" and moved.origin[0] == "http":
        raise InputError(f"{where} redirects from https to http.", fix="Check the address.")
    if body is not None:
        raise InputError(f"{where} redirects what is sent to another server, {moved.origin[1][:253]}.",
                         fix="If that is right, name that server's address.")
    return replace(moved, headers={name: value for name, value in headers.items() if name.lower() in _HARMLESS})


def shown(url: str) -> str:
    """An address for people and logs: without user, query and fragment, and not endless."""
    try:
        parts = ada_url.URL(url)
    except ValueError:
        return repr(url.partition("?")[0][:100])
    return f"{parts.protocol}//{parts.host}{parts.pathname}"[:300]


def _parsed(url: str, base: str | None = None) -> ada_url.URL:
    try:
        parts = ada_url.URL(url, base)
    except ValueError:
        raise InputError(f"{shown(url)} is no web address.", fix="Write it like https://server.example/path.") from None
    if parts.protocol not in ("https:", "http:") or not parts.hostname:
        raise InputError(f"{shown(url)} is no web address.", fix="Write it like https://server.example/path.")
    return parts
