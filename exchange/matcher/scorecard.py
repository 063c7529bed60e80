"""The scorecard: nats for each feature, read off a table, with everything but infrastructure gated by infrastructure.

A line of the card has nodes of the feature and, for each level of infrastructure, the nats at each node; between nodes
and between levels it is read off linearly, beyond them it stays as it is. What a feature gives is shared out over the
rows of evidence that make the feature in proportion to them, so the sum of all rows is the log-odds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exchange.errors import SettingError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Line:
    """One feature's row of a card."""

    feature: str
    nodes: tuple[float, ...]
    """Rising values of the feature."""
    nats: tuple[tuple[float, ...], ...]
    """One row for each level (or one for all), one column for each node."""
    unknown: float = 0.0
    """Nats where the platform doesn't know the figure."""

    def read(self, x: Floats, weight: Floats) -> Floats:
        """Nats of each account; ``weight`` says how much of each level it has (accounts x levels)."""
        there = np.flatnonzero(x)  # most figures are 0: those are read off once
        found = self._mix(self._at_zero, weight)
        if len(there):
            found[there] = self._read(x[there], weight[there])
        return np.where(np.isnan(x), self.unknown, found)

    @cached_property
    def _at_zero(self) -> Floats:
        """Nats of the figure 0, by level (1 x levels)."""
        return self._rows(np.zeros(1))

    def _read(self, x: Floats, weight: Floats) -> Floats:
        """Nats of figures, or of one figure at several weights."""
        return self._mix(self._rows(x), weight)

    def _rows(self, x: Floats) -> Floats:
        """Nats of figures by level (figures x levels, or x 1)."""
        return np.stack([np.interp(x, self.nodes, row) for row in self.nats], axis=1)

    @staticmethod
    def _mix(rows: Floats, weight: Floats) -> Floats:
        """Nats of as many accounts as there are weights. At most two levels have a share, so no order of the sum gives
        other bits; column by column takes half the time of row by row."""
        if rows.shape[1] == 1:
            return np.broadcast_to(rows[:, 0], len(weight)).copy()
        nats: Floats = rows[:, 0] * weight[:, 0]
        for level in range(1, rows.shape[1]):
            nats += rows[:, level] * weight[:, level]
        return nats


@dataclass(frozen=True)
class Card:
    """One stage's card."""

    intercept: float
    levels: tuple[float, ...]
    lines: tuple[Line, ...] = field(default_factory=tuple)

    def read(self, columns: dict[str, Floats]) -> dict[str, Floats]:
        """Nats by feature for each account."""
        weight = level_weights(columns["infrastructure"], self.levels)
        return {line.feature: line.read(columns[line.feature], weight) for line in self.lines}


def level_weights(x: Floats, levels: tuple[float, ...]) -> Floats:
    """Shares of the two levels between which each figure lies (figures x levels)."""
    return np.stack([np.interp(x, levels, row) for row in np.eye(len(levels))], axis=1)


def read_card(table: dict[str, Any], place: str) -> Card:
    """A card from parsed TOML. Raises SettingError naming the line that is wrong."""
    try:
        lines = tuple(Line(name, tuple(map(float, row["nodes"])), tuple(tuple(map(float, r)) for r in row["nats"]),
                           float(row.get("unknown", 0.0))) for name, row in table["line"].items())
        card = Card(float(table["intercept"]), tuple(map(float, table["levels"])), lines)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SettingError(f"{place}: the scorecard is incomplete.", why=f"{error!r}.") from error
    for line in lines:
        if any(len(row) != len(line.nodes) for row in line.nats) or len(line.nats) not in (1, len(card.levels)):
            raise SettingError(f"{place}: line {line.feature} needs nats for each node, in one row or one for each"
                               " level.")
        if list(line.nodes) != sorted(set(line.nodes)):
            raise SettingError(f"{place}: line {line.feature} needs rising nodes.")
    return card
