"""What a form's ``handling`` says, in the exchange's words: lawful basis, purposes, dates, actions, TLP.

Nothing comes out wider than it was meant: without onward sharing TLP:AMBER becomes TLP:AMBER+STRICT, and who
doesn't say that the provider may be named isn't.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from exchange.ailab.fault import INVALID, FormFault, Path
from exchange.stix.asset import Object
from exchange.stix.extensions import HANDLING
from exchange.stix.handling import IEP_EXTENSION
from exchange.stix.tlp import TLP2_IDS

PACK = "ai-lab-report"
"""The sharing pack under which forms come in."""

_REGIMES = {
    "GDPR": "EU-GDPR", "EUGDPR": "EU-GDPR", "UKGDPR": "UK-GDPR", "LED": "EU-LED", "EULED": "EU-LED", "US": "US",
    "SCA": "US", "USSCA": "US",
}  # fmt: skip
_ARTICLE = re.compile(
    r"\b(?:Article|Art\.?|A)?[\s-]*(6|8|9|10)\s*[-(]\s*(\d)\s*\)?\s*[-(]?\s*([a-z]{1,2})?\b", re.IGNORECASE)
_SECTION = re.compile(r"2702\s*[-(]\s*([bc])\s*\)?\s*[-(]?\s*(\d)", re.IGNORECASE)
_BASIS_WORDS = {"legitimate interest": "A6-1-f", "public task": "A6-1-e", "public interest": "A6-1-e",
                "legal obligation": "A6-1-c", "vital interest": "A6-1-d", "consent": "A6-1-a"}  # fmt: skip
_PURPOSES: tuple[tuple[str, str], ...] = (
    ("cib-detection", r"coordinated|inauthentic|\bcib\b|influence op|information op|disinformation|manipulat"),
    ("account-integrity", r"account.integrity|take-?over|fake|spam|scam|fraud|bot\b|abuse|misuse"),
    ("incident-response", r"incident|election"),
    ("transparency", r"transparency"),
    ("research", r"\bresearch|\bstudy"),
)
_NEVER = re.compile(r"advertis|marketing|train(?:ing)? |profiling|resale|resell", re.IGNORECASE)
_FIX_PURPOSE = "Use one of: " + ", ".join(name for name, _ in _PURPOSES)
_VICTIM_DAYS = 30
"""Retention of data of those whom a network targets or copies, from its admission; what the provider wants sooner
ends its release sooner."""
_PROTECTED = "impersonated-victim"
KINDS = ("inauthentic-persona", "impersonated-victim", "organisation")
"""Whose data a marked object holds: the network's, those of whom it targets or copies, nobody's in person."""


def named(document: Mapping[str, Any]) -> bool:
    """Whether recipients may learn who reports."""
    return document["handling"].get("name_provider") in ("may", "must")


def handling_faults(document: Mapping[str, Any]) -> Iterator[FormFault]:
    """What in ``handling`` has the right form and can't be understood."""
    legal = document["handling"]["legal_basis"]
    path: Path = ("handling", "legal_basis")
    regime = _regime(legal)
    if regime is None:
        yield FormFault((*path, "regime"), INVALID, "is no regime that is known here. Say GDPR, UK GDPR, LED or US.")
        return
    bases, conditions = _bases(legal, regime)
    if not bases and regime != "US":
        yield FormFault((*path, "basis"), INVALID, "names no lawful basis. Say the article, such as Art. 6(1)(f).")
    if legal.get("special_category") and not conditions and regime in ("EU-GDPR", "UK-GDPR"):
        yield FormFault((*path, "basis"), INVALID, "names no condition for special categories of data. Add the "
                        "article, such as Art. 9(2)(e), or say special_category false.")
    for number, text in enumerate(document["handling"]["purpose"]):
        if _purpose(text) is None:
            path = ("handling", "purpose", number)
            yield FormFault(path, INVALID, f"is no purpose of this exchange. {_FIX_PURPOSE}.")


def tlp_id(document: Mapping[str, Any]) -> str:
    """The id of the TLP 2.0 marking."""
    level = document["handling"]["tlp"]
    if level == "amber" and not document["handling"].get("onward_sharing", False):
        level = "amber+strict"
    return next(marking for marking, name in TLP2_IDS.items() if name == f"TLP:{level.upper()}")


def marking(document: Mapping[str, Any], subject_kind: str) -> Object:
    """The extensions of a marking-definition for what holds data of that kind of people."""
    stated = document["handling"]
    legal = stated["legal_basis"]
    regime = str(_regime(legal))
    bases, conditions = _bases(legal, regime)
    until = f"{stated['retain_until']}T00:00:00Z"
    says: Object = {
        "extension_type": "property-extension", "regime": regime,
        "purposes": sorted({str(_purpose(text)) for text in stated["purpose"]}), "data": {"subject_kind": subject_kind},
    }  # fmt: skip
    protected = subject_kind == _PROTECTED
    says |= {"retention_days": _VICTIM_DAYS} if protected else {"retention_until": until}
    if bases:
        says["legal_basis"] = bases
    if conditions:
        says["special_basis"] = conditions
    if legal.get("special_category"):
        says["data"]["special_categories"] = ["PoliticalOpinion"]
    refs = _references(document, until)
    if refs:
        says["refs"] = refs
    notice = stated.get("subject_notice")
    if notice in ("given", "deferred"):
        says["notice"] = notice
    if named(document) and "appeals_contact" in document["provider"]:
        says["appeals_contact"] = document["provider"]["appeals_contact"]
    return {HANDLING: says, **_policy(document, until if protected else None)}


def _references(document: Mapping[str, Any], until: str) -> Object:
    """Evidence: the provider's own assessment stands behind its basis, and behind a notice that it defers.

    A deferral is looked at again when the data goes at the latest.
    """
    refs: Object = {}
    assessment = document["handling"]["legal_basis"].get("assessment_ref")
    if assessment:
        refs["lia"] = assessment
        if document["handling"].get("subject_notice") == "deferred":
            refs |= {"notice_deferral": f"assessment of the provider: {assessment}", "notice_review": until[:10]}
    if document.get("references"):
        refs["public_evidence"] = document["references"][0]
    return refs


def _policy(document: Mapping[str, Any], until: str | None) -> Object:
    """FIRST IEP 2.0: what recipients may do, whether they name the provider, and until when it is released.

    A provider who isn't named needs no statement of it: nothing in the objects tells who it is.
    """
    stated = document["handling"]
    says = {"permitted_actions": stated.get("permitted_actions"), "end_date": until,
            "provider_attribution": stated["name_provider"] if named(document) else None}  # fmt: skip
    told = {name: value for name, value in says.items() if value}
    if not told:
        return {}
    head = {"extension_type": "property-extension", "iep_version": "2.0", "name": "AI-lab report"}
    return {IEP_EXTENSION: head | told}


def _regime(legal: Mapping[str, Any]) -> str | None:
    return _REGIMES.get(re.sub(r"[^A-Z]", "", legal["regime"].upper()))


def _bases(legal: Mapping[str, Any], regime: str) -> tuple[list[str], list[str]]:
    """Ids of lawful bases (Art. 6, 8 LED) and of conditions for special categories (Art. 9, 10)."""
    text = legal["basis"]
    if regime == "US":
        return [f"US-SCA-2702-{found[1].lower()}-{found[2]}" for found in _SECTION.finditer(text)], []
    prefix = "UK-" if regime == "UK-GDPR" else ""
    found = ["-".join(filter(None, ("A" + one[1], one[2], (one[3] or "").lower()))) for one in _ARTICLE.finditer(text)]
    found = found or [name for words, name in _BASIS_WORDS.items() if words in text.lower()]
    ids = [prefix + name for name in dict.fromkeys(found)]
    special = [name for name in ids if re.match(r"(?:UK-)?A(?:9|10)-", name)]
    return [name for name in ids if name not in special], special


def _purpose(text: str) -> str | None:
    plain = text.strip().lower()
    if _NEVER.search(plain):
        return None
    known = [name for name, _ in _PURPOSES if name == plain]
    return next((name for name, words in _PURPOSES if known == [name] or (not known and re.search(words, plain))), None)
