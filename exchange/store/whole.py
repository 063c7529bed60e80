"""What is asked of all of a store at once, for backups: how many objects, how far dates went."""

from __future__ import annotations

from sqlalchemy import Connection, func, select, update

from exchange.store.object_tables import FEED, OBJECT


def count_objects(connection: Connection) -> int:
    """Stored versions of objects; a scan of an index."""
    return int(connection.execute(select(func.count()).select_from(OBJECT)).scalar_one())


def last_date(connection: Connection) -> int:
    """The newest date_added (microseconds) that any collection gave out; 0 where none did."""
    return int(connection.execute(select(func.max(FEED.c.last_seq))).scalar() or 0)


def raise_dates(connection: Connection, above: int) -> None:
    """Let no collection give out a date of ``above`` (microseconds) or before: a reader may have passed it."""
    connection.execute(update(FEED).where(FEED.c.last_seq < above).values(last_seq=above, revision=FEED.c.revision + 1))
