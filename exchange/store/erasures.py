"""How content is wiped: bodies overwritten, what quotes or derives from them gone, a salted commitment left.

SQLite overwrites what is deleted (secure_delete); PostgreSQL keeps dead rows until its vacuum, see ``settle``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, Engine, RowMapping, Text, cast, delete, insert, literal, select, text, update

from exchange.model.state import State
from exchange.store.case_tables import VALUE_REPORT
from exchange.store.engine import is_sqlite, raw
from exchange.store.log_tables import SALT
from exchange.store.object_tables import CONTRIBUTOR, FEED, OBJECT, REFERENCE
from exchange.store.obligation_tables import ERASURE, HOLD, NOTICE, STATE_CHANGE
from exchange.store.salts import commit_value, destroy_names
from exchange.store.states import Owned, Version, revise
from exchange.store.statuses import drop_statuses

_EMPTY = b""


def bodies_of(connection: Connection, versions: Iterable[Version]) -> list[tuple[Version, bytes]]:
    """The contents that are still there."""
    found = []
    for version in versions:
        body = connection.execute(select(OBJECT.c.body).where(OBJECT.c.number == version.number)).scalar_one()
        if bytes(body):
            found.append((version, bytes(body)))
    return found


def wipe_erased(connection: Connection, owned: Owned, change: int, at: int) -> int:
    """Overwrite the content of every version, leaving a commitment to each; gives how many there were."""
    contents = bodies_of(connection, owned.versions)
    for version, body in contents:
        commitment = commit_value(connection, body.decode(), subject=salts_of(change))
        connection.execute(insert(ERASURE), {
            "change": change, "feed": version.feed, "seq": version.seq, "version": version.version, "at": at,
            "commitment": commitment,
        })
    wipe(connection, owned.versions)
    drop_statuses(connection, owned.org, owned.stix_id)
    return len(contents)


def all_erasures(connection: Connection) -> list[tuple[int, str, str, str]]:
    """Every erasure there was: time (microseconds), contributor, collection, id of the object; oldest first."""
    row = STATE_CHANGE.c
    query = (
        select(row.at, CONTRIBUTOR.c.org, FEED.c.collection, row.stix_id)
        .select_from(STATE_CHANGE.join(FEED, row.feed == FEED.c.number).join(
            CONTRIBUTOR, row.contributor == CONTRIBUTOR.c.number))
        .where(row.after == int(State.ERASED)).order_by(row.number)
    )
    return [(int(at), str(org), str(feed), str(stix_id)) for at, org, feed, stix_id in connection.execute(query)]


def salts_of(change: int) -> str:
    """Under which subject the salts of an erasure are kept."""
    return f"erasure:{change}"


def wipe(connection: Connection, versions: Sequence[Version]) -> None:
    """Overwrite contents, and drop what was read out of them: references and hashes of values."""
    _wipe(connection, [(version.number, version.feed, version.seq) for version in versions])


def wipe_ended(connection: Connection, rows: Sequence[RowMapping]) -> None:
    """The same for rows of ``ended_objects``."""
    _wipe(connection, [(row["number"], row["feed"], row["seq"]) for row in rows])
    destroy_names(connection, {row["stix_id"] for row in rows})


def _wipe(connection: Connection, rows: Sequence[tuple[int, int, int]]) -> None:
    for number, feed, seq in rows:
        connection.execute(update(OBJECT).where(OBJECT.c.number == number).values(body=_EMPTY, refs=0))
        connection.execute(delete(REFERENCE).where(REFERENCE.c.object == number))
        connection.execute(delete(VALUE_REPORT).where(VALUE_REPORT.c.feed == feed, VALUE_REPORT.c.seq == seq))
    revise(connection, {feed for _, feed, _ in rows})


def destroy_old_salts(connection: Connection, before: int) -> int:
    """Forget the salts of erasures that are older than a moment; gives how many there were.

    Those that open the names of the erased objects and of the notices about them in the log go too.
    """
    old = select(ERASURE.c.change).where(ERASURE.c.at < before)
    names = set(connection.execute(select(STATE_CHANGE.c.stix_id).where(STATE_CHANGE.c.number.in_(old))).scalars())
    said = select(literal("state-change:").concat(cast(ERASURE.c.change, Text))).where(ERASURE.c.at < before)
    names.update(connection.execute(select(NOTICE.c.id).where(NOTICE.c.reference.in_(said))).scalars())
    gone = destroy_names(connection, names)
    subjects = select(literal(salts_of(0)[:-1]).concat(cast(ERASURE.c.change, Text))).where(ERASURE.c.at < before)
    return gone + connection.execute(delete(SALT).where(SALT.c.subject.in_(subjects))).rowcount


def ended_objects(connection: Connection, before: int, most: int) -> list[RowMapping]:
    """Rows (number, feed, seq, stix_id) whose time ended before a moment, that still have content and no hold."""
    row, hold = OBJECT.c, HOLD.c
    held = select(hold.number).where(
        hold.id_key == row.id_key, hold.contributor == row.contributor, hold.stix_id == row.stix_id,
        hold.released.is_(None),
    ).exists()
    unwiped = "body <> x''" if is_sqlite(connection) else "body <> ''::bytea"
    query = (
        select(row.number, row.feed, row.seq, row.stix_id)
        .where(text(unwiped), row.visible_until <= before, row.type != "marking-definition", ~held)
        .order_by(row.visible_until).limit(most)
    )
    return list(connection.execute(query).mappings())


def settle(engine: Engine, *, dead_rows: bool = True) -> None:
    """Take what was overwritten out of the database's own files too: the log on SQLite, dead rows on PostgreSQL.

    Best effort: a reader may keep a part of SQLite's log for a while; the next call takes it. It waits for nobody.
    Without ``dead_rows`` PostgreSQL's are left for a later call: they take seconds in a large table.
    """
    with raw(engine) as connection:
        if is_sqlite(engine):
            connection.execute("PRAGMA busy_timeout = 0").close()
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
            connection.execute("PRAGMA busy_timeout = 10000").close()
        elif dead_rows:
            connection.execute("VACUUM object, push_status, sealed")
