"""P25: who gave it is told or kept back as the IEP says; the exchange itself counts as a redistributor."""

from __future__ import annotations

from collections.abc import Iterator

from exchange.policy.case import Case
from exchange.policy.rule import Finding, Rule, withhold
from exchange.policy.rules.handling import statement

_PROVIDER = "provider"
"""The part of an object that names who gave it."""


def _attribution(case: Case) -> Iterator[Finding]:
    """Of several policies the strictest holds (P1): ``must-not``, then ``must``, then ``may``."""
    if case.own or not case.subject.ieps:
        return
    stated = {statement(policy, "attribution") for policy in case.subject.ieps}
    facts = case.subject.facts
    named = facts.get("owner_identity_in_object") is not False
    if "must-not" in stated:
        fields = facts.get("fields")
        declined = case.action != "pull" and case.request.get("attributes_provider") is False
        if named and not declined and (fields is None or _PROVIDER in fields):
            yield from withhold(
                case, "attribution-withheld", "attribution must-not", "a policy that lets it be told", (_PROVIDER,)
            )
    elif "must" in stated:
        told = named if case.action == "pull" else case.request.get("attributes_provider") is True
        if not told:
            yield Finding("attribution-required", "attribution must, and the provider isn't named", "its name")


RULES = (
    Rule(
        "P25",
        "The provider is named or not, as the policy says",
        "FIRST IEP 2.0, attribution",
        "release",
        frozenset({"pull", "reshare", "publish"}),
        ("object.markings.iep", "object.fields", "object.owner_identity_in_object", "request.attributes_provider"),
        _attribution,
        ("attribution-withheld", "attribution-required", "required-field-withheld"),
    ),
)
