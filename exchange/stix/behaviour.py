"""Whether something that is called coordinated inauthentic behaviour names the behaviour that deceives (R9).

The topic of content, its truth or its popularity make nothing CIB: an object that carries the label must name
at least one coded behaviour, itself or through the objects pushed with it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from exchange.stix import extensions
from exchange.stix.fault import BEHAVIOUR_MISSING, StixFault

CIB_PHRASES = ("cib", "coordinated-inauthentic", "influence-operation", "influence-operations")
"""A label that has one of these among its words calls something CIB: ``#CIB``, ``CIB network``."""

CIB_CLASSES = frozenset(("influence-operation", "coordinated-inauthentic-behaviour"))
"""Campaign classes of our campaign extension that do the same."""

LABELLED_TYPES = frozenset((
    "campaign", "grouping", "incident", "indicator", "infrastructure", "intrusion-set", "observed-data",
    "report", "threat-actor",
))  # fmt: skip
"""Types that stand for a network or what belongs to one."""

BEHAVIOUR_SOURCES = frozenset((
    "disarm", "amitt", "mitre-attack", "meta-ookc", "meta-online-operations-kill-chain",
))  # fmt: skip
"""Frameworks of deceptive behaviour, as external references and kill chains name them (DISARM's own bundles say
mitre-attack)."""

_BEHAVIOUR_ID = re.compile(r"TA?[0-9]{2,4}(\.[0-9]{3})?|[0-9]{1,2}(\.[0-9]{1,2}){0,2}")
"""DISARM and AMITT techniques and tactics; procedures of Meta's kill chain."""
_NAMING = frozenset(("uses", "indicates", "exhibits", "attributed-to"))
_PATTERN = "attack-pattern--"


def labels_cib(obj: Mapping[str, Any]) -> bool:
    """Whether an object calls itself CIB; quick where it carries no labels and no extensions."""
    labels = obj.get("labels")
    if labels is None and "extensions" not in obj:
        return False
    kind = str(obj.get("type"))
    if kind not in LABELLED_TYPES and not kind.startswith("x-"):
        return False
    if isinstance(labels, list) and any(_calls_cib(label) for label in labels):
        return True
    return extensions.of(obj, extensions.CAMPAIGN).get("campaign_class") in CIB_CLASSES


def names_behaviour(obj: Mapping[str, Any]) -> bool:
    """Whether it names a behaviour: kill chain, campaign extension, technique id or reference."""
    phases = (one for one in _items(obj, "kill_chain_phases") if isinstance(one, Mapping))
    if any(_normal(phase.get("kill_chain_name")) in BEHAVIOUR_SOURCES for phase in phases):
        return True
    if extensions.of(obj, extensions.CAMPAIGN).get("behaviours"):
        return True
    if any(ref.startswith(_PATTERN) for ref in _refs(obj)):
        return True
    references = [one for one in _items(obj, "external_references") if isinstance(one, Mapping)]
    return any(
        _normal(one.get("source_name")) in BEHAVIOUR_SOURCES
        and _BEHAVIOUR_ID.fullmatch(str(one.get("external_id")).strip())
        for one in references
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


def _calls_cib(label: object) -> bool:
    if not isinstance(label, str):
        return False
    words = "-".join(re.split(r"[\W_]+", label.lower()))
    return any(f"-{phrase}-" in f"-{words}-" for phrase in CIB_PHRASES)


def _normal(word: object) -> str:
    return word.strip().lower().replace(" ", "-").replace("_", "-") if isinstance(word, str) else ""
