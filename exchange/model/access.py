"""Who may read and write which collection: membership at a time, and the lists of a collection.

Times are compared as texts without their final Z: digits sort in time, and a longer fraction sorts later.
"""

from __future__ import annotations

from collections.abc import Iterator

from exchange.model import mailbox
from exchange.model.party import Collection, Community, Directory, Organisation

EVERY_MEMBER = "*"


def holds(since: str | None, until: str | None, at: str) -> bool:
    """Whether ``at`` lies in [since, until): half-open, an open end is for ever (P9)."""
    now = at.rstrip("Z")
    return (since is None or since.rstrip("Z") <= now) and (until is None or now < until.rstrip("Z"))


def active_groups(organisation: Organisation, at: str) -> frozenset[str]:
    """The sharing groups that the organisation is a member of at that time."""
    return frozenset(
        m.group for m in organisation.memberships if m.status == "active" and holds(m.since, m.until, at)
    )


def may_read(collection: Collection, organisation: Organisation, at: str) -> bool:
    """Whether the collection lists the organisation, one of its groups, or every member as reader.

    An organisation that isn't active reads its mailbox and nothing else.
    """
    if not organisation.active:
        return collection.id == mailbox.mailbox_id(organisation.id)
    return _listed(collection.readers, organisation, at)


def may_write(collection: Collection, organisation: Organisation, at: str) -> bool:
    """Whether the collection lists the organisation, one of its groups, or every member as writer."""
    return organisation.active and _listed(collection.writers, organisation, at)


def _listed(names: tuple[str, ...], organisation: Organisation, at: str) -> bool:
    if organisation.id in names or EVERY_MEMBER in names:
        return True
    return bool(names) and not active_groups(organisation, at).isdisjoint(names)


def collections_of(
    directory: Directory, community: Community, organisation: Organisation, at: str
) -> Iterator[Collection]:
    """The community's collections that the organisation may read or write, in the order of their titles."""
    for collection in sorted(directory.collections.values(), key=lambda c: (c.title, c.id)):
        if collection.community == community.id and (
            may_read(collection, organisation, at) or may_write(collection, organisation, at)
        ):
            yield collection


def sees_community(directory: Directory, community: Community, organisation: Organisation, at: str) -> bool:
    """A member of the community's group, or one who may use a collection of it."""
    if not organisation.active:
        return community.id == mailbox.COMMUNITY
    if community.group == EVERY_MEMBER or community.group in active_groups(organisation, at):
        return True
    return next(collections_of(directory, community, organisation, at), None) is not None
