"""What everything in one event shares: its settings, ids, times and terms, and the count of its rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from connectors.misp import record
from connectors.misp.record import Record
from connectors.misp.tags import Cluster
from connectors.misp.terms import NO_TERMS, Audiences, Terms
from connectors.misp.warninglists import WarningList
from exchange.connect.asset import Object, head
from exchange.connect.contract import Outcome, Row
from exchange.connect.prose import LEFT_OUT, without_payment_numbers
from exchange.model.identifiers.keyed import Key
from exchange.model.misp import words
from exchange.model.misp.words import NAME
from exchange.stix import extensions
from exchange.stix.ids import derived_id

CARRIERS = ("indicator", "note", "grouping", "opinion", "sighting")
"""Types of objects that may stand for one thing in MISP; relationships besides."""
LINKS = ("indicates", "observed", "resolves-to", "reference", "claim")


@dataclass(frozen=True)
class Settings:
    """What the person who runs the connector chose."""

    audiences: Audiences = field(default_factory=Audiences)
    warnings: tuple[WarningList, ...] = ()
    catalogue: Mapping[str, Cluster] = field(default_factory=dict)
    key: Key | None = None
    """For keyed hashes of people's identifiers."""
    unpublished: bool = False
    """Whether events count that their organisation hasn't published."""
    accounts: bool = False
    """Whether accounts of social objects are indicators though none of their attributes is flagged ``to_ids``."""


@dataclass
class Made:
    """What became of a part of an event."""

    objects: list[Object] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)

    def add(self, other: Made) -> None:
        """Take in another part."""
        self.objects += other.objects
        self.rows += other.rows
        self.withdrawn += other.withdrawn


@dataclass
class Context:
    """One event under way."""

    file: str
    """As rows name it."""
    settings: Settings
    key: str
    """UUID of the event."""
    created: str
    modified: str
    floor: str
    """No version is older than this: the last time the event's own terms changed."""
    org: str = ""
    """Id of the identity of the organisation that made the event."""
    terms: Terms = NO_TERMS
    confidence: int | None = None
    benign: str = ""
    known: bool = False
    """Whether an earlier run brought this event: what it made and wouldn't make now is withdrawn."""
    row: int = 0
    refs: dict[str, None] = field(default_factory=dict)
    """Ids of everything made, for the report."""
    ends: dict[str, str] = field(default_factory=dict)
    """UUIDs of MISP to the STIX ids that stand for them, for references between objects."""
    keys: dict[str, None] = field(default_factory=dict)
    """Keys of all carriers of the event, to know later what it made."""
    _marked: set[str] = field(default_factory=set)

    @cached_property
    def campaign(self) -> str:
        """Id of the event's campaign."""
        return derived_id("campaign", NAME, self.key)

    @cached_property
    def report(self) -> str:
        """Id of the event's report."""
        return derived_id("report", NAME, self.key)

    def next_row(self) -> int:
        """The number of the next row, from 1."""
        self.row += 1
        return self.row

    def told(self, number: int, outcome: Outcome, ids: Iterable[str] = (), reason: str = "") -> Row:
        """The row of this number."""
        return Row(self.file, number, outcome, tuple(dict.fromkeys(ids)), reason)

    def changed(self, *items: Record) -> str:
        """The version of what these records together say."""
        return max(self.created, self.floor, *(record.moment(record.text(item, "timestamp")) for item in items))

    def head(self, type_name: str, identifier: str, modified: str, terms: Terms) -> Object:
        """The beginning of a domain object or relationship of this event."""
        self.refs[identifier] = None
        return head(type_name, identifier, self.created, modified, by=self.org, markings=terms.refs)

    def markings(self, terms: Terms) -> list[Object]:
        """The marking-definitions that terms need and that this event didn't bring yet."""
        fresh = [one for identifier, one in terms.made.items() if identifier not in self._marked]
        self._marked.update(terms.made)
        return fresh

    def observed(self, thing: Object, terms: Terms) -> Object:
        """An observable under the terms by which this event tells of it."""
        self.refs[thing["id"]] = None
        return thing | ({"object_marking_refs": list(terms.refs)} if terms.refs else {})


def carrier_id(type_name: str, key: str) -> str:
    """The id of the object that stands for something in MISP."""
    return derived_id(type_name, NAME, key)


def link_id(kind: str, key: str) -> str:
    """The id of a relationship that something in MISP makes."""
    return derived_id("relationship", NAME, kind, key)


def other_ids(key: str, made: Collection[str]) -> list[str]:
    """Ids that an attribute had when it was told otherwise, and hasn't now."""
    found = [*(carrier_id(kind, key) for kind in CARRIERS[:2]), *(link_id(kind, key) for kind in LINKS[:3])]
    return [one for one in found if one not in made]


def ids_of(key: str) -> list[str]:
    """Every id that something in MISP may have had, to withdraw it."""
    return [*(carrier_id(kind, key) for kind in CARRIERS), *(link_id(kind, key) for kind in LINKS)]


def told_labels(item: Record, tags: Iterable[str], **more: Any) -> list[str]:
    """Labels that let a record come back as it was: its type, category and flags, and its tags."""
    said = {
        "type": record.text(item, "type"), "category": record.text(item, "category"),
        "to_ids": record.flag(item, "to_ids"), "relation": record.text(item, "object_relation"),
        "distribution": record.text(item, "distribution"), **more,
    }  # fmt: skip
    if record.flag(item, "disable_correlation"):
        said["disable_correlation"] = True
    return [*tags, *words.labels(said)]


def prose(item: Record, name: str) -> tuple[str, str]:
    """A text for people without payment numbers, and what was done to it."""
    text = record.text(item, name)
    cleaned = without_payment_numbers(text)
    return cleaned, "" if cleaned == text else f"In its {name}: {LEFT_OUT.strip('[]')}."


def original(value: str) -> Object:
    """The extension that keeps a value as it was written, where its canonical form is another."""
    source = {"connector": NAME, "original": value[:10_000]}
    return {extensions.EVIDENCE: {"extension_type": "property-extension", "source": source}}
