"""Fits a scorecard: penalised logistic regression on steps between nodes, whose signs are kept (what speaks for never
speaks against), by accelerated projected gradients. Deterministic: the same examples give the same card.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from exchange.matcher.features import OBJECTION, Floats
from exchange.matcher.scorecard import Card, Line, level_weights
from exchange.matcher.weighing import ACCOUNT_COLUMNS

LEVELS = (0.0, 2.0, 5.0, 10.0)
TRUST = {"infrastructure": (1.0, 1.0, 1.0, 1.0), "content": (0.2, 0.5, 0.8, 0.8), "behaviour": (0.1, 0.4, 0.6, 0.6)}
"""What a family's nats by hand are thought to be worth at each level, before any example."""
FREE = ("age_days", "followers", "reach_90d", "geo_spread", "payment_months", "devoted")
"""Features that may rise and fall. Of what a member passes on an operation's posts are some, and of what a believer
passes on they are often all."""
FALLING = ("verified", "assurance", "disclosed", "audience_quality", "payment_months", "aloof")
ONE_LEVEL = ("infrastructure",)
LEFT = ("devotion", "circle_bound", "unsaid")
"""Features that get no line. By ``devotion`` of older tables who shared nothing at all counted as who shared nothing
else; the others hang on company, but ``rescore`` keeps them as they were, so claims would not hold (record 0032)."""
_NODES = {
    "age_days": (0, 30, 90, 180, 365, 730, 1500, 3000), "verified": (0, 1), "assurance": (0, 1, 2),
    "strikes": (0, 1, 2, 3), "followers": (0, 20, 100, 500, 3000),
    "audience_quality": (0.1, 0.25, 0.4, 0.55, 0.7, 0.85),
    "payment_months": (0, 1, 6, 12, 24), "geo_spread": (0, 0.15, 0.3, 0.5, 0.8), "reach_90d": (0, 50, 200, 1000, 10000),
    "disclosed": (0, 1), "echo": (0, 0.7, 1.1, 1.6, 2.1), "devoted": (0, 0.15, 0.3, 0.5, 0.8, 1),
    "aloof": (0, 1, 2, 3, 4, 5), "seconded": (0, 1, 2, 4, 7),
    "circle_mass": (0, 0.7, 1.4, 2.1, 3, 4), "circle_mean": (0, 0.15, 0.3, 0.5, 0.7, 0.85),
    "circle_sources": (0, 1, 2, 3), "circle_bound": (0, 0.7, 1.1, 1.6, 2.3, 3.2),
    "pool": (0, 0.3, 0.6, 1, 1.5, 2.2), "unsaid": (0, 1, 2, 4, 7),
    "vouched": (0, 0.1, 0.25, 0.5, 0.8), "knit": (0, 0.1, 0.25, 0.5, 0.8),
    "sources": (0, 1, 2, 3), "kinds": (0, 1, 2, 3, 4, 5, 6, 8),
    "infrastructure": (0, 1, 2, 4, 7, 11, 16),
}


@dataclass(frozen=True)
class Column:
    """One parameter: a step of a feature's line at a level."""

    feature: str
    level: int
    step: int
    sign: int
    """1: at least 0; -1: at most 0; 0: free."""
    prior: float
    """Nats that it is thought to be before any example."""


def nodes_of(feature: str, x: Floats) -> tuple[float, ...]:
    """Nodes of a line: set by hand for figures of the account, by the spread of what is there for evidence."""
    if feature in _NODES:
        return tuple(float(node) for node in _NODES[feature])
    end = np.quantile(np.abs(x[np.abs(x) > 1e-6]), 0.98) if (np.abs(x) > 1e-6).sum() > 30 else 6.0
    steps = np.array([*(np.array([0.15, 0.4, 0.7, 1.0]) * max(end, 0.2)), max(7.0, 2 * end)])
    steps = np.round(steps, 3)
    return (0.0, *steps.tolist()) if not feature.startswith("against") else (*(-steps[::-1]).tolist(), 0.0)


def _steps(x: Floats, nodes: tuple[float, ...], anchor: int) -> Floats:
    """How far each figure has gone along each stretch between nodes, from the anchor node: 0 to 1, or 0 to -1."""
    left, right = np.array(nodes[:-1]), np.array(nodes[1:])
    gone = np.clip((x[:, None] - left) / (right - left), 0, 1)
    gone[:, :anchor] -= 1
    return np.where(np.isnan(x)[:, None], 0.0, gone)


def fit_card(columns: dict[str, Floats], truth: NDArray[np.int8], families: dict[str, str], *,
             counts: Floats | None = None, ridge: float = 3.0, rounds: int = 600) -> Card:
    """The card for examples whose truth is 0 or 1; each counts as often as ``counts`` says (default: once).

    ``families`` tells the family of each feature of evidence; ``ridge`` is how many examples the weights set by hand
    are worth, so that a feature that no example has keeps them.
    """
    weight = level_weights(columns["infrastructure"], LEVELS)
    layout: list[Column] = []
    blocks: list[NDArray[np.float32]] = []
    nodes: dict[str, tuple[float, ...]] = {}
    for feature, x in columns.items():
        if feature.startswith(OBJECTION) or feature in LEFT:
            continue
        nodes[feature] = nodes_of(feature, x)
        steps = _steps(x, nodes[feature], _anchor(nodes[feature]))
        levels = 1 if feature in ONE_LEVEL else len(LEVELS)
        for level in range(levels):
            part = steps if levels == 1 else steps * weight[:, level : level + 1]
            blocks.append(part.astype(np.float32))
            layout += [Column(feature, level, step, _sign(feature), width * _trust(feature, families, level))
                       for step, width in enumerate(np.diff(nodes[feature]))]
    design = np.concatenate(blocks, axis=1)
    found, intercept = _solve(design, truth.astype(np.float64), layout, ridge, rounds,
                              np.ones(len(truth)) if counts is None else counts)
    return _centred(_card(layout, found, intercept, nodes), columns)


def _centred(card: Card, columns: dict[str, Floats]) -> Card:
    """The same card with an account's own figures told against the mean, so that an unknown figure says nothing."""
    lines, intercept = [], card.intercept
    nats = card.read(columns)
    for line in card.lines:
        mean = round(float(np.nanmean(nats[line.feature])), 4) if line.feature in ACCOUNT_COLUMNS else 0.0
        intercept += mean
        lines.append(replace(line, nats=tuple(tuple(round(x - mean, 4) for x in row) for row in line.nats)))
    return replace(card, intercept=round(intercept, 4), lines=tuple(lines))


def _trust(feature: str, families: dict[str, str], level: int) -> float:
    return TRUST[families[feature]][level] if feature in families else 0.0


def _anchor(nodes: tuple[float, ...]) -> int:
    return nodes.index(0.0) if 0.0 in nodes else 0


def _sign(feature: str) -> int:
    if feature in FREE:
        return 0
    return -1 if feature in FALLING else 1


def _solve(design: NDArray[np.float32], truth: Floats, layout: list[Column], ridge: float,
           rounds: int, counts: Floats) -> tuple[Floats, float]:
    """Least penalised log-loss; every column is scaled to unit spread of its own curvature."""
    share = counts / counts.sum()
    scale = np.sqrt(share @ design.astype(np.float64) ** 2 + 1e-4)
    scaled = (design / scale).astype(np.float32)
    sign, prior = np.array([c.sign for c in layout]), np.array([c.prior for c in layout]) * scale
    rate = share @ truth
    penalty = ridge / scale**2 / counts.sum()
    theta, intercept = prior.copy(), float(np.log(rate / (1 - rate)))
    bound = _largest(scaled, share) * 0.25 + penalty
    ahead, base, momentum = theta.copy(), intercept, 1.0
    for _ in range(rounds):
        score = scaled @ ahead.astype(np.float32) + np.float32(base)
        miss = share * (1 / (1 + np.exp(-score.astype(np.float64))) - truth)
        slope = scaled.T @ miss.astype(np.float32) + penalty * (ahead - prior)
        new = ahead - slope / bound
        new = np.where(sign > 0, np.maximum(new, 0), np.where(sign < 0, np.minimum(new, 0), new))
        new_base = base - miss.sum() / 0.5
        if ((ahead - new) * (new - theta)).sum() > 0:
            momentum = 1.0
        after = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        pull = (momentum - 1) / after
        ahead, base = new + pull * (new - theta), new_base + pull * (new_base - intercept)
        theta, intercept, momentum = new, float(new_base), after
    return theta / scale, intercept


def _largest(design: NDArray[np.float32], share: Floats) -> float:
    """Largest eigenvalue of the design's second moments, with the intercept."""
    gram = ((design * share[:, None].astype(np.float32)).T @ design).astype(np.float64)
    return float(np.linalg.eigvalsh(gram)[-1]) + 1.0


def _card(layout: list[Column], found: Floats, intercept: float, nodes: dict[str, tuple[float, ...]]) -> Card:
    lines = []
    for feature, points in nodes.items():
        rows = []
        for level in sorted({c.level for c in layout if c.feature == feature}):
            steps = [found[n] for n, c in enumerate(layout) if c.feature == feature and c.level == level]
            heights = np.concatenate([[0.0], np.cumsum(steps)])
            heights -= heights[_anchor(points)]
            rows.append(tuple(round(float(height), 4) for height in heights))
        lines.append(Line(feature, points, tuple(rows)))
    return Card(round(intercept, 4), LEVELS, tuple(lines))
