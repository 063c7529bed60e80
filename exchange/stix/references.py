"""Which references of an object would reveal what they point at: those that graph closure looks after (P20).

Who created an object, its markings and an observable's parts aren't among them.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

_BOTH_ENDS: Mapping[str, tuple[str, ...]] = {
    "relationship": ("source_ref", "target_ref"),
    "sighting": ("sighting_of_ref", "observed_data_refs", "where_sighted_refs"),
}
"""Types that say something of every object they refer to: without one of them there is nothing left to say."""


class Closure(IntEnum):
    """What of an object's closed references its reader must be able to see."""

    FREE = 0
    """It has none."""
    ALL = 1
    SOME = 2
    """At least one; the others are left out."""
    REST = 3
    """None: references that aren't closed remain when all the closed ones are left out."""


def references(obj: Mapping[str, Any]) -> tuple[str, ...]:
    """Ids of the objects that a valid object refers to in a way that reveals them, each once."""
    if obj["type"] in _BOTH_ENDS:
        given = [obj.get(name) for name in _BOTH_ENDS[obj["type"]]]
    else:
        given = [obj.get("object_refs")]
    refs: dict[str, None] = {}
    for value in given:
        if isinstance(value, list):
            refs.update((ref, None) for ref in value if isinstance(ref, str))
        elif isinstance(value, str):
            refs[value] = None
    return tuple(refs)


def closure(object_type: str, refs: int, closed: int) -> Closure:
    """What a reader must see of an object with so many references, ``closed`` of which are looked after."""
    if not closed:
        return Closure.FREE
    if object_type in _BOTH_ENDS:
        return Closure.ALL
    return Closure.SOME if closed == refs else Closure.REST
