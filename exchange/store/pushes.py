"""How objects are written and withdrawn: one transaction for a push, its order, its status and its event.

``date_added`` is handed out inside the write transaction, under the lock that serialises a collection's
commits (SQLite's write lock, PostgreSQL's lock on the collection's feed row): one counter of microseconds,
max(clock, last + 1), so that its order is the order of the commits also when the clock steps back.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, Dialect, Select, Update, and_, delete, insert, or_, select, update

from exchange.model.state import State
from exchange.stix.references import closure
from exchange.store.object_tables import FEED, OBJECT
from exchange.store.objects import Versions
from exchange.store.references import add_references, closed_targets
from exchange.store.statement import Prepared, listed, number, one_of
from exchange.store.states import Version, add_withdrawn, written
from exchange.store.stirs import stir_pushed
from exchange.store.visibility import Reader, id_key, reader_values, visible

_REVISE = update(FEED).where(FEED.c.number == number("feed")).values(revision=FEED.c.revision + 1)

_AT_A_TIME = 50
"""Rows between two pauses: some millisecond."""
_ACTIVE = int(State.ACTIVE)
_LATE = 1 << 62
"""Added to a claim, it comes after every date; among themselves late claims keep their order."""

_COLUMNS = (
    "feed", "seq", "claim", "contributor", "label", "id_key", "shared_id", "visible_from", "visible_until", "stix_id",
    "type", "version", "version_text", "spec_version", "body", "state", "refs", "closure",
)
"""Of a new row, in the order of ``_Row``."""
_Row = tuple[Any, ...]

Fate = Literal["added", "present", "foreign", "ended"]


@dataclass(slots=True)  # not frozen: that makes each three times as dear
class NewObject:
    """One object that passed every check, ready to be stored."""

    stix_id: str
    type: str
    version: str
    """Sortable text of ``modified`` or ``created``; empty for objects without either."""
    version_text: str | None
    """The time as it was written, where ``version`` + Z is written otherwise."""
    spec_version: str
    label: int
    visible_from: int | None
    visible_until: int | None
    body: bytes
    late_claim: bool = False
    """Its id doesn't follow from its content as it should: it gives way to what the id stands for."""
    refs: tuple[str, ...] = ()
    """Ids that it refers to in a way that would reveal what they stand for (``stix.references``)."""


class Stored(NamedTuple):
    """What became of one object: added (with its date), present already, another's, or revoked or erased before."""

    fate: Fate
    seq: int | None = None
    same_bytes: bool = True
    follows: bool = False
    """The contributor gave an earlier version of it."""


_UNKNOWN_BEFORE = Stored("added")


def add_objects(
    connection: Connection, *, feed: int, contributor: int, reader: Reader, objects: Sequence[NewObject],
    pause: Callable[[], None] = lambda: None, onlooker: Reader | None = None,
    turns: frozenset[int] = frozenset(),
) -> list[Stored]:
    """Store the objects in their order; ``reader`` is the contributor itself, who is told of no invisible row.

    ``onlooker`` is the contributor as it reads any collection: references to what it sees are closed (P20).
    ``pause`` is called every few objects, so that others have their turn. ``turns`` are other collections whose turns
    are taken first. Raises CrossedError where that of one is needed that another transaction has (``engine.crossing``).

    An object is ``foreign`` when the contributor may see another's object of the same id that has another
    version or other bytes: only the contributor of an object revises it.
    """
    last = _take_turns(connection, feed, turns) if turns else lock_feed(connection, feed)
    keys = [id_key(new.stix_id) for new in objects]
    known = _known_rows(connection, feed, contributor, reader, objects, keys)
    pause()
    fates = _fates(known, contributor, objects)
    pause()
    fresh = [new for new, fate in zip(objects, fates, strict=True) if fate.fate == "added"]
    if not fresh:
        return fates
    first = max(reader.now, last + 1)
    _advance(connection.dialect).within(connection, feed=feed, last=first + len(fresh) - 1)
    targets = _closed(connection, fresh, objects, contributor, onlooker or reader)
    rows = _rows(connection, feed, contributor, first, fresh, known, targets)
    pause()
    sql, by_name = _prepared_insert(connection.dialect)
    driver: Any = connection.connection.driver_connection
    with closing(driver.cursor()) as cursor:
        for start in range(0, len(rows), _AT_A_TIME):
            some: Sequence[Any] = rows[start : start + _AT_A_TIME]
            cursor.executemany(sql, [dict(zip(_COLUMNS, row, strict=True)) for row in some] if by_name else some)
            if len(rows) > _AT_A_TIME:
                pause()
    stir_pushed(connection, feed, range(first, first + len(fresh)), keys)
    add_references(connection, feed, {first + at: refs for at, refs in targets.items()})
    dates = iter(range(first, first + len(fresh)))
    return [Stored("added", next(dates), follows=f.follows) if f.fate == "added" else f for f in fates]


def foretell(
    connection: Connection, *, feed: int, contributor: int, reader: Reader, objects: Sequence[NewObject]
) -> list[Stored]:
    """What ``add_objects`` would make of the objects now; nothing is stored."""
    keys = [id_key(new.stix_id) for new in objects]
    return _fates(_known_rows(connection, feed, contributor, reader, objects, keys), contributor, objects)


def _fates(known: dict[str, list[_Known]], contributor: int, objects: Sequence[NewObject]) -> list[Stored]:
    """Each object's fate in its order; those that are added become known."""
    fates: list[Stored] = []
    for new in objects:
        others = known.get(new.stix_id)
        fate = _fate(others, contributor, new) if others else _UNKNOWN_BEFORE
        fates.append(fate)
        if fate.fate == "added":
            if others is None:
                others = known[new.stix_id] = []
            state = _state(others, contributor) if others else _ACTIVE
            others.append(_Known(contributor, new.version, new.body, claim=None, visible=True, state=state))
    return fates


@dataclass(slots=True)
class _Known:
    contributor: int
    version: str
    body: bytes
    claim: int | None
    visible: bool
    state: int


def _known_rows(
    connection: Connection, feed: int, contributor: int, reader: Reader, objects: Sequence[NewObject],
    keys: Sequence[int],
) -> dict[str, list[_Known]]:
    """Every row of the ids (``keys``: their hashes) about to be written; the invisible ones only count for
    ``shared_id``."""
    dialect = connection.dialect
    rows = _select_known(dialect).within(
        connection, feed=feed, keys=listed(dialect, keys), **reader_values(dialect, reader))
    if not rows:
        return {}
    ids = {o.stix_id for o in objects}
    known: dict[str, list[_Known]] = {}
    for stix_id, who, version, claim, may_see, body, state in rows:
        if stix_id in ids:
            known.setdefault(stix_id, []).append(
                _Known(who, version, body, claim, visible=who == contributor or bool(may_see), state=state)
            )
    return known


@cache
def _select_known(dialect: Dialect) -> Prepared:
    row = OBJECT.c
    return Prepared(select(
        row.stix_id, row.contributor, row.version, row.claim, visible(OBJECT, dialect, full=True).label("seen"),
        row.body, row.state,
    ).where(row.feed == number("feed"), one_of(dialect, row.id_key, "keys")), dialect)


@cache
def _select_last(dialect: Dialect) -> Prepared:
    return Prepared(select(FEED.c.last_seq).where(FEED.c.number == number("feed")).with_for_update(), dialect)


@cache
def _advance(dialect: Dialect) -> Prepared:
    return Prepared(update(FEED).where(FEED.c.number == number("feed")).values(last_seq=number("last")), dialect)


def _fate(rows: Sequence[_Known], contributor: int, new: NewObject) -> Stored:
    mine = [row for row in rows if row.contributor == contributor]
    if any(row.state == State.ERASED for row in mine):
        return Stored("ended")
    for row in mine:
        if row.version == new.version:
            return Stored("present", same_bytes=row.body == new.body)
    for row in rows:
        if row.contributor == contributor or not row.visible or not new.version:
            continue
        if row.version != new.version or row.body != new.body:
            return Stored("foreign")
    if any(row.state == State.REVOKED for row in mine):
        return Stored("ended")
    return Stored("added", follows=bool(mine))


def _state(rows: Sequence[_Known], contributor: int) -> int:
    """A new version is under the restriction, dispute or review of those before it."""
    return next((row.state for row in rows if row.contributor == contributor), _ACTIVE)


def lock_feed(connection: Connection, feed: int) -> int:
    """Wait for the collection's turn and give its newest date; the turn ends with the transaction.

    Taken before anything is looked up, so that two pushes of one id see each other.
    """
    return int(_select_last(connection.dialect).within(connection, feed=feed)[0][0])


def _take_turns(connection: Connection, feed: int, others: frozenset[int]) -> int:
    """Wait for the turns of several collections, in the order of their numbers; gives the newest date of ``feed``."""
    return {one: lock_feed(connection, one) for one in sorted(others | {feed})}[feed]


def _rows(
    connection: Connection, feed: int, contributor: int, first: int,
    fresh: Sequence[NewObject], known: dict[str, list[_Known]], targets: Mapping[int, Sequence[str]],
) -> list[_Row]:
    """The rows of new objects; rows that are there already are told that their ids have company now.

    ``targets`` are the closed references by place in ``fresh``: how many they are and what that asks is in the row.
    """
    claims: dict[str, int] = {}
    crowded: list[str] = []
    rows: list[_Row] = []
    for at, new in enumerate(fresh):
        others, claim = known[new.stix_id], first + at + (_LATE if new.late_claim else 0)
        shared, state = len(others) > 1, others[0].state
        if shared:
            state = _state(others, contributor)
            crowded.append(new.stix_id)
            mine = [o.claim for o in others if o.contributor == contributor and o.claim is not None]
            claim = claims.setdefault(new.stix_id, min(mine, default=claim))
        closed = len(targets.get(at, ()))
        rows.append((
            feed, first + at, claim, contributor, new.label, id_key(new.stix_id), int(shared), new.visible_from,
            new.visible_until, new.stix_id, new.type, new.version, new.version_text, new.spec_version, new.body,
            state, closed, int(closure(new.type, len(new.refs), closed)) if closed else 0,
        ))
    if crowded:
        connection.execute(_mark_shared(connection.dialect), _names(connection.dialect, feed, crowded))
        connection.execute(_REVISE, {"feed": feed})
    return rows


def _closed(
    connection: Connection, fresh: Sequence[NewObject], objects: Sequence[NewObject], contributor: int,
    onlooker: Reader,
) -> dict[int, list[str]]:
    """Which references of the new objects are closed, by place in ``fresh``."""
    asked = {ref for new in fresh for ref in new.refs}
    if not asked:
        return {}
    there = closed_targets(connection, asked, envelope={o.stix_id for o in objects}, contributor=contributor,
                           onlooker=onlooker)
    closed = {}
    for at, new in enumerate(fresh):
        targets = [ref for ref in new.refs if ref in there and ref != new.stix_id]
        if targets:
            closed[at] = targets
    return closed


@cache
def _prepared_insert(dialect: Dialect) -> tuple[str, bool]:
    """The insert as the driver takes it, and whether it takes values by name, else in the order of ``_COLUMNS``.

    Core's handling of each parameter costs more than the insert itself.
    """
    compiled = insert(OBJECT).compile(dialect=dialect, column_keys=list(_COLUMNS))
    return str(compiled), compiled.positiontup is None


@cache
def _mark_shared(dialect: Dialect) -> Update:
    return update(OBJECT).where(_named(dialect), OBJECT.c.shared_id == 0).values(shared_id=1)


def _named(dialect: Dialect) -> Any:
    row = OBJECT.c
    return and_(
        row.feed == number("the_feed"), one_of(dialect, row.id_key, "keys"), one_of(dialect, row.stix_id, "ids")
    )


def _names(dialect: Dialect, feed: int, ids: Sequence[str]) -> dict[str, Any]:
    keys = [id_key(i) for i in ids]
    return {"the_feed": feed, "keys": listed(dialect, keys), "ids": listed(dialect, ids)}


def withdraw(
    connection: Connection, *, feed: int, contributor: int, stix_id: str, versions: Versions,
    spec_versions: tuple[str, ...] | None, at: int | None = None,
) -> list[str]:
    """Delete the contributor's own rows of an id that the filters name, ``at`` a time in microseconds that is noted.

    Gives the versions that went.
    """
    lock_feed(connection, feed)
    row = OBJECT.c
    mine = and_(_named(connection.dialect), row.contributor == contributor, row.state != int(State.ERASED))
    if spec_versions is not None:
        mine = and_(mine, row.spec_version.in_(spec_versions))
    found = connection.execute(
        select(row.number, row.version, row.version_text, row.seq, row.label, row.state)
        .where(mine).order_by(row.version, row.seq),
        _names(connection.dialect, feed, [stix_id]),
    ).all()
    chosen = [r for i, r in enumerate(found) if _is_named(r.version, r.seq, i, len(found), versions)]
    if chosen:
        connection.execute(delete(OBJECT).where(row.number.in_([r.number for r in chosen])))
        add_withdrawn(connection, feed=feed, contributor=contributor, stix_id=stix_id,
                      versions=[Version(r.number, feed, contributor, r.seq, r.label, State(r.state),
                                        written(r.seq, r.version, r.version_text)) for r in chosen], at=at)
        connection.execute(_REVISE, {"feed": feed})
    return [r.version for r in chosen]


def has_contributed(connection: Connection, *, feed: int, contributor: int, stix_id: str) -> bool:
    """Whether the contributor has any version of the object in the collection."""
    mine = select(OBJECT.c.number).where(_named(connection.dialect), OBJECT.c.contributor == contributor).limit(1)
    return connection.execute(mine, _names(connection.dialect, feed, [stix_id])).first() is not None


def last_versions(connection: Connection, *, feed: int, contributor: int, ids: Sequence[str]) -> dict[str, bytes]:
    """Id to the contributor's newest version of it; nothing of what is revoked or erased."""
    row = OBJECT.c
    ended = (int(State.REVOKED), int(State.ERASED))
    found = connection.execute(
        select(row.stix_id, row.body, row.state).where(_named(connection.dialect), row.contributor == contributor)
        .order_by(row.version, row.seq), _names(connection.dialect, feed, ids),
    ).all()
    over = {r.stix_id for r in found if r.state in ended}
    return {r.stix_id: bytes(r.body) for r in found if r.stix_id not in over}


def holds_bodies(connection: Connection, feed: int, bodies: Iterable[bytes]) -> bool:
    """Whether a small collection holds every one of these objects, byte for byte."""
    held = connection.execute(select(OBJECT.c.body).where(OBJECT.c.feed == feed)).scalars()
    return set(bodies) <= {bytes(body) for body in held}


def _is_named(version: str, seq: int, place: int, total: int, versions: Versions) -> bool:
    """Whether the filter names the row that stands at ``place`` among ``total``, oldest version first."""
    words = versions.keywords
    return (
        "all" in words
        or ("first" in words and place == 0)
        or ("last" in words and place == total - 1)
        or (version in versions.times if version else seq in versions.added)
    )


def find_markings(
    connection: Connection, refs: Collection[str], *, feed: int, contributor: int, reader: Reader
) -> dict[str, bytes]:
    """Stored markings of those ids: the contributor's own of any collection, else those that it sees here.

    Where it sees two that say different things under one id, here or in another collection that it reads, neither
    counts: somebody would choose for it who gets what it marks (P1, P2).
    """
    dialect = connection.dialect
    rows = connection.execute(_select_markings(dialect), {
        "feed": feed, "contributor": contributor, **reader_values(dialect, reader),
        "keys": listed(dialect, [id_key(ref) for ref in refs]), "ids": listed(dialect, refs),
    })
    given: dict[str, list[tuple[bytes, bool, bool]]] = {}
    for stix_id, body, own, here in rows:
        given.setdefault(stix_id, []).append((bytes(body), bool(own), bool(here)))
    found: dict[str, bytes] = {}
    for stix_id, bodies in given.items():
        body, own, _ = bodies[0]
        first = next((body for body, _, here in bodies if here), None)
        if own:
            found[stix_id] = body
        elif first is not None and all(other == first or json.loads(other) == json.loads(first)
                                       for other, _, _ in bodies):
            found[stix_id] = first
    return found


@cache
def _select_markings(dialect: Dialect) -> Select[Any]:
    row = OBJECT.c
    own = row.contributor == number("contributor")
    feeds = row.feed.in_(select(FEED.c.number))  # the index of ids begins with the feed
    here = row.feed == number("feed")
    read = row.feed.in_(select(FEED.c.number).where(one_of(dialect, FEED.c.collection, "collections")))
    return select(row.stix_id, row.body, own.label("own"), here.label("here")).where(
        feeds, one_of(dialect, row.id_key, "keys"), one_of(dialect, row.stix_id, "ids"),
        row.state != int(State.ERASED), or_(own, and_(or_(here, read), visible(OBJECT, dialect, full=True))),
    ).order_by(own.desc(), row.seq)
