"""The policy's way out for a publisher: a member's own pull, in this machine's database or from a server.

Both are the pull that the member could make itself: the same profile, the same decisions, the same delivery in the
ledger.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from exchange.client.taxii import Client
from exchange.connect.contract import StixObject
from exchange.connect.outward import Released
from exchange.errors import InputError
from exchange.feed.page import Page, objects_page
from exchange.feed.query import Asked
from exchange.model.access import holds, may_read
from exchange.model.party import Collection, Credential, Directory, Organisation
from exchange.settings import Settings
from exchange.stix.timestamp import from_microseconds, microseconds
from exchange.store.migrations import migrate
from exchange.store.objects import Filter
from exchange.wiring import Exchange


class _Envelope(msgspec.Struct):
    objects: list[dict[str, object]] = []


class LocalGate:
    """What an organisation may read of a collection of this machine's database, under a credential of its own."""

    def __init__(self, exchange: Exchange, organisation: Organisation, credential: Credential,
                 collection: Collection) -> None:
        self._exchange = exchange
        self._organisation = organisation
        self._credential = credential
        self._collection = collection
        self.key = f"{organisation.id}, {collection.id}, {credential.purpose}"

    def released(self, after: str) -> Iterator[Released]:
        """Pages of the collection after a date of adding."""
        place = microseconds(after) if after else -1
        while (page := self._page(Filter(after=place, limit=self._exchange.settings.page_size))).found:
            place = page.dates[-1]
            yield Released(_objects(page), from_microseconds(place))

    def named(self, ids: Sequence[str]) -> Iterator[StixObject]:
        """The objects that it may have now."""
        yield from _objects(self._page(Filter(ids=tuple(ids), limit=len(ids))))

    def _page(self, wanted: Filter) -> Page:
        exchange, now = self._exchange, self._exchange.clock()
        reader = exchange.reader(exchange.directory(), self._organisation, self._credential, None, now)
        return exchange.page(objects_page, self._collection, reader, "", Asked(wanted, None, ""))


def _objects(page: Page) -> tuple[StixObject, ...]:
    return tuple(msgspec.json.decode(page.body, type=_Envelope).objects)


def local_gate(settings: Settings, *, org: str, collection: str | None, credential: str | None = None) -> LocalGate:
    """The gate of an organisation; ``credential`` is the id of one of its own (its only one that reads where None).

    The credential's purpose is what the policy decides by, as if the organisation pulled with it. Raises InputError
    for an unknown organisation, credential or collection, or where there are several.
    """
    exchange = Exchange(settings)
    migrate(exchange.engine, may_make=False)
    directory, at = exchange.directory(), from_microseconds(exchange.clock())
    organisation = directory.organisations.get(org)
    if organisation is None or not organisation.active:
        known = ", ".join(sorted(directory.organisations)) or "none; see cibx apply"
        raise InputError(f"There is no active organisation {org!r}.", fix=f"Known: {known}.")
    return LocalGate(exchange, organisation, _credential(directory, org, credential, at),
                     _collection(directory, organisation, collection, at))


def _credential(directory: Directory, org: str, name: str | None, at: str) -> Credential:
    found = [c for c in directory.credentials.values() if c.org == org and "read" in c.scopes and not c.revoked
             and holds(c.since, c.until, at) and name in {None, c.id}]  # fmt: skip
    if len(found) != 1:
        known = ", ".join(sorted(f"{c.id} ({c.purpose})" for c in found)) or "none; see cibx credential"
        what = f"a credential {name!r}" if name else "exactly one credential"
        raise InputError(f"{org} doesn't have {what} that may read now.", fix=f"Name one with --credential: {known}.")
    return found[0]


def _collection(directory: Directory, organisation: Organisation, name: str | None, at: str) -> Collection:
    every = [c for c in directory.collections.values() if may_read(c, organisation, at)]
    found = [c for c in every if name in {None, c.id, c.alias}]
    if len(found) != 1:
        known = ", ".join(sorted(c.alias or c.id for c in every)) or "none"
        what = f"a collection {name!r}" if name else "exactly one collection"
        raise InputError(f"{organisation.id} can't read {what}.", fix=f"Name one with --collection: {known}.")
    return found[0]


class RemoteGate:
    """What a member's credential may pull from a server."""

    def __init__(self, client: Client, collection: str | None) -> None:
        self._client = client
        self._url = client.collection_url(collection)
        self.key = self._url

    def released(self, after: str) -> Iterator[Released]:
        """Pages of the collection after a date of adding; raises as ``Client.pages``."""
        for page in self._client.pages(self._url, added_after=after or None):
            if page.last_added is None:
                raise InputError(f"{self._url} doesn't say when it added what it sends.",
                                 fix="Ask who runs it for X-TAXII-Date-Added-Last, which TAXII 2.1 demands.")
            yield Released(tuple(page.objects), page.last_added)

    def named(self, ids: Sequence[str]) -> Iterator[StixObject]:
        """The objects that it may have now."""
        for page in self._client.pages(self._url, ids=ids):
            yield from page.objects
