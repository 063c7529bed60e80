"""Reports of one contributor in one collection: what each version refers to, to take back what none says any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from exchange.model.state import State
from exchange.store.object_tables import OBJECT
from exchange.store.objects import Versions
from exchange.store.pushes import withdraw


@dataclass(frozen=True, slots=True)
class StoredReport:
    """One version of a report."""

    stix_id: str
    version: str
    """Sortable text of ``modified``."""
    state: State
    body: bytes


def reports_of(connection: Connection, *, feed: int, contributor: int) -> Sequence[StoredReport]:
    """Every version of every report, oldest version first. Linear in the contributor's reports: ask seldom."""
    row = OBJECT.c
    query = select(row.stix_id, row.version, row.state, row.body).where(
        row.feed == feed, row.type == "report", row.contributor == contributor).order_by(row.version, row.seq)
    return [StoredReport(r.stix_id, r.version, State(r.state), bytes(r.body)) for r in connection.execute(query)]


def remove(connection: Connection, *, feed: int, contributor: int, stix_id: str) -> None:
    """Delete the contributor's versions of an object; who still names it may give it again."""
    withdraw(connection, feed=feed, contributor=contributor, stix_id=stix_id,
             versions=Versions(frozenset({"all"})), spec_versions=None)
