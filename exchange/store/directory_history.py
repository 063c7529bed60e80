"""The members' directory as it was at any time since its history began: a snapshot for each change of it."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert, select

from exchange.model.party import Directory
from exchange.store.directory import directory_of, directory_rows, directory_version
from exchange.store.version_tables import DIRECTORY_HISTORY

_LEFT_OUT = "-"


def keep_directory(connection: Connection, at: int) -> None:
    """Keep the directory as it is now, from ``at`` (microseconds) on; for the transaction that changed it.

    Credentials are kept without their digests: a past reader is explained, never let in.
    """
    rows = directory_rows(connection)
    rows["credential"] = [{**row, "digest": _LEFT_OUT} for row in rows["credential"]]
    text = json.dumps(rows, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    connection.execute(insert(DIRECTORY_HISTORY).values(
        version=directory_version(connection), at=at, snapshot=zlib.compress(text.encode())
    ))


def keeps_directory(connection: Connection) -> bool:
    """Whether any snapshot is kept."""
    return connection.execute(select(DIRECTORY_HISTORY.c.version).limit(1)).first() is not None


def directory_at(connection: Connection, at: int) -> Directory | None:
    """The directory that was in force at a time (microseconds); None: that is before its history began."""
    row = DIRECTORY_HISTORY.c
    found = connection.execute(
        select(row.version, row.snapshot).where(row.at <= at).order_by(row.at.desc(), row.version.desc()).limit(1)
    ).first()
    if found is None:
        return None
    rows: Mapping[str, list[dict[str, Any]]] = json.loads(zlib.decompress(found.snapshot))
    return directory_of(found.version, rows)
