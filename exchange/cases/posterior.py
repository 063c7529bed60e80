"""How reliable a contributor has been: a Beta posterior over its judged objects, and its lower quantile. Pure.

Each confirmed or overturned object counts half as much with every half-life that passed. The lower quantile is
what the contributor can be trusted with although little is known: one without verdicts has almost none.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

_DAY = 86_400_000_000
_TERMS = 400
_CLOSE = 1e-12


@dataclass(frozen=True, slots=True)
class Verdict:
    """One judged object; ``at`` in microseconds."""

    confirmed: bool
    at: int


def weights(verdicts: Iterable[Verdict], now: int, half_life_days: float) -> tuple[float, float]:
    """Decayed numbers of confirmed and of overturned objects; a verdict of the future counts in full."""
    totals = [0.0, 0.0]
    for verdict in verdicts:
        age = max(0, now - verdict.at) / _DAY
        totals[0 if verdict.confirmed else 1] += 0.5 ** (age / half_life_days)
    return totals[0], totals[1]


def reliability(verdicts: Iterable[Verdict], now: int, *, half_life_days: float, quantile: float) -> float:
    """The quantile (0-1) of Beta(1 + confirmed, 1 + overturned): a uniform prior says that nothing is known."""
    confirmed, overturned = weights(verdicts, now, half_life_days)
    return beta_quantile(quantile, 1 + confirmed, 1 + overturned)


def beta_quantile(probability: float, a: float, b: float) -> float:
    """The x with I_x(a, b) = probability, by bisection; a, b > 0, 0 <= probability <= 1."""
    low, high = 0.0, 1.0
    while high - low > _CLOSE:
        middle = (low + high) / 2
        if incomplete_beta(middle, a, b) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def incomplete_beta(x: float, a: float, b: float) -> float:
    """The regularised incomplete beta function I_x(a, b) (NIST DLMF 8.17), by its continued fraction 8.17.22."""
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    if x > (a + 1) / (a + b + 2):  # the fraction converges fast on one side; 8.17.4 turns the other over
        return 1 - incomplete_beta(1 - x, b, a)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    return math.exp(log_front) / (a * _fraction(x, a, b))


def _fraction(x: float, a: float, b: float) -> float:
    """1 + d1/(1 + d2/(1 + ...)) from the front, by Lentz's method with Thompson's and Barnett's guard."""
    value = upper = 1.0
    lower = 0.0
    for n in range(1, _TERMS):
        m = n // 2
        d = (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)) if n % 2 == 0
            else -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        )
        lower = 1 / _away_from_zero(1 + d * lower)
        upper = _away_from_zero(1 + d / upper)
        value *= upper * lower
        if abs(upper * lower - 1) < _CLOSE:
            break
    return value


def _away_from_zero(value: float) -> float:
    return value if abs(value) > 1e-300 else 1e-300
