"""May it come in? The checks of a push as refusals: a code, the place to mend, a sentence that says how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from exchange.model.party import Organisation
from exchange.policy.decide import decide
from exchange.policy.label import actor_facts
from exchange.policy.packs import Packs


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an object isn't taken."""

    code: str
    property: str
    """Where the producer mends it: a STIX property, or a part of the handling extension."""
    sentence: str


_MEND: Mapping[str, tuple[str, str]] = {
    "agreement-missing": (
        "handling.requires_agreements",
        "Sign the agreement, or ask the operator which version is in force.",
    ),
    "not-object-creator": (
        "created_by_ref",
        "Only its producer may change it; send an opinion or a note instead.",
    ),
    "revoked-permanently": ("revoked", "Push a new object with a new id."),
    "controller-arrangement-missing": (
        "",
        "Ask the operator to enter the arrangement between the joint controllers that your organisation signed.",
    ),
    "contributor-kind-excluded": ("", "Ask the operator of the exchange."),
    "tlp-downgrade-without-permission": ("object_marking_refs", "Use the source's label, or name its permission."),
    "marking-missing": (
        "object_marking_refs",
        "Add a TLP marking to object_marking_refs and send its definition along, or push to a "
        "collection that publishes a default.",
    ),
    "marking-invalid": ("object_marking_refs", "Use a level or statement of the standard."),
    "iep-version-unsupported": ("object_marking_refs", "Use FIRST IEP 2.0."),
    "granular-selector-invalid": ("granular_markings", "Name a property that the object has."),
    "personal-data-undeclared": ("handling.personal", "Declare personal 'yes' and give a lawful basis."),
    "basis-missing": (
        "handling.legal_basis",
        "Give the lawful basis under which it is shared, in the handling extension of a marking or "
        "through the collection's default terms.",
    ),
    "basis-unknown": ("handling.legal_basis", "Use an id of the vocabulary, such as A6-1-f."),
    "basis-not-available-in-regime": ("handling.regime", "State the regime that the basis belongs to."),
    "basis-not-available-to-public-authority": (
        "handling.legal_basis",
        "Use a basis open to public authorities.",
    ),
    "basis-only-for-competent-authority": ("handling.legal_basis", "Use a basis that is open to you."),
    "lia-missing": ("handling.refs.lia", "Name the legitimate-interests assessment."),
    "law-reference-missing": ("handling.refs.law", "Name the law, and its legal system in law_system."),
    "consent-record-missing": ("handling.refs.consent", "Name the record of consent."),
    "consent-withdrawn": ("handling.refs.consent", "Use another basis, or don't share it."),
    "recognised-interest-condition-missing": (
        "handling.refs.annex1_condition",
        "Name the Annex 1 condition.",
    ),
    "special-category-basis-missing": ("handling.special_basis", "Name a condition such as A9-2-e."),
    "criminal-data-not-authorised": ("handling.refs.criminal_law", "Name the law that authorises it."),
    "communications-content": (
        "handling.refs.sca_exception",
        "Name the exception that allows disclosure, or leave the content out.",
    ),
    "research-safeguards-missing": ("handling.special_basis", "Ask the operator to enter your safeguards."),
    "purpose-missing": ("handling.purposes", "Say what it may be used for, such as cib-detection."),
    "retention-missing": ("handling.retention_until", "Say until when it may be kept."),
    "retention-too-long": ("handling.retention_until", "Give an earlier date, or leave it to the defaults."),
    "notice-status-missing": ("handling.notice", "Say public-notice, given or deferred."),
    "notice-deferral-unjustified": (
        "handling.refs.notice_deferral",
        "Say why in notice_deferral, and in notice_review when that is looked at again.",
    ),
    "retention-expired": ("handling.retention_until", "Give a date in the future."),
    "behaviour-missing": (
        "labels",
        "Name the deceptive behaviour (a DISARM technique), or don't label it CIB.",
    ),
}


def push_facts(
    obj: Mapping[str, Any],
    organisation: Organisation,
    at: str,
    action: str = "push",
    programme: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Decision facts of a push (or ``update``) by an organisation at a time.

    ``obj`` is ``label.object_facts``, with ``fields`` and ``cib_without_behaviour`` where they are known;
    ``programme`` is that of the packs (``Packs.programme``).
    """
    return {
        "at": at,
        "action": action,
        "request": {},
        "object": obj,
        "actor": actor_facts(organisation, at),
        "programme": dict(programme or {}),
    }


def admit(facts: Mapping[str, Any], packs: Packs) -> tuple[Refusal, ...]:
    """Every reason to refuse a push, in the order in which a push is checked; empty: it may come in."""
    decision = decide(facts, packs)
    if decision.decision == "allow":
        return ()
    refusals = []
    for code in decision.reasons:
        finding = next(reason.finding for reason in decision.explain if reason.finding.code == code)
        place, mend = _MEND.get(code, ("", "See the rules of the exchange."))
        refusals.append(Refusal(code, place, f"Found: {finding.found}. Needed: {finding.needed}. {mend}"))
    return tuple(refusals)
