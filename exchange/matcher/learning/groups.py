"""Groups of overturned accounts and the models that clear those like them, chosen so that real members stay.

Reviewers' reasons tell the groups; what is left is one more. For each group several views are tried: what its accounts
share with each other (amounts, or shares of their evidence), what they are like by themselves, and both. The best view
of those tells them in this world; what they are like by themselves is kept too if it tells them well, because
it also holds where none of the reviewed ones is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from exchange.matcher.learned import PREFIX, Floats, Likeness
from exchange.matcher.learning.likeness import Fitted, fit_likeness
from exchange.matcher.nearness import AMOUNTS, SHARES

LEAST = 6
"""Overturned accounts from which a group is learned from."""
GROUPS = 12
WORTH, WORTH_ALONE = 0.3, 0.7
"""Least worth of a model, and of one that asks for no company (it also speaks of people far away)."""
_TOUCHED_ALONE = 0.005
"""Largest share of likely accounts that a model without company may touch beyond those of the best view."""
_PRIOR = 2.0
"""Reviews that the prior of one half is worth where reviews tell how likely a group's shape is."""
STEP, MOST = 5.0, 30.0
"""Nats that a large model may take on the word of one person, more with each day; most that any may take."""
_LARGE = 2.0
"""A model is large that clears more unreviewed likely accounts than so many times those it was learned from: two
people or more are needed for it to count in full."""


@dataclass(frozen=True)
class Group:
    """Accounts that were overturned for one reason."""

    name: str
    weight: Floats
    """Of each account of the run: what its overturning counts; 0 for others."""
    reviewers: frozenset[str]


@dataclass(frozen=True)
class Learnt:
    """A model and what it rests on."""

    fitted: Fitted
    model: Likeness
    group: Group
    accounts: int
    confirmed: float
    """Weight of confirmed accounts that it would touch."""
    cleared: int
    """Unreviewed likely accounts that it reaches fully."""
    held_back: float
    """Nats of its limit that it doesn't have yet, because one person alone speaks of many."""


def learn_groups(groups: list[Group], columns: Mapping[str, Floats], likely: Floats, confirmed: Floats, *,
                 before: Mapping[str, float], days: float) -> list[Learnt]:
    """Models for all groups. ``likely`` is the weight of each account that nobody overturned, ``confirmed`` that of
    confirmations; ``before`` gives the limits of the models of the version before, fitted ``days`` ago."""
    overturned = np.sum([group.weight for group in groups], axis=0) > 0 if groups else np.zeros(0)
    others = np.where(overturned, 0.0, np.maximum(likely, confirmed)) if groups else likely
    found = []
    for group in groups[:GROUPS]:
        if (group.weight > 0).sum() >= LEAST and (others > 0).sum() >= LEAST:
            found += _learn(group, columns, others, confirmed, before, days)
    return found


def _learn(group: Group, columns: Mapping[str, Floats], others: Floats, confirmed: Floats,
           before: Mapping[str, float], days: float) -> list[Learnt]:
    alone = {name: x for name, x in columns.items() if name not in AMOUNTS and name not in SHARES}
    views = {"amounts": AMOUNTS, "shares": SHARES, "both": (*alone, *AMOUNTS, *SHARES)}
    fits = [fit_likeness(f"{PREFIX}near: {group.name}", {name: columns[name] for name in names}, group.weight, others,
                         near=True) for names in views.values()]
    by_itself = fit_likeness(f"{PREFIX}like: {group.name}", alone, group.weight, others, near=False)
    best = max([by_itself, *fits], key=lambda fitted: round(fitted.worth, 3))
    chosen = [best] if best.worth >= WORTH else []
    if chosen and best is not by_itself and by_itself.worth >= WORTH_ALONE:
        size = len(others)
        extra = (by_itself.model.read(alone, size) >= 1) & (best.model.read(dict(columns), size) < 1)
        if others[extra].sum() <= _TOUCHED_ALONE * others.sum():
            chosen.append(by_itself)
    return [_limited(fitted, group, dict(columns), others, confirmed, before, days) for fitted in chosen]


def _limited(fitted: Fitted, group: Group, columns: dict[str, Floats], others: Floats, confirmed: Floats,
             before: Mapping[str, float], days: float) -> Learnt:
    """The model with what reviews of such accounts came to, and as far as it may go by today."""
    reach = fitted.model.read(columns, len(confirmed))
    for_, against = float((confirmed * reach).sum()), float(group.weight.sum()) * fitted.caught
    share = (for_ + _PRIOR / 2) / (for_ + against + _PRIOR)
    name, accounts = fitted.model.name, int((group.weight > 0).sum())
    cleared = int(((reach >= 1) & (group.weight == 0) & (others >= 0.5)).sum())
    alone = len(group.reviewers) < 2 and cleared > _LARGE * accounts
    limit = min(MOST, before.get(name, 0.0) + STEP * (days if name in before else max(1.0, days))) if alone else MOST
    model = replace(fitted.model, target=round(float(np.log(share / (1 - share))), 4), limit=round(limit, 4))
    return Learnt(fitted, model, group, accounts, for_, cleared, MOST - limit)
