"""P10: lawful bases are words of a regime's vocabulary, complete, and open to that kind of controller.

What can be judged on the object alone is judged on every action; who may rely on a basis is asked of the one
who contributes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from exchange.policy.case import Case, Subject
from exchange.policy.packs import Basis, Packs, Regime
from exchange.policy.rule import ADMISSION, Finding, Rule

_ANY = frozenset({"pull", "push", "update", "reshare", "publish", "act", "notify-affected"})


def _regime(subject: Subject, packs: Packs) -> Regime | None:
    return packs.regimes.get(subject.facts.get("regime") or "")


def _stated(case: Case) -> Iterator[Finding]:
    subject = case.subject
    if not subject.personal:
        return
    basis = subject.facts["basis"]
    refs = basis.get("refs") or {}
    listed = basis.get("legal_basis") or ()
    if not listed and not (subject.facts.get("regime") == "US" and refs.get("sca_exception")):
        yield Finding(
            "basis-missing",
            "personal data without a lawful basis (a TLP label is none)",
            "at least one lawful basis of the producer's regime",
        )
    for name in listed:
        known = case.packs.bases.get(name)
        if known is None:
            yield Finding("basis-unknown", repr(name), "a basis of the vocabulary, such as A6-1-f")
        elif known.regime != subject.facts.get("regime"):
            yield Finding(
                "basis-not-available-in-regime",
                f"{name} under {subject.facts.get('regime') or 'no regime'}",
                f"the regime {known.regime}",
            )


def _complete(case: Case) -> Iterator[Finding]:
    subject = case.subject
    if not subject.personal:
        return
    basis = subject.facts["basis"]
    refs = basis.get("refs") or {}
    for name in basis.get("legal_basis") or ():
        known = case.packs.bases.get(name)
        if known is not None:
            yield from _evidence(known, refs, case.packs)


def _evidence(basis: Basis, refs: Mapping[str, Any], packs: Packs) -> Iterator[Finding]:
    if "lia" in basis.evidence and not refs.get("lia"):
        yield Finding("lia-missing", f"{basis.id} without an assessment", "refs.lia")
    if "law" in basis.evidence:
        regime = packs.regimes[basis.regime]
        system = refs.get("law_system")
        if not refs.get("law") or system not in regime.law_systems:
            yield Finding(
                "law-reference-missing",
                f"{basis.id} with {refs.get('law') or 'no law'} of {system or 'no legal system'}",
                f"refs.law, and refs.law_system of {basis.regime}",
            )
    if "consent" in basis.evidence and not refs.get("consent"):
        yield Finding("consent-record-missing", f"{basis.id} without a record", "refs.consent")
    if "consent" in basis.evidence and refs.get("consent_withdrawn"):
        yield Finding("consent-withdrawn", "consent was withdrawn", "consent that stands, or another basis")
    if "condition" in basis.evidence and _annex1(refs.get("annex1_condition"), packs) is None:
        yield Finding(
            "recognised-interest-condition-missing",
            refs.get("annex1_condition") or "no condition",
            f"refs.annex1_condition, one of: {', '.join(sorted(set(packs.annex1.values())))}",
        )


def _annex1(stated: str | None, packs: Packs) -> str | None:
    """The paragraph of Annex 1 that a text names, by its number or a word for it."""
    if not stated:
        return None
    plain = stated.lower().replace("_", "-").replace(" ", "-")
    for prefix in ("annex-1-", "annex1-", "condition-", "paragraph-", "para-"):
        plain = plain.removeprefix(prefix)
    return packs.annex1.get(plain)


def _special(case: Case) -> Iterator[Finding]:
    subject = case.subject
    regime = _regime(subject, case.packs)
    held = subject.facts["data"].get("special_categories") or ()
    if not held or (regime is not None and not regime.special_conditions_apply):
        return
    basis = subject.facts["basis"]
    refs = basis.get("refs") or {}
    listed = basis.get("special_basis") or ()
    conditions = [case.packs.conditions.get(name) for name in listed]
    usable = [known for known in conditions if known is not None and regime is not None and known.regime == regime.id]
    if not usable or len(usable) < len(listed):
        yield Finding(
            "special-category-basis-missing",
            f"{', '.join(held)} with {', '.join(listed) or 'no condition'}",
            "conditions of the regime for special categories, such as A9-2-e",
        )
    for known in usable:
        if "special-law" in known.evidence and not refs.get("special_law"):
            yield Finding("law-reference-missing", f"{known.id} without a law", "refs.special_law")
        if "consent" in known.evidence and not refs.get("consent"):
            yield Finding("consent-record-missing", f"{known.id} without a record", "refs.consent")
        if "consent" in known.evidence and refs.get("consent_withdrawn"):
            yield Finding("consent-withdrawn", "consent was withdrawn", "consent that stands, or another condition")


def _criminal(case: Case) -> Iterator[Finding]:
    subject = case.subject
    regime = _regime(subject, case.packs)
    if not subject.facts["data"].get("criminal_offence") or (regime is not None and not regime.criminal_limits):
        return
    if not (subject.facts["basis"].get("refs") or {}).get("criminal_law"):
        yield Finding(
            "criminal-data-not-authorised", "data on offences without an authorising law", "refs.criminal_law"
        )


def _controller(case: Case) -> Iterator[Finding]:
    subject = case.subject
    if not subject.personal:
        return
    for name in subject.facts["basis"].get("legal_basis") or ():
        known = case.packs.bases.get(name)
        if known is None:
            continue
        if known.closed_to_public_authority and case.actor.facts.get("public_authority"):
            yield Finding(
                "basis-not-available-to-public-authority",
                f"{name} claimed by a public authority",
                "another basis: legitimate interests are closed to public authorities in their tasks",
            )
        if known.only_competent_authority and not case.actor.facts.get("led_competent_authority"):
            yield Finding(
                "basis-only-for-competent-authority",
                f"{name} claimed by {case.actor.org}",
                "a competent authority under Directive (EU) 2016/680",
            )


_BASES = "GDPR Art. 6(1); UK GDPR Art. 6(1); Directive (EU) 2016/680 Art. 8"
RULES = (
    Rule(
        "P10",
        "Personal data has a lawful basis of its regime",
        _BASES,
        "admission",
        _ANY,
        ("object.data", "object.basis.legal_basis", "object.regime"),
        _stated,
        ("basis-missing", "basis-unknown", "basis-not-available-in-regime"),
    ),
    Rule(
        "P10",
        "Each basis is complete",
        f"{_BASES}; GDPR Art. 6(3), 7(1)",
        "admission",
        _ANY,
        ("object.basis.legal_basis", "object.basis.refs"),
        _complete,
        (
            "lia-missing",
            "law-reference-missing",
            "consent-record-missing",
            "consent-withdrawn",
            "recognised-interest-condition-missing",
        ),
    ),
    Rule(
        "P10",
        "Special categories have a condition",
        "GDPR Art. 9(2); Directive (EU) 2016/680 Art. 10",
        "admission",
        _ANY,
        ("object.data.special_categories", "object.basis.special_basis", "object.basis.refs"),
        _special,
        (
            "special-category-basis-missing",
            "law-reference-missing",
            "consent-record-missing",
            "consent-withdrawn",
        ),
    ),
    Rule(
        "P10",
        "Data on offences is authorised by law",
        "GDPR Art. 10",
        "admission",
        _ANY,
        ("object.data.criminal_offence", "object.basis.refs.criminal_law"),
        _criminal,
        ("criminal-data-not-authorised",),
    ),
    Rule(
        "P10",
        "The basis is open to the one who claims it",
        "GDPR Art. 6(1), last sentence; Directive (EU) 2016/680 Art. 3(7)",
        "admission",
        ADMISSION,
        ("object.basis.legal_basis", "actor.public_authority", "actor.led_competent_authority"),
        _controller,
        ("basis-not-available-to-public-authority", "basis-only-for-competent-authority"),
    ),
)
