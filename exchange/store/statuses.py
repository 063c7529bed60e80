"""Status resources of pushes: kept until they expire, compressed unless they are short."""

from __future__ import annotations

import zlib

from sqlalchemy import Connection, delete, select

from exchange.store.object_tables import STATUS
from exchange.store.statement import adding

_SHORT = 1_000
"""Bytes of a status resource that compressing makes hardly smaller."""
_ZLIB = b"\x78"
"""The first byte of what zlib wrote (RFC 1950, 2.2); no JSON begins so."""


def save_status(
    connection: Connection, *, status_id: str, community: str, org: str, expires: int, body: bytes
) -> None:
    """Keep a push's status resource until ``expires`` (microseconds)."""
    adding(STATUS, connection.dialect).within(
        connection, id=status_id, community=community, org=org, expires=expires, body=_packed(body))


def find_status(
    connection: Connection, *, status_id: str, community: str, org: str, now: int
) -> bytes | None:
    """The status resource, if this organisation pushed it in this community and it hasn't expired."""
    row = STATUS.c
    found = connection.execute(select(row.body).where(
        row.id == status_id, row.community == community, row.org == org, row.expires > now
    )).scalar()
    return None if found is None else _unpacked(bytes(found))


def drop_expired_statuses(connection: Connection, now: int) -> None:
    """Forget statuses whose time is over."""
    connection.execute(delete(STATUS).where(STATUS.c.expires <= now))


def drop_statuses(connection: Connection, org: str, stix_id: str) -> int:
    """Forget the status resources of an organisation's pushes that speak of the object; gives how many."""
    gone = []
    for status_id, body in connection.execute(select(STATUS.c.id, STATUS.c.body).where(STATUS.c.org == org)):
        if stix_id.encode() in _unpacked(bytes(body)):
            gone.append(status_id)
    for status_id in gone:
        connection.execute(delete(STATUS).where(STATUS.c.id == status_id))
    return len(gone)


def _packed(status: bytes) -> bytes:
    return zlib.compress(status, 1) if len(status) > _SHORT else status


def _unpacked(stored: bytes) -> bytes:
    return zlib.decompress(stored) if stored[:1] == _ZLIB else stored
