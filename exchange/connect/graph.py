"""The Graph API's way of handing out lists: pages of ``data``, a cursor to the next, errors in JSON.

Only cursors are taken from ``paging.next``, never an address: the next page is asked for where the first one was,
and a ``next`` that names another server is refused. The token goes into each request and into nothing else.
Source: Graph API reference, "Paginated Results" and "Handle Errors".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

from exchange.errors import ForbiddenError, InputError, UnauthorizedError, UnavailableError
from exchange.outbound.web import Reply, Web

Record = Mapping[str, Any]

_SECRET = frozenset({"access_token", "appsecret_proof"})
_MOST_EMPTY = 100
"""Pages without any record, one after the other, after which a server is taken to be lost."""
_LATER = frozenset({1, 2, 4, 17, 32, 341, 613})
"""Error codes that pass: service down, or too many calls."""
_TOKEN = frozenset({102, 190, 463, 467})
_PERMISSION = frozenset({10, *range(200, 300)})


@dataclass(frozen=True)
class Page:
    """One page."""

    records: tuple[Any, ...]
    """As they stand in ``data``; nothing says that each is an object."""
    cursor: Mapping[str, str] | None
    """Parameters that lead to the next page, JSON values for a checkpoint; None after the last one."""


@dataclass(frozen=True)
class Graph:
    """One server, asked in the name of one app."""

    web: Web
    token: str

    def pages(self, url: str, params: Mapping[str, str], cursor: Mapping[str, str] | None = None) -> Iterator[Page]:
        """The pages of a list, from a cursor on.

        Raises UnauthorizedError, ForbiddenError, UnavailableError and InputError, also for a list that leads in a
        circle or goes on without records.
        """
        empty, steps, limit, mark = 0, 0, 1, cursor
        while True:
            page = self._page(url, {**params, **(cursor or {})})
            empty = 0 if page.records else empty + 1
            if empty > _MOST_EMPTY:
                raise InputError(f"{url} goes on for {_MOST_EMPTY} pages without a record.", fix="Tell its operator.")
            yield page
            cursor = page.cursor
            if cursor is None:
                return
            if cursor == mark:  # Brent: a circle of any length is met without remembering every cursor
                raise InputError(f"{url} leads in a circle: it gave the same page before.", fix="Tell its operator.")
            steps += 1
            if steps == limit:
                mark, steps, limit = cursor, 0, limit * 2

    def _page(self, url: str, params: Mapping[str, str]) -> Page:
        reply = self.web.request("GET", url, params={**params, "access_token": self.token})
        body = answer(reply, self.token)
        records = body.get("data")
        if not isinstance(records, list):
            raise InputError(f"{reply.url} answers without a list 'data'.",
                             fix="Check the address: https://graph.facebook.com/vNN.0/PRIVACY_GROUP")
        return Page(tuple(records), next_cursor(body, url))


def answer(reply: Reply, token: str) -> Mapping[str, Any]:
    """The object that a reply holds; raises what its error means, in words without the token."""
    try:
        body = reply.json()
    except InputError:
        if reply.status < 400:
            raise
        body = {}
    if not isinstance(body, dict):
        raise InputError(f"{reply.url} answers with JSON that is no object.", fix="Check the address.")
    error = body.get("error")
    if reply.status < 400 and not error:
        return body
    told = error if isinstance(error, dict) else {}
    code = told.get("code")
    message = str(told.get("message") or "no reason given").replace(token, "(token)")[:300]
    what = f"{reply.url} answered {reply.status}: {message}."
    if code in _TOKEN:
        raise UnauthorizedError(what, fix="Check the secret 'token': it is APP_ID|APP_SECRET.")
    if code in _LATER and reply.status != 500:
        raise UnavailableError(what, fix="Try again later.")
    if code in _PERMISSION:
        raise ForbiddenError(what, fix="Ask Meta whether this app may read the privacy group.")
    if reply.status >= 500:
        raise UnavailableError(what, why="A privacy group without threat_updates answers so too.",
                               fix="Try again later, or read --option feed=threat_descriptors.")
    raise InputError(what, fix="Check the address and the options.")


def next_cursor(body: Mapping[str, Any], url: str) -> Mapping[str, str] | None:
    """The parameters of ``paging.next`` without its secrets; raises InputError where it names another server."""
    paging = body.get("paging")
    link = paging.get("next") if isinstance(paging, dict) else None
    if not link:
        return None
    if not isinstance(link, str):
        raise InputError(f"{url} answers with a 'paging.next' that is no address.", fix="Tell its operator.")
    try:
        there, here = urlsplit(link), urlsplit(url)
        same = _origin(there) == _origin(here)
    except ValueError:
        same = False
    if not same:
        raise InputError(f"{url} names a next page on another server, which isn't followed.",
                         fix="Check the address; tell its operator.")
    found = {name: value for name, value in parse_qsl(there.query) if name not in _SECRET}
    if not found:
        raise InputError(f"{url} names a next page without a cursor.", fix="Tell its operator.")
    return found


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)
