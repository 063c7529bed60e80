"""How well scores hold among reviewed accounts: a reliability table, its error, and a recalibration to propose."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from exchange.matcher.learning.reviews import CONFIRMED, Review
from exchange.matcher.scorecard import Floats

_BINS = 10
_PRIOR = 10.0
"""Reviews that the scores as they are are worth."""
_LEAST = 20
"""Reviews from which a recalibration is proposed."""
_Z = 1.96


@dataclass(frozen=True)
class Bin:
    """Reviewed accounts whose score lay between two tenths."""

    begins: float
    ends: float
    reviews: int
    mean_score: float
    confirmed: float
    """Share of them that was confirmed, and its 95 % interval (Wilson)."""
    low: float
    high: float


@dataclass(frozen=True)
class Calibration:
    """The table and what it comes to."""

    reviews: int
    error: float | None
    """Expected calibration error: mean distance between score and share confirmed, weighted by reviews."""
    bins: tuple[Bin, ...]
    slope: float | None = None
    """Proposed: log-odds x slope + shift; None where too few were reviewed."""
    shift: float | None = None


def calibrate(reviews: Iterable[Review]) -> Calibration:
    """The table of all reviews, each against the score it judged."""
    rows = [(review.decision.score, review.decision.log_odds, review.verdict == CONFIRMED) for review in reviews]
    if not rows:
        return Calibration(0, None, ())
    score, log_odds, right = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    place = np.minimum((score * _BINS).astype(int), _BINS - 1)
    bins = tuple(_bin(n, score[place == n], right[place == n]) for n in range(_BINS) if (place == n).any())
    error = sum(abs(one.mean_score - one.confirmed) * one.reviews for one in bins) / len(rows)
    slope, shift = _fit(log_odds, right) if len(rows) >= _LEAST else (None, None)
    return Calibration(len(rows), round(error, 6), bins, slope, shift)


def _bin(number: int, score: Floats, right: Floats) -> Bin:
    n, share = len(score), float(right.mean())
    middle = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2)) / (1 + _Z**2 / n)
    return Bin(number / _BINS, (number + 1) / _BINS, n, round(float(score.mean()), 6), round(share, 6),
               round(max(0.0, middle - half), 6), round(min(1.0, middle + half), 6))


def _fit(log_odds: Floats, right: Floats) -> tuple[float, float]:
    """Slope and shift by logistic regression, held to 1 and 0 by the prior."""
    x = np.clip(log_odds, -8, 8)
    theta = np.array([1.0, 0.0])
    design = np.stack([x, np.ones_like(x)], axis=1)
    penalty = _PRIOR * np.array([float(np.mean(x**2)) + 1e-6, 0.1])
    for _ in range(30):
        guess = 1 / (1 + np.exp(-np.clip(design @ theta, -30, 30)))
        slope = design.T @ (guess - right) + penalty * (theta - np.array([1.0, 0.0]))
        curve = (design * (guess * (1 - guess))[:, None]).T @ design + np.diag(penalty)
        step = np.linalg.solve(curve, slope)
        theta = theta - np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-9:
            break
    return round(float(theta[0]), 4), round(float(theta[1]), 4)
