"""What members say of each other's objects, and when it marks one as disputed or confirmed. Pure.

How it is said in STIX: an ``opinion`` of disagree or strongly-disagree disputes its objects, agree and
strongly-agree back them; a ``sighting`` or ``note`` labelled ``false-positive`` disputes what it is of, a sighting
without that label backs it, unless its count is 0 ("not seen", STIX 2.1, 5.2), which says neither. A new version
that says something else, or that is revoked, takes the former word back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Word = Literal["dispute", "back", "none"]
TYPES = frozenset({"opinion", "sighting", "note"})
"""Types of objects that may say something of others."""
FALSE_POSITIVE = "false-positive"
"""The label of a sighting or note that says: this is no sign of an operation."""
_OPINIONS: Mapping[str, Word] = {
    "strongly-disagree": "dispute", "disagree": "dispute", "agree": "back", "strongly-agree": "back",
}


@dataclass(frozen=True)
class Statement:
    """What one object says of others."""

    word: Word
    about: tuple[str, ...]
    """STIX ids."""


@dataclass(frozen=True)
class Voice:
    """One organisation that disputes or backs an object."""

    group: str
    """Its ownership group: members of one group are one voice."""
    authority: bool = False
    """A public authority gives tips only: counted in public, never part of a quorum."""
    affected: bool = False
    """A platform whose accounts the object is about."""


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


def heard(voices: Iterable[Voice], producer_group: str) -> frozenset[str]:
    """The groups that count: independent of the producer (nobody judges its own), and no public authority."""
    return frozenset(voice.group for voice in voices if voice.group != producer_group and not voice.authority)


def is_disputed(voices: Iterable[Voice], producer_group: str, needed: int) -> bool:
    """Whether the disputes mark the object: ``needed`` independent ones, or one by an affected platform."""
    said = list(voices)
    counted = heard(said, producer_group)
    return len(counted) >= needed or any(
        voice.affected and voice.group in counted and not voice.authority for voice in said)


def is_confirmed(voices: Iterable[Voice], producer_group: str, needed: int) -> bool:
    """Whether so many independent organisations back the object that it counts as confirmed for its contributor."""
    return len(heard(voices, producer_group)) >= needed
