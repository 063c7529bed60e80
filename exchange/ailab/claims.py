"""Attribution in STIX: one relationship for each claim, with its own basis and confidence (R4)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from exchange.ailab.heads import Heads
from exchange.stix.asset import Object, relationship

CONFIDENCE = {"low": 15, "moderate": 50, "high": 85}
"""Words of the form to STIX confidence (STIX 2.1, appendix A: Low, Med, High)."""
_SCALE = "low, moderate, high (15, 50, 85)"
_KINDS = {"originated-in": "originates-from", "targeted": "targets"}
_COUNTRY = re.compile(r"[A-Z]{2}\Z")


def claims(document: Mapping[str, Any], heads: Heads, campaign: str, *, told: bool) -> Iterator[Object]:
    """What each claim is about, and the claim; ``told``: with the alternatives that were weighed."""
    for number, claim in enumerate(document.get("attribution", ())):
        about = _about(claim["object"].strip(), heads)
        yield about
        kind = _KINDS.get(claim["claim"], "related-to")
        if kind == "originates-from" and about["type"] != "location":
            kind = "related-to"
        says = {"claim_type": claim["claim"], "basis": _basis(claim["basis"])}
        more: Object = {}
        if claim["confidence"] in CONFIDENCE:
            more["confidence"] = CONFIDENCE[claim["confidence"]]
            says["confidence_scale"] = _SCALE
        weighed = claim.get("alternatives_considered")
        text = f"Alternatives considered: {weighed}" if weighed and told else ""
        heading = heads.of_report("relationship", "claim", claim["claim"], about["id"], str(number))
        yield relationship(heading, kind, campaign, about["id"], description=text, says=says, **more)


def audiences(document: Mapping[str, Any], heads: Heads, campaign: str) -> Iterator[Object]:
    """Whom the cluster addressed, as classes of people or countries, and that it targeted them."""
    for text in document["cluster"].get("target_audiences", ()):
        plain = text.strip()
        if _COUNTRY.match(plain):
            about = _about(plain, heads)
        else:
            about = heads.of_provider("identity", "class", plain) | {"name": plain, "identity_class": "class"}
        yield about
        yield relationship(heads.of_report("relationship", "audience", about["id"]), "targets", campaign, about["id"])


def _about(text: str, heads: Heads) -> Object:
    if _COUNTRY.match(text):
        return heads.of_provider("location", text) | {"name": text, "country": text}
    return heads.of_provider("identity", "organization", text) | {"name": text, "identity_class": "organization"}


def _basis(stated: list[str]) -> list[str]:
    """The form joins what the extension tells apart: language and timing."""
    words: dict[str, None] = {}
    for word in stated:
        words.update(dict.fromkeys(("language", "timing") if word == "content-language-timing" else (word,)))
    return list(words)
