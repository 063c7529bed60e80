"""What is done to rows that were found before they leave: the policy is asked again, and parts are left out.

The grants in the database are what a page is found by; whether they are right is decided anew from the reader's
facts and those of each label on the page. A row of which something is left out (P20, P21) leaves as a derived
object, or not at all.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from exchange.stix.redact import Derived, Original, derive
from exchange.stix.references import Closure
from exchange.store.ledger import Ledger
from exchange.store.objects import Column, Filter, ObjectQueries, Reader, Versions

Release = Callable[[str, str], tuple[str, ...] | None]
"""(profile facts, label facts) -> the parts to leave out; None: not released."""
_MOST = 65_536
_FEW, _MOST_SAID = 16, 8_192
"""Labels of a page, and pages, of which is remembered what the database says: ten megabytes."""
_NEEDED: tuple[Column, ...] = ("seq", "number", "contributor", "claim", "label", "closure", "body")
_EVERY = Versions(frozenset({"all"}))
_WHOLE = frozenset((int(Closure.FREE), int(Closure.ALL)))
"""Rows of these closures are seen in full or not at all."""
_DERIVED = "5"
"""The kind of UUID that derived objects have."""


class WrongGrantError(Exception):
    """A label was granted to a reader, or parts of it left out, otherwise than the policy says."""

    def __init__(self, label: int, found: object, expected: object) -> None:
        super().__init__(f"label {label}: granted {found!r}, the policy says {expected!r}")
        self.label = label


@dataclass(frozen=True, slots=True)
class Form:
    """How a row leaves when it doesn't leave as it is: as a derived object, or not at all (None)."""

    derived: Derived | None


@dataclass(frozen=True, slots=True)
class MadeOf:
    """A derived form, and the number, id and contributor of what it is made of."""

    derived: Derived
    number: int
    stix_id: str
    contributor: int


class Leaving:
    """The checks of one process; ``release`` is the policy, ``secret`` what ids of derived objects hang on."""

    def __init__(self, release: Release, ledger: Ledger, secret: Callable[[], str]) -> None:
        self._release = release
        self._ledger = ledger
        self._secret = secret
        self._decided: OrderedDict[tuple[str, str], tuple[str, ...] | None] = OrderedDict()
        self._said: tuple[object, dict[tuple[int, str, frozenset[int]], dict[int, tuple[str, ...]]]] = None, {}
        """A sign, of ``Changes``, and what was found under it; together, as threads read and change them."""

    def _parts_by_sign(
        self, queries: ObjectQueries, connection: Any, reader: Reader, labels: frozenset[int], sign: object | None
    ) -> dict[int, tuple[str, ...]]:
        """As ``_parts``, which nothing but a commit changes: asked once under each sign, where the labels are few."""
        if sign is None or len(labels) > _FEW:
            return self._parts(queries, connection, reader, labels)
        found_under, said = self._said
        if sign != found_under or len(said) >= _MOST_SAID:
            said = {}
            self._said = sign, said
        key = reader.profile, reader.facts, labels
        known = said.get(key)
        if known is None:
            known = said[key] = self._parts(queries, connection, reader, labels)
        return known

    def _parts(
        self, queries: ObjectQueries, connection: Any, reader: Reader, labels: Collection[int]
    ) -> dict[int, tuple[str, ...]]:
        """What is left out of the labels on a page; those that leave in full aren't in it.

        Raises WrongGrantError where the database says otherwise than the policy.
        """
        found = queries.grants(connection, reader.profile, labels)
        profile = _digest(reader.facts)
        withheld = {}
        for label in labels:
            digest, facts, stated = found.get(label, ("", "", None))
            parts = () if stated is None else tuple(json.loads(stated or "null") or ("*content",))
            actual = _digest(facts)
            expected = self._decide(profile, reader.facts, actual, facts) if actual == digest else None
            if expected is None or set(expected) != set(parts):
                raise WrongGrantError(label, parts, expected)
            if parts:
                withheld[label] = parts
        return withheld

    def _decide(self, profile: str, profile_facts: str, label: str, facts: str) -> tuple[str, ...] | None:
        key = profile, label
        if key not in self._decided:
            self._decided[key] = self._release(profile_facts, facts)
            while len(self._decided) > _MOST:
                self._decided.popitem(last=False)
        return self._decided[key]

    def forms(
        self, queries: ObjectQueries, connection: Any, feed: int, reader: Reader,
        rows: Sequence[tuple[Any, ...]], sign: object | None = None,
    ) -> dict[int, Form]:
        """Forms of the rows (seq, label, closure, ...) that don't leave as they are, by seq.

        ``sign`` is that of a look (``Changes``) before the rows were found.
        """
        if not rows:
            return {}
        labels = frozenset([row[1] for row in rows])
        withheld = self._parts_by_sign(queries, connection, reader, labels, sign)
        if not withheld and {row[2] for row in rows} <= _WHOLE:
            return {}
        special = [row[0] for row in rows if row[1] in withheld or row[2] > Closure.ALL]
        found = queries.details(connection, feed, special, _NEEDED)
        gone = {seq: Form(None) for seq in set(special) - {row[0] for row in found}}  # withdrawn a moment ago
        return {**gone, **self._forms(queries, connection, feed, reader, found, withheld)}

    def _forms(
        self, queries: ObjectQueries, connection: Any, feed: int, reader: Reader,
        found: Sequence[tuple[Any, ...]], withheld: Mapping[int, tuple[str, ...]],
    ) -> dict[int, Form]:
        hidden = queries.hidden(connection, reader, [row[1] for row in found if row[5] > Closure.ALL])
        forms: dict[int, Form] = {}
        made_of: list[tuple[str, int]] = []
        for seq, number, contributor, claim, label, _, body in found:
            parts = withheld.get(label, ())
            left_out: Collection[str] = hidden.get(number, ())
            if parts or left_out:
                original = Original(bytes(body), feed, contributor, claim)
                form = Form(derive(original, parts, left_out, self._secret()))
                forms[seq] = form
                if form.derived is not None:
                    made_of.append((form.derived.id, number))
        self._ledger.register(made_of)
        return forms

    def with_derived(
        self, queries: ObjectQueries, connection: Any, feed: int, reader: Reader, wanted: Filter
    ) -> Filter:
        """The filter with the objects whose derived forms, as this reader gets them, bear ids that it asks for."""
        found = self.made_of(queries, connection, feed, reader, wanted.ids or ())
        return replace(wanted, numbers=tuple(one.number for one in found)) if found else wanted

    def made_of(
        self, queries: ObjectQueries, connection: Any, feed: int, reader: Reader, ids: Collection[str]
    ) -> list[MadeOf]:
        """The versions whose derived forms, as this reader gets them, bear these ids; oldest first.

        Raises WrongGrantError where the database says otherwise than the policy.
        """
        asked = [i for i in ids if len(i) > 36 and i[-22] == _DERIVED]
        numbers = self._ledger.made_of(asked) if asked else []
        if not numbers:
            return []
        every = Filter(ids=(), numbers=tuple(numbers), versions=_EVERY, limit=len(numbers))
        rows = queries.page(connection, feed, reader, every,
                            ("seq", "label", "closure", "number", "stix_id", "contributor"))
        forms = self.forms(queries, connection, feed, reader, rows)
        return [
            MadeOf(derived, *rest) for seq, _, _, *rest in rows
            if seq in forms and (derived := forms[seq].derived) is not None and derived.id in asked
        ]


@lru_cache(maxsize=4_096)
def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
