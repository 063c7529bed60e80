"""The states of objects in the database: which rows an object has, its state through time, its withdrawn versions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, insert, select, update

from exchange.model.state import State
from exchange.stix.timestamp import from_microseconds
from exchange.store.object_tables import CONTRIBUTOR, FEED, GRANT, LABEL, OBJECT, PROFILE, RECIPIENT
from exchange.store.objects import id_key
from exchange.store.obligation_tables import STATE_CHANGE, WITHDRAWN
from exchange.store.stirs import stir_shown

_AT_ONCE = 500
_REVISE = update(FEED).values(revision=FEED.c.revision + 1)


@dataclass(frozen=True, slots=True)
class Version:
    """One stored version of an object, without its content."""

    number: int
    feed: int
    contributor: int
    seq: int
    label: int
    state: State
    version: str
    """As its producer wrote it; the date added for objects without a version."""


@dataclass(frozen=True, slots=True)
class Owned:
    """One contributor's object in one collection, with all its versions, oldest first."""

    feed: int
    collection: str
    contributor: int
    org: str
    stix_id: str
    versions: tuple[Version, ...]

    @property
    def state(self) -> State:
        """The state of its newest version."""
        return self.versions[-1].state


def find_owned(
    connection: Connection, stix_id: str, *, org: str | None = None, collection: str | None = None
) -> list[Owned]:
    """An id's objects by contributor and collection; ``org`` and ``collection`` (its id) narrow it down."""
    row = OBJECT.c
    query = (
        select(row.number, row.feed, row.contributor, row.seq, row.label, row.state, row.version, row.version_text,
               FEED.c.collection, CONTRIBUTOR.c.org)
        .select_from(OBJECT.join(FEED, row.feed == FEED.c.number).join(
            CONTRIBUTOR, row.contributor == CONTRIBUTOR.c.number))
        .where(row.feed.in_(select(FEED.c.number)), row.id_key == id_key(stix_id), row.stix_id == stix_id)
        .order_by(row.feed, row.contributor, row.version, row.seq)
    )
    if org is not None:
        query = query.where(CONTRIBUTOR.c.org == org)
    if collection is not None:
        query = query.where(FEED.c.collection == collection)
    found: dict[tuple[int, int], list[RowMapping]] = {}
    for one in connection.execute(query).mappings():
        found.setdefault((one["feed"], one["contributor"]), []).append(one)
    return [
        Owned(feed, rows[0]["collection"], contributor, rows[0]["org"], stix_id, tuple(map(_version, rows)))
        for (feed, contributor), rows in found.items()
    ]


def _version(row: RowMapping) -> Version:
    return Version(row["number"], row["feed"], row["contributor"], row["seq"], row["label"], State(row["state"]),
                   written(row["seq"], row["version"], row["version_text"]))


def written(seq: int, version: str, text: str | None) -> str:
    """A version as its producer wrote it; for objects without one, the date added (TAXII 2.1, 3.4.1)."""
    return text or (version + "Z" if version else from_microseconds(seq))


def body_of(connection: Connection, version: Version) -> bytes:
    """The bytes of a version as they were sent; of an erased one what is left."""
    return bytes(connection.execute(select(OBJECT.c.body).where(OBJECT.c.number == version.number)).scalar_one())


def set_state(connection: Connection, versions: Iterable[Version], state: State) -> None:
    """Give rows a state; pages that were kept of their collections no longer count."""
    feeds = set()
    numbers, shown = [], []
    for version in versions:
        feeds.add(version.feed)
        numbers.append(version.number)
        if state <= State.DISPUTED < version.state:
            shown.append(version.number)
    for some in _some(numbers):
        connection.execute(update(OBJECT).where(OBJECT.c.number.in_(some)).values(state=int(state)))
    revise(connection, feeds)
    stir_shown(connection, shown)


def revise(connection: Connection, feeds: Iterable[int]) -> None:
    """Let kept pages of collections count no longer."""
    for feed in sorted(feeds):
        connection.execute(_REVISE.where(FEED.c.number == feed))


def add_change(
    connection: Connection, owned: Owned, *, at: int, before: State, after: State, by: tuple[str, str, str],
    reason: str, citation: str,
) -> int:
    """Note a change of state; ``by`` is organisation, role and key. Gives its number."""
    org, role, key = by
    made = insert(STATE_CHANGE).values(
        feed=owned.feed, contributor=owned.contributor, id_key=id_key(owned.stix_id), stix_id=owned.stix_id, at=at,
        before=int(before), after=int(after), by_org=org, by_role=role, by_key=key, reason=reason, citation=citation,
    ).returning(STATE_CHANGE.c.number)
    return int(connection.execute(made).scalar_one())


def changes_of(connection: Connection, owned: Owned) -> list[dict[str, Any]]:
    """The changes of an object's state, oldest first."""
    row = STATE_CHANGE.c
    query = select(STATE_CHANGE).where(
        row.feed == owned.feed, row.contributor == owned.contributor, row.id_key == id_key(owned.stix_id),
        row.stix_id == owned.stix_id,
    ).order_by(row.at, row.number)
    return [dict(row) for row in connection.execute(query).mappings()]


def state_at(connection: Connection, *, feed: int, contributor: int, stix_id: str, at: int) -> State:
    """The state that a contributor's object had at a moment (microseconds)."""
    row = STATE_CHANGE.c
    same = and_(row.feed == feed, row.contributor == contributor, row.id_key == id_key(stix_id),
                row.stix_id == stix_id)
    last = select(row.after).where(same, row.at <= at).order_by(row.at.desc(), row.number.desc()).limit(1)
    found = connection.execute(last).scalar()
    return State.ACTIVE if found is None else State(found)


def recent_changes(connection: Connection, *, to: State, since: int, first: int = 0) -> list[dict[str, Any]]:
    """Changes to a state since a moment and from a number on, oldest first."""
    row = STATE_CHANGE.c
    query = select(STATE_CHANGE).where(
        row.number >= first, row.after == int(to), row.at >= since).order_by(row.number)
    return [dict(row) for row in connection.execute(query).mappings()]


def add_withdrawn(
    connection: Connection, *, feed: int, contributor: int, stix_id: str, versions: Sequence[Version],
    at: int | None,
) -> None:
    """Remember versions that their contributor deleted at a time (microseconds; None: nobody knows when)."""
    if versions:
        connection.execute(insert(WITHDRAWN), [
            {"feed": feed, "seq": one.seq, "contributor": contributor, "id_key": id_key(stix_id), "stix_id": stix_id,
             "version": one.version, "at": at, "label": one.label, "object": one.number} for one in versions
        ])


def withdrawn_of(connection: Connection, stix_id: str, org: str) -> list[dict[str, Any]]:
    """The versions of an id that an organisation deleted: feed, seq, version, contributor, label, object, collection.

    Label and object (the row's number) are None where an earlier release deleted it.
    """
    row = WITHDRAWN.c
    query = (
        select(row.feed, row.seq, row.version, row.contributor, row.label, row.object, FEED.c.collection)
        .select_from(WITHDRAWN.join(FEED, row.feed == FEED.c.number).join(
            CONTRIBUTOR, row.contributor == CONTRIBUTOR.c.number))
        .where(row.id_key == id_key(stix_id), row.stix_id == stix_id, CONTRIBUTOR.c.org == org)
        .order_by(row.feed, row.seq)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def add_recipients(connection: Connection, version: Version, orgs: Iterable[str]) -> None:
    """Let organisations that received a revoked object see the version that says so (P15)."""
    numbers = select(CONTRIBUTOR.c.number).where(CONTRIBUTOR.c.org.in_(sorted(orgs)))
    there = select(RECIPIENT.c.org).where(RECIPIENT.c.object == version.number)
    fresh = connection.execute(numbers.where(CONTRIBUTOR.c.number.not_in(there))).scalars().all()
    if fresh:
        connection.execute(insert(RECIPIENT), [{"object": version.number, "org": number} for number in fresh])


def label_facts_of(connection: Connection, labels: Iterable[int]) -> dict[int, str]:
    """Canonical facts of labels by their numbers."""
    rows = connection.execute(select(LABEL.c.number, LABEL.c.facts).where(LABEL.c.number.in_(list(labels))))
    return {int(number): str(facts) for number, facts in rows}


def orgs_granted_whole(connection: Connection, labels: Iterable[int]) -> set[str]:
    """Organisations that some label of those was granted to in full, for any of their purposes."""
    profiles = select(PROFILE.c.facts).join(GRANT, GRANT.c.profile == PROFILE.c.number).where(
        GRANT.c.label.in_(sorted(labels)), GRANT.c.withheld == 0)
    return {str(json.loads(facts)["actor"]["org"]) for facts in connection.execute(profiles).scalars()}


def _some(numbers: Sequence[int]) -> Iterable[Sequence[int]]:
    for first in range(0, len(numbers), _AT_ONCE):
        yield numbers[first : first + _AT_ONCE]
