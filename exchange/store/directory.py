"""The members' directory in the database: read whole as one snapshot, changed row by row under a version.

Every process keeps a snapshot and compares ``directory_version`` at each request: a change made by any
process is seen by all at their next request.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping, select, text

from exchange.model.party import (
    Agreement,
    Collection,
    Community,
    Credential,
    Directory,
    Membership,
    Organisation,
)
from exchange.store.directory_tables import JSON_COLUMNS, table

_VERSION = text("SELECT value FROM meta WHERE key = 'directory.version'")


def directory_version(connection: Connection) -> int:
    """The directory's version: one row read; it grows with every change of any part of the directory."""
    return int(connection.execute(_VERSION).scalar_one())


def quick_directory_version(driver: Any) -> int:
    """The same on a raw driver connection: asked at every request."""
    cursor = driver.cursor()
    try:
        return int(cursor.execute(_VERSION.text).fetchone()[0])
    finally:
        cursor.close()


def meta_value(connection: Connection, key: str) -> str:
    """A fact about the database itself, such as ``cursor.secret`` (64 hex digits). Raises KeyError."""
    rows = table("meta")
    value = connection.execute(select(rows.c.value).where(rows.c.key == key)).scalar()
    if value is None:
        raise KeyError(key)
    return str(value)


def load_directory(connection: Connection) -> Directory:
    """A snapshot of the whole directory; use the connection of one read transaction."""
    memberships: dict[str, list[Membership]] = defaultdict(list)
    for row in _rows(connection, "membership"):
        memberships[row["org"]].append(
            Membership(group=row["grp"], since=row["since"], until=row["until"], status=row["status"])
        )
    agreements: dict[str, list[Agreement]] = defaultdict(list)
    for row in _rows(connection, "agreement"):
        agreements[row.pop("org")].append(Agreement(**_tuples(row)))
    organisations = (
        Organisation(
            **_tuples(row), memberships=tuple(memberships[row["id"]]), agreements=tuple(agreements[row["id"]])
        )
        for row in _rows(connection, "organisation")
    )
    communities = (
        Community(id=row["id"], title=row["title"], group=row["grp"], description=row["description"])
        for row in _rows(connection, "community")
    )
    return Directory(
        version=directory_version(connection),
        organisations={organisation.id: organisation for organisation in organisations},
        groups={row["id"]: row["title"] for row in _rows(connection, "grp")},
        communities={community.id: community for community in communities},
        collections={row["id"]: Collection(**_tuples(row)) for row in _rows(connection, "collection")},
        credentials={row["id"]: Credential(**_tuples(row)) for row in _rows(connection, "credential")},
    )


def _rows(connection: Connection, name: str) -> Iterable[dict[str, Any]]:
    """Rows in the order of their keys, JSON columns read."""
    rows = table(name)
    for row in connection.execute(select(rows).order_by(*rows.primary_key.columns)).mappings():
        yield decoded(row)


def decoded(row: RowMapping) -> dict[str, Any]:
    """A row with its JSON columns read."""
    return {
        name: json.loads(value) if name in JSON_COLUMNS and value is not None else value
        for name, value in row.items()
    }


def _tuples(row: Mapping[str, Any]) -> dict[str, Any]:
    """The model's values are frozen: lists become tuples (inner tables stay as they are)."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in row.items()}
