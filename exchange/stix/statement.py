"""What an opinion, a sighting or a note says of other objects: it disputes them, backs them, or neither. Pure.

An ``opinion`` of disagree or strongly-disagree disputes its objects, agree and strongly-agree back them; a
``sighting`` or ``note`` labelled ``false-positive`` disputes what it is of, a sighting without that label backs it,
unless its count is 0 ("not seen", STIX 2.1, 5.2), which says neither. A new version that says something else, or that
is revoked, takes the former word back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Word = Literal["dispute", "back", "none"]
TYPES = frozenset({"opinion", "sighting", "note"})
"""Types of objects that may say something of others."""
FALSE_POSITIVE = "false-positive"
"""The label of a sighting or note that says: this is no sign of an operation."""
DISPUTED = "disputed"
"""The label of the note that an exchange puts beside an object that is disputed (P19)."""
_OPINIONS: Mapping[str, Word] = {
    "strongly-disagree": "dispute", "disagree": "dispute", "agree": "back", "strongly-agree": "back",
}


@dataclass(frozen=True)
class Statement:
    """What one object says of others."""

    word: Word
    about: tuple[str, ...]
    """STIX ids."""


def statement(obj: Mapping[str, Any]) -> Statement:
    """What a valid opinion, sighting or note says of others (word ``none``: nothing, or not any more)."""
    kind = obj.get("type")
    labels = obj.get("labels")
    false_positive = isinstance(labels, list) and FALSE_POSITIVE in labels
    about = (obj.get("sighting_of_ref"),) if kind == "sighting" else tuple(obj.get("object_refs") or ())
    refs = tuple(ref for ref in about if isinstance(ref, str))
    word: Word = "none"
    if obj.get("revoked") is True or kind not in TYPES:
        word = "none"
    elif false_positive:
        word = "dispute"
    elif kind == "opinion":
        word = _OPINIONS.get(str(obj.get("opinion")), "none")
    elif kind == "sighting" and obj.get("count") != 0:
        word = "back"
    return Statement(word, refs)
