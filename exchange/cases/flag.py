"""The note that the exchange puts beside a disputed object, so that whoever reads the object reads that (P19). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exchange.stix.ids import derived_id
from exchange.stix.statement import DISPUTED
from exchange.stix.timestamp import from_microseconds


def disputed_note(
    obj: Mapping[str, Any], identity: str, place: str, flagged: int, lifted: int | None
) -> dict[str, Any]:
    """The note on ``obj`` in a collection and for a contributor (``place``), flagged at a time (microseconds).

    ``lifted``: the time from which on it no longer holds; the note is revoked then. It bears the object's own
    markings.
    """
    made = from_microseconds(flagged)
    note: dict[str, Any] = {
        "type": "note", "spec_version": "2.1",
        "id": derived_id("note", "disputed", place, str(obj["id"]), str(flagged)),
        "created_by_ref": identity, "created": made, "modified": made if lifted is None else from_microseconds(lifted),
        "abstract": f"Disputed: {obj['id']}",
        "content": "This object is disputed: by independent members of the exchange, by a platform that it is about or "
                   "by its data-protection officer. Take no automated action on it; a person decides (P19).",
        "labels": [DISPUTED], "object_refs": [obj["id"]],
    }
    if lifted is not None:
        note |= {"revoked": True, "abstract": f"No longer disputed: {obj['id']}",
                 "content": "The dispute was taken back or decided."}
    if obj.get("object_marking_refs"):
        note["object_marking_refs"] = list(obj["object_marking_refs"])
    return note
