"""Sightings of an attribute: seen again, called a false positive, or expired (MISP's types 0, 1 and 2)."""

from __future__ import annotations

from connectors.misp import record
from connectors.misp.context import Context, Made, carrier_id
from connectors.misp.organisations import identity
from connectors.misp.record import Record
from connectors.misp.terms import Terms

_SEEN, _FALSE, _EXPIRED = "0", "1", "2"


def expiry(item: Record) -> str:
    """The first time at which somebody called an attribute expired; empty where nobody did."""
    dates = [record.moment(record.text(one, "date_sighting")) for one in record.children(item, "Sighting")
             if record.text(one, "type") == _EXPIRED]  # fmt: skip
    return min(filter(None, dates), default="")


def convert(context: Context, item: Record, target: str, terms: Terms) -> Made:
    """The sighting of an indicator (its id), or an opinion on it; only a row where there is no indicator."""
    number = context.next_row()
    kind, when = record.text(item, "type"), record.moment(record.text(item, "date_sighting"))
    if kind == _EXPIRED:
        return Made([], [context.told(number, "note", [target] if target else (), "Ends its indicator's validity.")])
    if not target or kind not in (_SEEN, _FALSE):
        return Made([], [context.told(number, "note", (), "A sighting of what is no indicator: left out.")])
    key = record.key(item, context.key, target, when)
    context.keys[key] = None
    by = identity(record.child(item, "Organisation"))
    made = Made([] if by is None else [by])
    modified = max(context.created, context.floor, when)
    if kind == _FALSE:
        found = context.head("opinion", carrier_id("opinion", key), modified, terms) | {
            "opinion": "disagree", "object_refs": [target], "explanation": "Sighted as a false positive in MISP."}
    else:
        found = context.head("sighting", carrier_id("sighting", key), modified, terms) | {
            "sighting_of_ref": target, "count": 1}
        found |= {"first_seen": when, "last_seen": when} if when else {}
        found |= {"where_sighted_refs": [by["id"]]} if by is not None else {}
    made.objects.append(found)
    made.rows.append(context.told(number, "note", [found["id"]], "A sighting."))
    return made
