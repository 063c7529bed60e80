"""The members' directory in the database: read whole as one snapshot, changed row by row under a version.

Every process keeps a snapshot and compares ``directory_version`` at each request: a change made by any
process is seen by all at their next request.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from exchange.model.party import (
    Agreement,
    Collection,
    Community,
    Credential,
    Directory,
    Membership,
    Organisation,
)
from exchange.store.directory_tables import DIRECTORY_TABLES, JSON_COLUMNS, table

VERSION = "SELECT value FROM meta WHERE key = 'directory.version'"
_VERSION = text(VERSION)


_FIRST_CURSOR_KEY, _CURSOR_KEYS = "cursor.secret", "cursor.keys"
"""Facts: the key that the database was made with (ids of records hang on it, so it stays), and since the first
rotation those in use."""


def directory_version(connection: Connection) -> int:
    """The directory's version: one row read; it grows with every change of any part of the directory."""
    return int(connection.execute(_VERSION).scalar_one())


def quick_directory_version(driver: Any) -> int:
    """The same on a raw driver connection: asked at every request."""
    cursor = driver.cursor()
    try:
        return int(cursor.execute(VERSION).fetchone()[0])
    finally:
        cursor.close()


def meta_value(connection: Connection, key: str) -> str:
    """A fact about the database itself, such as ``cursor.secret`` (64 hex digits). Raises KeyError."""
    rows = table("meta")
    value = connection.execute(select(rows.c.value).where(rows.c.key == key)).scalar()
    if value is None:
        raise KeyError(key)
    return str(value)


def optional_meta(connection: Connection, key: str) -> str | None:
    """A fact about the database itself that may not be there."""
    rows = table("meta")
    return connection.execute(select(rows.c.value).where(rows.c.key == key)).scalar()


def put_meta(connection: Connection, key: str, value: str) -> None:
    """Keep a fact about the database itself, whatever it was."""
    rows = table("meta")
    made = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(rows).values(key=key, value=value)
    connection.execute(made.on_conflict_do_update(index_elements=["key"], set_={"value": value}))


def replace_meta(connection: Connection, key: str, old: str, new: str) -> bool:
    """Change a fact from ``old`` to ``new``; False where it isn't ``old`` any more."""
    rows = table("meta")
    changed = connection.execute(update(rows).where(rows.c.key == key, rows.c.value == old).values(value=new))
    return changed.rowcount == 1


def cursor_keys(connection: Connection) -> str:
    """The keys of cursors: hexadecimal digits, a comma between, the one that signs first."""
    return optional_meta(connection, _CURSOR_KEYS) or meta_value(connection, _FIRST_CURSOR_KEY)


def put_cursor_keys(connection: Connection, keys: str) -> None:
    """Keep other keys of cursors, in the form of ``cursor_keys``."""
    put_meta(connection, _CURSOR_KEYS, keys)


def load_directory(connection: Connection) -> Directory:
    """A snapshot of the whole directory; use the connection of one read transaction."""
    return directory_of(directory_version(connection), directory_rows(connection))


def directory_rows(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    """The rows of every table of the directory by its name, JSON columns read."""
    return {name: list(_rows(connection, name)) for name in DIRECTORY_TABLES}


def directory_of(version: int, rows: Mapping[str, Iterable[dict[str, Any]]]) -> Directory:
    """The directory that rows (``directory_rows``) stand for."""
    memberships: dict[str, list[Membership]] = defaultdict(list)
    for row in rows["membership"]:
        memberships[row["org"]].append(
            Membership(group=row["grp"], since=row["since"], until=row["until"], status=row["status"])
        )
    agreements: dict[str, list[Agreement]] = defaultdict(list)
    for row in rows["agreement"]:
        agreements[row["org"]].append(Agreement(**_tuples({k: v for k, v in row.items() if k != "org"})))
    organisations = (
        Organisation(
            **_tuples(row), memberships=tuple(memberships[row["id"]]), agreements=tuple(agreements[row["id"]])
        )
        for row in rows["organisation"]
    )
    communities = (
        Community(id=row["id"], title=row["title"], group=row["grp"], description=row["description"])
        for row in rows["community"]
    )
    return Directory(
        version=version,
        organisations={organisation.id: organisation for organisation in organisations},
        groups={row["id"]: row["title"] for row in rows["grp"]},
        communities={community.id: community for community in communities},
        collections={row["id"]: Collection(**_tuples(row)) for row in rows["collection"]},
        credentials={row["id"]: Credential(**_tuples(row)) for row in rows["credential"]},
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
