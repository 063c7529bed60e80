"""A case as values: what was found of one cluster, by what, what speaks against it and what would change it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from exchange.matcher.action.decide import Recommendation
from exchange.matcher.action.facts import Facts
from exchange.matcher.rescore import MEANING

SCHEMA = "cib-exchange case 2"
LEAST = "TLP:AMBER+STRICT"
"""Marking of any case: it tells of people who use the platform, even where all that met them was public."""


@dataclass(frozen=True)
class Weight:
    """One contribution to an account's log-odds."""

    step: str
    kind: str
    nats: float
    words: str
    """What it is, for people."""
    value: str | None = None
    """Id of the value's node in the graph."""
    indicator: str | None = None
    source: str | None = None
    campaign: str | None = None


@dataclass(frozen=True)
class LeftOfMember:
    """What is left of a member's score without a part of its evidence; computed by scoring again."""

    what: str
    """strongest, source, kind or company."""
    name: str
    words: str
    log_odds: float
    score: float


@dataclass(frozen=True)
class Left:
    """What is left of a cluster without a part of the evidence; computed by scoring again."""

    what: str
    name: str
    words: str
    likely: int
    """Likely members of whom the part speaks."""
    fall: int
    """Of these, how many would be likely no longer."""


@dataclass(frozen=True)
class ClassReason:
    """One thing that speaks for or against a class of campaign."""

    campaign_class: str
    nats: float
    words: str


@dataclass(frozen=True)
class Member:
    """One account of the cluster."""

    account: str
    score: float
    log_odds: float
    role: str | None
    facts: Facts
    recommendation: Recommendation
    weights: tuple[Weight, ...]
    """Largest first; together with ``rest`` they add up to the log-odds."""
    rest: float
    """Nats of the contributions that aren't listed."""
    rest_count: int
    without: tuple[LeftOfMember, ...] = ()
    """Without its strongest piece of evidence, and every part without which it would not be likely."""


@dataclass(frozen=True)
class Value:
    """One value that members hold or met."""

    id: str
    kind: str
    shown: str
    holders: int
    """Members of the cluster that hold it."""
    seed: bool
    """Whether a shared indicator names it."""


@dataclass(frozen=True)
class Edge:
    """A member's tie to a value."""

    account: str
    value: str
    nats: float
    first_seen: int | None
    last_seen: int | None


@dataclass(frozen=True)
class Seed:
    """A shared indicator that met members, and whose it is."""

    indicator: str
    source: str
    campaign: str | None
    kind: str
    observed: int | None
    confidence: float | None
    accounts: int
    nats: float


@dataclass(frozen=True)
class Against:
    """One thing that speaks against, over all members."""

    what: str
    accounts: int
    nats: float


@dataclass(frozen=True)
class Case:
    """All material of one cluster."""

    name: str
    at: int
    """Unix seconds of the moment that the run spoke of."""
    weights: str
    pack: str
    campaign_class: str | None
    members: tuple[Member, ...]
    """Likeliest first."""
    values: tuple[Value, ...]
    edges: tuple[Edge, ...]
    edges_left_out: int
    days: tuple[tuple[int, str, int], ...]
    """Day (since 1970), what, how often."""
    seeds: tuple[Seed, ...]
    against: tuple[Against, ...]
    changes: tuple[str, ...]
    likely_from: float = 0.5
    """Probability from which a member of a cluster of this class counts as likely."""
    class_probability: float = 0.0
    """Of the likeliest class, told or not."""
    class_reasons: tuple[ClassReason, ...] = ()
    without: tuple[Left, ...] = ()
    overlaps: Mapping[str, int] = field(default_factory=dict)
    """Other clusters to the number of members that also belong there in part."""
    marking: str = LEAST
    """The strictest TLP of all that was shared and speaks in it, and at least ``LEAST``."""

    @property
    def likely(self) -> int:
        """Members with a probability of ``likely_from`` or more."""
        return sum(member.score >= self.likely_from for member in self.members)

    @property
    def reach(self) -> float:
        """People reached in 90 days by the likely members; the same person counts for each."""
        return sum(member.facts.reach for member in self.members if member.score >= self.likely_from)

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the sources whose indicators met members."""
        return tuple(sorted({seed.source for seed in self.seeds}))

    def count(self, name: str) -> dict[str, int]:
        """Members by ``role`` or ``action``, most first."""
        words = [(member.recommendation.action if name == "action" else member.role) or "unknown"
                 for member in self.members]
        return {word: words.count(word) for word in sorted(set(words), key=lambda word: (-words.count(word), word))}

    def as_json(self) -> dict[str, Any]:
        """JSON values in a fixed order; the parts are dataclasses, which orjson writes as objects."""
        return {
            "schema": SCHEMA, "marking": self.marking, "case": self.name, "at": self.at, "weights": self.weights,
            "policy": self.pack,
            "summary": {
                "accounts": len(self.members), "likely": self.likely, "reach": self.reach,
                "likely_from": self.likely_from,
                "class": self.campaign_class, "sources": list(self.sources), "roles": self.count("role"),
                "actions": self.count("action"), "also_in": dict(self.overlaps)},
            "class": {"told": self.campaign_class, "probability": self.class_probability,
                      "because": list(self.class_reasons)},
            "accounts": list(self.members),
            "graph": {"values": list(self.values), "edges": list(self.edges),
                      "edges_left_out": self.edges_left_out},
            "timeline": [{"day": day, "what": what, "count": n} for day, what, n in self.days],
            "seeds": list(self.seeds),
            "against": list(self.against),
            "what_would_change_it": list(self.changes), "scored_again_without": list(self.without),
            "scored_again_means": MEANING,
        }
