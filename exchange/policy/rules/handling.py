"""P1 and P7: what FIRST IEP 2.0 policies and PAP markings permit, each statement at its most restrictive.

Several policies are read statement by statement: each one that forbids is a reason of its own, so the
strictest always wins. A producer isn't bound by its own handling statements.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from exchange.policy.case import Case, in_force
from exchange.policy.rule import EVERY, RELEASE, Finding, Rule

_WORDS: Mapping[str, tuple[str, ...]] = {
    "encrypt_in_transit": ("must", "may"),
    "affected_party_notifications": ("may", "must-not"),
    "attribution": ("may", "must", "must-not"),
    "unmodified_resale": ("may", "must-not"),
}


def statement(policy: Mapping[str, Any], name: str) -> str | None:
    """One statement of an IEP in lower case with hyphens (``must-not``); None when it isn't made."""
    value = policy.get(name)
    return None if value is None else "-".join(value.lower().replace("_", " ").replace("-", " ").split())


def _version(case: Case) -> Iterator[Finding]:
    for policy in case.subject.ieps:
        stated = policy.get("iep_version")
        if stated not in (2, "2.0", "2"):
            yield Finding("iep-version-unsupported", f"iep_version {stated!r}", "iep_version 2.0")


def _words(case: Case) -> Iterator[Finding]:
    for policy in case.subject.ieps:
        actions = statement(policy, "permitted_actions")
        if actions is not None and actions not in case.packs.iep_acts:
            yield Finding(
                "marking-invalid",
                f"permitted_actions {policy['permitted_actions']!r}",
                f"one of: {', '.join(case.packs.iep_acts)}",
            )
        for name, words in _WORDS.items():
            value = statement(policy, name)
            if value is not None and value not in words:
                yield Finding("marking-invalid", f"{name} {policy[name]!r}", f"one of: {', '.join(words)}")
    for label in case.subject.paps:
        if label.upper() not in case.packs.pap_acts:
            yield Finding("marking-invalid", f"PAP {label!r}", f"one of: {', '.join(case.packs.pap_acts)}")


def _dates(case: Case) -> Iterator[Finding]:
    """A policy that has lapsed doesn't free its information: nothing is released any more."""
    if case.own:
        return
    for policy in case.subject.ieps:
        if not in_force(policy, case.at, "start_date", "end_date"):
            yield Finding(
                "iep-not-in-force",
                f"in force from {policy.get('start_date') or 'ever'} until {policy.get('end_date') or 'ever'}",
                "a time within the policy's dates",
            )


def _encryption(case: Case) -> Iterator[Finding]:
    encrypted = (case.request.get("channel") or {}).get("encrypted")
    if encrypted is True or case.own:
        return
    if any(statement(policy, "encrypt_in_transit") == "must" for policy in case.subject.ieps):
        yield Finding("encryption-required", "a channel without encryption", "an encrypted channel")


def _permitted(case: Case) -> Iterator[Finding]:
    if case.own:
        return
    act = case.request.get("act")
    for policy in case.subject.ieps:
        level = statement(policy, "permitted_actions")
        if level is None:
            continue
        if level == "contact-for-instruction":
            if not case.request.get("provider_instruction_ref"):
                yield Finding(
                    "contact-provider-first",
                    "no instruction of the provider",
                    "a reference to the provider's instruction",
                )
        elif act not in case.packs.iep_acts.get(level, ()):
            yield Finding("action-not-permitted", f"{act} under IEP {level}", _allowed(case.packs.iep_acts.get(level)))
    for label in case.subject.paps:
        if act not in case.packs.pap_acts.get(label.upper(), ()):
            yield Finding(
                "action-not-permitted",
                f"{act} under {label}",
                _allowed(case.packs.pap_acts.get(label.upper())),
            )


def _allowed(acts: frozenset[str] | None) -> str:
    return f"one of: {', '.join(sorted(acts))}" if acts else "no action at all"


def _notification(case: Case) -> Iterator[Finding]:
    if not case.own and any(
        statement(policy, "affected_party_notifications") == "must-not" for policy in case.subject.ieps
    ):
        yield Finding(
            "affected-party-notification-prohibited",
            "affected_party_notifications must-not",
            "a policy that lets recipients tell those affected",
        )


def _resale(case: Case) -> Iterator[Finding]:
    if (
        case.request.get("resale_unmodified")
        and case.actor.org != case.subject.owner
        and any(statement(policy, "unmodified_resale") == "must-not" for policy in case.subject.ieps)
    ):
        yield Finding("resale-prohibited", "unmodified resale", "a policy that lets recipients resell")


_IEP = "FIRST IEP 2.0"
RULES = (
    Rule(
        "P1",
        "Information exchange policies are of version 2.0",
        _IEP,
        "admission",
        EVERY,
        ("object.markings.iep",),
        _version,
        ("iep-version-unsupported",),
    ),
    Rule(
        "P1",
        "IEP statements and PAP levels are words of their standards",
        f"{_IEP}; PAP (MISP taxonomy)",
        "admission",
        EVERY,
        ("object.markings.iep", "object.markings.pap"),
        _words,
        ("marking-invalid",),
    ),
    Rule(
        "P7",
        "Nothing is released outside a policy's dates",
        f"{_IEP}, start_date and end_date",
        "release",
        RELEASE,
        ("object.markings.iep", "at"),
        _dates,
        ("iep-not-in-force",),
    ),
    Rule(
        "P1",
        "Encrypted in transit where the policy says so",
        f"{_IEP}, encrypt_in_transit",
        "release",
        frozenset({"pull", "reshare", "publish"}),
        ("object.markings.iep", "request.channel.encrypted"),
        _encryption,
        ("encryption-required",),
    ),
    Rule(
        "P1",
        "Actions are those that IEP and PAP permit",
        f"{_IEP}, permitted_actions; PAP (MISP taxonomy)",
        "use",
        frozenset({"act"}),
        ("object.markings.iep", "object.markings.pap", "request.act"),
        _permitted,
        ("action-not-permitted", "contact-provider-first"),
    ),
    Rule(
        "P1",
        "Those affected are told only where the policy lets recipients",
        f"{_IEP}, affected_party_notifications",
        "use",
        frozenset({"notify-affected"}),
        ("object.markings.iep",),
        _notification,
        ("affected-party-notification-prohibited",),
    ),
    Rule(
        "P1",
        "No resale where the policy forbids it",
        f"{_IEP}, unmodified_resale",
        "use",
        frozenset({"reshare"}),
        ("object.markings.iep", "request.resale_unmodified"),
        _resale,
        ("resale-prohibited",),
    ),
)
