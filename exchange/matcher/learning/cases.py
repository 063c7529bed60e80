"""Plain cases: accounts that must be found whatever made-up worlds are like, as examples beside those of the worlds.

Members of made-up operations are seldom alone, so a card fitted on them alone learns that whoever stands alone is no
member, however much is said of him. Here two or three sources name three or four strong kinds of an account of which
nothing else is known (R53: several moderate signals make one assessment; R29 asks for a second source, and has it).
"""

from __future__ import annotations

from collections.abc import Callable
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
_SECONDED = 7.0
"""Nats that the second source says of the plainest case at least; who was named by mistake once, beside somebody who
names all that is his to harm him, has fewer."""
_EVEN = 0.0
"""Log-odds of whom one source names by four strong kinds, before limits: provisional, and not lost among the many."""
_AGAINST = 0.1
"""Nats that each nat of ordinary company takes away at least."""
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
    cases["seconded"] = _seconded(cases, rng)
    return cases


def _seconded(cases: dict[str, Floats], rng: np.random.Generator) -> Floats:
    """What all sources but the loudest one say, where they share the kinds of each case out among them."""
    nats = np.stack([cases[f"direct.{kind}"] for kind in _STRONG], axis=1)
    turn = np.argsort(np.argsort(rng.random(nats.shape) + (nats == 0), axis=1), axis=1)  # kinds that are named first
    by = turn % cases["sources"][:, None]
    said = np.stack([np.where(by == source, nats, 0.0).sum(axis=1) for source in range(3)], axis=1)
    return np.asarray(said.sum(axis=1) - said.max(axis=1))


def hold_plainest(card: Card, weights: Weights) -> Card:
    """The same card, held to what must be so whatever made-up worlds are like, where there is most infrastructure.

    One source that names four strong kinds makes even odds (and a provisional score), by more for four kinds and above;
    what a second source adds is as much less, so that who is named twice stands where he stood. Two sources that name
    two strong kinds each stand against any words of benign (``against.limit_two_strong``), by more for what the second
    says. And ordinary holders of a value speak against, everywhere.
    """
    short = max(0.0, _EVEN - _stands(card, weights, sources=1))
    card = _with(card, "kinds", lambda line: _lifted(line, len(_PLAINEST), short))
    card = _with(card, "seconded", lambda line: _lowered(line, short))
    against = _MARGIN - weights.against.limit_two_strong
    missing = max(0.0, against - _stands(card, weights, sources=2, seconded=_SECONDED))
    card = _with(card, "seconded", lambda line: _lifted(line, _SECONDED, missing))
    return _with(card, "against.infrastructure", _speaking)


def _stands(card: Card, weights: Weights, **given: float) -> float:
    """The card's log-odds of an account of which four strong kinds are named and nothing else is known."""
    nats = {f"direct.{kind}": weights.kinds[kind].base for kind in _PLAINEST}
    figures = {**nats, "infrastructure": sum(nats.values()), "kinds": len(nats), "age_days": 30, **given}
    columns = {line.feature: np.full(1, np.nan if line.feature in ACCOUNT_COLUMNS else 0.0) for line in card.lines}
    columns |= {name: np.full(1, float(figure)) for name, figure in figures.items()}
    return card.intercept + sum(float(column[0]) for column in card.read(columns).values())


def _with(card: Card, feature: str, change: Callable[[Line], Line]) -> Card:
    return replace(card, lines=tuple(change(line) if line.feature == feature else line for line in card.lines))


def _lowered(line: Line, nats: float) -> Line:
    """A line with less at its highest level, but nowhere below 0."""
    return replace(line, nats=(*line.nats[:-1], tuple(round(max(0.0, x - nats), 4) for x in line.nats[-1])))


def _speaking(line: Line) -> Line:
    """A line of what speaks against, that speaks at least a little at every level."""
    return replace(line, nats=tuple(tuple(min(x, round(_AGAINST * node, 4))
                                          for node, x in zip(line.nodes, row, strict=True)) for row in line.nats))


def _lifted(line: Line, start: float, nats: float) -> Line:
    """A line with more at its highest level, from a node on."""
    highest = tuple(round(x + nats, 4) if node >= start else x
                    for node, x in zip(line.nodes, line.nats[-1], strict=True))
    return replace(line, nats=(*line.nats[:-1], highest))
