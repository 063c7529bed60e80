"""What every part of this room works with: the store, the numbers in force, and who takes part now."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from exchange.cases.contest import Actor
from exchange.cases.ownership import ownership_groups
from exchange.cases.parameters import Parameters, parameters_of
from exchange.model.party import Credential, Directory, Organisation
from exchange.obligations.means import Means
from exchange.policy.packs import Packs
from exchange.store.objects import ObjectQueries


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
