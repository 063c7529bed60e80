"""What differs from class to class (R57), as data: thresholds, factors on weights and half-lives, signs in behaviour.

Sections ``[class.NAME]`` of a table of weights; ``[class.any]`` holds for clusters of which no class can be told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from exchange.errors import SettingError
from exchange.matcher.classes.names import CLASSES

EVERY_CLASS = "any"
SIGNS = ("taken", "burst", "idle", "linking", "writing", "paying", "media")
"""Measures of a cluster that can be a sign of its class; ``classes.signs`` says what they are."""


@dataclass(frozen=True)
class Sign:
    """What a measure says for or against a class: nats, read off linearly between nodes."""

    measure: str
    nodes: tuple[float, ...]
    nats: tuple[float, ...]

    def read(self, value: float) -> float:
        """Nats at a value of the measure; an unknown one (NaN) says nothing."""
        return 0.0 if np.isnan(value) else float(np.interp(value, self.nodes, self.nats))


@dataclass(frozen=True)
class ClassRow:
    """One class."""

    likely: float
    """Probability from which a member of such a cluster counts as likely."""
    strength: Mapping[str, float] = field(default_factory=dict)
    """Kind to a factor on the base of direct evidence whose campaign states this class."""
    half_life: Mapping[str, float] = field(default_factory=dict)
    """Kind to a factor on the half-life of the same."""
    signs: tuple[Sign, ...] = ()


@dataclass(frozen=True)
class ClassTable:
    """All classes of a table of weights."""

    likely: float = 0.5
    """Where no class can be told."""
    stated: float = 2.5
    """Nats of one source all of whose evidence in a cluster states a class."""
    told_from: float = 0.7
    """Probability among the classes from which one is told."""
    rows: Mapping[str, ClassRow] = field(default_factory=dict)

    def likely_from(self, name: str | None) -> float:
        """The probability from which an account counts as likely in a cluster of this class."""
        return self.rows[name].likely if name is not None and name in self.rows else self.likely

    def factors(self, kinds: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Rows class, kind, strength, half_life wherever either differs from 1."""
        return [{"campaign_class": name, "kind": kind, "strength": row.strength.get(kind, 1.0),
                 "half_life": row.half_life.get(kind, 1.0)}
                for name, row in self.rows.items() for kind in kinds if kind in row.strength or kind in row.half_life]


def read_classes(table: Any, kinds: Mapping[str, Any], place: str) -> ClassTable:
    """The classes of parsed TOML; ``kinds`` are the kinds that factors may name. Raises SettingError."""
    if not isinstance(table, dict):
        raise SettingError(f"{place} must be tables such as [class.spam].")
    every = _numbers(table.get(EVERY_CLASS, {}), ("likely", "stated", "told_from"), f"{place}.{EVERY_CLASS}")
    rows = {}
    for name, given in table.items():
        if name == EVERY_CLASS:
            continue
        if name not in CLASSES:
            raise SettingError(f"{place}.{name} is no class.", fix=f"Classes: {', '.join((EVERY_CLASS, *CLASSES))}.")
        rows[name] = _row(given, kinds, f"{place}.{name}")
    found = ClassTable(**every, rows=rows)
    for name, bound in (("any", found.likely), *((name, row.likely) for name, row in rows.items())):
        if not 0 < bound < 1:
            raise SettingError(f"{place}.{name}: likely is {bound}; it must lie between 0 and 1.")
    return found


def _row(given: Any, kinds: Mapping[str, Any], place: str) -> ClassRow:
    if not isinstance(given, dict) or "likely" not in given:
        raise SettingError(f"{place} needs likely, the probability from which a member counts as likely.")
    rest = {key: value for key, value in given.items() if key not in ("strength", "half_life", "sign")}
    strength, half_life = (_numbers(given.get(key, {}), tuple(kinds), f"{place}.{key}")
                           for key in ("strength", "half_life"))
    if min((*strength.values(), *half_life.values()), default=1.0) <= 0:
        raise SettingError(f"{place}: a factor must be above 0.")
    signs = tuple(_sign(name, row, f"{place}.sign.{name}") for name, row in given.get("sign", {}).items())
    return ClassRow(_numbers(rest, ("likely",), place)["likely"], strength, half_life, signs)


def _sign(name: str, row: Any, place: str) -> Sign:
    if name not in SIGNS:
        raise SettingError(f"{place} is no measure.", fix=f"Measures: {', '.join(SIGNS)}.")
    try:
        sign = Sign(name, tuple(map(float, row["nodes"])), tuple(map(float, row["nats"])))
    except (KeyError, TypeError, ValueError) as error:
        raise SettingError(f"{place} needs nodes and nats.", why=f"{error!r}.") from error
    if len(sign.nodes) != len(sign.nats) or list(sign.nodes) != sorted(set(sign.nodes)) or not sign.nodes:
        raise SettingError(f"{place} needs rising nodes and nats for each.")
    return sign


def _numbers(given: Any, known: tuple[str, ...], place: str) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise SettingError(f"{place} must be a table.")
    for name, value in given.items():
        if name not in known:
            raise SettingError(f"{place} has an unknown word {name!r}.", fix=f"Known: {', '.join(known)}.")
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise SettingError(f"{place}: {name} is {value!r}; it must be a number.")
    return {name: float(value) for name, value in given.items()}
