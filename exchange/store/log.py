"""How the log lies in the store: pending events, their places, tiles of hashes, checkpoints, cosignatures, keys.

Order is given by one at a time: whoever holds the row ``size`` of ``log_cursor`` (PostgreSQL) or the write
transaction (SQLite).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, Dialect, and_, bindparam, delete, insert, or_, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from exchange.store.engine import is_sqlite
from exchange.store.log_spans import Span, add_runs, groups, place_in, place_of, runs, spans_between
from exchange.store.log_tables import COSIGNATURE, CURSOR, KEY, PENDING, SIGNED, SPAN, TILE
from exchange.store.object_tables import EVENT
from exchange.store.statement import Prepared, adding, listed, one_of

_ROW = EVENT.c
_COLUMNS = (_ROW.number, _ROW.id, _ROW.at, _ROW.kind, _ROW.org, _ROW.detail, _ROW.nonce)
_PENDING = (select(*_COLUMNS).join(PENDING, PENDING.c.number == _ROW.number).order_by(PENDING.c.number)
            .limit(bindparam("most")))
_PLACED = delete(PENDING).where(PENDING.c.number.between(bindparam("low"), bindparam("high")))


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as it lies in the store; ``number`` is 0 for one that isn't stored yet."""

    number: int
    id: str
    at: int
    kind: str
    org: str
    detail: str
    nonce: str
    place: int | None = None


def take_turn(connection: Connection) -> int | None:
    """Hold the log until the transaction ends and give its size; None where somebody else holds it now."""
    size = select(CURSOR.c.value).where(CURSOR.c.name == "size")
    if not is_sqlite(connection):
        size = size.with_for_update(skip_locked=True)
    found = connection.execute(size).scalar()
    return None if found is None else int(found)


def cursor(connection: Connection, name: str) -> int:
    """One of the log's numbers: size (leaves), ledger (last delivery taken), tick (microseconds)."""
    return int(connection.execute(select(CURSOR.c.value).where(CURSOR.c.name == name)).scalar_one())


def set_cursor(connection: Connection, name: str, value: int) -> None:
    """Change one of the log's numbers."""
    connection.execute(update(CURSOR).where(CURSOR.c.name == name).values(value=value))


def pending_events(connection: Connection, most: int) -> list[StoredEvent]:
    """Committed events without a place, in the order of their numbers."""
    return [StoredEvent(*row) for row in connection.execute(_PENDING, {"most": most}).all()]


def give_places(connection: Connection, numbers: Sequence[int], first: int) -> None:
    """Give pending events, by their growing numbers, the places from ``first`` on."""
    if numbers:
        made = runs(numbers, first)
        connection.execute(_PLACED, [{"low": run.number, "high": run.number + run.count - 1} for run in made])
        add_runs(connection, made)


def add_placed(connection: Connection, events: Sequence[StoredEvent], first: int) -> None:
    """Store new events at the places from ``first`` on."""
    if not events:
        return
    rows = [{"id": one.id, "at": one.at, "kind": one.kind, "org": one.org, "detail": one.detail, "nonce": one.nonce}
            for one in events]
    add_runs(connection, runs(_added(connection, rows), first))


def _added(connection: Connection, rows: Sequence[Mapping[str, object]]) -> list[int]:
    """Store events, and give their numbers: on SQLite, which has one writer at a time, they follow each other."""
    if not is_sqlite(connection):
        added = connection.execute(insert(EVENT).returning(_ROW.number, sort_by_parameter_order=True), rows)
        return list(added.scalars())
    driver: Any = connection.connection.driver_connection
    driver.executemany(adding(EVENT, connection.dialect, *rows[0]).sql, rows)
    last = int(driver.execute("SELECT last_insert_rowid()").fetchone()[0])
    return list(range(last - len(rows) + 1, last + 1))


def known_ids(connection: Connection, ids: Iterable[str]) -> set[str]:
    """Which of these ids events have already."""
    rows = _with_ids(connection.dialect).within(connection, ids=listed(connection.dialect, list(ids)))
    return {str(one) for one, in rows}


@cache
def _with_ids(dialect: Dialect) -> Prepared:
    return Prepared(select(_ROW.id).where(one_of(dialect, _ROW.id, "ids")), dialect)


def placed_events(
    connection: Connection, first: int, end: int | None = None, org: str | None = None, most: int | None = None
) -> list[StoredEvent]:
    """Up to ``most`` leaves from place ``first`` to before ``end``, of one organisation or of all, in order."""
    found: list[StoredEvent] = []
    for group in groups(spans_between(connection, first, end)):
        by_number = sorted(group, key=lambda span: span.number)
        high = by_number[-1].number + by_number[-1].count - 1
        wanted = select(*_COLUMNS).where(_ROW.number.between(by_number[0].number, high)).order_by(_ROW.number)
        if org is not None:
            wanted = wanted.where(_ROW.org == org)
        if most is not None and len(group) == 1:
            wanted = wanted.limit(most - len(found))
        rows = ((place_in(by_number, row.number), row) for row in connection.execute(wanted).all())
        found += sorted((StoredEvent(*row, place) for place, row in rows if place is not None), key=_place)
        if most is not None and len(found) >= most:
            return found[:most]
    return found


def _place(event: StoredEvent) -> int:
    return event.place or 0


def unplaced(connection: Connection, size: int) -> str | None:
    """What is wrong with the order of events in a log of ``size`` leaves, in words; None where nothing is."""
    place, reached = 0, 0
    spans = sorted(spans_between(connection, 0), key=lambda span: span.place)
    for span in spans:
        if span.place != place:
            return f"No event is told for place {place}."
        place += span.count
    if place != size:
        return f"Events claim {place} places in a log of {size} leaves."
    lost = select(PENDING.c.number).where(PENDING.c.number.not_in(select(_ROW.number)))
    if connection.execute(lost.limit(1)).first():
        return "An event was removed before it got its place."
    for span in [*sorted(spans, key=lambda span: span.number), Span(size, 1 << 62, 0)]:
        if span.number < reached:
            return f"An event has two places in the log, {span.place} and another."
        between = select(_ROW.id).where(_ROW.number >= reached, _ROW.number < span.number)
        stray = connection.execute(between.where(_ROW.number.not_in(select(PENDING.c.number))).limit(1)).scalar()
        if stray is not None:
            return f"The event {stray} has no place in the log and waits for none: it was put there past the sequencer."
        reached = span.number + span.count
    return None


def find_event(connection: Connection, event_id: str) -> StoredEvent | None:
    """The event of that id, with or without a place."""
    row = connection.execute(select(*_COLUMNS).where(_ROW.id == event_id)).first()
    return None if row is None else StoredEvent(*row, place_of(connection, row.number))


def forget_order(connection: Connection) -> None:
    """Take places, tiles, checkpoints and the log's own keys away: every event waits for its place in another log.

    The ledger is looked through from its beginning again: another one may have come in its place.
    """
    for table in (PENDING, SPAN, TILE, SIGNED, COSIGNATURE):
        connection.execute(delete(table))
    connection.execute(delete(KEY).where(KEY.c.org == ""))
    connection.execute(insert(PENDING).from_select(["number"], select(_ROW.number)))
    set_cursor(connection, "size", 0)
    set_cursor(connection, "ledger", 0)


def last_event(connection: Connection, kind: str) -> StoredEvent | None:
    """The newest event of a kind."""
    newest = select(*_COLUMNS).where(_ROW.kind == kind).order_by(_ROW.number.desc()).limit(1)
    row = connection.execute(newest).first()
    return None if row is None else StoredEvent(*row, place_of(connection, row.number))


def anything_pending(connection: Connection) -> bool:
    """Whether an event waits for its place."""
    return connection.execute(select(PENDING.c.number).limit(1)).first() is not None


def save_tiles(connection: Connection, tiles: Mapping[tuple[int, int], bytes]) -> None:
    """Write tiles, whole; what was there of them is replaced."""
    if not tiles:
        return
    add = (sqlite if is_sqlite(connection) else postgresql).insert(TILE)
    keep = add.on_conflict_do_update(index_elements=["level", "number"], set_={"hashes": add.excluded.hashes})
    connection.execute(keep, [{"level": level, "number": n, "hashes": data} for (level, n), data in tiles.items()])


def read_tile(connection: Connection, level: int, number: int) -> bytes:
    """A tile as wide as it has grown; empty where there is none."""
    row = TILE.c
    found = connection.execute(select(row.hashes).where(row.level == level, row.number == number)).scalar()
    return b"" if found is None else bytes(found)


def read_tiles(connection: Connection, wanted: Iterable[tuple[int, int]]) -> dict[tuple[int, int], bytes]:
    """Tiles by (level, number), as wide as they have grown; those that aren't there are left out."""
    row = TILE.c
    asked = or_(*(and_(row.level == level, row.number == number) for level, number in sorted(set(wanted))))
    return {(level, number): bytes(hashes) for level, number, hashes in connection.execute(
        select(row.level, row.number, row.hashes).where(asked))}


def save_checkpoint(connection: Connection, size: int, at: int, note: str) -> None:
    """Keep a signed checkpoint."""
    connection.execute(insert(SIGNED), {"size": size, "at": at, "note": note})


def newest_checkpoint(connection: Connection) -> tuple[int, str] | None:
    """Size and note of the newest checkpoint."""
    row = connection.execute(select(SIGNED.c.size, SIGNED.c.note).order_by(SIGNED.c.size.desc()).limit(1)).first()
    return None if row is None else (int(row.size), str(row.note))


def all_checkpoints(connection: Connection) -> list[tuple[int, int, str]]:
    """Size, time (microseconds) and note of every checkpoint, in order."""
    rows = connection.execute(select(SIGNED.c.size, SIGNED.c.at, SIGNED.c.note).order_by(SIGNED.c.size))
    return [(int(size), int(at), str(note)) for size, at, note in rows]


def handovers(connection: Connection) -> list[str]:
    """The first checkpoint after each key that was replaced: both keys signed it. Oldest first."""
    ended = [key.until for key in log_keys(connection) if not key.org and key.until is not None]
    first = select(SIGNED.c.note).order_by(SIGNED.c.size).limit(1)
    notes = (connection.execute(first.where(SIGNED.c.at >= until)).scalar() for until in sorted(ended))
    return [note for note in notes if note is not None]


def checkpoint_of_size(connection: Connection, size: int) -> str | None:
    """The checkpoint of exactly that size."""
    return connection.execute(select(SIGNED.c.note).where(SIGNED.c.size == size)).scalar()


def save_cosignature(connection: Connection, size: int, verifier: str, at: int, line: str) -> None:
    """Keep a member's signature under a checkpoint; a later one by the same key replaces it."""
    add = (sqlite if is_sqlite(connection) else postgresql).insert(COSIGNATURE)
    keep = add.on_conflict_do_update(
        index_elements=["size", "verifier"], set_={"line": add.excluded.line, "at": add.excluded.at})
    connection.execute(keep, {"size": size, "verifier": verifier, "at": at, "line": line})


def cosignatures(connection: Connection, size: int) -> list[str]:
    """The signature lines of members under the checkpoint of that size."""
    row = COSIGNATURE.c
    return list(connection.execute(select(row.line).where(row.size == size).order_by(row.verifier)).scalars())


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A registered verifier key; ``org`` is empty for the log's own; times in microseconds."""

    verifier: str
    org: str
    since: int
    until: int | None


def log_keys(connection: Connection) -> list[StoredKey]:
    """All registered keys, oldest first."""
    return [StoredKey(*row) for row in connection.execute(
        select(KEY.c.verifier, KEY.c.org, KEY.c.since, KEY.c.until).order_by(KEY.c.since, KEY.c.verifier))]


def add_key(connection: Connection, verifier: str, org: str, since: int) -> None:
    """Register a key."""
    connection.execute(insert(KEY), {"verifier": verifier, "org": org, "since": since})


def end_key(connection: Connection, verifier: str, until: int) -> None:
    """A key isn't used from ``until`` (microseconds) on; it still verifies what it signed."""
    connection.execute(update(KEY).where(KEY.c.verifier == verifier).values(until=until))


def statement_without_limit(connection: Connection) -> None:
    """Let this transaction read the whole log, however long that takes (PostgreSQL)."""
    if not is_sqlite(connection):
        connection.execute(text("SET LOCAL statement_timeout = 0"))


