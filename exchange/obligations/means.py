"""What changing a state needs besides the database: the duties in force, the ledger of deliveries, the seal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
    forms: Callable[[Sequence[int]], Mapping[int, Sequence[str]]]
    """Numbers of objects -> ids of the derived forms (P21) in which they were shown."""
    seal: Callable[[], Seal]
    """Reads (or makes) the key only when a copy is sealed."""
    note: Callable[..., None] = lambda connection, *noted: None
    """Puts what is taken back on the list outside the database, before the connection's transaction is committed."""
