"""Runs the connector's own parts over made-up events, for tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from connectors.misp.context import Settings
from connectors.misp.event import Event, Known
from exchange.connect.contract import Row
from exchange.stix.validate import check

Record = dict[str, Any]


@dataclass
class Outcome:
    """Everything that became of an event."""

    objects: list[Record] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)
    known: Known | None = None
    """To give to the next conversion of the same event."""

    def of(self, *types: str) -> list[Record]:
        return [one for one in self.objects if one["type"] in types]

    def patterns(self, kind: str = "attribution") -> list[str]:
        return [one["pattern"] for one in self.of("indicator") if kind in one["indicator_types"]]

    def by_id(self) -> dict[str, Record]:
        return {one["id"]: one for one in self.objects}


def convert(event: Record, settings: Settings | None = None, known: Known | None = None) -> Outcome:
    """What becomes of an event; everything made is checked to be valid STIX."""
    under_way = Event(event, "sample.json", settings or Settings(), known)
    found = Outcome()
    for made in under_way.steps():
        found.objects += made.objects
        found.rows += made.rows
        found.withdrawn += made.withdrawn
    for one in found.objects:
        assert check(one) is None, one
    assert sorted(row.row for row in found.rows) == list(range(1, len(found.rows) + 1))
    assert all(row.reason for row in found.rows if row.outcome in ("quarantined", "repaired"))
    found.known = Known(under_way.terms, under_way.floor, tuple(under_way.keys))
    return found
