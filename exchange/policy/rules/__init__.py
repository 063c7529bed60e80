"""All rules in the order in which they are asked, and every code that a decision can give."""

from __future__ import annotations

from collections.abc import Mapping

from exchange.policy.rule import EVERY, Rule
from exchange.policy.rules import (
    agreements,
    attribution,
    basis,
    behaviour,
    communications,
    conduct,
    handling,
    lifecycle,
    limits,
    markings,
    notice,
    personal,
    protected,
    publication,
    purpose,
    references,
    release,
    sensitive,
)

RULES: tuple[Rule, ...] = (
    *agreements.RULES,
    *lifecycle.RULES,
    *markings.RULES,
    *release.RULES,
    *references.RULES,
    *handling.RULES,
    *attribution.RULES,
    *personal.RULES,
    *protected.RULES,
    *basis.RULES,
    *sensitive.RULES,
    *communications.RULES,
    *notice.RULES,
    *purpose.RULES,
    *limits.RULES,
    *behaviour.RULES,
    *conduct.RULES,
    *publication.RULES,
)

ACTION_RULES: Mapping[str, tuple[Rule, ...]] = {
    action: tuple(rule for rule in RULES if action in rule.actions) for action in sorted({*EVERY, "delete"})
}
"""Rules by action."""

TOMBSTONE_RULES: tuple[Rule, ...] = lifecycle.ERASED
"""All that is asked when somebody who once received an erased object asks for it."""

CODES: tuple[str, ...] = (
    # the order in which a push is checked
    "agreement-missing",
    "controller-arrangement-missing",
    "contributor-kind-excluded",
    "not-object-creator",
    "revoked-permanently",
    "tlp-downgrade-without-permission",
    "marking-missing",
    "marking-invalid",
    "iep-version-unsupported",
    "granular-selector-invalid",
    "personal-data-undeclared",
    "basis-missing",
    "basis-unknown",
    "basis-not-available-in-regime",
    "basis-not-available-to-public-authority",
    "basis-only-for-competent-authority",
    "lia-missing",
    "law-reference-missing",
    "consent-record-missing",
    "recognised-interest-condition-missing",
    "special-category-basis-missing",
    "criminal-data-not-authorised",
    "communications-content",
    "purpose-missing",
    "retention-missing",
    "retention-too-long",
    "notice-status-missing",
    "notice-deferral-unjustified",
    "behaviour-missing",
    # the rest: release and use
    "consent-withdrawn",
    "erased",
    "revoked",
    "processing-restricted",
    "legal-hold",
    "retention-expired",
    "embargo",
    "tlp-red",
    "tlp-amber-strict",
    "tlp-amber",
    "tlp-green",
    "tlp-not-public",
    "audience-excluded",
    "audience-kind",
    "not-in-audience",
    "clearance",
    "personal-data-not-public",
    "iep-not-in-force",
    "encryption-required",
    "action-not-permitted",
    "contact-provider-first",
    "affected-party-notification-prohibited",
    "attribution-withheld",
    "attribution-required",
    "resale-prohibited",
    "purpose-incompatible",
    "purpose-not-agreed",
    "research-safeguards-missing",
    "government-disclosure",
    "transfer-mechanism-missing",
    "endpoint-not-visible",
    "references-withheld",
    "granular-marking",
    "required-field-withheld",
    "minimised",
    "human-review-required",
    "disputed",
    "small-count",
    "identifiers-withheld",
    "methods-withheld",
    # nothing could be decided
    "facts-invalid",
    "rule-failed",
)
CODE_ORDER: Mapping[str, int] = {code: place for place, code in enumerate(CODES)}
