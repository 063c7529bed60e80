"""Refits a version of the weights from reviews: what changes, how far it may by today, and why.

In this order: what is known of reviewed accounts; models for accounts like those overturned (``groups``); then, with
what these don't explain, factors of signals and of sources from Beta posteriors (``counts``), each a bounded step a
day, twice as bounded while one person alone speaks, and never so far that likely accounts that nobody complained of
fall below the line. Without reviews nothing changes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np

from exchange.matcher import fusion
from exchange.matcher.features import Floats
from exchange.matcher.learned import OWN
from exchange.matcher.learning.calibration import Calibration, calibrate
from exchange.matcher.learning.counts import (
    DAY,
    Count,
    Key,
    Posterior,
    count,
    faded,
    is_defect,
    pooled,
    posterior,
    source_posterior,
    stepped,
)
from exchange.matcher.learning.groups import LEAST, Group, Learnt, learn_groups
from exchange.matcher.learning.population import LIKELY_FROM, Population
from exchange.matcher.learning.reviews import CONFIRMED, CONTESTED, OVERTURNED, Book, Review
from exchange.matcher.learning.take import meanings
from exchange.matcher.scorecard import Card, Line
from exchange.matcher.weighing import Weights, read_weights

REST = "other reasons"
_OWN_HALF_LIFE = 365.0
_BENIGN, _MEMBER = -4.0, 3.0
"""Log-odds to which a review brings the account itself, on the evidence that the reviewer saw."""
_MOST_LOST = 0.01
"""Largest share of likely accounts without review that new factors may take below the line."""
_LINE = 0.0
"""Log-odds of one half."""


@dataclass(frozen=True)
class Change:
    """One thing that differs from the version before."""

    what: str
    before: float
    after: float
    why: str


@dataclass(frozen=True)
class Refit:
    """A new version and the account of it."""

    table: dict[str, Any]
    changes: tuple[Change, ...]
    defects: tuple[dict[str, Any], ...]
    learnt: tuple[Learnt, ...]
    counts: Mapping[Key, Count]
    calibration: Calibration
    cleared: int
    """Accounts without review that were likely and that the models and factors take below the line."""
    likely: int
    """Accounts without review that were likely."""
    held_back: tuple[str, ...]
    """What wasn't moved as far as the reviews ask for, and what it waits for."""


def refit(base: Weights, book: Book, population: Population, now: datetime, salt: str,
          hashes: Mapping[str, str]) -> Refit:
    """The next version after ``base``. ``hashes`` are the keyed hashes of reviewed accounts under ``salt``."""
    table = _copied(base.table)
    if not book.reviews:
        return Refit(table, (), (), (), {}, calibrate(()), 0, int((population.score >= 0.5).sum()), ())
    standing = book.standing()
    plain = [review for review in book.reviews if standing[review.account].verdict != CONTESTED]
    before = table.get("learned", {})
    days = _days(before, now)
    known = {hashes[account]: nats for account, nats in _known(plain, now).items() if account in hashes}
    learnt = _models(plain, population, before, now, days)
    counts = count(plain, now, meanings(base), _explained(learnt, population))
    factors, sources, changes, waiting = _moved(counts, population, before, days)
    weights, share = _within_bounds(base, population, factors, before, learnt)
    changes = [_part(change, share) for change in changes]
    table["card"] = [_card_table(card) for card in weights.cards]
    origin, number = before.get("origin", base.version), int(before.get("number", 0)) + 1
    table["version"] = f"{origin}+r{number}"
    table["learned"] = {
        "origin": origin, "number": number, "fitted": now.isoformat(), "base": base.version,
        "reviews": len(plain), "reviewers": len({review.reviewer for review in plain}), "salt": salt, "known": known,
        "sources": {name: before.get("sources", {}).get(name, 1.0) if share == 0 else factor
                    for name, factor in sources.items()},
        "factors": _shared_out(factors, before, share), "model": [_model_table(one) for one in learnt]}
    after = _log_odds(read_weights(table, table["version"]), population, learnt)
    free = ~np.isin(population.names, list(standing))
    likely = free & (population.log_odds >= _LINE)
    return Refit(table, (*_model_changes(learnt, before), *changes), _defects(counts, before), tuple(learnt), counts,
                 calibrate(plain), int((likely & (after < _LINE)).sum()), int(likely.sum()),
                 (*waiting, *(_waits(one) for one in learnt if one.held_back > 0)))


def _copied(table: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _copied(value) if isinstance(value, Mapping) else value for name, value in table.items()}


def _days(before: Mapping[str, Any], now: datetime) -> float:
    """Days since the version before; the first refit has one."""
    if "fitted" not in before:
        return 1.0
    return max(0.0, (now - datetime.fromisoformat(before["fitted"])).total_seconds() / DAY)


def _known(reviews: list[Review], now: datetime) -> dict[str, float]:
    """Account to the nats that its reviews add: they answer the evidence that was judged, what is new counts."""
    found: dict[str, list[Review]] = defaultdict(list)
    for review in reviews:
        found[review.account].append(review)
    known = {}
    for account, rows in found.items():
        last = max(rows, key=lambda review: review.time)
        judged = last.decision.log_odds - sum(
            row["nats"] for row in last.decision.evidence if str(row["step"]) == "review")
        age = max(0.0, (now - datetime.fromisoformat(last.time)).total_seconds() / DAY)
        weight = 2 ** (-age / _OWN_HALF_LIFE)
        nats = (_BENIGN - max(0.0, judged)) if last.verdict == OVERTURNED else max(0.0, _MEMBER - judged) + 0.001
        known[account] = round(weight * nats * 1024) / 1024 or (-1 if nats < 0 else 1) / 1024
    return known


def _models(reviews: list[Review], population: Population, before: Mapping[str, Any], now: datetime,
            days: float) -> list[Learnt]:
    place = {name: n for n, name in enumerate(population.names)}
    size = len(population.names)
    reasons = Counter(_reason(review) for review in reviews if review.verdict == OVERTURNED)
    weights: dict[str, Floats] = defaultdict(lambda: np.zeros(size))
    people: dict[str, set[str]] = defaultdict(set)
    confirmed = np.zeros(size)
    for review in reviews:
        if (n := place.get(review.account)) is None:
            continue
        if review.verdict == CONFIRMED:
            confirmed[n] = max(confirmed[n], faded(review, now))
            continue
        name = _reason(review) if reasons[_reason(review)] >= LEAST else REST
        weights[name][n] = max(weights[name][n], faded(review, now))
        people[name].add(review.reviewer)
    groups = [Group(name, weights[name], frozenset(people[name])) for name in sorted(
        weights, key=lambda name: (-float(weights[name].sum()), name))]
    likely = np.where(population.score >= LIKELY_FROM, population.score, 0.0)
    limits = {row["name"]: float(row["limit"]) for row in before.get("model", [])}
    return learn_groups(groups, population.columns, likely, confirmed, before=limits, days=days)


def _reason(review: Review) -> str:
    """The reason as the name of a group: without its case and surplus spaces, cut to what a line holds."""
    return " ".join(review.reason.lower().split())[:40] or REST


def _explained(learnt: list[Learnt], population: Population) -> dict[str, str]:
    """Account to the group whose model explains its overturning."""
    return {str(population.names[n]): one.group.name for one in learnt for n in np.flatnonzero(one.group.weight)}


def _moved(counts: Mapping[Key, Count], population: Population, before: Mapping[str, Any], days: float,
           ) -> tuple[dict[str, float], dict[str, float], list[Change], list[str]]:
    """New factors of features and sources, what changes, and what is held back."""
    changes: list[Change] = []
    waiting: list[str] = []
    found: list[dict[str, float]] = []
    for place, kind, judge in ((0, "factors", posterior), (2, "sources", source_posterior)):
        old = {name: float(x) for name, x in before.get(kind, {}).items()}
        new = dict(old)
        for name, one in sorted(pooled(counts, place).items()):
            silent = sum(n for key, n in population.support.items() if key[0 if place == 0 else 1] == name)
            told = judge(one, silent)
            target, was = round(told.factor, 4), old.get(name, 1.0)
            new[name] = stepped(was, target, days, len(one.reviewers))
            what = f"{'signal' if place == 0 else 'source'} {name}"
            if new[name] != was:
                changes.append(Change(what, was, new[name], _why(one, told)))
            if abs(target - new[name]) > 0.01:
                waiting.append(f"{what}: the reviews ask for a factor of {target:.2f}; {new[name]:.2f} is as far as a"
                               f" step a day goes{'' if len(one.reviewers) > 1 else ' on the word of one person'}.")
        found.append({name: x for name, x in new.items() if x != 1.0})
    return found[0], found[1], changes, waiting


def _why(one: Count, told: Posterior) -> str:
    named = f", in {one.named:.1f} the reviewer named it" if one.named >= 0.05 else ""
    return (f"{one.confirmed:.1f} confirmed and {one.overturned:.1f} overturned where it spoke{named};"
            f" {one.expected:.1f} of these were expected to be confirmed; posterior {told.mean:.2f} against a prior of"
            f" {told.prior:.2f} worth {told.strength:.0f} reviews; {len(one.reviewers)} reviewer(s)")


def _within_bounds(base: Weights, population: Population, factors: dict[str, float], before: Mapping[str, Any],
                   learnt: list[Learnt]) -> tuple[Weights, float]:
    """The weights with as much of the new factors (a share of the way) as likely accounts bear."""
    old = {name: float(x) for name, x in before.get("factors", {}).items()}
    start = fusion.weigh(population.features, base.cards[-1], base).log_odds
    cleared = np.zeros(len(start), dtype=bool)
    for one in learnt:
        cleared |= (one.model.read(population.columns, len(start)) > 0) | (one.group.weight > 0)
    likely = (start >= _LINE) & ~cleared
    for share in (1.0, 0.5, 0.25, 0.0):
        cards = tuple(_scaled(card, {name: (old.get(name, 1.0) + share * (x - old.get(name, 1.0))) / old.get(name, 1.0)
                                     for name, x in factors.items()}) for card in base.cards)
        weights = replace(base, cards=cards)
        after = fusion.weigh(population.features, cards[-1], weights).log_odds
        if (likely & (after < _LINE)).sum() <= _MOST_LOST * likely.sum():
            break
    return weights, share


def _scaled(card: Card, ratios: Mapping[str, float]) -> Card:
    lines = tuple(line if ratios.get(line.feature, 1.0) == 1.0 else
                  Line(line.feature, line.nodes, tuple(tuple(round(x * ratios[line.feature], 4) for x in row)
                                                       for row in line.nats), line.unknown) for line in card.lines)
    return replace(card, lines=lines)


def _shared_out(factors: dict[str, float], before: Mapping[str, Any], share: float) -> dict[str, float]:
    old = before.get("factors", {})
    return {name: round(old.get(name, 1.0) + share * (x - old.get(name, 1.0)), 4) for name, x in factors.items()}


def _part(change: Change, share: float) -> Change:
    if share == 1.0:
        return change
    return replace(change, after=round(change.before + share * (change.after - change.before), 4),
                   why=f"{change.why}; shortened so that likely accounts that nobody complained of stay")


def _log_odds(weights: Weights, population: Population, learnt: list[Learnt]) -> Floats:
    """Log-odds at the last card under the new version, as far as they can be told without a run."""
    size = len(population.score)
    columns = {**population.features.columns, OWN: np.zeros(size),
               **{one.model.name: one.model.read(population.columns, size) for one in learnt}}
    return fusion.weigh(replace(population.features, columns=columns), weights.cards[-1], weights).log_odds


def _card_table(card: Card) -> dict[str, Any]:
    return {"intercept": card.intercept, "levels": list(card.levels), "line": {
        line.feature: {"nodes": list(line.nodes), "nats": [list(row) for row in line.nats],
                       **({"unknown": line.unknown} if line.unknown else {})} for line in card.lines}}


def _model_table(one: Learnt) -> dict[str, Any]:
    model = one.model
    return {"name": model.name, "near": model.near, "names": list(model.names), "center": list(model.center),
            "spread": list(model.spread), "slopes": list(model.slopes), "intercept": model.intercept,
            "begins": model.begins, "full": model.full, "target": model.target, "limit": model.limit}


def _model_changes(learnt: list[Learnt], before: Mapping[str, Any]) -> list[Change]:
    limits = {row["name"]: float(row["limit"]) for row in before.get("model", [])}
    gone = [Change(name, limit, 0.0, "reviews that stand don't ask for it any more") for name, limit in limits.items()
            if name not in {one.model.name for one in learnt}]
    return [*(Change(one.model.name, limits.get(one.model.name, 0.0), one.model.limit,
                     f"{one.accounts} accounts overturned by {len(one.group.reviewers)} reviewer(s); tells"
                     f" {one.fitted.caught:.0%} of those it didn't know, and touches {one.fitted.touched:.1%} of likely"
                     " accounts that nobody reviewed (nats it may take at most)") for one in learnt), *gone]


def _waits(one: Learnt) -> str:
    return (f"{one.model.name}: may take {one.model.limit:.1f} nats by today and {one.held_back:.1f} more with a second"
            f" person's reviews, since it reaches {one.cleared:,} likely accounts that nobody reviewed.")


def _defects(counts: Mapping[Key, Count], before: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    """Signals, and sources, that keep being overturned: rules to be mended by a person (R61)."""
    found = []
    for place, kind in ((0, "signal"), (2, "source")):
        for name, one in sorted(pooled(counts, place).items()):
            if is_defect(one):
                classes = sorted({key[1] for key in counts if key[place] == name and key[1]})
                found.append({"kind": kind, "name": name, "classes": classes, "confirmed": round(one.confirmed, 2),
                              "overturned": round(one.overturned, 2), "expected": round(one.expected, 2),
                              "named": round(one.named, 2), "reviewers": len(one.reviewers)})
    return tuple(found)
