"""Victims and co-opted people: redacted and not passed on, unless the object names who shall have it (R10)."""

from __future__ import annotations

from collections.abc import Iterator

from exchange.policy.case import Case
from exchange.policy.rule import Finding, Rule, withhold
from exchange.policy.rules.release import addressed, permitted


def _protected(case: Case) -> bool:
    kind = case.packs.subjects.get(case.subject.facts["data"].get("subject_kind") or "")
    return kind is not None and kind.protected and case.subject.personal


def _identifiers(case: Case) -> Iterator[Finding]:
    if case.own or not _protected(case) or all(addressed(case, reader) for reader in case.readers):
        return
    direct = tuple(sorted(case.subject.categories & case.packs.direct_identifiers))
    parts = direct if case.subject.categories else ("*content",)
    if parts:
        yield from withhold(
            case,
            "minimised",
            f"direct identifiers of a {case.subject.facts['data']['subject_kind']}",
            "an organisation that the object names",
            parts,
        )


def _onward(case: Case) -> Iterator[Finding]:
    reader = case.onward
    if reader is None or not _protected(case) or reader.org == case.subject.owner:
        return
    if not addressed(case, reader) and not permitted(case, reader):
        yield Finding(
            "not-in-audience",
            f"data of a {case.subject.facts['data']['subject_kind']} passed on to {reader.org}",
            "an organisation that the object names, or the source's permission",
        )


RULES = (
    Rule(
        "P4",
        "Victims and the co-opted are not named to all",
        "Requirement R10 of the exchange; GDPR Art. 5(1)(c) and 25(2)",
        "release",
        frozenset({"pull", "reshare"}),
        ("object.data", "object.audience"),
        _identifiers,
        ("minimised", "required-field-withheld"),
    ),
    Rule(
        "P4",
        "Data of victims and the co-opted isn't passed on",
        "Requirement R10 of the exchange; GDPR Art. 5(1)(b)",
        "release",
        frozenset({"reshare"}),
        ("object.data", "object.audience", "request.onward"),
        _onward,
        ("not-in-audience",),
    ),
)
