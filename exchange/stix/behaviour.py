"""Whether something that is called coordinated inauthentic behaviour names the behaviour that deceives (R9).

The topic of content, its truth or its popularity make nothing CIB: an object that carries the label must name
at least one coded behaviour, itself or through the objects pushed with it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from exchange.stix import extensions
from exchange.stix.fault import BEHAVIOUR_MISSING, StixFault

CIB_LABELS = frozenset(
    ("cib", "coordinated-inauthentic-behaviour", "coordinated-inauthentic-behavior", "influence-operation")
)
"""Labels that call something CIB; compared in lower case, blanks and underscores read as hyphens."""

CIB_CLASSES = frozenset(("influence-operation", "coordinated-inauthentic-behaviour"))
"""Campaign classes of our campaign extension that do the same."""

LABELLED_TYPES = frozenset((
    "campaign", "grouping", "incident", "indicator", "infrastructure", "intrusion-set", "observed-data",
    "report", "threat-actor",
))  # fmt: skip
"""Types that stand for a network or what belongs to one."""

BEHAVIOUR_SOURCES = frozenset(("disarm", "amitt", "mitre-attack", "meta-ookc"))
"""Names of frameworks in external references whose ids are behaviours."""

_NAMING = frozenset(("uses", "indicates", "exhibits", "attributed-to"))
_PATTERN = "attack-pattern--"


def labels_cib(obj: Mapping[str, Any]) -> bool:
    """Whether an object calls itself CIB; quick where it carries no labels and no extensions."""
    labels = obj.get("labels")
    if labels is None and "extensions" not in obj:
        return False
    if obj.get("type") not in LABELLED_TYPES:
        return False
    if isinstance(labels, list) and any(_normal(label) in CIB_LABELS for label in labels):
        return True
    return extensions.of(obj, extensions.CAMPAIGN).get("campaign_class") in CIB_CLASSES


def names_behaviour(obj: Mapping[str, Any]) -> bool:
    """Whether it names a behaviour: kill chain, campaign extension, technique id or reference."""
    if obj.get("kill_chain_phases") or extensions.of(obj, extensions.CAMPAIGN).get("behaviours"):
        return True
    if any(ref.startswith(_PATTERN) for ref in _refs(obj)):
        return True
    references = [one for one in _items(obj, "external_references") if isinstance(one, Mapping)]
    return any(
        _normal(one.get("source_name")) in BEHAVIOUR_SOURCES and one.get("external_id") for one in references
    )


def labels_cib_without_behaviour(obj: Mapping[str, Any]) -> bool:
    """Whether an object calls itself CIB and, taken alone, names no behaviour."""
    return labels_cib(obj) and not names_behaviour(obj)


def behaviours_in(objects: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Ids of the objects of one envelope whose behaviour is named by it or by a relationship next to it.

    A report or grouping counts when it refers to such an object, an indicator when it indicates one.
    Linear in the objects: build it once per envelope, when ``labels_cib_without_behaviour`` was true of one.
    """
    every = list(objects)
    named = {str(obj.get("id")) for obj in every if names_behaviour(obj)}
    relations = [
        (str(obj.get("source_ref")), str(obj.get("target_ref")))
        for obj in every
        if obj.get("type") == "relationship" and obj.get("relationship_type") in _NAMING
    ]
    named |= {source for source, target in relations if target.startswith(_PATTERN)}
    first = frozenset(named)
    named |= {source for source, target in relations if target in first}
    named |= {str(obj.get("id")) for obj in every if first & _refs(obj)}
    return frozenset(named)


def fault_of_missing_behaviour(obj: Mapping[str, Any], named: Collection[str] = ()) -> StixFault | None:
    """``behaviour-missing`` when an object calls itself CIB and names no behaviour, nor does its envelope.

    ``named`` comes from ``behaviours_in``; leave it out to judge an object alone.
    """
    if not labels_cib_without_behaviour(obj) or obj.get("id") in named:
        return None
    return StixFault(
        BEHAVIOUR_MISSING,
        "labels",
        f"This {obj.get('type')} is labelled coordinated inauthentic behaviour but names no deceptive "
        "behaviour. Add behaviours to the campaign extension, kill_chain_phases, an object_ref or a uses "
        "relationship to an attack-pattern in the same envelope, or take the label off.",
    )


def _refs(obj: Mapping[str, Any]) -> set[str]:
    return {ref for ref in _items(obj, "object_refs") if isinstance(ref, str)}


def _items(obj: Mapping[str, Any], name: str) -> list[Any]:
    value = obj.get(name)
    return value if isinstance(value, list) else []


def _normal(word: object) -> str:
    return word.strip().lower().replace(" ", "-").replace("_", "-") if isinstance(word, str) else ""
