"""Which observables and channels a source presents as operated by a network, read from its relationships.

OpenCTI's reports on influence operations hold no indicators, only observables and channels and what they have to do
with campaigns. Operated is (the STIX profile's rule (a)):

- what a campaign, intrusion set, threat actor or infrastructure uses, controls, owns or consists of, and what is
  related or belongs to one; or is, in a grouping that is (then every member of the grouping is);
- what is hosted at an address of a network's infrastructure, or in an autonomous system that its infrastructure
  consists of: then the site, and not the address, which others may share;
- what uses a technique, and what stands by a technique of making assets (DISARM: inauthentic accounts, sites…). What
  stands by other techniques may be their victim, or what was copied.

Never operated is whom a network targets, impersonates or compromises. Amplifying, publishing and linking say nothing
of who operates.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.opencti import reach
from exchange.stix.fault import StixFault

ACTORS = frozenset({"campaign", "intrusion-set", "threat-actor", "infrastructure"})
VALUES = frozenset({
    "channel", "domain-name", "hostname", "url", "ipv4-addr", "ipv6-addr", "email-addr", "user-account",
    "cryptocurrency-wallet",
})  # fmt: skip
_ADDRESSES = frozenset({"ipv4-addr", "ipv6-addr"})
_SITES = frozenset({"channel", "domain-name", "hostname", "url"})
_CARRIERS = frozenset({"grouping", "autonomous-system", "attack-pattern"})
_HAS = frozenset({"uses", "consists-of", "controls", "owns", "has", "hosts", "related-to"})
"""From an actor to what is operated."""
_IS_OF = frozenset({"related-to", "belongs-to", "part-of", "attributed-to", "controlled-by", "owned-by", "used-by"})
"""From what is operated to an actor."""
_AT = frozenset({"related-to", "resolves-to", "hosted-on", "belongs-to"})
_VICTIM = frozenset({"targets", "impersonates", "compromises"})
_MAKING = frozenset({
    "T0007", "T0013", "T0090", "T0092", "T0095", "T0098", "T0146", "T0149", "T0150.001", "T0150.008",
})  # fmt: skip
"""DISARM's techniques of making accounts, groups, sites and networks, in old and new versions; sub-techniques too."""
_NOT_MAKING = frozenset({"T0092.002", "T0098.002", "T0146.006"})
"""Of these: following each other, using sites that exist, platforms that are open to all."""
_MAKING_NAMES = re.compile(
    r"(?:create|develop|establish|build|register|set up)\b.*\b(?:accounts?|sites?|websites?|pages?|groups?|networks?|"
    r"channels?|media assets|domains?|personas?)\b|lookalike domain",
    re.IGNORECASE,
)
_CODE = re.compile(r"\bT\d{4}(?:\.\d{3})?\b")


@dataclass(frozen=True, slots=True)
class Link:
    """What is needed of a relationship."""

    id: str
    kind: str
    source: str
    target: str
    created: str
    modified: str
    start: str = ""
    confidence: int = 0
    """0 where it isn't told, or is OpenCTI's 0 for unset."""
    markings: tuple[str, ...] = ()
    by: str = ""

    def other(self, end: str) -> str:
        """The end that isn't this one."""
        return self.target if end == self.source else self.source


@dataclass(frozen=True, slots=True)
class Claim:
    """That a value is operated, and by whom."""

    value: str
    """Id of the observable or channel."""
    actor: str
    """Id; empty where the source doesn't say who."""
    link: Link
    """The relationship that says it first, of those between the value and what leads to the actor."""
    how: str
    """In words, for people."""


def kind_of(identifier: str) -> str:
    """The type that an id begins with."""
    return identifier.partition("--")[0]


def read_link(item: Mapping[str, Any]) -> Link | None:
    """A relationship's link; None for one that is revoked or isn't well formed."""
    texts = [item.get(name) for name in ("id", "relationship_type", "source_ref", "target_ref", "created", "modified")]
    if not all(isinstance(text, str) for text in texts) or item.get("revoked") is True:
        return None
    confidence = item.get("confidence")
    try:
        marks = reach.markings(item)
    except StixFault:  # it can't go in either
        return None
    identifier, kind, source, target, created, modified = map(str, texts)
    return Link(
        identifier, kind, source, target, created, modified, start=_text(item.get("start_time")),
        confidence=confidence if isinstance(confidence, int) and 0 < confidence <= 100 else 0,
        markings=tuple(marks), by=_text(item.get("created_by_ref")))


def direct(link: Link) -> Claim | None:
    """What one relationship alone claims."""
    source, target = kind_of(link.source), kind_of(link.target)
    if source in ACTORS and target in VALUES and link.kind in _HAS:
        return Claim(link.target, link.source, link, f"{_a(source)} {_words(link.kind)} it")
    if source in VALUES and target in ACTORS and link.kind in _IS_OF:
        return Claim(link.source, link.target, link, f"it {_words(link.kind)} {_a(target)}")
    if source in VALUES and target == "attack-pattern" and link.kind == "uses":
        return Claim(link.source, "", link, "it uses a technique")
    return None


def victim(link: Link) -> str:
    """Id of the value that a relationship makes a victim; else empty."""
    return link.target if link.kind in _VICTIM and kind_of(link.target) in VALUES else ""


def makes_assets(technique: Mapping[str, Any]) -> bool:
    """Whether an attack-pattern is one of making assets, by its DISARM number, else by its name."""
    references = technique.get("external_references")
    told = [technique.get("x_mitre_id")]
    if isinstance(references, list):
        told += [one.get("external_id") for one in references if isinstance(one, dict)]
    codes = [code for text in told if isinstance(text, str) for code in _CODE.findall(text)]
    if codes:
        return any(code not in _NOT_MAKING and (code in _MAKING or code[:5] in _MAKING) for code in codes)
    return bool(_MAKING_NAMES.search(_text(technique.get("name"))))


@dataclass
class Graph:
    """The relationships of one source, as far as they bear on who operates what."""

    _links: dict[str, list[Link]] = field(default_factory=lambda: defaultdict(list))
    """By each of their ends."""
    _groups: dict[str, list[str]] = field(default_factory=dict)
    """Members of groupings."""
    _making: set[str] = field(default_factory=set)
    victims: set[str] = field(default_factory=set)
    _based_on: list[Link] = field(default_factory=list)
    _indicators: set[str] = field(default_factory=set)

    def add(self, item: Mapping[str, Any]) -> None:
        """Take in an object; most say nothing here."""
        kind = item.get("type")
        if kind == "relationship":
            link = read_link(item)
            if link is not None:
                self._connect(link)
        elif kind == "indicator":
            self._indicators.add(str(item.get("id")))
        elif kind == "grouping" and isinstance(item.get("object_refs"), list):
            self._groups[str(item.get("id"))] = [str(ref) for ref in item["object_refs"]]
        elif kind == "attack-pattern" and makes_assets(item):
            self._making.add(str(item.get("id")))

    def _connect(self, link: Link) -> None:
        if link.kind == "based-on" and kind_of(link.source) == "indicator":
            self._based_on.append(link)
        hit = victim(link)
        if hit:
            self.victims.add(hit)
        if {kind_of(link.source), kind_of(link.target)} & (ACTORS | VALUES | _CARRIERS):
            self._links[link.source].append(link)
            self._links[link.target].append(link)

    def indicated(self) -> set[str]:
        """Values for which the source has an indicator of its own; one that it only mentions doesn't count."""
        return {link.target for link in self._based_on if link.source in self._indicators}

    def claims(self) -> dict[str, list[Claim]]:
        """Claims by the id of the value; for each value and actor one, the earliest, and direct ones before others."""
        made: dict[str, list[Claim]] = defaultdict(list)
        links = sorted({link for some in self._links.values() for link in some}, key=lambda one: (one.created, one.id))
        for link in links:
            claim = direct(link)
            if claim is not None and claim.actor:
                made[claim.value].append(claim)
        for claim in [*self._grouped(links), *self._hosted(links), *self._techniques(links)]:
            if not any(one.actor for one in made[claim.value]):
                made[claim.value].append(claim)
        return {value: _once(some) for value, some in made.items() if some and value not in self.victims}

    def _grouped(self, links: Iterable[Link]) -> Iterable[Claim]:
        """Members of groupings that belong to an actor."""
        for link in links:
            for group, actor in ((link.source, link.target), (link.target, link.source)):
                if kind_of(group) != "grouping" or kind_of(actor) not in ACTORS or link.kind not in _HAS | _IS_OF:
                    continue
                how = f"it is in a grouping that {_words(link.kind)} {_a(kind_of(actor))}"
                for member in self._groups.get(group, ()):
                    if kind_of(member) in VALUES:
                        yield Claim(member, actor, link, how)
                for inner in self._links[group]:
                    member = inner.other(group)
                    if kind_of(member) in VALUES and inner.kind in _HAS | _IS_OF:
                        yield Claim(member, actor, inner, how)

    def _hosted(self, links: Iterable[Link]) -> Iterable[Claim]:
        """Sites at addresses that lead to an infrastructure, by themselves or by their autonomous system."""
        for link in links:
            for site, address in ((link.source, link.target), (link.target, link.source)):
                if kind_of(address) not in _ADDRESSES or kind_of(site) not in _SITES or link.kind not in _AT:
                    continue
                infrastructure = self._infrastructure(address)
                if infrastructure:
                    yield Claim(site, infrastructure, link, "it is hosted in an infrastructure of the source's report")

    def _infrastructure(self, address: str) -> str:
        """The infrastructure that an address is of; empty where there is none, or more than one."""
        places = [address, *(link.other(address) for link in self._links[address]
                             if kind_of(link.other(address)) == "autonomous-system" and link.kind in _AT)]
        found = {link.other(place) for place in places for link in self._links[place]
                 if kind_of(link.other(place)) == "infrastructure" and link.kind in _HAS | _IS_OF}
        return found.pop() if len(found) == 1 else ""

    def _techniques(self, links: Iterable[Link]) -> Iterable[Claim]:
        for link in links:
            claim = direct(link)
            if claim is not None and not claim.actor:
                yield Claim(claim.value, self._user(link.target), link, claim.how)
            for technique, value in ((link.source, link.target), (link.target, link.source)):
                if technique in self._making and kind_of(value) in VALUES and link.kind == "related-to":
                    yield Claim(value, self._user(technique), link, "it stands by a technique of making assets")

    def _user(self, technique: str) -> str:
        """The one campaign or other actor that uses a technique; empty where that isn't clear."""
        found = {link.other(technique) for link in self._links[technique]
                 if kind_of(link.other(technique)) in ACTORS and link.kind in _HAS}
        return found.pop() if len(found) == 1 else ""


def _once(claims: Iterable[Claim]) -> list[Claim]:
    first: dict[str, Claim] = {}
    for claim in claims:
        first.setdefault(claim.actor, claim)
    named = [claim for actor, claim in first.items() if actor]
    return named or list(first.values())


def _words(kind: str) -> str:
    """A relationship's type as people say it."""
    said = kind.replace("-", " ")
    return f"is {said}" if kind in {"related-to", "part-of", "attributed-to", "controlled-by", "owned-by"} else said


def _a(kind: str) -> str:
    """A type with its article."""
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind.replace('-', ' ')}"


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
