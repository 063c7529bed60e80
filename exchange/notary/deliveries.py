"""The ledger of deliveries as the log takes it: one pull for each page that left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from exchange.notary.bases import Bases, Said
from exchange.store.ledger import Ledger, LedgerRow

_SAID = ("collection", "credential", "purpose", "policy", "first", "last", "count", "digest")
_FORMAT = 2


class Together:
    """Deliveries of which the bases are looked up together, once those of one are asked for."""

    def __init__(self, rows: Sequence[LedgerRow], bases: Bases) -> None:
        self._rows = rows
        self._bases = bases

    @cached_property
    def bases_of_each(self) -> Mapping[int, Said]:
        """By the deliveries' numbers in the ledger."""
        return self._bases.of_each(self._rows)


@dataclass(frozen=True, slots=True)
class Pull:
    """One page that left; ``first`` and ``last`` are dates added (microseconds), ``digest`` is of the page's body."""

    row: LedgerRow
    beside: Together | None = None

    @property
    def number(self) -> int:
        """Its number in the ledger."""
        return self.row.number

    @property
    def at(self) -> int:
        """When it left, in microseconds."""
        return self.row.at

    @property
    def org(self) -> str:
        """Who received it."""
        return self.row.org

    @property
    def receipt(self) -> str:
        """The receipt's id."""
        return self.row.receipt

    @property
    def detail(self) -> Mapping[str, Any]:
        """What the leaf says of it: since ``basis`` is said, ``format`` is 2; leaves of before have neither."""
        said = {name: getattr(self.row, name) for name in _SAID}
        return said if self.beside is None else {
            **said, "format": _FORMAT, "basis": self.beside.bases_of_each[self.row.number]}


class LedgerDeliveries:
    """Deliveries out of the store's ledger."""

    def __init__(self, ledger: Ledger, bases: Bases | None = None) -> None:
        """With ``bases`` each pull's leaf says under which lawful bases its objects left."""
        self._ledger = ledger
        self._bases = bases

    def after(self, number: int, limit: int) -> Sequence[Pull]:
        """Up to ``limit`` pulls after that number of the ledger."""
        rows = self._ledger.after(number, limit)
        beside = Together(rows, self._bases) if self._bases is not None else None
        return [Pull(row, beside) for row in rows]

    def last(self) -> int:
        """The number of the ledger's last row; 0 where it is empty."""
        return self._ledger.last()
