"""R9: a push that calls something CIB names the deceptive behaviour."""

from __future__ import annotations

from collections.abc import Iterator

from exchange.policy.case import Case
from exchange.policy.rule import ADMISSION, Finding, Rule


def _behaviour(case: Case) -> Iterator[Finding]:
    if case.subject.facts.get("cib_without_behaviour"):
        yield Finding("behaviour-missing", "labelled CIB without a behaviour", "at least one deceptive behaviour")


RULES = (
    Rule(
        "R9",
        "CIB names a behaviour",
        "Requirement R9 of the exchange",
        "admission",
        ADMISSION,
        ("object.cib_without_behaviour",),
        _behaviour,
        ("behaviour-missing",),
    ),
)
