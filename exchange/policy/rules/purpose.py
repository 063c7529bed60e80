"""P13: every pull has a purpose, and both the object and the recipient's agreement admit it."""

from __future__ import annotations

from collections.abc import Iterator

from exchange.policy.case import Case
from exchange.policy.rule import ADMISSION, Finding, Rule, withhold


def _stated(case: Case) -> Iterator[Finding]:
    if not case.subject.purposes:
        yield Finding("purpose-missing", "no purposes on the object", "at least one purpose")


def _purpose(case: Case) -> Iterator[Finding]:
    purpose = case.request.get("purpose")
    if not purpose:
        yield Finding("purpose-missing", "no purpose in the request", "a purpose, from the credential or the request")
        return
    if case.own:
        return
    research = purpose in case.packs.research_purposes
    declared = research and (case.subject.facts.get("basis") or {}).get("research_compatible") is True
    if not (declared if research else purpose in case.subject.purposes):
        yield Finding(
            "purpose-incompatible",
            purpose,
            "a purpose that the producer declared compatible"
            if research
            else f"one of the object's purposes: {', '.join(sorted(case.subject.purposes)) or 'none'}",
        )
    for reader in case.readers:
        # The next recipient's agreement is its own affair unless the request says what it is.
        if purpose not in reader.purposes and (reader is case.actor or "purposes" in reader.facts):
            yield Finding(
                "purpose-not-agreed",
                purpose,
                f"a purpose that {reader.org} agreed: {', '.join(sorted(reader.purposes)) or 'none'}",
            )
    if research and not case.actor.facts.get("research_safeguards"):
        yield Finding("research-safeguards-missing", "no safeguards for research", "safeguards as Art. 89(1) asks")


def _research(case: Case) -> Iterator[Finding]:
    """Research doesn't need to know who people are, so what names them directly is left out."""
    if case.own or case.request.get("purpose") not in case.packs.research_purposes or not case.subject.personal:
        return
    categories = case.subject.categories
    direct = tuple(sorted(categories & case.packs.direct_identifiers))
    if direct:
        yield from withhold(
            case, "minimised", f"direct identifiers: {', '.join(direct)}", "data without direct identifiers", direct
        )
    elif not categories:
        yield Finding(
            "minimised",
            "personal data of undeclared categories",
            "declared categories, so that direct identifiers can be left out",
            "redact",
            ("*content",),
        )


def _needed(case: Case) -> Iterator[Finding]:
    """The programme may say which categories a purpose needs; the others are left out."""
    needed = (case.programme.get("purpose_categories") or {}).get(case.request.get("purpose"))
    if needed is None or case.own or not case.subject.personal:
        return
    extra = tuple(sorted(case.subject.categories.difference(needed)))
    if extra:
        yield from withhold(
            case,
            "minimised",
            f"categories that the purpose doesn't need: {', '.join(extra)}",
            f"only: {', '.join(sorted(needed)) or 'none'}",
            extra,
        )


_USE = frozenset({"pull", "reshare", "act", "notify-affected"})
_OUT = frozenset({"pull", "reshare"})
_LIMITATION = "GDPR Art. 5(1)(b)"
RULES = (
    Rule(
        "P13",
        "The object states its purposes",
        _LIMITATION,
        "admission",
        ADMISSION,
        ("object.basis.purposes",),
        _stated,
        ("purpose-missing",),
    ),
    Rule(
        "P13",
        "The purpose is the object's and the agreement's",
        f"{_LIMITATION} and Art. 89(1)",
        "release",
        _USE,
        (
            "request.purpose",
            "object.basis.purposes",
            "object.basis.research_compatible",
            "actor.purposes",
            "actor.research_safeguards",
        ),
        _purpose,
        ("purpose-missing", "purpose-incompatible", "purpose-not-agreed", "research-safeguards-missing"),
    ),
    Rule(
        "P13",
        "Research goes without direct identifiers",
        "GDPR Art. 89(1)",
        "release",
        _OUT,
        ("request.purpose", "object.data"),
        _research,
        ("minimised", "required-field-withheld"),
    ),
    Rule(
        "P13",
        "No more categories than the purpose needs",
        "GDPR Art. 5(1)(c)",
        "release",
        _OUT,
        ("request.purpose", "object.data.categories", "programme.purpose_categories"),
        _needed,
        ("minimised", "required-field-withheld"),
    ),
)
