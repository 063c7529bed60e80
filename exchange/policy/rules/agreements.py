"""P8: every agreement that the object's policy demands is in force, and joint controllers have an arrangement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from exchange.policy.case import Case, in_force
from exchange.policy.rule import ADMISSION, EVERY, Finding, Rule


def _agreements(case: Case) -> Iterator[Finding]:
    if case.own and case.action not in {"push", "update"}:
        return
    for demanded in case.subject.facts.get("requires_agreements") or ():
        least = demanded.get("min_version") or 0
        for reader in case.readers:
            # The next recipient's agreements are its own affair unless the request says what they are.
            if reader is case.onward and "agreements" not in reader.facts:
                continue
            if not any(_serves(row, demanded["id"], least, case.at) for row in reader.facts.get("agreements") or ()):
                yield Finding(
                    "agreement-missing",
                    f"{reader.org} has no active agreement {demanded['id']} of version {least} or later",
                    f"agreement {demanded['id']}, version {least} or later",
                )


def _serves(row: Mapping[str, Any], name: str, least: float, at: int) -> bool:
    return (
        row["id"] == name
        and row.get("status") == "active"
        and in_force(row, at)
        and (row.get("version") or 0) >= least
    )


def _arrangement(case: Case) -> Iterator[Finding]:
    """Who gives and who takes personal data determine together what becomes of it."""
    subject = case.subject
    regime = case.packs.regimes.get(subject.facts.get("regime") or "")
    released = case.action not in ADMISSION
    if not subject.personal or (regime is not None and not regime.arrangement_required) or (released and case.own):
        return
    if not case.actor.facts.get("controller_arrangement"):
        yield Finding(
            "controller-arrangement-missing",
            f"{case.actor.org} has no arrangement with the other controllers",
            "a reference to the arrangement",
        )


RULES = (
    Rule(
        "P8",
        "Demanded agreements are in force",
        "Rules of the exchange, P8; GDPR Art. 28",
        "admission",
        EVERY - {"publish"},
        ("object.requires_agreements", "actor.agreements"),
        _agreements,
        ("agreement-missing",),
    ),
    Rule(
        "P8",
        "Joint controllers have an arrangement",
        "GDPR Art. 26; Directive (EU) 2016/680 Art. 21",
        "admission",
        ADMISSION | {"pull", "reshare"},
        ("actor.controller_arrangement", "object.data.personal", "object.regime"),
        _arrangement,
        ("controller-arrangement-missing",),
    ),
)
