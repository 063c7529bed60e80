"""Which terms an object ends up under: what its producer stated, filled up from published defaults.

A collection, a contributor's agreement or a sharing pack publishes defaults; what the object itself says
wins, part by part. Parts are: level, audience, lawful basis with its evidence, regime, purposes, notice,
retention, personal-data status, categories, kind of subject, agreements. Exclusions add up, because a
default may always narrow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from exchange.model.terms import Audience, Basis, Life, Markings, PersonalData, Terms
from exchange.policy.shape import moment
from exchange.stix.timestamp import from_microseconds

_DAY = 86_400_000_000


def merge_terms(stated: Terms, defaults: Mapping[str, Any], received_at: str) -> Terms:
    """Stated terms with defaults filled in; ``defaults`` has the keys of ``Collection.default_terms``.

    ``received_at`` (RFC 3339) is where ``retention_days`` counts from. Raises ValueError when it isn't a
    time.
    """
    return replace(
        stated,
        markings=_markings(stated.markings, defaults),
        audience=_audience(stated.audience, defaults),
        basis=_basis(stated.basis, defaults),
        data=_data(stated.data, defaults),
        life=_life(stated.life, defaults, received_at),
        regime=stated.regime or defaults.get("regime"),
        requires_agreements=stated.requires_agreements or tuple(defaults.get("requires_agreements") or ()),
    )


def _markings(stated: Markings, defaults: Mapping[str, Any]) -> Markings:
    if stated.tlp or stated.tlp1 or any(policy.get("tlp") for policy in stated.iep):
        return stated
    return replace(stated, collection_default=stated.collection_default or defaults.get("tlp"))


def _audience(stated: Audience, defaults: Mapping[str, Any]) -> Audience:
    excluded = dict.fromkeys((*stated.exclude_orgs, *(defaults.get("exclude_orgs") or ())))
    if stated.sharing_groups or stated.named_orgs or stated.named_persons:
        return replace(stated, exclude_orgs=tuple(excluded))
    return replace(
        stated,
        sharing_groups=tuple(defaults.get("sharing_groups") or ()),
        named_orgs=tuple(defaults.get("named_orgs") or ()),
        exclude_orgs=tuple(excluded),
    )


def _basis(stated: Basis, defaults: Mapping[str, Any]) -> Basis:
    filled = replace(
        stated,
        purposes=stated.purposes or tuple(defaults.get("purposes") or ()),
        notice=stated.notice or defaults.get("notice"),
    )
    if stated.legal_basis or stated.special_basis:
        return filled  # evidence belongs to its basis: a default's assessment doesn't vouch for another basis
    return replace(
        filled,
        legal_basis=tuple(defaults.get("legal_basis") or ()),
        special_basis=tuple(defaults.get("special_basis") or ()),
        refs={**(defaults.get("refs") or {}), **stated.refs},
    )


def _data(stated: PersonalData, defaults: Mapping[str, Any]) -> PersonalData:
    return replace(
        stated,
        personal=stated.personal if stated.personal != "unknown" else defaults.get("personal", "unknown"),
        categories=stated.categories or tuple(defaults.get("categories") or ()),
        subject_kind=stated.subject_kind
        if stated.subject_kind != "unknown"
        else defaults.get("subject_kind", "unknown"),
    )


def _life(stated: Life, defaults: Mapping[str, Any], received_at: str) -> Life:
    days = defaults.get("retention_days")
    if stated.retention_until is not None or days is None:
        return stated
    return replace(stated, retention_until=from_microseconds(moment(received_at) + int(days) * _DAY))
