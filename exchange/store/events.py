"""What happened: each push, delete, decision or change is noted in the transaction that does it.

A noted event is a leaf of the log to be: the sequencer gives it its place (``exchange.notary``).
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from exchange.stix.canonical import canonical
from exchange.store.log_tables import PENDING
from exchange.store.object_tables import EVENT
from exchange.store.salts import commit_name, names_object
from exchange.store.statement import adding

_SAID = ("at", "kind", "org", "detail", "id", "nonce")


def record(
    connection: Connection, *, at: int, kind: str, org: str, detail: Mapping[str, Any], event_id: str = ""
) -> str:
    """Note one event at ``at`` (microseconds) of an organisation; gives its id, by which it asks for the receipt.

    ``event_id`` is one that the organisation has been given already, as random as those made here.
    ``detail`` holds no personal value in clear: a commitment (``exchange.store.salts``) stands for it, and one is
    put in the place of every object's id.
    """
    made = event_id or secrets.token_hex(16)
    dialect = connection.dialect
    [(number,)] = adding(EVENT, dialect, *_SAID, gives="number").within(
        connection, at=at, kind=kind, org=org, detail=canonical(_closed(connection, detail)), id=made,
        nonce=secrets.token_hex(16))
    adding(PENDING, dialect).within(connection, number=number)
    return made


def _closed(connection: Connection, value: Any) -> Any:
    """The value with a commitment for each object's id."""
    if isinstance(value, str):
        return commit_name(connection, value) if names_object(value) else value
    if isinstance(value, Mapping):
        return {name: _closed(connection, inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_closed(connection, inner) for inner in value]
    return value
