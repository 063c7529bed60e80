"""P10 for what needs more than a basis: special categories of data, and data on offences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from exchange.policy.case import Case
from exchange.policy.rule import EVERY, Finding, Rule
from exchange.policy.rules.basis import consent
from exchange.policy.vocabularies import Condition


def usable_conditions(case: Case) -> list[Condition]:
    """The conditions that the object states and that its regime knows."""
    regime = case.subject.facts.get("regime")
    listed = case.subject.facts["basis"].get("special_basis") or ()
    found = (case.packs.conditions.get(name) for name in listed)
    return [known for known in found if known is not None and regime in known.regimes]


def _special(case: Case) -> Iterator[Finding]:
    subject = case.subject
    held = subject.facts["data"].get("special_categories")
    if not held or case.anonymised:
        return
    regime = case.packs.regimes.get(subject.facts.get("regime") or "")
    if regime is not None and not regime.special_conditions_apply:
        return
    listed = subject.facts["basis"].get("special_basis") or ()
    usable = usable_conditions(case)
    if not usable or len(usable) < len(listed):
        yield Finding(
            "special-category-basis-missing",
            f"{', '.join(held)} with {', '.join(listed) or 'no condition'}",
            "conditions of the regime for special categories, such as A9-2-e",
        )
    for known in usable:
        yield from _evidence(case, known, subject.facts["basis"].get("refs") or {})


def _evidence(case: Case, known: Condition, refs: Mapping[str, Any]) -> Iterator[Finding]:
    if "special-law" in known.evidence and not refs.get("special_law"):
        yield Finding("law-reference-missing", f"{known.id} without a law", "refs.special_law")
    if "consent" in known.evidence:
        yield from consent(known.id, refs)
    if "safeguards" in known.evidence and not case.actor.facts.get("research_safeguards"):
        yield Finding(
            "research-safeguards-missing",
            f"{known.id}, and {case.actor.org} has no safeguards",
            "safeguards as Art. 89(1) asks",
        )
    demanded = case.programme.get("demand_public_evidence")
    if demanded and "public-evidence" in known.evidence and not refs.get("public_evidence"):
        yield Finding(
            "special-category-basis-missing",
            f"{known.id} without a reference to what the person made public",
            "refs.public_evidence",
        )


def _criminal(case: Case) -> Iterator[Finding]:
    subject = case.subject
    if not subject.facts["data"].get("criminal_offence") or case.anonymised:
        return
    regime = case.packs.regimes.get(subject.facts.get("regime") or "")
    if regime is not None and not regime.criminal_limits:
        return
    if not (subject.facts["basis"].get("refs") or {}).get("criminal_law"):
        yield Finding(
            "criminal-data-not-authorised", "data on offences without an authorising law", "refs.criminal_law"
        )


RULES = (
    Rule(
        "P10",
        "Special categories have a condition",
        "GDPR Art. 9(2) and 89(1); Directive (EU) 2016/680 Art. 10",
        "admission",
        EVERY,
        (
            "object.data.special_categories",
            "object.basis.special_basis",
            "object.basis.refs",
            "actor.research_safeguards",
            "programme.demand_public_evidence",
        ),
        _special,
        (
            "special-category-basis-missing",
            "law-reference-missing",
            "consent-record-missing",
            "consent-withdrawn",
            "research-safeguards-missing",
        ),
    ),
    Rule(
        "P10",
        "Data on offences is authorised by law",
        "GDPR Art. 10",
        "admission",
        EVERY,
        ("object.data.criminal_offence", "object.basis.refs.criminal_law"),
        _criminal,
        ("criminal-data-not-authorised",),
    ),
)
