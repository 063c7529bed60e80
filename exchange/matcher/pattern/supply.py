"""The observations there are: how many each observed-data stands for, and when they may have occurred."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Supply:
    """Observed-data by place: how many observations, between which ticks.

    One that begins after its end has no known time: it serves only where time doesn't matter.
    """

    counts: Sequence[int]
    firsts: Sequence[int]
    lasts: Sequence[int]
