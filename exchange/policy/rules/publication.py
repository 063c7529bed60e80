"""P22 and P23: a public report counts at least so many, names nobody and tells no methods."""

from __future__ import annotations

from collections.abc import Iterator

from exchange.policy.case import Case
from exchange.policy.rule import Finding, Rule, withhold


def _counts(case: Case) -> Iterator[Finding]:
    least = case.setting("min_count")
    for name, number in sorted((case.subject.facts.get("counts") or {}).items()):
        if number < least:
            yield from withhold(
                case, "small-count", f"{name} is below the minimum", f"at least {least}", (f"counts.{name}",)
            )


def _identifiers(case: Case) -> Iterator[Finding]:
    """A report on many is left without what it holds about one; ``personal`` denies everything else."""
    held = tuple(sorted(case.subject.categories))
    if case.subject.facts.get("aggregate") and held:
        yield from withhold(
            case, "identifiers-withheld", f"identifiers: {', '.join(held)}", "a report without identifiers", held
        )


def _methods(case: Case) -> Iterator[Finding]:
    methods = tuple(sorted(case.subject.facts.get("internal_methods") or ()))
    if methods:
        yield from withhold(
            case, "methods-withheld", f"internal methods: {', '.join(methods)}", "a report without methods", methods
        )


_PUBLISH = frozenset({"publish"})
RULES = (
    Rule(
        "P22",
        "Public counts are not small",
        "Rules of the exchange, P22; GDPR recital 26",
        "release",
        _PUBLISH,
        ("object.counts", "programme.min_count"),
        _counts,
        ("small-count", "required-field-withheld"),
    ),
    Rule(
        "P22",
        "Public reports name nobody",
        "Rules of the exchange, P22; GDPR Art. 5(1)(c)",
        "release",
        _PUBLISH,
        ("object.aggregate", "object.data.categories"),
        _identifiers,
        ("identifiers-withheld", "required-field-withheld"),
    ),
    Rule(
        "P23",
        "Public reports tell no methods",
        "Rules of the exchange, P23",
        "release",
        _PUBLISH,
        ("object.internal_methods",),
        _methods,
        ("methods-withheld", "required-field-withheld"),
    ),
)
