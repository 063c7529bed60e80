"""Organisations of MISP as STIX identities: the same one in every event."""

from __future__ import annotations

from connectors.misp import record
from connectors.misp.record import EPOCH, Record
from exchange.connect.asset import Object, head
from exchange.model.misp import words
from exchange.stix.ids import derived_id


def identity(organisation: Record) -> Object | None:
    """The identity of an organisation by its UUID, else its name; None where it states neither."""
    name, key = record.text(organisation, "name"), record.text(organisation, "uuid").lower()
    if not name and not key:
        return None
    found = head("identity", derived_id("identity", words.NAME, key or name), EPOCH) | {
        "name": name or key, "identity_class": "organization"}
    return found | ({"external_references": [words.reference(words.ORGANISATION, key)]} if key else {})
