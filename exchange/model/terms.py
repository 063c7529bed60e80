"""Sharing terms: under which markings, audience, lawful basis and time limits an object is shared.

The shapes and words are those of the decision facts (P1-P25): ``as_facts`` of a ``Terms`` is the ``object``
part of a policy decision less what only the object itself knows (type, owner, fields).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Markings:
    """Handling statements as found on the object: each list holds every statement, unresolved."""

    tlp: tuple[str, ...] = ()
    """TLP 2.0 levels such as ``TLP:AMBER+STRICT``."""
    tlp1: tuple[str, ...] = ()
    """TLP 1.0 levels such as ``TLP:WHITE``."""
    iep: tuple[Mapping[str, Any], ...] = ()
    """FIRST IEP 2.0 policies."""
    pap: tuple[str, ...] = ()
    granular: tuple[Mapping[str, Any], ...] = ()
    """Granular markings: selector with tlp, groups or lang."""
    collection_default: str | None = None
    """TLP that the collection or the contributor's agreement publishes for objects without their own."""
    unresolved: tuple[str, ...] = ()
    """Ids of markings that could not be resolved: they count as missing (P2)."""


@dataclass(frozen=True)
class Audience:
    """Who is addressed, in addition to TLP (P4)."""

    community: str = ""
    sharing_groups: tuple[str, ...] = ()
    named_orgs: tuple[str, ...] = ()
    named_persons: tuple[str, ...] = ()
    exclude_orgs: tuple[str, ...] = ()
    kinds_allowed: tuple[str, ...] | None = None
    kinds_denied: tuple[str, ...] = ()


@dataclass(frozen=True)
class Basis:
    """Lawful basis with its evidence, purposes and notice."""

    legal_basis: tuple[str, ...] = ()
    """Ids of the controlled vocabulary such as ``A6-1-f`` or ``UK-A6-1-ea``."""
    special_basis: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    refs: Mapping[str, Any] = field(default_factory=dict)
    """Evidence references: lia, law, consent, annex1_condition ..."""
    notice: str | None = None
    research_compatible: bool = False


@dataclass(frozen=True)
class PersonalData:
    """What the object holds about people; ``unknown`` counts as personal (P6)."""

    personal: str = "unknown"
    """yes, no or unknown."""
    categories: tuple[str, ...] = ()
    special_categories: tuple[str, ...] = ()
    criminal_offence: bool = False
    communications_content: bool = False
    subject_kind: str = "unknown"


@dataclass(frozen=True)
class Life:
    """Limits in time; RFC 3339 UTC texts, intervals half-open (P9)."""

    retention_until: str | None = None
    not_before: str | None = None


@dataclass(frozen=True)
class Terms:
    """The whole of what a producer said about sharing one object."""

    markings: Markings = Markings()
    audience: Audience = Audience()
    basis: Basis = Basis()
    data: PersonalData = PersonalData()
    life: Life = Life()
    regime: str | None = None
    """Law the producer processes under: EU-GDPR, UK-GDPR, EU-LED, US."""
    requires_agreements: tuple[Mapping[str, Any], ...] = ()
    """Each ``{"id": ..., "min_version": ...}``."""

    def as_facts(self) -> dict[str, Any]:
        """The ``object`` part of the decision facts, plain JSON values."""
        facts = asdict(self)
        facts["markings"].pop("unresolved")
        return _plain(facts)  # type: ignore[no-any-return]


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value
