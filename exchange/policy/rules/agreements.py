"""P8: every agreement that the object's policy demands is active, unexpired and of at least that version."""

from __future__ import annotations

from collections.abc import Iterator

from exchange.policy.case import Case, in_force
from exchange.policy.rule import EVERY, Finding, Rule


def _agreements(case: Case) -> Iterator[Finding]:
    if case.own and case.action not in {"push", "update"}:
        return
    held = case.actor.facts.get("agreements") or ()
    for demanded in case.subject.facts.get("requires_agreements") or ():
        least = demanded.get("min_version") or 0
        if not any(
            row["id"] == demanded["id"]
            and row.get("status") == "active"
            and in_force(row, case.at)
            and (row.get("version") or 0) >= least
            for row in held
        ):
            yield Finding(
                "agreement-missing",
                f"{case.actor.org} has no active agreement {demanded['id']} of version {least} or later",
                f"agreement {demanded['id']}, version {least} or later",
            )


RULES = (
    Rule(
        "P8",
        "Demanded agreements are in force",
        "Rules of the exchange, P8; GDPR Art. 26 and 28",
        "admission",
        EVERY - {"publish"},
        ("object.requires_agreements", "actor.agreements"),
        _agreements,
        ("agreement-missing",),
    ),
)
