"""Where connectors' runs stand: one JSON value for each organisation, connector and source."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, and_, delete, insert, select

from exchange.store.object_tables import CHECKPOINT


def load_checkpoint(connection: Connection, org: str, connector: str, source: str) -> Mapping[str, Any] | None:
    """What was saved last; None when nothing is."""
    found = connection.execute(select(CHECKPOINT.c.state).where(_key(org, connector, source))).scalar()
    return None if found is None else dict(json.loads(found))


def save_checkpoint(
    connection: Connection, org: str, connector: str, source: str, state: Mapping[str, Any] | None
) -> None:
    """Keep the value; None forgets it."""
    connection.execute(delete(CHECKPOINT).where(_key(org, connector, source)))
    if state is not None:
        connection.execute(insert(CHECKPOINT).values(
            org=org, connector=connector, source=source, state=json.dumps(state)
        ))


def _key(org: str, connector: str, source: str) -> Any:
    row = CHECKPOINT.c
    return and_(row.org == org, row.connector == connector, row.source == source)
