"""Which terms an object ends up under: what its producer stated, filled up from published defaults.

A collection, a contributor's agreement or a sharing pack publishes defaults; what the object itself says
wins, part by part. Parts are: level, audience, lawful basis with its evidence, regime, purposes, notice,
retention, personal-data status, categories, kind of subject, agreements. Exclusions add up, because a
default may always narrow.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from exchange.model.terms import Audience, Basis, Life, Markings, PersonalData, Terms
from exchange.policy.packs import Packs
from exchange.policy.retention import longest
from exchange.policy.shape import moment
from exchange.stix.timestamp import from_microseconds

_DAY = 86_400_000_000


def merge_terms(
    stated: Terms,
    defaults: Mapping[str, Any],
    received_at: str,
    packs: Packs | None = None,
    categories: Collection[str] = (),
) -> Terms:
    """Stated terms with defaults filled in; ``defaults`` has the keys of ``Collection.default_terms``.

    ``received_at`` (RFC 3339) is where ``retention_days`` counts from. With ``packs`` a default retention is
    never longer than what the terms, and the ``categories`` of personal data found in the object, allow (P11): a
    default adapts, what is stated is refused. Raises ValueError when ``received_at`` isn't a time.
    """
    basis, data = _basis(stated.basis, defaults), _data(stated.data, defaults)
    days = defaults.get("retention_days")
    if packs is not None and days is not None:
        days = min(days, _longest(packs.at(moment(received_at)), basis, data, categories))
    return replace(
        stated,
        markings=_markings(stated.markings, defaults),
        audience=_audience(stated.audience, defaults),
        basis=basis,
        data=data,
        life=_life(stated.life, days, received_at),
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


def _longest(packs: Packs, basis: Basis, data: PersonalData, found: Collection[str]) -> float:
    if data.personal == "no" and not (data.categories or data.special_categories or found):
        return longest(packs)[0]
    categories = {*data.categories, *found}
    return longest(
        packs, legal_basis=basis.legal_basis, categories=categories, subject_kind=data.subject_kind
    )[0]


def _life(stated: Life, days: float | None, received_at: str) -> Life:
    if stated.retention_until is not None or days is None:
        return stated
    return replace(stated, retention_until=from_microseconds(moment(received_at) + int(days) * _DAY))
