"""Plain cases: accounts that must be found whatever made-up worlds are like, as examples beside those of the worlds.

Members of made-up operations are seldom alone, so a card fitted on them alone learns that whoever stands alone is no
member, however much is said of him. Here two or three sources name three or four strong kinds of an account of which
nothing else is known (R53: several moderate signals make one assessment; R29 asks for a second source, and has it).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from exchange.matcher.features import Floats
from exchange.matcher.scorecard import Card, Line
from exchange.matcher.weighing import ACCOUNT_COLUMNS, Weights

CASES = 0.6
"""Examples that each case stands for."""
_MARGIN = 0.2
"""Nats that the plainest case keeps above one half when all words of benign that there can be are taken from it."""
_PLAINEST = ("device", "payment", "phone", "email")
_COUNT = 400
_STRONG = ("device", "payment", "phone", "email", "cookie")
_KEPT = (0.7, 1.0)
"""What confidence, rarity and decay leave of a kind's base, evenly between these."""


def plain_cases(columns: dict[str, Floats], weights: Weights) -> dict[str, Floats]:
    """The features of the cases, for the features that ``columns`` has; half of the platforms know nothing of the
    accounts but that they are a month old. The same for the same columns."""
    rng = np.random.default_rng(1)
    cases = {name: np.zeros(_COUNT) for name in columns}
    unknown = rng.random(_COUNT) < 0.5
    for name in ACCOUNT_COLUMNS:
        cases[name] = np.where(unknown, np.nan, np.nanmedian(columns[name]))
    cases["age_days"][unknown] = 30.0
    for row in range(_COUNT):
        for kind in rng.choice(_STRONG, int(rng.integers(3, 5)), replace=False):
            nats = weights.kinds[str(kind)].base * rng.uniform(*_KEPT)
            cases[f"direct.{kind}"][row] = nats
            cases["infrastructure"][row] += nats
            cases["kinds"][row] += 1
    cases["sources"] = np.where(rng.random(_COUNT) < 0.8, 2.0, 3.0)
    return cases


def hold_plainest(card: Card, weights: Weights) -> Card:
    """The same card, with more for four kinds and above where there is most infrastructure, as far as it takes for two
    sources that name four strong kinds to stand against any words of benign (``against.limit_two_strong``)."""
    nats = {f"direct.{kind}": weights.kinds[kind].base for kind in _PLAINEST}
    given = {**nats, "infrastructure": sum(nats.values()), "kinds": len(nats), "sources": 2, "age_days": 30}
    columns = {line.feature: np.full(1, np.nan if line.feature in ACCOUNT_COLUMNS else 0.0) for line in card.lines}
    columns |= {name: np.full(1, float(figure)) for name, figure in given.items()}
    stands = card.intercept + sum(float(column[0]) for column in card.read(columns).values())
    short = max(0.0, _MARGIN - weights.against.limit_two_strong - stands)
    return replace(card, lines=tuple(
        _lifted(line, len(nats), short) if line.feature == "kinds" and short else line for line in card.lines))


def _lifted(line: Line, start: float, nats: float) -> Line:
    """A line with more at its highest level, from a node on."""
    highest = tuple(round(x + nats, 4) if node >= start else x
                    for node, x in zip(line.nodes, line.nats[-1], strict=True))
    return replace(line, nats=(*line.nats[:-1], highest))
