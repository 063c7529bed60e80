"""Procedures of Meta's kill chain as STIX attack-patterns: one object each, whoever tells of them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from exchange.connect.asset import head
from exchange.model.killchain import FRAMEWORK, Procedure
from exchange.stix.ids import derived_id

Object = dict[str, Any]

_NAMESPACE = "meta-threat-research"
"""First key of their ids: the connector that made them first, and still does."""
META = derived_id("identity", _NAMESPACE, "Meta")
FIXED = "2020-01-01T00:00:00.000Z"
"""``created`` of what no source dates."""
_DISARM = "https://www.disarm.foundation/framework"


def meta() -> Object:
    """The STIX identity of Meta, which published the kill chain."""
    return head("identity", META, FIXED) | {
        "name": "Meta", "identity_class": "organization", "sectors": ["technology"]}


@lru_cache(maxsize=1024)
def pattern_id(procedure: Procedure) -> str:
    """The id of the attack-pattern that stands for a procedure."""
    return derived_id("attack-pattern", _NAMESPACE, procedure.id)


def attack_pattern(procedure: Procedure) -> Object:
    """A procedure, with the DISARM techniques that it stands for as references and phases."""
    references = [{"source_name": FRAMEWORK, "external_id": procedure.id,
                   "description": f"Meta Online Operations Kill Chain: {procedure.name}"}]  # fmt: skip
    references += [
        {"source_name": "DISARM", "external_id": one.id, "url": _DISARM, "description": f"DISARM v1.7: {one.name}"}
        for one in procedure.techniques
    ]
    return {**head("attack-pattern", pattern_id(procedure), FIXED, by=META), "name": procedure.name,
            "external_references": references, **phases([procedure])}  # fmt: skip


def phases(procedures: Iterable[Procedure]) -> Object:
    """``kill_chain_phases`` of procedures, in both frameworks; empty where there is none."""
    found: dict[tuple[str, str], None] = {}
    for one in procedures:
        found[FRAMEWORK, one.phase] = None
        found |= {("disarm", technique.phase): None for technique in one.techniques}
    named = [{"kill_chain_name": chain, "phase_name": phase} for chain, phase in sorted(found)]
    return {"kill_chain_phases": named} if named else {}
