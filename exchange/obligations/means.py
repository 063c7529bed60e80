"""What changing a state needs besides the database: the duties in force, the ledger of deliveries, the seal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from exchange.obligations.duties import Duties
from exchange.obligations.seal import Seal
from exchange.store.ledger import Receipt

Recipients = Callable[[Any, int, Sequence[int]], Sequence[Receipt]]
"""(connection, number of a collection, dates of its objects) -> who received which of them."""


@dataclass(frozen=True)
class Means:
    """One moment's means."""

    duties: Duties
    recipients: Recipients
    seal: Callable[[], Seal]
    """Reads (or makes) the key only when a copy is sealed."""
