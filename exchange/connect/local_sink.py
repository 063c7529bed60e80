"""A connector's way into the database of this machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from exchange.connect.journal import Journal
from exchange.errors import ForbiddenError, InputError, NotFoundError
from exchange.model.access import may_write
from exchange.model.party import Collection, Credential, Organisation
from exchange.model.pushed import PushOutcome
from exchange.obligations import put_aside
from exchange.settings import Settings
from exchange.stix.timestamp import from_microseconds
from exchange.store import checkpoints
from exchange.store.engine import read, write
from exchange.store.erasures import all_erasures
from exchange.store.migrations import migrate
from exchange.store.objects import Filter, Versions
from exchange.wiring import Exchange

_EVERY_VERSION = Versions(frozenset({"all"}))


class LocalSink:
    """One organisation's way into one collection: a ``Sink``."""

    def __init__(self, exchange: Exchange, organisation: Organisation, collection: Collection,
                 terms: Mapping[str, Any]) -> None:
        self._exchange = exchange
        self._organisation = organisation
        self._collection = collection
        self._terms = terms
        self._credential = Credential(id="local", org=organisation.id, digest="",
                                      purpose=next(iter(terms.get("purposes", ())), None))

    def close(self) -> None:
        """Close the connections to the database."""
        self._exchange.engine.dispose()
        self._exchange.ledger.close()

    def keep_aside(self, journal: Journal) -> None:
        """What is erased here is to be wiped from a journal's rows too: now, and by every erasure to come."""
        put_aside.remember_folder(self._exchange.engine, journal.folder)
        put_aside.wipe_erased_of(journal.database, self._exchange.engine, self._organisation.id)

    def push(self, objects: Sequence[bytes], *, terms: Mapping[str, Any]) -> Sequence[PushOutcome]:
        """Push one envelope; an answered object is durable."""
        told = self._exchange.add(self._organisation, self._credential, self._collection, objects,
                                  self._exchange.clock(), terms={**self._terms, **terms})
        return [t.outcome for t in told]

    def held(self, ids: Sequence[str]) -> Mapping[str, bytes]:
        """The organisation's own last versions, as far as a version may still follow."""
        return self._exchange.own_versions(self._organisation, self._collection, ids)

    def erased(self, ids: Sequence[str]) -> Iterable[str]:
        """Those that were erased in any collection."""
        with read(self._exchange.engine) as connection:
            return {row[3] for row in all_erasures(connection) if row[1] == self._organisation.id}.intersection(ids)

    def delete(self, identifier: str) -> None:
        """Delete what has no versions; a legal hold keeps it."""
        with suppress(NotFoundError, ForbiddenError):
            self._exchange.withdraw(self._organisation, self._credential, self._collection, identifier,
                                    Filter(versions=_EVERY_VERSION), self._exchange.clock())

    def load_checkpoint(self, connector: str, source_key: str) -> Mapping[str, Any] | None:
        """Where the connector stood."""
        with read(self._exchange.engine) as connection:
            return checkpoints.load_checkpoint(connection, self._organisation.id, connector, self._key(source_key))

    def save_checkpoint(self, connector: str, source_key: str, checkpoint: Mapping[str, Any] | None) -> None:
        """Remember where the connector stands."""
        with write(self._exchange.engine) as connection:
            checkpoints.save_checkpoint(connection, self._organisation.id, connector, self._key(source_key),
                                        checkpoint)

    def _key(self, source_key: str) -> str:
        return f"{self._collection.id}|{source_key}"


def local_sink(
    settings: Settings, *, org: str, collection: str | None, terms: Mapping[str, Any]
) -> LocalSink:
    """The sink of an organisation into a collection (id or alias; its only writable one where None).

    Raises InputError for an unknown organisation or collection.
    """
    exchange = Exchange(settings)
    migrate(exchange.engine, may_make=False)
    directory = exchange.directory()
    organisation = directory.organisations.get(org)
    if organisation is None:
        raise InputError(f"There is no organisation {org!r}.",
                         fix=f"Known: {', '.join(sorted(directory.organisations)) or 'none; see cibx apply'}.")
    at = from_microseconds(exchange.clock())
    found = [c for c in directory.collections.values() if may_write(c, organisation, at)]
    if collection is not None:
        found = [c for c in found if collection in {c.id, c.alias}]
    if len(found) != 1:
        names = ", ".join(sorted(c.alias or c.id for c in directory.collections.values()
                                 if may_write(c, organisation, at)))
        what = f"a collection {collection!r}" if collection else "exactly one collection"
        raise InputError(f"{org} can't write to {what}.", fix=f"Name one with --collection: {names or 'none'}.")
    return LocalSink(exchange, organisation, found[0], terms)
