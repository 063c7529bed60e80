"""What would have to change: for a reason to deny, the single facts that could be otherwise, and who could do it.

A remedy is a proposal; ``explain`` decides again with it and tells only what really helps.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from exchange.policy import tlp
from exchange.policy.case import read_subject
from exchange.policy.packs import Packs

Who = Literal["recipient", "producer", "operator", "nobody"]
"""``nobody``: only time."""


@dataclass(frozen=True, slots=True)
class Change:
    """One fact that is otherwise."""

    who: Who
    path: str
    """Dotted path of the decision facts."""
    value: Any
    sentence: str

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"who": self.who, "fact": self.path, "needed": self.value, "sentence": self.sentence}


def changed(facts: Mapping[str, Any], change: Change) -> dict[str, Any]:
    """The facts with that one fact otherwise."""
    made = copy.deepcopy(dict(facts))
    *tables, last = change.path.split(".")
    table = made
    for name in tables:
        table = table.setdefault(name, {})
    table[last] = change.value
    return made


def remedies(code: str, facts: Mapping[str, Any], packs: Packs) -> Iterator[Change]:
    """Changes that may take a reason away; none where nobody can (erased) or nothing general can be said."""
    find = _FINDERS.get(code)
    if find is not None:
        yield from find(facts, packs)


def _joined(facts: Mapping[str, Any], group: str) -> Change:
    groups = [*(facts["actor"].get("groups") or ()), {"id": group, "status": "active"}]
    return Change("operator", "actor.groups", groups, f"The recipient is an active member of {group}.")


def _audience(facts: Mapping[str, Any], packs: Packs) -> Iterator[Change]:
    audience = facts["object"]["audience"]
    for group in (audience.get("sharing_groups") or ())[:3]:
        yield _joined(facts, group)
    org = facts["actor"]["org"]
    yield Change("producer", "object.audience.named_orgs", [*(audience.get("named_orgs") or ()), org],
                 f"The producer addresses it to {org}, in a new version under another marking.")


def _community(facts: Mapping[str, Any], packs: Packs) -> Iterator[Change]:
    community = facts["object"]["audience"].get("community")
    if community:
        yield _joined(facts, community)


def _red(facts: Mapping[str, Any], packs: Packs) -> Iterator[Change]:
    person = (facts["request"].get("principal") or {}).get("person")
    named = facts["object"]["audience"].get("named_persons") or ()
    for one in named[:3]:
        yield Change("recipient", "request.principal", {"kind": "person", "person": one},
                     f"{one} asks, on a credential of their own.")
    if person:
        yield Change("producer", "object.audience.named_persons", [*named, person], f"The producer names {person}.")


def _excluded(facts: Mapping[str, Any], packs: Packs) -> Iterator[Change]:
    audience, org = facts["object"]["audience"], facts["actor"]["org"]
    yield Change("producer", "object.audience.exclude_orgs",
                 [name for name in audience.get("exclude_orgs") or () if name != org],
                 f"The producer doesn't exclude {org}.")


def _kind(facts: Mapping[str, Any], packs: Packs) -> Iterator[Change]:
    audience, kind = facts["object"]["audience"], facts["actor"].get("kind")
    kinds = {kind, "government"} if facts["actor"].get("government") else {kind}
    denied = [name for name in audience.get("kinds_denied") or () if name not in kinds]
    if denied != list(audience.get("kinds_denied") or ()):
        yield Change("producer", "object.audience.kinds_denied", denied, f"The producer admits the kind {kind}.")
    if audience.get("kinds_allowed") is not None:
        yield Change("producer", "object.audience.kinds_allowed", [*audience["kinds_allowed"], kind],
                     f"The producer admits the kind {kind}.")


def _clearance(facts: Mapping[str, Any], packs: Packs) -> Iterator[Change]:
    level = read_subject(facts["object"]).level
    if level is not None:
        yield Change("operator", "actor.clearance", tlp.NAMES[level],
                     f"The recipient's ceiling is at least {tlp.NAMES[level]}.")


def _agreement(facts: Mapping[str, Any], packs: Packs) -> Iterator[Change]:
    wanted = facts["object"].get("requires_agreements") or ()
    names = {row["id"] for row in wanted}
    signed = [row for row in facts["actor"].get("agreements") or () if row["id"] not in names]
    signed += [{"id": row["id"], "version": row.get("min_version") or 1, "status": "active"} for row in wanted]
    told = ", ".join(f"{row['id']} (version {row.get('min_version') or 1} or newer)" for row in wanted)
    if wanted:
        yield Change("recipient", "actor.agreements", signed, f"The recipient has in force: {told}.")


def _arrangement(facts: Mapping[str, Any], packs: Packs) -> Iterator[Change]:
    yield Change("recipient", "actor.controller_arrangement", "art26",
                 "The recipient has an arrangement between controllers (GDPR Art. 26).")


def _purpose(facts: Mapping[str, Any], packs: Packs) -> Iterator[Change]:
    agreed = facts["actor"].get("purposes") or ()
    shared = facts["object"]["basis"].get("purposes") or ()
    for purpose in sorted(shared, key=lambda word: (word not in agreed, word))[:3]:
        if purpose != facts["request"].get("purpose"):
            yield Change("recipient", "request.purpose", purpose, f"It is asked for the purpose {purpose}.")
    asked = facts["request"].get("purpose")
    if asked and asked not in shared:
        yield Change("producer", "object.basis.purposes", [*shared, asked], f"The producer lists the purpose {asked}.")


def _agreed(facts: Mapping[str, Any], packs: Packs) -> Iterator[Change]:
    asked = facts["request"].get("purpose")
    agreed = facts["actor"].get("purposes") or ()
    if asked:
        yield Change("operator", "actor.purposes", [*agreed, asked],
                     f"An agreement of the recipient in force gives the purpose {asked}.")
    for purpose in facts["object"]["basis"].get("purposes") or ():
        if purpose in agreed and purpose != asked:
            yield Change("recipient", "request.purpose", purpose, f"It is asked for the purpose {purpose}.")


def _safeguards(facts: Mapping[str, Any], packs: Packs) -> Iterator[Change]:
    yield Change("recipient", "actor.research_safeguards", "plan",
                 "The recipient has safeguards for research (GDPR Art. 89).")
    yield Change("producer", "object.basis.research_compatible", True,
                 "The producer declares research compatible.")


def _transfer(facts: Mapping[str, Any], packs: Packs) -> Iterator[Change]:
    regime = facts["object"].get("regime")
    held = list(facts["actor"].get("transfer") or ())
    for mechanism in sorted(packs.transfers.values(), key=lambda one: (len(one.needs), one.id)):
        if regime in mechanism.regimes and not mechanism.needs & {"not-repetitive", "group"}:
            row: dict[str, Any] = {"id": mechanism.id}
            if "tia" in mechanism.needs:
                row["tia"] = "assessment"
            yield Change("operator", "actor.transfer", [*held, row],
                         f"A transfer mechanism of the recipient is in force, such as {mechanism.id}.")
            return


def _encrypted(facts: Mapping[str, Any], packs: Packs) -> Iterator[Change]:
    channel = {**(facts["request"].get("channel") or {}), "encrypted": True}
    yield Change("recipient", "request.channel", channel, "It is asked over an encrypted channel.")


def _later(facts: Mapping[str, Any], packs: Packs) -> Iterator[Change]:
    start = facts["object"]["life"].get("not_before")
    if start:
        yield Change("nobody", "at", start, f"It is {start} or later.")


def _retention(facts: Mapping[str, Any], packs: Packs) -> Iterator[Change]:
    yield Change("producer", "object.life.retention_until", "9999-12-31T23:59:59Z",
                 "The producer sends a new version that may be kept longer.")


def _unrestricted(facts: Mapping[str, Any], packs: Packs) -> Iterator[Change]:
    yield Change("producer", "object.life.restricted", None, "The restriction or the review of the object ends.")


def _references(facts: Mapping[str, Any], packs: Packs) -> Iterator[Change]:
    hidden = [ref["id"] for ref in facts["object"].get("refs") or () if not ref.get("visible")]
    seen = [{**ref, "visible": True} for ref in facts["object"].get("refs") or ()]
    if hidden:
        yield Change("producer", "object.refs", seen,
                     f"The recipient may see what it refers to: {', '.join(hidden[:5])}.")


def _evidence(name: str, sentence: str) -> Callable[[Mapping[str, Any], Packs], Iterator[Change]]:
    def find(facts: Mapping[str, Any], packs: Packs) -> Iterator[Change]:
        """The producer would name the reference."""
        yield Change("producer", f"object.basis.refs.{name}", "reference", sentence)

    return find


_FINDERS: Mapping[str, Callable[[Mapping[str, Any], Packs], Iterator[Change]]] = {
    "tlp-red": _red, "tlp-amber": _audience, "tlp-amber-strict": _audience, "not-in-audience": _audience,
    "tlp-green": _community, "audience-excluded": _excluded, "audience-kind": _kind, "clearance": _clearance,
    "agreement-missing": _agreement, "controller-arrangement-missing": _arrangement,
    "purpose-missing": _purpose, "purpose-incompatible": _purpose, "purpose-not-agreed": _agreed,
    "research-safeguards-missing": _safeguards, "transfer-mechanism-missing": _transfer,
    "encryption-required": _encrypted, "embargo": _later, "retention-expired": _retention,
    "retention-missing": _retention, "processing-restricted": _unrestricted, "endpoint-not-visible": _references,
    "lia-missing": _evidence("lia", "The producer names its legitimate-interests assessment."),
    "law-reference-missing": _evidence("law", "The producer names the law."),
    "consent-record-missing": _evidence("consent", "The producer names the record of consent."),
}
