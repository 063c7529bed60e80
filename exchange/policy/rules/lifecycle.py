"""P15, P17, P18: revoked, erased, restricted and held objects, and who may change or delete one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from exchange.policy.case import Case
from exchange.policy.rule import RELEASE, Finding, Rule

_OFFICER = frozenset({"dpo", "data-protection-officer", "exchange-dpo"})
_OPERATOR = frozenset({"operator", "exchange", "exchange-operator"})


def _life(case: Case) -> Mapping[str, Any]:
    return case.subject.facts.get("life") or {}


def _revoked(case: Case) -> Iterator[Finding]:
    """Whoever received it learns that it must stop using it; whoever didn't has nothing to learn."""
    if not _life(case).get("revoked") or case.own:
        return
    stub = case.action == "pull" and bool(case.actor.facts.get("received_before"))
    yield Finding(
        "revoked",
        "revoked by its producer",
        "an object that stands",
        "redact" if stub else "deny",
        ("*content",) if stub else (),
    )


def _erased(case: Case) -> Iterator[Finding]:
    if not _life(case).get("erased"):
        return
    tombstone = case.action == "pull" and bool(case.actor.facts.get("received_before"))
    yield Finding(
        "erased",
        "erased",
        "an object that stands",
        "redact" if tombstone else "deny",
        ("*content",) if tombstone else (),
    )


def _restricted(case: Case) -> Iterator[Finding]:
    reason = _life(case).get("restricted")
    if reason is not None and not case.own:
        yield Finding("processing-restricted", f"restricted: {reason}", "an object whose processing isn't restricted")


def is_protection_officer(case: Case) -> bool:
    """Whether the exchange's data-protection officer acts: by that kind, or a person of its operator."""
    principal = case.request.get("principal") or {}
    return case.actor.kind in _OFFICER or (case.actor.kind in _OPERATOR and principal.get("kind") == "person")


def _creator(case: Case) -> Iterator[Finding]:
    if case.actor.org == case.subject.owner or (case.action == "delete" and is_protection_officer(case)):
        return
    yield Finding(
        "not-object-creator",
        case.actor.org,
        "the object's producer"
        + (", or the exchange's data-protection officer in person" if case.action == "delete" else ""),
    )


def _after_revocation(case: Case) -> Iterator[Finding]:
    if _life(case).get("revoked") or _life(case).get("erased"):
        yield Finding("revoked-permanently", "a version after revocation", "a new object with a new id")


def _held(case: Case) -> Iterator[Finding]:
    """What is held is kept for the one who needs it as evidence, and for nobody else."""
    if _life(case).get("legal_hold") and not case.own:
        yield Finding("legal-hold", "the object is held", "the end of the legal hold: a hold never releases")


def _hold(case: Case) -> Iterator[Finding]:
    if _life(case).get("legal_hold"):
        yield Finding("legal-hold", "the object is held", "the end of the legal hold")


ERASED = (
    Rule(
        "P15",
        "Erased objects are gone",
        "GDPR Art. 17 and 19",
        "release",
        RELEASE,
        ("object.life.erased", "actor.received_before"),
        _erased,
        ("erased",),
    ),
)
RULES = (
    *ERASED,
    Rule(
        "P15",
        "Revoked objects end",
        "STIX 2.1, 3.6",
        "release",
        RELEASE,
        ("object.life.revoked", "actor.received_before"),
        _revoked,
        ("revoked",),
    ),
    Rule(
        "P15",
        "Restricted objects are kept and not used",
        "GDPR Art. 18(2)",
        "release",
        RELEASE,
        ("object.life.restricted",),
        _restricted,
        ("processing-restricted",),
    ),
    Rule(
        "P18",
        "Only its producer changes or deletes an object",
        "STIX 2.1, 3.6.2",
        "admission",
        frozenset({"update", "delete"}),
        ("object.owner", "actor", "request.principal"),
        _creator,
        ("not-object-creator",),
    ),
    Rule(
        "P18",
        "Nothing follows a revocation",
        "STIX 2.1, 3.6.3",
        "admission",
        frozenset({"update"}),
        ("object.life.revoked", "object.life.erased"),
        _after_revocation,
        ("revoked-permanently",),
    ),
    Rule(
        "P17",
        "A held object isn't deleted",
        "GDPR Art. 17(3)(e) and 18(1)(c)",
        "admission",
        frozenset({"delete"}),
        ("object.life.legal_hold",),
        _hold,
        ("legal-hold",),
    ),
    Rule(
        "P17",
        "A held object isn't released",
        "Rules of the exchange, P17; GDPR Art. 18(1)(c) and 18(2)",
        "release",
        RELEASE,
        ("object.life.legal_hold",),
        _held,
        ("legal-hold",),
    ),
)
