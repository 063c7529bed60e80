"""How the exchange puts a note of its own beside an object: under the same label row, so that exactly those who see the
object see the note."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import Connection, select, text, update

from exchange.model.mailbox import EXCHANGE
from exchange.stix.references import closure
from exchange.stix.timestamp import version_key
from exchange.store.contests import Given
from exchange.store.object_tables import CONTRIBUTOR, OBJECT
from exchange.store.objects import NOBODY, Reader
from exchange.store.pushes import NewObject, add_objects
from exchange.store.references import add_references


def put_beside(connection: Connection, given: Given, note: dict[str, Any], now: int) -> None:
    """Add the exchange's ``note`` to the collection of an object, with that object's label and window in time.

    Who no longer sees the object, for its state, doesn't see the note either (P20).
    """
    version = version_key(note["modified"])
    new = NewObject(
        stix_id=note["id"], type=note["type"], version=version,
        version_text=None if note["modified"] == version + "Z" else note["modified"], spec_version="2.1",
        label=given.label, visible_from=given.visible_from, visible_until=given.visible_until,
        body=orjson.dumps(note),
    )
    (stored,) = add_objects(connection, feed=given.feed, contributor=_exchange(connection),
                            reader=Reader(NOBODY, now), objects=[new])
    if stored.seq is not None:
        connection.execute(update(OBJECT).where(OBJECT.c.feed == given.feed, OBJECT.c.seq == stored.seq).values(
            refs=1, closure=int(closure(note["type"], 1, 1))))
        add_references(connection, given.feed, {stored.seq: [given.stix_id]})


def _exchange(connection: Connection) -> int:
    """The exchange's number as contributor."""
    connection.execute(text("INSERT INTO contributor (org) VALUES (:org) ON CONFLICT DO NOTHING"), {"org": EXCHANGE})
    return int(connection.execute(select(CONTRIBUTOR.c.number).where(CONTRIBUTOR.c.org == EXCHANGE)).scalar_one())
