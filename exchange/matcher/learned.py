"""What reviews taught a version of the weights, and what a run makes of it: who is known, who is alike.

A version carries it in ``[learned]``: reviewed accounts under keyed hashes, trust in sources, and models of likeness
to accounts that reviewers overturned. What they say is added after the card and its guards, as rows of evidence.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exchange.errors import SettingError

Floats = NDArray[np.float64]

OWN = "review"
"""Feature and row of evidence: what reviews of the account itself add, in nats."""
PREFIX = "review "
"""What the names of models begin with; a model's name is its feature and its row of evidence."""


@dataclass(frozen=True)
class Likeness:
    """A linear model: above ``begins`` an account begins to resemble overturned ones, from ``full`` on it does."""

    name: str
    near: bool
    """Whether it asks what the account shares with reviewed ones, and not only what it is like by itself."""
    names: tuple[str, ...]
    center: tuple[float, ...]
    spread: tuple[float, ...]
    slopes: tuple[float, ...]
    intercept: float
    begins: float
    full: float
    target: float
    """Log-odds that accounts wholly alike turned out to have."""
    limit: float
    """Most nats that it may take away."""

    def read(self, columns: dict[str, Floats], size: int) -> Floats:
        """Likeness (0-1) of each account; a figure that isn't there is as if at the centre."""
        told = self.scores(columns, size)
        found: Floats = np.clip((told - self.begins) / (self.full - self.begins), 0.0, 1.0)
        return found

    def scores(self, columns: dict[str, Floats], size: int) -> Floats:
        """Log of how much more often such an account is found among the overturned than among the others."""
        total = np.full(size, self.intercept)
        for name, center, spread, slope in zip(self.names, self.center, self.spread, self.slopes, strict=True):
            if name in columns:
                total = total + slope * standard(columns[name], center, spread)
        return total


def pressed(x: Floats) -> Floats:
    """Figures of any size brought together by their logarithm, sign kept."""
    found: Floats = np.sign(x) * np.log1p(np.abs(x))
    return found


def standard(x: Floats, center: float, spread: float) -> Floats:
    """Pressed, centred and scaled, cut at four spreads; unknown is the centre."""
    found: Floats = np.clip(np.nan_to_num((pressed(x) - center) / spread, nan=0.0), -4.0, 4.0)
    return found


@dataclass(frozen=True)
class Learned:
    """The ``[learned]`` part of a version; empty without reviews."""

    salt: str = ""
    """Key of the hashes."""
    known: dict[str, float] = field(default_factory=dict)
    """Keyed hash of a reviewed account to the nats that its reviews add, below 0 where they overturned it."""
    sources: dict[str, float] = field(default_factory=dict)
    """Id of a source to the factor (0-1) of what its indicators weigh."""
    models: tuple[Likeness, ...] = ()

    def correct(self, columns: dict[str, Floats], total: Floats, *, whole: bool) -> dict[str, Floats]:
        """Nats by name that reviews add to log-odds: of the account itself, and of the model that takes most.

        Only where the evidence is ``whole``, at the last card: people judged all of it, so what others hear of in the
        rounds before stays as it was, and nobody else's score moves with a review.
        """
        if OWN not in columns or not whole:
            return {}
        added = {OWN: columns[OWN]}
        taken = {m.name: np.maximum(-m.limit, columns[m.name] * np.minimum(0.0, m.target - total))
                 for m in self.models if m.name in columns}
        most = np.minimum.reduce(list(taken.values())) if taken else total
        free = columns[OWN] == 0
        for name, nats in taken.items():
            first = free & (nats == most)
            added[name] = np.where(first, nats, 0.0)
            free = free & ~first
        return added


def read_learned(table: dict[str, Any], place: str) -> Learned:
    """The part from parsed TOML. Raises SettingError naming what is wrong."""
    try:
        models = tuple(Likeness(
            str(row["name"]), bool(row["near"]), tuple(map(str, row["names"])),
            tuple(map(float, row["center"])), tuple(map(float, row["spread"])), tuple(map(float, row["slopes"])),
            *(float(row[name]) for name in ("intercept", "begins", "full", "target", "limit")))
            for row in table.get("model", []))
        learned = Learned(
            str(table.get("salt", "")), {str(k): float(v) for k, v in table.get("known", {}).items()},
            {str(k): float(v) for k, v in table.get("sources", {}).items()}, models)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SettingError(f"{place} is incomplete.", why=f"{error!r}.",
                           fix="Write the version anew with cibx match refit.") from error
    _check(learned, place)
    return learned


def _check(learned: Learned, place: str) -> None:
    names = [model.name for model in learned.models]
    for model in learned.models:
        where = f"{place}.model {model.name!r}"
        if not model.name.startswith(PREFIX) or names.count(model.name) > 1:
            raise SettingError(f"{where}: a name of its own is needed that begins with {PREFIX.strip()!r}.")
        if len({len(model.names), len(model.center), len(model.spread), len(model.slopes)}) != 1:
            raise SettingError(f"{where} needs one center, spread and slope for each name.")
        if model.full <= model.begins or not all(spread > 0 for spread in model.spread) or model.limit < 0:
            raise SettingError(f"{where} needs spreads above 0, full above begins and a limit of 0 or more.")
    if not all(0 <= factor <= 1 for factor in learned.sources.values()):
        raise SettingError(f"{place}.sources: a factor lies from 0 to 1.")
