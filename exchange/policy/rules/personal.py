"""P6: a TLP label is neither a lawful basis nor a transfer mechanism, and personal data is never public."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from exchange.policy.case import Case, Party, in_force
from exchange.policy.rule import ADMISSION, EVERY, Finding, Rule


def _undeclared(case: Case) -> Iterator[Finding]:
    data = case.subject.facts["data"]
    held = [*(data.get("categories") or ()), *(data.get("special_categories") or ())]
    if data.get("personal") == "no" and held and not case.anonymised:
        yield Finding(
            "personal-data-undeclared",
            f"personal 'no', but it holds {', '.join(held)}",
            "personal 'yes', or an object without these",
        )


def _public(case: Case) -> Iterator[Finding]:
    if case.public and case.about_people:
        yield Finding(
            "personal-data-not-public",
            f"personal: {case.subject.facts['data'].get('personal') or 'unknown'}",
            "an object without personal data, or a channel that isn't public",
        )


def _transfer(case: Case) -> Iterator[Finding]:
    regime = case.packs.regimes.get(case.subject.facts.get("regime") or "")
    if not case.subject.personal or case.public or (regime is not None and not regime.transfer_limits):
        return
    for reader in case.readers:
        if reader.org == case.subject.owner:
            continue
        free = regime.free_flow if regime is not None else frozenset[str]()
        place = reader.facts.get("jurisdiction_class") or "third"
        if place not in free and not any(_serves(case, reader, row) for row in reader.facts.get("transfer") or ()):
            yield Finding(
                "transfer-mechanism-missing",
                f"{reader.org} is in a country of class {place}, without a transfer mechanism that holds now",
                "an adequacy decision, or a mechanism in force",
            )


def _serves(case: Case, reader: Party, row: Mapping[str, Any]) -> bool:
    mechanism = case.packs.transfers.get(row["id"])
    if mechanism is None or not in_force(row, case.at):
        return False
    if (case.subject.facts.get("regime") or "") not in mechanism.regimes:
        return False
    held = {
        "tia": bool(row.get("tia")),
        "group": row.get("group_of") == case.subject.owner,
        "authority-informed": row.get("authority_informed") is True,
        "not-repetitive": case.request.get("mode") == "one-off",
        "not-public-authority": not reader.facts.get("public_authority"),
    }
    return all(held[need] for need in mechanism.needs)


RULES = (
    Rule(
        "P6",
        "Personal data is declared",
        "GDPR Art. 4(1)",
        "admission",
        EVERY,
        ("object.data", "object.aggregate"),
        _undeclared,
        ("personal-data-undeclared",),
    ),
    Rule(
        "P6",
        "Personal data is never public",
        "GDPR Art. 5(1)(f)",
        "release",
        EVERY - ADMISSION,
        ("object.data", "object.aggregate", "request.channel.public"),
        _public,
        ("personal-data-not-public",),
    ),
    Rule(
        "P6",
        "Personal data leaves only to where the law lets it",
        "GDPR Chapter V; UK GDPR Chapter V; Directive (EU) 2016/680 Chapter V",
        "release",
        frozenset({"pull", "reshare"}),
        (
            "object.regime",
            "object.data.personal",
            "actor.jurisdiction_class",
            "actor.transfer",
            "request.mode",
        ),
        _transfer,
        ("transfer-mechanism-missing",),
    ),
)
