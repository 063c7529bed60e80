"""A notice: what one recipient owes for objects that it received, as a value and as a STIX note.

The note is plain STIX 2.1 that a person can read in any client; our extension ``notice`` says the same to
programs. The same notice always makes the same note, so that sending twice leaves one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from exchange.stix.extensions import NOTICE
from exchange.stix.ids import derived_id
from exchange.stix.timestamp import from_microseconds

Kind = Literal["erasure", "revocation", "restriction", "rectification", "relabel", "recall", "dispute"]
KINDS: tuple[Kind, ...] = ("erasure", "revocation", "restriction", "rectification", "relabel", "recall", "dispute")
Obligation = Literal[
    "delete", "stop-using", "correct", "relabel", "no-automated-action", "confirm", "use-again", "follow-up",
    "answer", "wait", "know",
]
ASKS: Mapping[str, str] = {
    "delete": "Delete every copy of these objects, also where they were passed on, and what was derived from them.",
    "stop-using": "Stop using these objects and what was derived from them.",
    "correct": "Replace what you hold by the present version, and undo what followed from the former one.",
    "relabel": "Handle what you hold under the markings of the present version; they are stricter than before.",
    "no-automated-action": "Take no automated action on these objects; a person decides.",
    "confirm": "Confirm what you undid on the ground of these objects.",
    "use-again": "You may use these objects again; nothing is owed any more.",
    "answer": "Answer for the objects that you shared, under the address of the case.",
    "wait": "Nothing is asked of you; a person of the exchange reviews it.",
    "know": "You shared these objects; nothing is asked of you. What you don't agree with, take to the exchange.",
    "follow-up": "A recipient didn't acknowledge its notice in time; ask it.",
}
"""Obligation to the sentence that a person reads."""
_TITLES: Mapping[str, str] = {
    "erasure": "Erased", "revocation": "Revoked", "restriction": "Processing restricted",
    "rectification": "Corrected by its producer", "relabel": "Under stricter markings",
    "recall": "Recalled", "dispute": "Disputed",
}
_MOST_NAMED = 20
"""Ids in the sentence for people; the extension has them all."""
_AMBER_STRICT = "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003"


@dataclass(frozen=True)
class Affected:
    """One object that a notice is about; ``versions`` are timestamps as its producer wrote them, empty: all."""

    id: str
    versions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Notice:
    """What organisation ``org`` owes; ``deadline`` in microseconds since the epoch, None: nothing is awaited.

    ``reference`` names the cause (``state-change:17``, ``case:...``): one cause makes one notice of a kind for
    each recipient. ``reason`` holds no personal data: every recipient reads it.
    """

    kind: Kind
    org: str
    objects: tuple[Affected, ...]
    reason: str
    obligation: Obligation
    deadline: int | None
    citation: str
    reference: str

    @property
    def id(self) -> str:
        """The id of its note."""
        return derived_id("note", "notice", self.kind, self.org, self.obligation, self.reference,
                          *(affected.id for affected in self.objects))


def as_note(notice: Notice, identity: str, now: int) -> dict[str, Any]:
    """The STIX note, made at ``now`` (microseconds); ``identity`` is the exchange's own STIX identity."""
    written = from_microseconds(now)
    said: dict[str, Any] = {
        "extension_type": "property-extension", "kind": notice.kind, "obligation": notice.obligation,
        "objects": [_listed(affected) for affected in notice.objects],
        "reason": notice.reason, "citation": notice.citation, "reference": notice.reference,
    }
    if notice.deadline is not None:
        said["deadline"] = from_microseconds(notice.deadline)
    return {
        "type": "note", "spec_version": "2.1", "id": notice.id, "created_by_ref": identity,
        "created": written, "modified": written,
        "abstract": f"{_TITLES[notice.kind]}: {_counted(notice.objects)}",
        "content": _content(notice),
        "object_refs": [affected.id for affected in notice.objects],
        "object_marking_refs": [_AMBER_STRICT],
        "extensions": {NOTICE: said},
    }


def _listed(affected: Affected) -> dict[str, Any]:
    listed: dict[str, Any] = {"id": affected.id}
    if affected.versions:
        listed["versions"] = list(affected.versions)
    return listed


def _counted(objects: tuple[Affected, ...]) -> str:
    return objects[0].id if len(objects) == 1 else f"{len(objects)} objects"


def _content(notice: Notice) -> str:
    ask = ASKS[notice.obligation]
    named = ", ".join(affected.id for affected in notice.objects[:_MOST_NAMED])
    more = f" and {len(notice.objects) - _MOST_NAMED} more" if len(notice.objects) > _MOST_NAMED else ""
    parts = [f"{_TITLES[notice.kind]}: {named}{more}.", ask]
    if notice.obligation == "answer":
        parts.append(f"POST /api/v1/cases/{notice.reference}/answer.")
    if notice.deadline is not None:
        parts.append(f"Acknowledge it by {from_microseconds(notice.deadline)}: "
                     f"POST /api/v1/notices/{notice.id}/acknowledgement.")
    return " ".join([*parts, f"Reason: {notice.reason}", f"({notice.citation}; {notice.reference})"])
