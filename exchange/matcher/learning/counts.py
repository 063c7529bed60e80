"""Counts of reviews per signal, campaign class and source, as Beta posteriors that fade, and what follows of them.

A review is shared out over what spoke for the account: confirmed and overturned counts of each feature of the card.
The prior is what the run itself expected (its mean score), as strong as so many reviews; a count halves with the
years. What many overturned accounts of one group have in common is one mistake found often, so a group counts only so
much; whatever a reviewer names as wrong bears it alone.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from exchange.matcher.learning.reviews import CONFIRMED, OVERTURNED, Review

HALF_LIFE = 180.0
"""Days in which a review counts half."""
TOGETHER = 10.0
"""Reviews that one word on a whole cluster, or on one group, may count as."""
STRENGTH = 20.0
"""Reviews that the prior is worth."""
SILENT, SILENT_SOURCE = 0.05, 0.5
"""Reviews that an unreviewed likely account is worth: it is there, and nobody complained. A source stands with more
of them, since it is one voice in all that it names."""
LEAST = 3.0
"""Reviews of a signal or source below which nothing moves."""
_LEAST_FACTOR, _MOST_FACTOR = 0.1, 1.1
_CALM = 2.5
"""Log-odds of a posterior against its prior that change a factor by e."""
_DEFECT_REVIEWS, _DEFECT_BELOW = 5.0, 0.5
_QUANTILE = 1.28  # of the normal distribution, one-sided 90 %
DAY = 86_400.0

Key = tuple[str, str, str]
"""Feature, campaign class (or empty), source (or empty where no source speaks)."""


@dataclass
class Count:
    """What reviews say of one signal."""

    confirmed: float = 0.0
    overturned: float = 0.0
    expected: float = 0.0
    """How many of them the runs expected to be confirmed."""
    named: float = 0.0
    """Overturned ones in which the reviewer named it as wrong."""
    reviewers: set[str] = field(default_factory=set)

    @property
    def total(self) -> float:
        """All reviews of it."""
        return self.confirmed + self.overturned

    def add(self, other: Count) -> None:
        """Take up another count."""
        self.confirmed += other.confirmed
        self.overturned += other.overturned
        self.expected += other.expected
        self.named += other.named
        self.reviewers |= other.reviewers


@dataclass(frozen=True)
class Posterior:
    """Share of accounts confirmed where a signal speaks: prior and posterior mean, and the factor that follows."""

    prior: float
    mean: float
    strength: float
    factor: float


def faded(review: Review, now: datetime) -> float:
    """What a review counts by now: halved with each half-life, and parted among those judged with one word."""
    age = max(0.0, (now - datetime.fromisoformat(review.time)).total_seconds() / DAY)
    return float(2 ** (-age / HALF_LIFE)) * min(1.0, TOGETHER / review.size)


def count(reviews: Iterable[Review], now: datetime, means: Mapping[str, set[str]],
          group: Mapping[str, str]) -> dict[Key, Count]:
    """Counts per key. ``means`` tells the features of what a reviewer names; ``group`` an account's group."""
    rows = [(review, faded(review, now)) for review in reviews]
    sizes: dict[str, float] = defaultdict(float)
    for review, weight in rows:
        if review.verdict == OVERTURNED and not review.signals:
            sizes[group.get(review.account, review.account)] += weight
    found: dict[Key, Count] = defaultdict(Count)
    for review, weight in rows:
        crowd = sizes.get(group.get(review.account, review.account), 0.0) if not review.signals else 0.0
        part = weight * (min(1.0, TOGETHER / crowd) if crowd else 1.0)
        named = {feature for signal in review.signals for feature in means.get(signal, ())}
        for key, share in _shares(review, named).items():
            one = found[key]
            one.confirmed += part * share * (review.verdict == CONFIRMED)
            one.overturned += part * share * (review.verdict == OVERTURNED)
            one.expected += part * share * min(0.98, max(0.02, review.decision.score))
            one.named += part * share * bool(named) * (review.verdict == OVERTURNED)
            one.reviewers.add(review.reviewer)
    return dict(found)


def feature_of(row: Mapping[str, object]) -> str | None:
    """The card's feature that a row of evidence belongs to; None for the prior, limits and reviews."""
    step = row["step"]
    if step in ("direct", "company"):
        return f"{step}.{row['signal']}"
    return str(row["kind"]) if step in ("account", "together") else None


def _shares(review: Review, named: set[str]) -> dict[Key, float]:
    """How what spoke for the account is shared out; only what the reviewer names, where something is named."""
    nats: dict[Key, float] = defaultdict(float)
    for row in review.decision.evidence:
        feature = feature_of(row)
        if feature is not None and row["nats"] > 0 and (not named or feature in named):
            source = str(row.get("source", "")) if row["step"] == "direct" else ""
            nats[feature, review.decision.campaign_class or "", source] += row["nats"]
    total = sum(nats.values())
    return {key: x / total for key, x in nats.items()} if total > 0 else {}


def pooled(counts: Mapping[Key, Count], place: int) -> dict[str, Count]:
    """Counts summed over all but one part of their key (0 feature, 1 class, 2 source)."""
    found: dict[str, Count] = defaultdict(Count)
    for key, one in counts.items():
        if key[place]:
            found[key[place]].add(one)
    return dict(found)


def posterior(one: Count, silent: float = 0.0) -> Posterior:
    """What follows of a signal's count; ``silent`` likely accounts that nobody reviewed make the prior firmer."""
    prior, mean, strength = _posterior(one, SILENT * silent)
    factor = math.exp((_logit(mean) - _logit(prior)) / _CALM)
    return Posterior(prior, mean, strength, min(_MOST_FACTOR, max(_LEAST_FACTOR, factor)) if one.total >= LEAST else 1)


def source_posterior(one: Count, silent: float = 0.0) -> Posterior:
    """The same of a source, whose word counts as the posterior mean to the prior's, and never more than in full."""
    prior, mean, strength = _posterior(one, SILENT_SOURCE * silent)
    return Posterior(prior, mean, strength, min(1.0, mean / prior) if one.total >= LEAST else 1.0)


def _posterior(one: Count, silent: float) -> tuple[float, float, float]:
    strength = STRENGTH + silent
    prior = min(0.98, max(0.5, one.expected / one.total)) if one.total else 0.9
    return prior, (strength * prior + one.confirmed) / (strength + one.total), strength


def _logit(share: float) -> float:
    return math.log(share / (1 - share))


def is_defect(one: Count) -> bool:
    """Whether a signal keeps being overturned: enough reviews, and even the upper bound lies below one half."""
    n = one.total
    if n < _DEFECT_REVIEWS:
        return False
    mean = (one.confirmed + 1) / (n + 2)
    return mean + _QUANTILE * math.sqrt(mean * (1 - mean) / (n + 3)) < _DEFECT_BELOW


def stepped(before: float, target: float, days: float, reviewers: int) -> float:
    """A factor moved toward its target as far as a number of days allows: a tenth a day, a quarter where two speak."""
    step = (0.25 if reviewers > 1 else 0.1) * days
    return round(min(before + step, max(before - step, target)), 4)
