"""Under which lawful bases the objects of a page left: what their producers stated, as their labels keep it (P6, P10).

A label never changes, so what is said of a page is the same whenever it is looked up; an object that was deleted
since keeps its label's number.
"""

from __future__ import annotations

import json
from collections import Counter, OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Engine

from exchange.stix.canonical import canonical
from exchange.store.engine import read
from exchange.store.ledger import LedgerRow
from exchange.store.page_labels import labels_of_page, labels_of_versions, objects_of_labels
from exchange.store.runs import decode_runs

_MOST_SAID = 100
"""Different statements that a leaf names; of a page with more the rarest are only counted."""
_MOST_PAGES = 512
_MOST_LABELS = 10_000
_UNKNOWN: Mapping[str, Any] = {"known": False}

Said = Sequence[Mapping[str, Any]]


class Bases:
    """The bases of pages that left, by an exchange's main database; pages that many pulled are looked up once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._pages: OrderedDict[tuple[int, int, bytes], Said] = OrderedDict()
        self._labels: dict[int, str] = {}
        """Label to what it says, as canonical JSON."""

    def of_each(self, rows: Sequence[LedgerRow]) -> dict[int, Said]:
        """``of`` for deliveries, by their numbers; those of one object, which are many, are looked up together."""
        lone: dict[int, list[LedgerRow]] = {}
        for row in rows:
            if row.count == 1:
                lone.setdefault(row.feed, []).append(row)
        said = {}
        with read(self._engine) as connection:
            for feed, some in lone.items():
                labels = labels_of_versions(connection, feed, list({row.first for row in some}))
                self._learn(connection, labels.values())
                told = {label: self._told(Counter({label: 1})) for label in {None, *labels.values()}}
                said.update({row.number: told[labels.get(row.first)] for row in some})
        return said | {row.number: self.of(row) for row in rows if row.count != 1}

    def of(self, row: LedgerRow) -> Said:
        """Each statement with the ``count`` of the page's objects under it, the most frequent first.

        Members: ``regime``, ``legal_basis``, ``special_basis`` (where there is one), ``personal`` (yes, no, unknown).
        What isn't known any more is ``{"known": false}``, what is too rare to be named ``{"others": true}``.
        """
        key = row.feed, row.first, row.runs
        if key not in self._pages:
            self._pages[key] = self._look_up(row)
            while len(self._pages) > _MOST_PAGES:
                self._pages.popitem(last=False)
        self._pages.move_to_end(key)
        return self._pages[key]

    def _look_up(self, row: LedgerRow) -> Said:
        with read(self._engine) as connection:
            found = labels_of_page(connection, row.feed, list(decode_runs(row.first, row.runs)))
            self._learn(connection, found)
        found[None] += max(0, row.count - found.total())
        return self._told(+found)

    def _learn(self, connection: Connection, labels: Iterable[int | None]) -> None:
        """Look up what labels say that weren't met yet."""
        if len(self._labels) > _MOST_LABELS:
            self._labels.clear()
        fresh = {label for label in labels if label is not None and label not in self._labels}
        for label, facts in objects_of_labels(connection, list(fresh)).items() if fresh else ():
            self._labels[label] = canonical(_stated(facts))

    def _told(self, found: Counter[int | None]) -> Said:
        """What labels say that were learnt, by how many objects bear each."""
        counts: Counter[str] = Counter()
        for one, count in found.items():
            counts[self._labels[one] if one is not None else canonical(dict(_UNKNOWN))] += count
        ordered = sorted(counts.items(), key=lambda said: (-said[1], said[0]))
        named: list[Mapping[str, Any]] = [{**_read(text), "count": count} for text, count in ordered[:_MOST_SAID]]
        rest = sum(count for _, count in ordered[_MOST_SAID:])
        return [*named, {"others": True, "count": rest}] if rest else named


def _stated(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What a label's facts on its object say of basis and personal data."""
    basis = facts.get("basis") or {}
    said = {"regime": facts.get("regime"), "legal_basis": list(basis.get("legal_basis") or ()),
            "special_basis": list(basis.get("special_basis") or ()) or None,
            "personal": (facts.get("data") or {}).get("personal", "unknown")}
    return {name: value for name, value in said.items() if value is not None}


@lru_cache(maxsize=1_024)
def _read(text: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(text)
    return value
