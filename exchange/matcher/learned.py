"""What reviews taught a version of the weights, and what a run makes of it: who is known, who is near, who is alike.

A version carries it in ``[learned]``: reviewed accounts under keyed hashes, trust in sources, and models of likeness
to accounts that reviewers overturned. Three features come of it, read off the cards as any other: ``review_own``
(the account's own review, -1 overturned to 1 confirmed), ``review_near`` and ``review_like`` (0 to 1: how far an
account is, by what it shares and by its shape, as those that were overturned and not as those that were not).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from exchange.errors import SettingError

if TYPE_CHECKING:
    from exchange.matcher.engine import Engine

Floats = NDArray[np.float64]

OWN, NEAR, LIKE = "review_own", "review_near", "review_like"
FEATURES = (OWN, NEAR, LIKE)
TITLES = {
    OWN: "reviewers judged this account before",
    NEAR: "it shares what accounts share that reviewers overturned",
    LIKE: "it is of the shape of accounts that reviewers overturned",
}


@dataclass(frozen=True)
class Likeness:
    """A linear model: above ``begins`` an account begins to resemble overturned ones, from ``full`` on it does."""

    feature: str
    names: tuple[str, ...]
    center: tuple[float, ...]
    spread: tuple[float, ...]
    slopes: tuple[float, ...]
    intercept: float
    begins: float
    full: float

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
    known: dict[str, float] = field(default_factory=dict)
    """Keyed hash of a reviewed account to what its review weighs: -1 overturned to 1 confirmed."""
    sources: dict[str, float] = field(default_factory=dict)
    """Id of a source to the factor (0-1) of what its indicators weigh."""
    models: tuple[Likeness, ...] = ()


def read_learned(table: dict[str, Any], place: str) -> Learned:
    """The part from parsed TOML. Raises SettingError naming what is wrong."""
    try:
        models = tuple(Likeness(
            str(row["feature"]), tuple(map(str, row["names"])), *(tuple(map(float, row[name])) for name in
                                                                    ("center", "spread", "slopes")),
            float(row["intercept"]), float(row["begins"]), float(row["full"])) for row in table.get("model", []))
        learned = Learned(
            str(table.get("salt", "")), {str(k): float(v) for k, v in table.get("known", {}).items()},
            {str(k): float(v) for k, v in table.get("sources", {}).items()}, models)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SettingError(f"{place} is incomplete.", why=f"{error!r}.",
                           fix="Write the version anew with cibx match refit.") from error
    _check(learned, place)
    return learned


def _check(learned: Learned, place: str) -> None:
    for model in learned.models:
        if model.feature not in (NEAR, LIKE) or len({len(model.names), len(model.center), len(model.spread),
                                                     len(model.slopes)}) != 1:
            raise SettingError(f"{place}.model {model.feature!r} needs one center, spread and slope for each name.",
                               fix=f"Models: {NEAR}, {LIKE}.")
        if model.full <= model.begins or not all(spread > 0 for spread in model.spread):
            raise SettingError(f"{place}.model {model.feature!r} needs spreads above 0 and full above begins.")
    if not all(0 <= factor <= 1 for factor in learned.sources.values()):
        raise SettingError(f"{place}.sources: a factor lies from 0 to 1.")
    if not all(-1 <= verdict <= 1 for verdict in learned.known.values()):
        raise SettingError(f"{place}.known: a review weighs from -1 to 1.")
