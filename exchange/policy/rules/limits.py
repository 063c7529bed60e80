"""P9 and P11: limits in time. Every interval is half-open: [from, until)."""

from __future__ import annotations

from collections.abc import Iterator

from exchange.policy.case import Case
from exchange.policy.retention import longest
from exchange.policy.rule import ADMISSION, RELEASE, Finding, Rule
from exchange.policy.shape import moment


def _retention(case: Case) -> Iterator[Finding]:
    """Also a producer's own object leaves no more once its time is over: storage ends for everybody."""
    until = (case.subject.facts.get("life") or {}).get("retention_until")
    if until is None:
        yield Finding("retention-missing", "no retention date", "a date on which keeping the object ends")
    elif moment(until) <= case.at:
        yield Finding("retention-expired", f"retention ended at {until}", "a time before that")


def _stated(case: Case) -> Iterator[Finding]:
    until = (case.subject.facts.get("life") or {}).get("retention_until")
    if until is None:
        yield Finding("retention-missing", "no retention date", "a date on which keeping the object ends")
    elif moment(until) <= case.at:
        yield Finding("retention-expired", f"retention ended at {until}", "a retention date in the future")


def _longest(case: Case) -> Iterator[Finding]:
    """Kept from its creation (as far as the facts tell, else from now) no longer than every maximum allows."""
    life = case.subject.facts.get("life") or {}
    until = life.get("retention_until")
    if until is None:
        return  # the rule before has said so
    start = moment(life["created"]) if life.get("created") else case.at
    subject = case.subject
    stated = subject.facts.get("retention_max_days")
    basis = subject.facts["basis"].get("legal_basis") or ()
    kind = subject.facts["data"].get("subject_kind")
    days, why = longest(
        case.packs,
        legal_basis=basis if subject.personal else (),
        categories=subject.categories,
        subject_kind=kind if subject.personal else None,
        programme=min(limit for limit in (stated, case.setting("max_retention_days")) if limit is not None)
        if stated is not None
        else case.programme.get("max_retention_days"),
    )
    if moment(until) > start + days * _DAY:
        yield Finding("retention-too-long", f"until {until}", f"at most {days:g} days ({why})")


def _embargo(case: Case) -> Iterator[Finding]:
    start = (case.subject.facts.get("life") or {}).get("not_before")
    if start is not None and case.at < moment(start) and not case.own:
        yield Finding("embargo", f"not before {start}", "that time or later")


_DAY = 86_400_000_000
_ART5 = "GDPR Art. 5(1)(e)"
RULES = (
    Rule(
        "P9",
        "Retention ends",
        _ART5,
        "release",
        RELEASE,
        ("object.life.retention_until", "at"),
        _retention,
        ("retention-missing", "retention-expired"),
    ),
    Rule(
        "P9",
        "Retention is stated",
        _ART5,
        "admission",
        ADMISSION,
        ("object.life.retention_until",),
        _stated,
        ("retention-missing", "retention-expired"),
    ),
    Rule(
        "P11",
        "Nothing is kept too long",
        _ART5,
        "admission",
        ADMISSION,
        ("object.life", "object.retention_max_days", "programme.max_retention_days", "object.data", "object.basis"),
        _longest,
        ("retention-too-long",),
    ),
    Rule(
        "P9",
        "Nothing is released before its date",
        "Rules of the exchange, P9",
        "release",
        RELEASE,
        ("object.life.not_before", "at"),
        _embargo,
        ("embargo",),
    ),
)
