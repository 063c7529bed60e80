"""What an operation is: its class, its members and what could be known of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from exchange.matcher.world.ground import Array, Ints


@dataclass
class Operation:
    """One operation and what could be known of it."""

    number: int
    cls: str
    members: Ints
    care: float
    """0 careless, 1 careful."""
    since: int
    """Unix seconds."""
    values: dict[str, Ints] = field(default_factory=dict)
    """Kind to the distinct values that it uses here."""
    until: dict[int, int] = field(default_factory=dict)
    """Values that it gave up, and when (Unix seconds)."""
    domains: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    tags: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    texts: list[str] = field(default_factory=list)
    pictures: Array = field(default_factory=lambda: np.zeros((0, 256), dtype=bool))
    network: int = 0
    """First address of its rented /26."""
    posts: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    moments: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    """When its posts were written, Unix seconds."""
    seeded: bool = False
