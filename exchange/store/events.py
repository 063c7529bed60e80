"""What happened, in order: each push, delete, decision or change is noted in the transaction that does it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert

from exchange.store.object_tables import EVENT

_ADD = insert(EVENT)


def record(connection: Connection, *, at: int, kind: str, org: str, detail: Mapping[str, Any]) -> None:
    """Note one event at ``at`` (microseconds) of an organisation; ``detail`` holds no personal value in clear."""
    connection.execute(_ADD, {"at": at, "kind": kind, "org": org, "detail": json.dumps(detail)})
