"""P20: nothing is released in a way that reveals a hidden object through its references."""

from __future__ import annotations

from collections.abc import Iterator

from exchange.policy.case import Case
from exchange.policy.rule import Finding, Rule

_ENDPOINTS = frozenset({"relationship", "sighting"})
"""Types that are nothing without what they join."""
_REFERRING = frozenset({"report", "grouping", "note", "opinion"})
"""Types that STIX 2.1 requires to refer to at least one object (4.5, 4.13, 4.14, 4.17)."""


def _closure(case: Case) -> Iterator[Finding]:
    refs = case.subject.facts.get("refs")
    if not refs or case.own:
        return
    # A public report is read by people who see nothing of the exchange.
    hidden = sorted(
        {row["id"] for row in refs if not row.get("public") and (case.public or not row.get("visible"))}
    )
    if not hidden:
        return
    type_name = case.subject.facts.get("type")
    found, needed = f"{len(hidden)} of {len(refs)} references are hidden from the reader", "visible references"
    if type_name in _ENDPOINTS:
        yield Finding("endpoint-not-visible", found, needed)
        return
    yield Finding("references-withheld", found, needed, "redact", tuple(hidden))
    if type_name in _REFERRING and len(hidden) == len({row["id"] for row in refs}):
        yield Finding("endpoint-not-visible", f"nothing is left that the {type_name} is about", needed)
        yield Finding("required-field-withheld", f"object_refs of a {type_name} would be empty", needed)


RULES = (
    Rule(
        "P20",
        "References reveal no hidden object",
        "Rules of the exchange, P20; STIX 2.1, 3.5",
        "release",
        frozenset({"pull", "reshare", "publish"}),
        ("object.refs", "object.type"),
        _closure,
        ("endpoint-not-visible", "references-withheld", "required-field-withheld"),
    ),
)
