"""A TAXII 2.1 server as its clients see it: resources, collections by name, and refusals in words.

Lenient where servers are loose and nothing is lost by it: media types without a version or plain JSON, URLs of
discovery, of an API root or of a collection. A server of TAXII 2.0 or 1.x, or a page for people, is told apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

from exchange.connect.source import Source
from exchange.errors import InputError, NotFoundError
from exchange.outbound.call import Auth
from exchange.outbound.web import Reply, Web

TAXII = "application/taxii+json;version=2.1"
_LOOSE = "application/taxii+json, application/json;q=0.5"
"""Asked for where a server takes no media type with a version in it."""
_OLD = ("application/vnd.oasis.taxii+json", "application/vnd.oasis.stix+json")
_PAGE = 206
"""Status of a page of several in TAXII 2.0, which some servers of 2.1 kept."""
_SENTENCES: Mapping[int, tuple[str, str]] = {
    404: ("there is nothing at this address, or nothing that the credential may see",
          "Check the address, the collection and what the credential may read."),
    406: ("it doesn't speak TAXII 2.1", "Ask its operator for the address of its TAXII 2.1 service."),
    415: ("it doesn't speak TAXII 2.1", "Ask its operator for the address of its TAXII 2.1 service."),
    416: ("it pages as TAXII 2.0 does, which isn't read", "Ask its operator for the address of its TAXII 2.1 service."),
}


class RefusedError(InputError):
    """The server refused a request that another query may get through; ``answered`` is its status."""

    def __init__(self, what: str, *, answered: int, fix: str) -> None:
        super().__init__(what, fix=fix)
        self.answered = answered


@dataclass(frozen=True)
class Collection:
    """A collection as its server lists it."""

    url: str
    """Ends in a slash."""
    id: str
    title: str = ""
    alias: str = ""

    @property
    def label(self) -> str:
        """What a person calls it."""
        return self.alias or self.title or self.id


def auth_of(source: Source) -> Auth:
    """The credential among a source's secrets: ``token``, or ``user`` and ``password``, or none at all."""
    token = source.secrets.get("token", "")
    if token:
        return token
    return (source.secret("user"), source.secrets.get("password", "")) if source.secrets.get("user") else None


class Server:
    """One server, asked with one credential, which goes to this server alone."""

    def __init__(self, web: Web, url: str, auth: Auth = None) -> None:
        self._web = web
        self._url = url.rstrip("/") + "/"
        self._auth = auth
        self._accept = TAXII

    def collection(self, name: str = "", right: str = "can_read") -> Collection:
        """The collection of this id, alias or title; the only one with that right where no name is given.

        Raises NotFoundError, which names those that there are.
        """
        path = urlsplit(self._url).path
        if "/collections/" in path:
            cut = self._url.index("/collections/") + len("/collections/")
            identifier = self._url[cut:].partition("/")[0]
            if identifier:
                return Collection(f"{self._url[:cut]}{identifier}/", identifier)
        found = [one for root in self._roots() for one in self._listed(root, right)]
        named = [one for one in found if name in {one.id, one.alias, one.title}] if name else found
        if len(named) == 1:
            return named[0]
        known = ", ".join(one.label for one in found[:20]) or "none"
        raise NotFoundError(
            f"{self._url} has {'more than one' if named else 'no'} collection{f' {name!r}' if name else ''}"
            f" that the credential may {'read' if right == 'can_read' else 'write to'}.",
            fix=f"Name one of these: {known}.")

    def resource(self, url: str, params: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        """A resource of TAXII as JSON values; raises as ``get``, and InputError for what is no JSON object."""
        reply = self.get(url, params)
        found = reply.json()
        if not isinstance(found, dict):
            raise InputError(f"{reply.url} answers with no resource of TAXII.", fix="Check the address.")
        return found

    def get(self, url: str, params: Mapping[str, str] | None = None) -> Reply:
        """The answer of status 200. Raises RefusedError for any other that isn't the same everywhere."""
        reply = self._asked(url, params)
        if reply.status == 406 and self._accept == TAXII:
            self._accept = _LOOSE
            reply = self._asked(url, params)
        kind = reply.headers.get("content-type", "").lower()
        if kind.startswith(_OLD) and not re.search(r"version\s*=\s*\"?2\.1", kind):
            raise InputError(f"{reply.url} is a server of TAXII 2.0, which isn't read.", fix=_SENTENCES[416][1])
        if reply.status not in (200, _PAGE):
            why, fix = _SENTENCES.get(reply.status, (_title(reply), "Check the options that are given."))
            raise RefusedError(f"{reply.url} answered {reply.status}: {why}.", answered=reply.status, fix=fix)
        if kind.startswith(("text/html", "application/xml", "text/xml")):
            raise InputError(f"{reply.url} is a page or service of another kind ({kind[:40]}), not TAXII 2.1.",
                             fix="Check the address; that of TAXII often ends in /taxii2/.")
        return reply

    def _asked(self, url: str, params: Mapping[str, str] | None) -> Reply:
        if urlsplit(url)[:2] != urlsplit(self._url)[:2]:
            raise InputError(f"{self._url} points to another server, {urlsplit(url).netloc[:253]}.",
                             why="The credential isn't sent there.", fix="Give that server's address.")
        return self._web.request("GET", url, params=params or {}, headers={"Accept": self._accept}, auth=self._auth)

    def _roots(self) -> Iterator[str]:
        """API roots: of discovery, or the server's address where that is one."""
        try:
            found = self.resource(self._url)
        except RefusedError as error:
            if error.answered != 404 or urlsplit(self._url).path != "/":
                raise
            found = self.resource(urljoin(self._url, "/taxii2/"))
        if "api_roots" not in found:
            yield self._url
            return
        roots = found["api_roots"]
        for root in roots if isinstance(roots, list) else ():
            if isinstance(root, str):
                yield urljoin(self._url, root).rstrip("/") + "/"

    def _listed(self, root: str, right: str) -> Iterator[Collection]:
        found = self.resource(urljoin(root, "collections/")).get("collections")
        for one in found if isinstance(found, list) else ():
            if isinstance(one, dict) and isinstance(one.get("id"), str) and one.get(right, True):
                url = urljoin(root, f"collections/{one['id']}/")
                yield Collection(url, one["id"], str(one.get("title") or ""), str(one.get("alias") or ""))


def _title(reply: Reply) -> str:
    """What a TAXII error message (3.6.1) says."""
    try:
        said = reply.json()
    except InputError:
        return "no reason given"
    title = said.get("title") if isinstance(said, dict) else None
    return str(title)[:200].rstrip(".") if title else "no reason given"
