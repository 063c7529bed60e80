"""Which tables a policy pack may have: the keys of each entry, each of a kind (see ``packfile``).

Every entry may have its own ``citation`` and dates; without them it has those of its pack.
"""

from __future__ import annotations

from collections.abc import Mapping

from exchange.policy.shape import TLP_WORDS

Kind = str | tuple[str, ...]

EVIDENCE = ("lia", "law", "consent", "condition", "special-law", "public-evidence", "safeguards", "deferral", "review")
"""What a lawful basis, a condition or a notice status may ask for."""
NEEDS = ("tia", "group", "authority-informed", "not-repetitive", "not-public-authority")
"""What a transfer mechanism may ask for."""
SETTINGS = (
    "min_count",
    "max_retention_days",
    "no_government_contributions",
    "no_government_access",
    "demand_public_evidence",
    "demand_review_date",
)
"""Programme-wide parameters and switches, by their names in decision facts."""

DATES: Mapping[str, Kind] = {"valid_from": "date?", "valid_until": "date?"}
HEAD: Mapping[str, Kind] = {"title": "text", "citation": "text", "valid_from": "date", "valid_until": "date?"}
TERMS: Mapping[str, Kind] = {
    "tlp": TLP_WORDS,
    "regime": "text?",
    "legal_basis": "words?",
    "special_basis": "words?",
    "refs": "table?",
    "purposes": "words",
    "notice": "text?",
    "retention_days": "number",
    "personal": ("yes", "no", "unknown"),
    "categories": "words?",
    "subject_kind": "text?",
    "sharing_groups": "words?",
    "named_orgs": "words?",
    "exclude_orgs": "words?",
    "requires_agreements": "tables?",
}
"""Terms of a sharing pack."""
CASE: Mapping[str, Kind] = {
    "name": "text",
    "set": "table?",
    "unset": "words?",
    "decision": ("allow", "redact", "deny"),
    "reasons": "words?",
    "redact": "words?",
}
_TABLES: Mapping[str, Mapping[str, Kind]] = {
    "tlp": {"id": TLP_WORDS, "markings": "words"},
    "iep": {"id": "text", "acts": "strings"},
    "pap": {"id": "text", "acts": "acts"},
    "purpose": {
        "id": "text",
        "title": "text",
        "dpv": "words",
        "research": "flag?",
        "reserved": "flag?",
        "parent": "text?",
    },
    "category": {"id": "text", "iri": "text?", "direct": "flag"},
    "subject": {"id": "text", "title": "text", "words": "words?", "protected": "flag"},
    "regime": {
        "id": "text",
        "title": "text",
        "basis_required": "flag",
        "transfer_limits": "flag",
        "free_flow": "words?",
        "law_systems": "words?",
        "special_conditions_apply": "flag",
        "criminal_limits": "flag",
        "notice_required": "flag",
        "arrangement_required": "flag",
    },
    "basis": {
        "id": "text",
        "title": "text",
        "iri": "text?",
        "regime": "text",
        "evidence": "evidence?",
        "closed_to_public_authority": "flag?",
        "only_competent_authority": "flag?",
    },
    "condition": {
        "id": "text",
        "title": "text",
        "iri": "text?",
        "regimes": "words",
        "evidence": "evidence?",
        "automated_decisions": "flag?",
    },
    "annex1": {"id": "text", "words": "words"},
    "exception": {"id": "text", "title": "text", "words": "words?", "content": "flag"},
    "transfer": {"id": "text", "title": "text", "iri": "text?", "regimes": "words", "needs": "needs?"},
    "notice": {"id": "text", "title": "text", "iri": "text?", "evidence": "evidence?"},
    "retention": {"id": "text", "of": ("basis", "category", "subject"), "word": "text", "days": "number"},
    "programme": {"id": SETTINGS, "value": "setting"},
}
ENTRIES: Mapping[str, Mapping[str, Kind]] = {
    name: {**keys, "citation": "text?", **DATES} for name, keys in _TABLES.items()
}
"""Every table of entries, its keys and their kinds."""
