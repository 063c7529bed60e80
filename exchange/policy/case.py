"""One case to decide: checked facts in the form that rules read quickly, each side prepared once.

The object's side doesn't depend on who asks and the party's side not on the object, so both are prepared once
per label and once per profile, and joined for each decision.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from exchange.policy import tlp
from exchange.policy.packs import Packs
from exchange.policy.shape import moment

_EMPTY: Mapping[str, Any] = {}
_STRANGER: Mapping[str, Any] = {"org": "a recipient that isn't described"}
"""The next recipient where a reshare says nothing of it: nothing that a rule asks for is known of it."""


def in_force(row: Mapping[str, Any], at: int, first: str = "since", last: str = "until") -> bool:
    """Whether ``at`` lies in the half-open interval [first, last) of a row; an absent end is open (P9)."""
    start, end = row.get(first), row.get(last)
    return (start is None or moment(start) <= at) and (end is None or at < moment(end))


@dataclass(slots=True)
class Party:
    """An organisation that would read, act or submit, at the time of the decision."""

    org: str
    kind: str | None
    kinds: frozenset[str]
    """Its kind, and ``government`` for every state body whatever its kind."""
    groups: frozenset[str]
    """Groups in which it is an active member now."""
    clearance: int | None
    clearance_stated: bool
    client_of: frozenset[str]
    purposes: frozenset[str]
    facts: Mapping[str, Any]


@dataclass(slots=True)
class Subject:
    """The object that is asked for, as far as sharing is concerned."""

    owner: str
    level: int | None
    """The most restrictive of ``levels``."""
    levels: tuple[int, ...]
    """Every TLP level that is stated: each has to admit a reader, so that one more never widens (P1)."""
    invalid_labels: tuple[str, ...]
    unresolved: tuple[str, ...]
    ieps: tuple[Mapping[str, Any], ...]
    paps: tuple[str, ...]
    granular: tuple[Mapping[str, Any], ...]
    community: str | None
    groups: frozenset[str]
    orgs: frozenset[str]
    persons: frozenset[str]
    excluded: frozenset[str]
    kinds_allowed: frozenset[str] | None
    kinds_denied: frozenset[str]
    personal: bool
    """True also when the status is unknown, or categories contradict a 'no' (P6)."""
    purposes: frozenset[str]
    categories: frozenset[str]
    facts: Mapping[str, Any]


@dataclass(slots=True)
class Case:
    """Facts of one decision."""

    action: str
    at: int
    request: Mapping[str, Any]
    subject: Subject
    actor: Party
    onward: Party | None
    programme: Mapping[str, Any]
    packs: Packs
    public: bool
    """On an anonymous public channel, or in a public report."""
    own: bool
    """The actor is the object's producer and nobody else would see it."""
    readers: tuple[Party, ...]
    """Those whom a release would reach: the actor, and on reshare the next recipient."""

    def setting(self, name: str) -> Any:
        """A parameter of the programme: as the facts state it, else as the packs have it."""
        stated = self.programme.get(name)
        return self.packs.programme.get(name) if stated is None else stated

    @property
    def about_people(self) -> bool:
        """Whether what would leave is personal data: of a report on many, the identifiers stay behind (P22)."""
        return self.subject.personal and not self.anonymised

    @property
    def anonymised(self) -> bool:
        """A public report on many, which goes without the identifiers that it states (P22)."""
        stated = self.subject.facts.get("aggregate") and self.subject.categories
        return self.action == "publish" and bool(stated)

    @property
    def tombstone(self) -> bool:
        """An erased object and somebody who once received it: told to delete it, member or not (P15)."""
        life = self.subject.facts.get("life") or _EMPTY
        return bool(self.action == "pull" and life.get("erased") and self.actor.facts.get("received_before"))


def read_case(facts: Mapping[str, Any], packs: Packs) -> Case:
    """Prepare checked facts (see ``shape.check_facts``)."""
    at = moment(facts["at"])
    return join(facts, at, read_subject(facts["object"]), read_party(facts["actor"], at), packs)


def join(facts: Mapping[str, Any], at: int, subject: Subject, actor: Party, packs: Packs) -> Case:
    """A case of two prepared sides; ``facts`` gives the action, request and programme."""
    request = facts["request"]
    action = facts["action"]
    onward = read_party(request.get("onward") or _STRANGER, at) if action == "reshare" else None
    channel = request.get("channel") or _EMPTY
    public = action == "publish" or bool(channel.get("public"))
    return Case(
        action=action,
        at=at,
        request=request,
        subject=subject,
        actor=actor,
        onward=onward,
        programme=facts.get("programme") or _EMPTY,
        packs=packs.at(at),
        public=public,
        own=actor.org == subject.owner and not public and action != "reshare",
        readers=(actor,) if onward is None else (actor, onward),
    )


def read_party(facts: Mapping[str, Any], at: int) -> Party:
    """Prepare an organisation: memberships that aren't active at ``at`` (microseconds) are left out."""
    kind = facts.get("kind")
    kinds = {kind} if kind else set()
    if facts.get("government"):
        kinds.add("government")
    clearance = facts.get("clearance")
    return Party(
        org=facts["org"],
        kind=kind,
        kinds=frozenset(kinds),
        groups=frozenset(
            row["id"]
            for row in facts.get("groups") or ()
            if row.get("status", "active") == "active" and in_force(row, at)
        ),
        clearance=tlp.read_level(clearance, tlp.TLP2) if clearance else None,
        clearance_stated=clearance is not None,
        client_of=frozenset(facts.get("client_of") or ()),
        purposes=frozenset(facts.get("purposes") or ()),
        facts=facts,
    )


def read_subject(facts: Mapping[str, Any]) -> Subject:
    """Prepare an object's sharing facts."""
    markings, audience, data = facts["markings"], facts["audience"], facts["data"]
    levels, invalid = tlp.effective(markings)
    allowed = audience.get("kinds_allowed")
    return Subject(
        owner=facts["owner"],
        level=levels[0] if levels else None,
        levels=levels,
        invalid_labels=invalid,
        unresolved=tuple(markings.get("unresolved") or ()),
        ieps=tuple(markings.get("iep") or ()),
        paps=tuple(markings.get("pap") or ()),
        granular=tuple(markings.get("granular") or ()),
        community=audience.get("community") or None,
        groups=frozenset(audience.get("sharing_groups") or ()),
        orgs=frozenset(audience.get("named_orgs") or ()),
        persons=frozenset(audience.get("named_persons") or ()),
        excluded=frozenset(audience.get("exclude_orgs") or ()),
        kinds_allowed=None if allowed is None else frozenset(allowed),
        kinds_denied=frozenset(audience.get("kinds_denied") or ()),
        personal=is_personal(data),
        purposes=frozenset(facts["basis"].get("purposes") or ()),
        categories=frozenset(data.get("categories") or ()),
        facts=facts,
    )


def is_personal(data: Mapping[str, Any]) -> bool:
    """Whether an object counts as personal: unless it says 'no' and nothing contradicts it (P6)."""
    return data.get("personal") != "no" or bool(data.get("categories") or data.get("special_categories"))
