"""What every part of this room works with: the store, the numbers in force, and who takes part now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from exchange.cases.contest import Actor
from exchange.cases.ownership import ownership_groups
from exchange.cases.parameters import Parameters, parameters_of
from exchange.model.party import Credential, Directory, Organisation
from exchange.obligations.means import Means
from exchange.policy.packs import Packs
from exchange.store.engine import raw
from exchange.store.objects import Filter, ObjectQueries, Reader, Versions

_EVERY = Versions(frozenset({"all"}))


@dataclass(frozen=True)
class Known:
    """An object as a reader knows it: ``body`` is that of the derived form, None where it is shown in full."""

    stix_id: str
    """The object's own id."""
    contributor: int
    body: bytes | None = None


@dataclass(frozen=True)
class Office:
    """The room's view of one exchange; ``engine`` is the store's."""

    engine: Any
    queries: ObjectQueries
    policy: Callable[[], Packs]
    """The policy packs in force."""
    directory: Callable[[], Directory]
    means: Callable[[], Means]
    """What changing states and sending notices needs."""
    made_of: Callable[[int, Reader, Sequence[str]], Mapping[str, Known]] = lambda _feed, _reader, _ids: {}
    """The objects of a collection of which the reader gets derived forms under these ids, by those (P21)."""

    def known(self, feed: int, reader: Reader, ids: Sequence[str]) -> dict[str, list[Known]]:
        """The objects of a collection that the reader sees under these ids, of derived forms or their own."""
        found: dict[str, dict[int, Known]] = {}
        wanted = Filter(ids=tuple(ids), versions=_EVERY, limit=1_000)
        with raw(self.engine) as connection:
            for stix_id, contributor in self.queries.page(connection, feed, reader, wanted,
                                                          ("stix_id", "contributor")):
                found.setdefault(stix_id, {})[contributor] = Known(stix_id, contributor)
        missing = [stix_id for stix_id in ids if stix_id not in found]
        for stix_id, one in (self.made_of(feed, reader, missing) if missing else {}).items():
            found[stix_id] = {one.contributor: one}
        return {stix_id: list(by.values()) for stix_id, by in found.items()}

    @property
    def parameters(self) -> Parameters:
        """The numbers by which cases are timed and counted."""
        return parameters_of(self.policy())

    def members(self) -> Members:
        """Who takes part at this moment."""
        return Members(self.directory())


@dataclass(frozen=True)
class Members:
    """One snapshot of the members, and who of them belong together."""

    directory: Directory

    @cached_property
    def groups(self) -> Mapping[str, str]:
        """Organisation to its ownership group."""
        return ownership_groups(self.directory.organisations.values())

    def group(self, org: str) -> str:
        """The ownership group of an organisation; of a former member, itself."""
        return self.groups.get(org, org)

    def organisation(self, org: str) -> Organisation | None:
        """A present member."""
        return self.directory.organisations.get(org)

    def actor(self, credential: Credential) -> Actor:
        """Who acts with a credential."""
        return Actor(credential.org, self.group(credential.org), credential.person, frozenset(credential.scopes))

    def operators(self) -> list[str]:
        """Organisations that run the exchange: of kind operator, or with a credential of the scope operate."""
        found = {o.id for o in self.directory.organisations.values() if o.kind == "operator" and o.active}
        found |= {c.org for c in self.directory.credentials.values() if "operate" in c.scopes and not c.revoked}
        return sorted(found)
