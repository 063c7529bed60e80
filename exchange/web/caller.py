"""Who sent the request being answered, and what the directory lets it reach."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast

from flask import Request, current_app, g, request

from exchange.errors import ForbiddenError, NotFoundError
from exchange.model import mailbox
from exchange.model.access import may_read, may_write, sees_community
from exchange.model.party import Collection, Community, Credential, Directory, Organisation
from exchange.stix.timestamp import from_microseconds
from exchange.store.changes import Seen
from exchange.web.auth.door import Judge
from exchange.wiring import Exchange


@dataclass(frozen=True)
class Caller:
    """An authenticated organisation at one moment; ``now`` in microseconds."""

    directory: Directory
    organisation: Organisation
    credential: Credential
    narrower_purpose: str | None
    now: int
    proof: Judge = field(repr=False)
    """Whether what the request showed still proves its credential."""
    seen: Seen | None = None
    """How the database was when the request came."""

    @cached_property
    def at(self) -> str:
        """The moment as RFC 3339 text."""
        return from_microseconds(self.now)

    def renewed(self, exchange: Exchange) -> Caller:
        """As it is now, judged as its request was: what it showed may have ended since.

        Raises RefusedError, and UnavailableError where the keys of a token that fits can't be had.
        """
        now, (directory, seen) = exchange.clock(), exchange.look()
        credential = self.proof(directory, exchange.moment(now))
        return replace(self, directory=directory, organisation=directory.organisations[credential.org],
                       credential=credential, now=now, seen=seen)

    def may_read(self, collection: Collection) -> bool:
        """The collection's readers and the credential's scopes admit it; any credential opens the mailbox."""
        scoped = "read" in self.credential.scopes or collection.community == mailbox.COMMUNITY
        return scoped and may_read(collection, self.organisation, self.at)

    def may_write(self, collection: Collection) -> bool:
        """The collection's writers and the credential's scopes admit it."""
        return "write" in self.credential.scopes and may_write(collection, self.organisation, self.at)

    def community(self, slug: str) -> Community:
        """The API root; raises NotFoundError where the caller may not know of it."""
        community = self.directory.communities.get(slug)
        if community is None or not sees_community(
            self.directory, community, self.organisation, self.at
        ):
            raise NotFoundError("There is no such API root.")
        return community

    def collection(self, slug: str, name: str) -> Collection:
        """The collection by id or alias; raises NotFoundError where the caller may not know of it."""
        community = self.community(slug)
        named = self.directory.collections.get(name)
        asked = [named] if named is not None else [c for c in self.directory.collections.values() if c.alias == name]
        for found in asked:
            if found.community == community.id and self._may_use(found):
                return found
        raise NotFoundError("There is no such collection.")

    def _may_use(self, collection: Collection) -> bool:
        return self.may_read(collection) or self.may_write(collection)

    def readable(self, slug: str, name: str) -> Collection:
        """As ``collection``; raises ForbiddenError where it may only write."""
        collection = self.collection(slug, name)
        if not self.may_read(collection):
            raise ForbiddenError("This credential may write to the collection but not read it.")
        return collection

    def writable(self, slug: str, name: str) -> Collection:
        """As ``collection``; raises ForbiddenError where it may only read."""
        collection = self.collection(slug, name)
        if not self.may_write(collection):
            raise ForbiddenError("This credential may read the collection but not write to it.")
        return collection


def current_request() -> Request:
    """The request being answered, itself: Flask's stand-in looks for it anew each time that it is asked something."""
    asked: Request = cast(Any, request)._get_current_object()
    return asked


def current_caller() -> Caller:
    """The caller of the request being answered."""
    caller: Caller = g.caller
    return caller


def current_exchange() -> Exchange:
    """The exchange that the application serves."""
    exchange: Exchange = current_app.extensions["exchange"]
    return exchange
