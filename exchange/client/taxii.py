"""A TAXII 2.1 client that pulls: pages that end, time limits, and errors in words.

taxii2-client 2.3 has no time limit, hides the date headers and loops where ``more`` comes without ``next``
(measured); this reads pages on requests and goes on by ``next``, else by X-TAXII-Date-Added-Last.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from exchange.audit.checkpoint import Checkpoint
from exchange.audit.fault import LogAlteredError
from exchange.audit.note import read_verifier_key
from exchange.client.log_view import Offered, open_view
from exchange.client.notices import Notices
from exchange.errors import (
    ExchangeError,
    ForbiddenError,
    InputError,
    NotFoundError,
    TooLargeError,
    UnauthorizedError,
    UnavailableError,
    UnprocessableError,
)
from exchange.model.credential import read_token

_TAXII = "application/taxii+json;version=2.1"
_CONNECT_SECONDS, _READ_SECONDS = 10, 60
_KNOWN: Mapping[int, type[ExchangeError]] = {
    401: UnauthorizedError, 403: ForbiddenError, 404: NotFoundError, 413: TooLargeError, 422: UnprocessableError,
}
_REMEDIES = {
    401: "Check the credential: it may be misspelt, have expired or been revoked.",
    403: "Whoever runs the server gives rights.",
    404: "Check the URL: that of TAXII often ends in /taxii2/.",
}
_LONGEST_TOLD = 500
"""Characters of a server's own words that are handed on."""
_TOLD = 20
"""Collections that a sentence names."""
_RIGHTS = {"can_read": "may read", "can_write": "may write to"}


@dataclass(frozen=True)
class Pulled:
    """One page: its objects, and the date added of the last one (a checkpoint for ``added_after``)."""

    objects: list[dict[str, Any]]
    last_added: str | None


class Client:
    """Pulls from one server as one member; ``token`` (Bearer) or ``user`` and ``password`` (Basic).

    ``log_view`` is a file that remembers the exchange's log: with it each pull begins with a check that the log
    continues what was seen before, and is refused where it was rolled back or forked. ``certificate`` are the PEM files
    of a client certificate and its key: the credential where neither token nor user is given.
    """

    def __init__(
        self, url: str, user: str | None = None, password: str | None = None, *, token: str | None = None,
        log_view: Path | None = None, certificate: tuple[Path, Path] | None = None,
    ) -> None:
        self._url = url if url.endswith("/") else url + "/"
        self._log_view = log_view
        self._session = requests.Session()
        self.member = user or (read_token(token or "") or ("",))[0]
        """Key id of the credential, as far as it can be told."""
        self._session.headers["Accept"] = _TAXII
        if token is not None:
            self._session.headers["Authorization"] = f"Bearer {token}"
        elif user is not None:
            self._session.auth = (user, password or "")
        if certificate is not None:
            self._session.cert = _files_of(certificate)

    def collection_url(self, name: str | None = None, *, right: str = "can_read") -> str:
        """The URL of a collection by id, alias or title; the only one with that right where no name is given.

        The client's URL may be that of the collection, of an API root or of discovery. Raises NotFoundError.
        """
        if "/collections/" in urlsplit(self._url).path:
            return self._url
        found: list[tuple[str, Mapping[str, Any]]] = []
        for root in self._roots():
            listing = self._get(urljoin(root, "collections/")).json()
            found += [(root, c) for c in listing.get("collections", ()) if c.get(right)]
        every = found
        if name is not None:
            found = [(r, c) for r, c in every if name in {c.get("id"), c.get("alias"), c.get("title")}]
        if len(found) == 1:
            root, collection = found[0]
            return urljoin(root, f"collections/{collection['id']}/")
        if not every:
            raise NotFoundError(f"{self._url} has no collection that you {_RIGHTS[right]}.",
                                fix="Ask the exchange's operator for a group or a right.")
        known = ", ".join(str(c.get("alias") or c.get("id")) for _, c in every[:_TOLD])
        more = f" and {len(every) - _TOLD} more" if len(every) > _TOLD else ""
        raise NotFoundError(
            f"{self._url} has {'no' if not found else 'more than one'} collection"
            + (f" {name!r}" if name else "") + f" that you {_RIGHTS[right]}.", fix=f"Name one of: {known}{more}.",
        )

    def pages(
        self, collection: str | None = None, *, added_after: str | None = None, ids: Sequence[str] = ()
    ) -> Iterator[Pulled]:
        """Pages in the order of adding, of the objects with these ids where there are any; ends when the server says
        that there is no more. ``collection`` is an id, alias, title or URL.

        Raises LogAlteredError where the exchange's log doesn't continue what this member saw of it.
        """
        self.check_log()
        url = urljoin(collection if collection and "://" in collection else self.collection_url(collection), "objects/")
        wanted: dict[str, str] = {"match[id]": ",".join(ids)} if ids else {}
        query = wanted if added_after is None else {**wanted, "added_after": added_after}
        while True:
            response = self._get(url, query)
            envelope = response.json()
            last = response.headers.get("X-TAXII-Date-Added-Last")
            objects = envelope.get("objects") or []
            if objects:
                yield Pulled(objects, last)
            token = envelope.get("next")
            step = {"next": token} if token else {"added_after": last} if last else {}
            if not envelope.get("more") or not step or step.items() <= query.items():
                return
            query = {**wanted, **({} if added_after is None else {"added_after": added_after}), **step}

    def objects(self, collection: str | None = None, *, added_after: str | None = None
                ) -> Iterator[dict[str, Any]]:
        """Every object, in the order of adding."""
        for page in self.pages(collection, added_after=added_after):
            yield from page.objects

    def page(self, url: str, query: Mapping[str, str]) -> tuple[bytes, str | None]:
        """One page as it came, with the date added of its last object; ``url`` is that of the objects. Raises as
        ``pages``."""
        self.check_log()
        response = self._get(url, query)
        return response.content, response.headers.get("X-TAXII-Date-Added-Last")

    def records(self) -> Mapping[str, Any] | None:
        """Contributors' records as an exchange tells them; None where the server tells this member none."""
        try:
            said = self._raw("/api/v1/records").json()
        except (ForbiddenError, NotFoundError, UnauthorizedError, UnavailableError, requests.JSONDecodeError):
            return None
        return said if isinstance(said, dict) and isinstance(said.get("records"), list) else None

    def notices(self) -> Notices:
        """The member's own notices at this exchange."""
        return Notices(self._url, self._session)

    def check_log(self) -> Checkpoint | None:
        """Compare the exchange's log with the view in ``log_view``; None without one, and where there is no log.

        Raises LogAlteredError, also where a log that was there is shown no more.
        """
        if self._log_view is None:
            return None
        view = open_view(self._log_view)
        try:
            return view.follow(self.of_log, self.offered_keys())
        except NotFoundError:
            if view.last:
                raise LogAlteredError("The exchange doesn't show its log any more.") from None
            return None

    def offered_keys(self) -> Offered:
        """The keys that the server says its log has."""
        try:
            said = self._raw("/api/v1/log/keys").json()
            return Offered(tuple(read_verifier_key(key) for key in said["log"]),
                           tuple(note.encode() for note in said["handovers"]))
        except (ValueError, KeyError, TypeError, AttributeError) as unreadable:
            raise LogAlteredError("The server's list of its log's keys can't be read.") from unreadable

    def of_log(self, path: str) -> bytes:
        """What the server's log has at a path of C2SP tlog-tiles."""
        return self._raw(f"/log/{path}").content

    def manifest(self, url: str) -> Iterator[list[dict[str, Any]]]:
        """Pages of a collection's manifest, in the order of adding; ``url`` is the collection's."""
        query: dict[str, str] = {}
        while True:
            response = self._get(urljoin(url, "manifest/"), query)
            said, last = response.json(), response.headers.get("X-TAXII-Date-Added-Last")
            if said.get("objects"):
                yield said["objects"]
            step = {"next": said["next"]} if said.get("next") else {"added_after": last} if last else {}
            if not said.get("more") or not step or step == query:
                return
            query = step

    def plain_json(self, path: str) -> dict[str, Any]:
        """A JSON object of the exchange's own interface; raises UnavailableError where it is none."""
        try:
            said = self._raw(path).json()
        except requests.JSONDecodeError:
            said = None
        if not isinstance(said, dict):
            raise UnavailableError(f"{path} isn't answered with a JSON object.",
                                   fix="It may be another kind of server.")
        return said

    def resource(self, url: str) -> Mapping[str, Any]:
        """A TAXII resource such as an API root."""
        return dict(self._get(url).json())

    def post(self, url: str, body: bytes) -> requests.Response:
        """Send an envelope; the answer with a status of 200 or 202. Raises as pulling does, TooLargeError for 413."""
        return self._answer(urljoin(self._url, url), None, "*/*", body)

    def delete(self, url: str) -> None:
        """Delete what lies at a URL; raises as pulling does."""
        self._answer(urljoin(self._url, url), None, _TAXII, method="DELETE")

    def _raw(self, path: str) -> requests.Response:
        """What lies at a path of the server, of any media type."""
        return self._answer(urljoin(self._url, path), None, "*/*")

    def _roots(self) -> list[str]:
        """API roots of discovery, which may be relative to it; the client's own URL where that is one.

        Of a server without a path discovery is looked for where TAXII 2.1 (4.1) puts it.
        """
        place = self._url
        try:
            resource = self._get(place).json()
        except NotFoundError:
            if urlsplit(place).path != "/":
                raise
            place = urljoin(place, "/taxii2/")
            resource = self._get(place).json()
        if "api_roots" not in resource:
            return [self._url]
        return [urljoin(place, root if root.endswith("/") else root + "/") for root in resource["api_roots"]]

    def _get(self, url: str, query: Mapping[str, str] | None = None) -> requests.Response:
        response = self._answer(url, query, _TAXII)
        if "application/taxii+json" not in response.headers.get("Content-Type", ""):
            raise UnavailableError(f"{url} isn't TAXII 2.1: it answers with "
                                   f"{response.headers.get('Content-Type', 'no media type')}.")
        return response

    def _answer(
        self, url: str, query: Mapping[str, str] | None, accept: str, body: bytes | None = None, method: str = ""
    ) -> requests.Response:
        if urlsplit(url).netloc != urlsplit(self._url).netloc:
            raise ExchangeError(f"{self._url} points to another server: {urlsplit(url).netloc}.",
                                why="The credential isn't sent there.", fix="Give that server's URL.")
        try:
            response = self._session.request(
                method or ("GET" if body is None else "POST"), url, params=query, data=body, allow_redirects=False,
                timeout=(_CONNECT_SECONDS, _READ_SECONDS),
                headers={"Accept": accept} if body is None else {"Accept": accept, "Content-Type": _TAXII},
            )
        except requests.RequestException as error:
            raise UnavailableError(f"{url} doesn't answer: {type(error).__name__}.", fix=_remedy(error)) from error
        if response.status_code not in ({200} if body is None else {200, 202}):
            kind = _KNOWN.get(response.status_code, UnavailableError)
            raise kind(f"{url} answered {response.status_code}: {_said(response)}",
                       fix=_REMEDIES.get(response.status_code, ""))
        return response


def _remedy(error: requests.RequestException) -> str:
    """What a person can do about a request that got no answer."""
    if isinstance(error, requests.exceptions.SSLError):
        return "Check that the server's certificate is valid for this host and that its authority is trusted here."
    if isinstance(error, requests.Timeout):
        return "Try again later; if it stays so, ask who runs the server."
    if isinstance(error, ValueError):  # of requests' errors those about the URL itself
        return "Check how the URL is written; it begins with https://."
    return "Check the host and port of the URL, that the server runs, and that a firewall or proxy lets this through."


def _said(response: requests.Response) -> str:
    """Title and description of a TAXII error, in printable characters."""
    try:
        told = response.json()
        parts = [str(told[key]).strip().rstrip(".") for key in ("title", "description") if told.get(key)]
    except (ValueError, AttributeError):
        parts = []
    text = "".join(mark if mark.isprintable() else " " for mark in ". ".join(parts))
    return f"{text[:_LONGEST_TOLD] or 'no reason given'}."


def _files_of(certificate: tuple[Path, Path]) -> tuple[str, str]:
    """Both files' names; raises InputError for one that can't be read."""
    for file in certificate:
        try:
            file.open("rb").close()
        except OSError as error:
            raise InputError(f"The file {file} of the client certificate can't be read: {error.strerror}.",
                             fix="Name a PEM file with the certificate, and one with its key.") from None
    return str(certificate[0]), str(certificate[1])
