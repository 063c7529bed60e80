"""Mailboxes in the database: opened when something is first written to one, inside the writer's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Table, select, text

from exchange.store.labels import Grants, ensure
from exchange.store.object_tables import CONTRIBUTOR, FEED, LABEL
from exchange.store.objects import NOBODY, Reader
from exchange.store.pushes import NewObject, add_objects


@dataclass(frozen=True)
class MailboxKey:
    """Which mailbox, who writes into it, and the label of what it holds."""

    collection: str
    writer: str
    label_digest: str
    label_facts: str


def put(connection: Connection, box: MailboxKey, grants: Grants, objects: Sequence[NewObject], now: int) -> None:
    """Add objects to a mailbox; their ``label`` is set here. What is there already stays as it is."""
    label = ensure(connection, LABEL, box.label_digest, box.label_facts, grants)
    feed = _number(connection, FEED, "collection", box.collection)
    writer = _number(connection, CONTRIBUTOR, "org", box.writer)
    labelled = [replace(new, label=label) for new in objects]
    add_objects(connection, feed=feed, contributor=writer, reader=Reader(profile=NOBODY, now=now), objects=labelled)


def _number(connection: Connection, table: Table, column: str, value: str) -> int:
    """The number of a collection or contributor, made if it is new; of two that make it at once one waits."""
    connection.execute(
        text(f"INSERT INTO {table.name} ({column}) VALUES (:value) ON CONFLICT DO NOTHING"),  # noqa: S608 - our names # nosec B608
        {"value": value},
    )
    return int(connection.execute(select(table.c.number).where(table.c[column] == value)).scalar_one())
