"""Pushing to any TAXII 2.1 server: split by what it takes, each object's fate read, what failed tried again.

A server's status resource (TAXII 2.1, 4.3) decides about each object; one that never names an object has taken it
when it says that nothing failed. An envelope that is refused as a whole is halved until the object that is at
fault stands alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urljoin, urlsplit

import msgspec

from connectors.out import opencti
from exchange.client.push import envelope, parts
from exchange.connect.contract import StixObject
from exchange.connect.outward import Publisher, Sent, Target
from exchange.connect.source import Option
from exchange.errors import InputError, NotFoundError, UnavailableError
from exchange.outbound.call import Auth
from exchange.outbound.web import Reply

_TAXII = "application/taxii+json;version=2.1"
_HEADERS = {"Accept": _TAXII, "Content-Type": _TAXII}
_DEFAULT_LENGTH = 1_000_000
_MOST_OBJECTS = 1_000
_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Seconds before a pending status is asked for again; what is pending after them fails, and is tried anew later."""


class TaxiiPush(Publisher):
    """Pushes to a collection of a TAXII 2.1 server."""

    name = "taxii"
    title = "TAXII 2.1: push to a collection (URL of the collection, of its API root, or of discovery)"
    options: ClassVar[Mapping[str, Option]] = {
        "collection": Option("Collection by id, alias or title, where the URL isn't a collection's."),
        "profile": Option("'opencti' writes STIX as OpenCTI takes it best.", default="stix"),
    }
    secrets: ClassVar[Mapping[str, str]] = {
        "token": "bearer token", "user": "user name, with 'password'", "password": "password of 'user'"}

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        """``sleep`` takes seconds: the pause before a pending status is asked for again."""
        self._sleep = sleep

    def publish(self, objects: Iterable[StixObject], target: Target) -> Iterator[Sent]:
        """Push objects; markings first, since others refer to them. One ``Sent`` for each object given."""
        door = _Door(target, self._sleep)
        profile = target.option("profile")
        if profile not in ("", "stix", "opencti"):
            raise InputError(f"There is no profile {profile!r}.", fix="Name stix or opencti.")
        ordered = sorted(objects, key=lambda one: one["type"] != "marking-definition")
        written: dict[str, bytes] = {}
        own: set[str] = set()
        for item in ordered:
            forms = opencti.offered(item) if profile == "opencti" else [item]
            written.update((str(one["id"]), msgspec.json.encode(one)) for one in forms)
            own.add(str(item["id"]))
            if not forms:
                yield Sent(str(item["id"]), "left-out", "OpenCTI has a marking of its own for it.")
        for part in parts(list(written.values()), door.most_bytes, _MOST_OBJECTS):
            yield from (sent for sent in door.push(part) if sent.id in own)


PUBLISHER = TaxiiPush()


class _Door:
    """A collection that may be written to."""

    def __init__(self, target: Target, sleep: Callable[[float], None]) -> None:
        self._sleep = sleep
        self._web = target.web
        self._auth: Auth = _credential(target)
        self._url = self._collection(target.url + "/", target.option("collection"))
        root = self._get(urljoin(self._url, "../../"))
        length = root.get("max_content_length")
        self.most_bytes = length if isinstance(length, int) and length > 0 else _DEFAULT_LENGTH

    def push(self, part: Sequence[bytes]) -> Iterator[Sent]:
        """Send a part; what is refused as a whole is halved."""
        reply = self._web.request("POST", urljoin(self._url, "objects/"), headers=_HEADERS, auth=self._auth,
                                  body=envelope(part), repeatable=True)  # fmt: skip
        if reply.status in (400, 413, 422) and len(part) > 1:
            middle = len(part) // 2
            yield from self.push(part[:middle])
            yield from self.push(part[middle:])
            return
        ids = [_id(one) for one in part]
        if reply.status not in (200, 202):
            if reply.status == 404:
                raise NotFoundError(f"{reply.url} takes no objects (404).", fix="Check the collection's URL.")
            yield from (Sent(one, "refused", _said(reply)) for one in ids)
            return
        yield from self._fates(reply.json(), ids)

    def _fates(self, status: Any, ids: Sequence[str]) -> Iterator[Sent]:
        status = self._decided(status)
        failures = {str(one.get("id")): str(one.get("message") or "no reason given")[:500]
                    for one in _list(status, "failures")}  # fmt: skip
        pending = {str(one.get("id")) for one in _list(status, "pendings")}
        nameless = not failures and int(status.get("failure_count") or 0) > 0
        unsure = not pending and int(status.get("pending_count") or 0) > 0
        known = {str(one.get("id")) for one in _list(status, "successes")}
        for one in dict.fromkeys(ids):
            if one in failures:
                yield Sent(one, "refused", failures[one])
            elif one in pending or (unsure and one not in known):
                yield Sent(one, "failed", "The server hasn't decided yet.")
            elif nameless and one not in known:
                yield Sent(one, "failed", "The server says that objects failed, and not which.")
            else:
                yield Sent(one, "sent")

    def _decided(self, status: Any) -> Mapping[str, Any]:
        """The status once it is complete, or as it is after some asking."""
        for pause in (*_PAUSES, None):
            if not isinstance(status, dict) or not isinstance(status.get("status"), str):
                raise UnavailableError("The server's answer is no status resource of TAXII 2.1.",
                                       fix="Check that it is a TAXII 2.1 server.")
            if status["status"] != "pending" or not status.get("id") or pause is None:
                break
            self._sleep(pause)
            status = self._get(urljoin(self._url, f"../../status/{status['id']}/"))
        return dict(status)

    def _collection(self, url: str, name: str) -> str:
        if "/collections/" in urlsplit(url).path:
            return url
        found = []
        for root in self._roots(url):
            listing = self._get(urljoin(root, "collections/")).get("collections") or ()
            found += [(root, one) for one in listing if one.get("can_write")]
        named = [(root, one) for root, one in found if name in ("", one.get("id"), one.get("alias"), one.get("title"))]
        if len(named) != 1:
            known = ", ".join(str(one.get("alias") or one.get("id")) for _, one in found) or "none"
            raise InputError(f"{url} hasn't exactly one collection {name!r} that may be written to.",
                             fix=f"Name one with --option collection=…: {known}.")
        root, one = named[0]
        return urljoin(root, f"collections/{one['id']}/")

    def _roots(self, url: str) -> list[str]:
        roots = self._get(url).get("api_roots")
        if roots is None:
            return [url]
        return [urljoin(url, root if root.endswith("/") else root + "/") for root in roots]

    def _get(self, url: str) -> dict[str, Any]:
        reply = self._web.request("GET", url, headers={"Accept": _TAXII}, auth=self._auth)
        if reply.status != 200:
            raise InputError(f"{reply.url} answered {reply.status}: {_said(reply)}.", fix="Check the URL.")
        found = reply.json()
        if not isinstance(found, dict):
            raise InputError(f"{reply.url} isn't TAXII 2.1.", fix="Check the URL.")
        return found


def _credential(target: Target) -> Auth:
    if target.secrets.get("token"):
        return target.secret("token")
    return (target.secret("user"), target.secret("password")) if target.secrets.get("user") else None


def _list(status: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = status.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _said(reply: Reply) -> str:
    try:
        found = reply.json()
    except InputError:
        return f"status {reply.status}"
    told = found.get("description") or found.get("title") if isinstance(found, dict) else None
    return str(told)[:500] if told else f"status {reply.status}"


def _id(raw: bytes) -> str:
    return str(msgspec.json.decode(raw, type=dict[str, Any]).get("id", ""))
