"""Fits what accounts that reviewers overturned have in common against those that nobody overturned.

Penalised logistic regression, both sides of equal weight, so that its score is the log of how much more often such an
account is found among the overturned; unreviewed accounts count as far as the run thought them likely. Where to cut is
chosen by accounts that the model didn't know: most of the overturned caught, fewest of the others touched.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from exchange.matcher.learned import Floats, Likeness, pressed, standard

CUTS = (0.0, 0.2, 0.5, 0.9, 1.4, 2.0)
"""Scores (log of frequency among overturned against others) at which likeness may be full."""
_RAMP = 0.5
"""Score below the cut from which likeness begins."""
_PART, _EXCESS = 0.3, 10.0
Ints = NDArray[np.int64]
_FOLDS = 5
_ROUNDS = 30
_SPREAD = 0.05
"""Least spread of a (pressed) figure, so that a difference in the last places is none."""


@dataclass(frozen=True)
class Fitted:
    """A model and how it does on accounts that it was not fitted on."""

    model: Likeness
    caught: float
    """Share of the overturned that it would reach fully, each told by a model that didn't know it."""
    touched: float
    """Share of the likely unreviewed accounts that it would reach fully."""
    worth: float
    """``caught`` less what is touched, and less again what is touched in excess (see ``_cut``)."""


def fit_likeness(name: str, columns: dict[str, Floats], overturned: Floats, others: Floats, *, near: bool,
                 ridge: float = 2.0) -> Fitted:
    """The model over ``columns``; the two sides are given as weights of each account (0: not of that side)."""
    rows = (overturned > 0) | (others > 0)
    size = max(10.0, min(100.0, float(overturned.sum())))
    y = overturned[rows] > 0
    weight = np.where(y, overturned[rows] / overturned.sum(), others[rows] / others.sum()) * size
    figures = {one: pressed(column[rows]) for one, column in columns.items()}
    names = tuple(one for one, x in figures.items() if np.nanmax(x, initial=0) > np.nanmin(x, initial=0))
    center = tuple(round(_mean(figures[one], weight), 6) for one in names)
    spread = tuple(round(max(_SPREAD, _mean((figures[one] - middle) ** 2, weight) ** 0.5), 6)
                   for one, middle in zip(names, center, strict=True))
    z = np.zeros((len(y), len(names)))
    for place, one in enumerate(names):
        z[:, place] = standard(columns[one][rows], center[place], spread[place])
    signs = np.array([_sign(one) for one in names])
    unknown = _out_of_sample(z, y, weight, ridge, signs)
    slopes, intercept = _solve(z, y, weight, ridge, signs)
    told = z @ slopes + intercept
    caught, touched, worth, cut = _cut([(float(weight[y & (unknown >= cut)].sum() / weight[y].sum()),
                                         float(weight[~y & (told >= cut)].sum() / weight[~y].sum()), cut)
                                        for cut in CUTS])
    model = Likeness(name, near, names, center, spread, tuple(round(float(slope), 5) for slope in slopes),
                     round(float(intercept), 5), cut - _RAMP, cut, 0.0, 0.0)
    return Fitted(model, caught, touched, worth)


def _cut(found: list[tuple[float, float, float]]) -> tuple[float, float, float, float]:
    """The best of some cuts (caught, touched, cut), with its worth.

    Those touched are partly more of the same group, whom nobody reviewed yet. How many these are is told by the
    strictest cut that still catches a part of the overturned, where others are fewest; what is touched beyond them is
    in excess, and weighs ten times what is caught.
    """
    firm = next((row for row in reversed(found) if row[0] >= _PART), None)
    alike = firm[1] / firm[0] if firm else 0.0
    told = [(round(caught - touched - _EXCESS * max(0.0, touched - alike * caught), 6), cut, caught, touched)
            for caught, touched, cut in found]
    worth, cut, caught, touched = max(told)
    return caught, touched, worth, cut


def _mean(x: Floats, weight: Floats) -> float:
    there = ~np.isnan(x)
    return float((x[there] * weight[there]).sum() / max(weight[there].sum(), 1e-12))


def _sign(name: str) -> int:
    """1: what is near the overturned never speaks against being alike; -1: what is far never for it; 0: free.

    An overturned account doesn't count itself among those near it, the unreviewed ones of its group count them all: so
    without signs they would be told apart by having been reviewed.
    """
    return 1 if name.startswith(("near_", "judged_")) else -1 if name.startswith("far_") else 0


def _out_of_sample(z: Floats, y: NDArray[np.bool_], weight: Floats, ridge: float, signs: Ints) -> Floats:
    """Scores of the overturned, each by a model that didn't know it."""
    told = np.full(len(y), -np.inf)
    mine = np.flatnonzero(y)
    for fold in range(_FOLDS):
        left = mine[fold::_FOLDS]
        if not len(left) or len(left) == len(mine):
            continue
        rest = weight.copy()
        rest[left] = 0
        slopes, intercept = _solve(z, y, rest, ridge, signs)
        told[left] = z[left] @ slopes + intercept
    return told


def _solve(z: Floats, y: NDArray[np.bool_], weight: Floats, ridge: float, signs: Ints) -> tuple[Floats, float]:
    """Slopes, of which none has the wrong sign, and intercept."""
    free = np.ones(z.shape[1], dtype=bool)
    while True:
        found, intercept = _newton(z[:, free], y, weight, ridge)
        slopes = np.zeros(z.shape[1])
        slopes[free] = found
        wrong = slopes * signs < 0
        if not wrong.any():
            return slopes, intercept
        free &= ~wrong


def _newton(z: Floats, y: NDArray[np.bool_], weight: Floats, ridge: float) -> tuple[Floats, float]:
    """Slopes and intercept by Newton's method; the two sides are brought to equal weight."""
    weight = np.where(y, weight / max(weight[y].sum(), 1e-12), weight / max(weight[~y].sum(), 1e-12)) * weight.sum() / 2
    x = np.concatenate([z, np.ones((len(z), 1))], axis=1)
    penalty = np.full(x.shape[1], ridge)
    penalty[-1] = 1e-6
    theta = np.zeros(x.shape[1])
    for _ in range(_ROUNDS):
        guess = 1 / (1 + np.exp(-np.clip(x @ theta, -30, 30)))
        slope = x.T @ (weight * (guess - y)) + penalty * theta
        curve = (x * (weight * np.maximum(guess * (1 - guess), 1e-4))[:, None]).T @ x + np.diag(penalty)
        step = np.linalg.solve(curve, slope)
        theta = theta - step
        if np.abs(step).max() < 1e-9:
            break
    return theta[:-1], float(theta[-1])
