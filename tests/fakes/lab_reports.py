"""AI-lab cluster reports with made-up content: a small one, and a full one that uses every field."""

from __future__ import annotations

import copy
from typing import Any

Form = dict[str, Any]
SMALL: Form = {
    "schema_version": "1", "report_id": "rpt-7f3a", "version": 1, "published": "2026-06-10T09:00:00Z",
    "provider": {"name": "Lorem AI"},
    "handling": {
        "tlp": "green", "legal_basis": {"regime": "GDPR", "basis": "Art. 6(1)(f)", "assessment_ref": "LIA-22"},
        "purpose": ["cib-detection"], "retain_until": "2027-03-01", "subject_notice": "deferred",
    },
    "cluster": {
        "cluster_id": "CL-77", "first_activity": "2026-03-02", "last_activity": "2026-05-28",
        "accounts_actioned": {"count": 23}, "surfaces": ["chat"], "behaviours": [{"framework": "DISARM", "id": "T0116.001"}],
        "ai_use": [{"modality": "text", "status": "confirmed"}],
    },
}  # fmt: skip
_HEX = "0123456789abcdef" * 4
FULL: Form = {
    **SMALL, "status": "active",
    "provider": {"name": "Lorem AI", "contact": "threat-intel@lorem.example", "appeals_contact": "appeals@lorem.example"},
    "handling": {**SMALL["handling"], "permitted_actions": "internally-visible-actions", "onward_sharing": False,
                 "name_provider": "may"},
    "cluster": {
        **SMALL["cluster"], "names": ["Operation Dolor", "Amet"], "continues_cluster": ["CL-31"], "class": "influence-op",
        "detected": "2026-05-01", "disrupted": "2026-05-30", "boundary": "All chat accounts seen since March; no API traffic.",
        "accounts_actioned": {"count": 23, "approximate": True, "action": "banned"}, "surfaces": ["chat", "image"],
        "models": ["lorem-4"],
        "behaviours": [
            {"framework": "DISARM", "framework_version": "1.7", "id": "T0116.001", "observation": "observed",
             "note": "Comments in bursts after news items."},
            {"framework": "META-OOKC", "id": "0.9.4", "observation": "inferred"},
        ],
        "ai_use": [{"modality": "text", "status": "confirmed", "basis": "outputs logged by the provider"},
                   {"modality": "image", "status": "suspected"}],
        "languages": ["en", "ur"], "themes": ["an election abroad"], "target_audiences": ["voters in Lorem", "PK"],
    },
    "account_identifiers": [
        {"of": "email", "alg": "hmac-sha256", "key_id": "grp-2026-q2", "norm": "cib-norm-1", "value": _HEX, "subject": "1",
         "strength": "strong"},
        {"of": "device", "alg": "hmac-sha256", "key_id": "grp-2026-q2", "norm": "cib-norm-1", "value": _HEX[::-1], "subject": "1"},
        {"of": "account-id", "alg": "hmac-sha256", "key_id": "grp-2026-q2", "norm": "cib-norm-1", "value": _HEX, "subject": "2"},
    ],
    "external_assets": [
        {"type": "account", "platform": "x", "value": "https://x.com/lorem_ipsum9", "seen_as": "found-posting-output",
         "role": "amplifier", "relation": "operated", "confidence": 70, "first_seen": "2026-03-05", "last_seen": "2026-05-20"},
        {"type": "domain", "value": "dolor-news.example", "seen_as": "named-in-output", "relation": "operated"},
        {"type": "domain", "value": "real-paper.example", "seen_as": "named-in-request", "relation": "impersonated"},
        {"type": "account", "platform": "x", "value": "@a_real_voter", "seen_as": "named-in-request", "relation": "targeted"},
        {"type": "url", "value": "https://fact-check.example/lorem", "seen_as": "named-in-output",
         "relation": "legitimate-mention"},
        {"type": "channel", "platform": "telegram", "value": "t.me/sit_amet", "seen_as": "named-in-output"},
        {"type": "hashtag", "value": "#loremipsum", "seen_as": "named-in-output", "relation": "operated"},
    ],
    "content_fingerprints": [
        {"alg": "sha256", "value": "89abcdef01234567" * 4, "modality": "text"},
        {"alg": "pdq", "modality": "image", "quality": 88, "value": "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22"},
        {"alg": "tlsh", "value": "T1F0B0128A2B0E2C8A8C0B3C3E8A0A2B8C0E0F3A3B0C8E2A0B3C3E8A0A2B8C0E0F3A3B0C8E"[:72]},
    ],
    "preserved_records": [{"kind": "prompt-trail", "held": True, "until": "2027-06-10", "how_to_request": "legal process"},
                          {"kind": "distribution-graph", "held": False}],
    "impact": {"breakout": 2, "assessed": "2026-06-01", "basis": "little engagement outside of its own accounts",
               "measures": [{"metric": "views", "platform": "x", "value": 12000, "approximate": True},
                            {"metric": "engagement rate", "value": 0.031}]},
    "attribution": [
        {"claim": "originated-in", "object": "PK", "basis": ["technical-infrastructure", "content-language-timing"],
         "confidence": "moderate", "alternatives_considered": "a contractor elsewhere"},
        {"claim": "linked-to", "object": "Dolor Media Group", "basis": ["payment"], "confidence": "low"},
    ],
    "detection_disclosure": "full-to-recipients",
    "references": ["https://lorem-ipsum.example/reports/2026-06"],
}  # fmt: skip


def form(base: Form = FULL, **changes: Any) -> Form:
    """A copy of a form with other top-level fields; ``cluster__names=[…]`` changes a field of a part."""
    made = copy.deepcopy(base)
    for name, value in changes.items():
        part, _, inner = name.partition("__")
        if inner:
            made[part][inner] = value
        else:
            made[part] = value
    return made
