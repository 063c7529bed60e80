"""One attribute under way: where it stands, whom it speaks of, its terms, tags, times and references."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from connectors.misp import record, tags
from connectors.misp.context import Context, told_labels
from connectors.misp.record import Record
from connectors.misp.terms import Terms
from exchange.model.misp import words
from exchange.model.misp.templates import Template
from exchange.model.misp.types import AttributeType

_TARGETING = "targeting data"
NO_TEMPLATE = Template("")


@dataclass(frozen=True)
class Place:
    """Where an attribute stands: in which object, and under which terms."""

    terms: Terms
    template: Template = NO_TEMPLATE
    holder: Record | None = None
    """Its object's record."""
    key: str = ""
    """Its object's key."""

    def relation(self, item: Record, kind: AttributeType) -> str:
        """Whom it speaks of, by type, category, template and object relation."""
        role = self.template.roles.get(record.text(item, "object_relation")) or self.template.everybody
        if kind.targeted or record.text(item, "category").lower() == _TARGETING:
            return "targeted"
        return role or ("operated" if record.flag(item, "to_ids") else "unknown")


@dataclass
class Attribute:
    """One attribute under way."""

    context: Context
    item: Record
    place: Place
    kind: AttributeType
    key: str
    terms: Terms
    said: tags.Said
    names: list[str]
    """Its tags."""
    relation: str

    @cached_property
    def modified(self) -> str:
        """Its version: an object's own change may narrow what is in it."""
        return self.context.changed(self.item, *([self.place.holder] if self.place.holder else []))

    @property
    def confidence(self) -> int | None:
        """As its tags say, else the event's."""
        return self.said.confidence if self.said.confidence is not None else self.context.confidence

    @property
    def references(self) -> list[dict[str, str]]:
        """To the attribute and its object in MISP."""
        found = [words.reference(words.ATTRIBUTE, self.key)]
        return [*found, words.reference(words.OBJECT, self.place.key)] if self.place.key else found

    @property
    def labels(self) -> list[str]:
        """Its tags, and what lets it come back as it was."""
        return told_labels(self.item, self.names)

    @cached_property
    def times(self) -> dict[str, Any]:
        """``start_time`` and ``stop_time`` of its relationships."""
        first, last = (record.moment(record.text(self.item, name)) for name in ("first_seen", "last_seen"))
        found = {"start_time": first} if first else {}
        return found | ({"stop_time": last} if last and last > first else {})
