"""P10: lawful bases are words of a regime's vocabulary, complete, and open to that kind of controller.

What can be judged on the object alone is judged on every action; who may rely on a basis is asked of the one
who contributes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from exchange.policy.case import Case
from exchange.policy.packs import Packs
from exchange.policy.rule import ADMISSION, EVERY, Finding, Rule
from exchange.policy.vocabularies import Basis

_ANNEX = re.compile(r"^(?:uk(?:[- ]?gdpr)?[- ])?(?:annex[- ]?|a)1[ ,:-]+")
_PARAGRAPH = re.compile(r"^(?:(?:condition|paragraph|para|point)[- ]?)?([0-9]{1,3})(?![0-9])")


def _stated(case: Case) -> Iterator[Finding]:
    subject = case.subject
    if not case.about_people:
        return
    named = subject.facts.get("regime")
    regime = case.packs.regimes.get(named or "")
    listed = subject.facts["basis"].get("legal_basis") or ()
    if not listed and (regime is None or regime.basis_required):
        yield Finding(
            "basis-missing",
            "personal data without a lawful basis (a TLP label is none)",
            "at least one lawful basis of the producer's regime",
        )
    for name in listed:
        known = case.packs.bases.get(name)
        if known is None:
            yield Finding("basis-unknown", repr(name), "a basis of the vocabulary, such as A6-1-f")
        elif known.regime != named:
            yield Finding(
                "basis-not-available-in-regime",
                f"{name} under {named or 'no regime'}",
                f"the regime {known.regime}",
            )


def _complete(case: Case) -> Iterator[Finding]:
    subject = case.subject
    if not case.about_people:
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
        system = refs.get("law_system")
        known = packs.regimes[basis.regime].law_systems
        spellings = {(system or "").lower(), "-".join((system or "").lower().replace("_", " ").split())}
        if not refs.get("law") or known.isdisjoint(spellings):
            yield Finding(
                "law-reference-missing",
                f"{basis.id} with {refs.get('law') or 'no law'} of {system or 'no legal system'}",
                f"refs.law, and refs.law_system of {basis.regime}",
            )
    if "consent" in basis.evidence:
        yield from consent(basis.id, refs)
    if "condition" in basis.evidence and annex1(refs.get("annex1_condition"), packs) is None:
        yield Finding(
            "recognised-interest-condition-missing",
            refs.get("annex1_condition") or "no condition",
            f"refs.annex1_condition, one of: {', '.join(sorted(set(packs.annex1.values())))}",
        )


def consent(name: str, refs: Mapping[str, Any]) -> Iterator[Finding]:
    """What is wrong with the consent that a basis or condition rests on (GDPR Art. 7)."""
    if not refs.get("consent"):
        yield Finding("consent-record-missing", f"{name} without a record", "refs.consent")
    if refs.get("consent_withdrawn"):
        yield Finding("consent-withdrawn", "consent was withdrawn", "consent that stands, or another basis")


def annex1(stated: str | None, packs: Packs) -> str | None:
    """The paragraph of UK GDPR Annex 1 that a text names by its number or a word for it; None: none of them."""
    plain = _ANNEX.sub("", (stated or "").lower().replace("_", "-").strip())
    numbered = _PARAGRAPH.match(plain)
    return packs.annex1.get(numbered[1] if numbered else plain.replace(" ", "-"))


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
        EVERY,
        ("object.data", "object.basis.legal_basis", "object.regime"),
        _stated,
        ("basis-missing", "basis-unknown", "basis-not-available-in-regime"),
    ),
    Rule(
        "P10",
        "Each basis is complete",
        f"{_BASES}; GDPR Art. 6(3), 7(1)",
        "admission",
        EVERY,
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
        "The basis is open to the one who claims it",
        "GDPR Art. 6(1), last sentence; Directive (EU) 2016/680 Art. 3(7)",
        "admission",
        ADMISSION,
        ("object.basis.legal_basis", "actor.public_authority", "actor.led_competent_authority"),
        _controller,
        ("basis-not-available-to-public-authority", "basis-only-for-competent-authority"),
    ),
)
