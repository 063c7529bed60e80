"""The table by which roles are told: a linear score per role over measures of what an account does in its cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from exchange.errors import SettingError
from exchange.matcher.scorecard import Floats

ROLES = ("origin", "relay", "amplifier")
PLACED = ("authored", "echoed", "shared", "linked", "tagged", "late", "rank", "followers")
MEASURES = ("authored", "echoed", "wrote", "shared", "linked", "tagged", "busy", "late", "first", "rank", "followers",
            *(f"{name}_here" for name in PLACED))


@dataclass(frozen=True)
class RoleTable:
    """A linear score per role; the role with the highest is told."""

    center: tuple[float, ...]
    """Of each measure, what is taken off and what it is divided by; an unknown measure is as if at the centre."""
    spread: tuple[float, ...]
    weights: dict[str, tuple[float, ...]]
    """Role to intercept and a weight for each measure."""

    def tell(self, measures: Floats) -> list[str]:
        """The role of each row of measures."""
        z = (measures - np.array(self.center)) / np.array(self.spread)
        z = np.clip(np.nan_to_num(z, nan=0.0), -4, 4)
        scores = np.stack([np.array(row[1:]) @ z.T + row[0] for row in self.weights.values()])
        names = list(self.weights)
        return [names[int(best)] for best in np.argmax(np.round(scores, 9), axis=0)]


def read_roles(table: dict[str, Any], place: str) -> RoleTable:
    """A table from parsed TOML. Raises SettingError."""
    try:
        weights = {role: tuple(map(float, table["weights"][role])) for role in ROLES}
        center, spread = tuple(map(float, table["center"])), tuple(map(float, table["spread"]))
    except (KeyError, TypeError, ValueError) as error:
        raise SettingError(f"{place}: the table of roles is incomplete.", why=f"{error!r}.") from error
    if {len(center), len(spread)} != {len(MEASURES)} or any(len(row) != len(MEASURES) + 1 for row in weights.values()):
        raise SettingError(f"{place}: every row needs a figure for each of {len(MEASURES)} measures.")
    return RoleTable(center, spread, weights)
