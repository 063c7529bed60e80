"""One event in STIX: steps of objects, the rows told after them, and what is withdrawn; the report comes last.

Rows are counted in the order in which an event is read: the event, its tags and clusters, attributes (each with its
tags, clusters, sightings and proposals), objects with theirs, the event's own proposals and reports, references.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from connectors.misp import attributes, claims, objects, record, tags
from connectors.misp.attribute import Place
from connectors.misp.context import Context, Made, Settings, carrier_id, ids_of
from connectors.misp.organisations import identity
from connectors.misp.record import Record
from connectors.misp.terms import Terms, UnsayableError, stated
from exchange.connect.contract import Row
from exchange.connect.prose import without_payment_numbers
from exchange.model.misp.templates import template


@dataclass(frozen=True)
class Known:
    """What an earlier run remembers of an event."""

    terms: str
    """Digest of what its event said for all its parts."""
    floor: str
    """No version is older than this time."""
    keys: tuple[str, ...] = ()
    """UUIDs of what it made, as far as they are remembered."""


@dataclass
class Event:
    """An event under way; after ``steps``, its ``terms``, ``floor`` and ``keys`` are to be remembered."""

    item: Record
    """What stands under ``Event``."""
    file: str
    settings: Settings
    known: Known | None = None
    terms: str = ""
    floor: str = ""
    keys: list[str] = field(default_factory=list)
    waits: bool = False
    """Whether it was passed over because it isn't published yet."""

    @property
    def key(self) -> str:
        """Its UUID."""
        return event_key(self.item)

    @property
    def stamp(self) -> str:
        """Its own time of change, seconds since 1970 as MISP writes them."""
        return record.text(self.item, "timestamp")

    def steps(self) -> Iterator[Made]:
        """Everything of the event, part by part."""
        if record.flag(self.item, "deleted"):
            yield self._passed_over("Deleted by the source.", withdrawn=True)
        elif not self.settings.unpublished and not record.flag(self.item, "published", True):
            self.waits = True
            yield self._passed_over("The event isn't published; the option unpublished=yes takes it all the same.")
        else:
            yield from self._taken()

    def _taken(self) -> Iterator[Made]:
        every = [record.text(tag, "name") for tag in record.children(self.item, "Tag")]
        try:
            terms = stated(self.item, every, None, self.settings.audiences)
        except UnsayableError as error:
            yield self._passed_over(str(error), outcome="quarantined")
            return
        said = tags.read(self.item, self.settings.catalogue)
        context = self._context(terms, said)
        first = context.next_row()
        yield self._prologue(context, said)
        yield from self._parts(context)
        self.keys = list(context.keys)
        yield self._epilogue(context, first)

    def _context(self, terms: Terms, said: tags.Said) -> Context:
        created = record.day(self.item)
        modified = max(created, record.moment(self.stamp))
        shared = [*terms.refs, said.confidence, said.benign, created]
        self.terms = hashlib.blake2b(repr(shared).encode(), digest_size=8).hexdigest()
        if self.known is not None:
            self.floor = self.known.floor if self.known.terms == self.terms else modified
        org = identity(record.child(self.item, "Orgc") or record.child(self.item, "Org"))
        return Context(self.file, self.settings, self.key, created, max(modified, self.floor), self.floor,
                       org["id"] if org else "", terms, said.confidence, said.benign, self.known is not None)

    def _prologue(self, context: Context, said: tags.Said) -> Made:
        """Who tells, under which terms, what it is about, and the rows of the event's tags."""
        org = identity(record.child(self.item, "Orgc") or record.child(self.item, "Org"))
        made = Made([*([org] if org else []), *context.markings(context.terms)])
        made.objects.append(claims.campaign(context, self.item, said, self._themes()))
        about, ids = claims.of_event(context, said)
        made.add(about)
        for tag in record.children(self.item, "Tag"):
            name = tags.shareable(tag)
            made.rows.append(_tag_row(context, name, ids.get(name, [])))
        for cluster in tags.clusters(self.item):
            made.rows.append(_tag_row(context, cluster.tag, ids.get(cluster.tag, [])))
        return made

    def _themes(self) -> list[str]:
        """What narratives say, as far as they go as far as the event."""
        found = []
        for one in record.children(self.item, "Object"):
            wanted = template(record.text(one, "name")).themes
            if wanted and not record.flag(one, "deleted") and not objects.tags_restrict(one):
                found += [without_payment_numbers(record.text(part, "value"))[:1_000]
                          for part in record.children(one, "Attribute")
                          if record.text(part, "object_relation") in wanted and not record.flag(part, "deleted")
                          and not objects.tags_restrict(part)]  # fmt: skip
        return [one for one in found if one]

    def _parts(self, context: Context) -> Iterator[Made]:
        place = Place(context.terms)
        for one in record.children(self.item, "Attribute"):
            yield attributes.convert(context, one, place)
        found = record.children(self.item, "Object")
        for one in found:
            yield objects.convert(context, one, context.terms)
        for _proposal in record.children(self.item, "ShadowAttribute"):
            yield Made([], [context.told(context.next_row(), "note", (), attributes.PROPOSAL)])
        for one in record.children(self.item, "EventReport"):
            yield _prose(context, one)
        for one in found:
            yield objects.references(context, one, context.terms)

    def _epilogue(self, context: Context, number: int) -> Made:
        made = Made([claims.report(context, self.item)])
        ids = [context.report, context.campaign]
        changed = claims.title(self.item) != (record.text(self.item, "info") or claims.title({}))
        reason = "A payment number was left out of its title." if changed else "The event: a report and a campaign."
        made.rows.append(context.told(number, "repaired" if changed else "note", ids, reason))
        if self.known is not None:
            made.withdrawn += claims.withdrawn(self.known.keys, context.keys)
        return made

    def _passed_over(self, reason: str, *, withdrawn: bool = False, outcome: Any = "note") -> Made:
        """A row for each part of an event that isn't taken, and everything of it that is taken back."""
        made = Made()
        parts = record.every(self.item)
        made.rows = [Row(self.file, number, outcome, (), reason) for number in range(1, len(parts) + 1)]
        if withdrawn:
            keys = [*(self.known.keys if self.known else ()), *(record.key(one, self.key) for one in parts)]
            made.withdrawn = withdrawn_ids(self.key, keys)
        elif self.known is not None:
            self.terms, self.floor, self.keys = self.known.terms, self.known.floor, list(self.known.keys)
        return made


def event_key(item: Record) -> str:
    """The UUID of an event; one made of its content where it states none."""
    return record.key(item, "event", record.text(record.child(item, "Orgc"), "uuid"))


def withdrawn_ids(key: str, keys: Sequence[str]) -> list[str]:
    """Every id that an event and what is in it may have had."""
    own = [carrier_id("report", key), carrier_id("campaign", key)]
    return [*own, *(identifier for one in dict.fromkeys(keys) for identifier in ids_of(one))]


def _tag_row(context: Context, name: str, ids: Sequence[str]) -> Row:
    number = context.next_row()
    if not name:
        return context.told(number, "note", (), "A tag that its instance keeps to itself, or too long for one.")
    behaviour = any(one.startswith("attack-pattern--") for one in ids)
    return context.told(number, "behaviour" if behaviour else "note", ids or [context.campaign], "A tag.")


def _prose(context: Context, item: Record) -> Made:
    """An event report: a note."""
    number, key = context.next_row(), record.key(item, context.key)
    content = without_payment_numbers(record.text(item, "content"))
    if record.flag(item, "deleted"):
        return Made([], [context.told(number, "note", (), "Deleted by the source.")], ids_of(key))
    if not content:
        return Made([], [context.told(number, "blank", (), "A report without content.")])
    try:
        terms = stated(item, (), context.terms, context.settings.audiences)
    except UnsayableError as error:
        return Made([], [context.told(number, "quarantined", (), str(error))])
    context.keys[key] = None
    found = context.head("note", carrier_id("note", key), context.changed(item), terms) | {
        "abstract": record.text(item, "name")[:1_000] or "A report", "content": content,
        "object_refs": [context.campaign]}  # fmt: skip
    mended = content != record.text(item, "content")
    reason = "A payment number was left out." if mended else "A report in words."
    row = context.told(number, "repaired" if mended else "note", [found["id"]], reason)
    return Made([*context.markings(terms), found], [row])
