"""Which changes of packs can only narrow: proven entry by entry, for labels and words that nobody has used yet too.

The comparison with stored labels (``diff``) says what a change shows now; this says what it could let happen later,
such as a lawful basis that asks for less evidence. What isn't listed here as a narrowing counts as a widening:
every change of what a room of its own reads (duties, limits of contests, shadow periods) and of default terms.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from exchange.policy.packs import Packs

Row = Mapping[str, Any]
_ABSENT = object()
_SAYS_NOTHING = frozenset({"title", "citation", "iri"})
"""Keys of entries that no rule reads."""
_MAY_END = frozenset({"iep", "pap", "purpose", "basis", "condition", "annex1", "exception", "transfer", "notice"})
"""Tables whose entries may be left out or end earlier: an unknown word denies."""
_MAY_BEGIN = frozenset({"retention"})
"""Tables whose entries only forbid: one more is a narrowing, where nothing was said of its word before."""


def _fewer(before: Any, after: Any) -> bool:
    return set(after or ()) <= set(before or ())


def _more(before: Any, after: Any) -> bool:
    return set(after or ()) >= set(before or ())


def _on(before: Any, after: Any) -> bool:
    return bool(after) or not before


_KEYS: Mapping[tuple[str, str], Callable[[Any, Any], bool]] = {
    ("iep", "acts"): _fewer,
    ("pap", "acts"): _fewer,
    ("basis", "evidence"): _more,
    ("basis", "closed_to_public_authority"): _on,
    ("basis", "only_competent_authority"): _on,
    ("condition", "evidence"): _more,
    ("condition", "regimes"): _fewer,
    ("transfer", "needs"): _more,
    ("transfer", "regimes"): _fewer,
    ("notice", "evidence"): _more,
    ("annex1", "words"): _fewer,
    ("exception", "words"): _fewer,
    ("retention", "days"): lambda before, after: after <= before,
}
"""Keys of entries whose change is a narrowing where this holds of (before, after)."""
_PROGRAMME: Mapping[str, Callable[[Any, Any], bool]] = {
    "min_count": lambda before, after: after >= before,
    "max_retention_days": lambda before, after: after <= before,
    "no_government_contributions": _on,
    "no_government_access": _on,
    "demand_public_evidence": _on,
    "demand_review_date": _on,
}
"""The same for the programme's parameters, by their ids."""


def not_only_narrower(before: Packs, after: Packs) -> list[str]:
    """What the packs after say that isn't proven to be only a narrowing, in words; empty where all is."""
    found = [f"the parameters of {room!r}" for room in sorted({*before.rooms, *after.rooms})
             if _said(before, room) != _said(after, room)]
    found += [f"the default terms of {name!r}" for name in sorted({*before.sharing, *after.sharing})
              if before.sharing.get(name) != after.sharing.get(name)]
    for table in sorted({*before.entries, *after.entries} - {"sharing", "base"}):
        found += [f"{table} {word!r}" for word in _entries(table, _rows(before, table), _rows(after, table))]
    return list(dict.fromkeys(found))


def _said(packs: Packs, room: str) -> Any:
    file = packs.rooms.get(room)
    return None if file is None else file.content


def _rows(packs: Packs, table: str) -> dict[tuple[str, datetime.date], Row]:
    return {(row["id"], row["valid_from"]): row for row in packs.entries.get(table, ())}


def _entries(table: str, before: Mapping[Any, Row], after: Mapping[Any, Row]) -> Iterator[str]:
    for key in sorted({*before, *after}):
        old, new = before.get(key), after.get(key)
        if new is None:
            narrower = table in _MAY_END
        elif old is None:
            narrower = table in _MAY_BEGIN and _about(new) not in map(_about, before.values())
        else:
            narrower = all(_narrower(table, old, new, name) for name in {*old, *new} - _SAYS_NOTHING)
        if not narrower:
            yield key[0]


def _about(row: Row) -> tuple[Any, Any]:
    return row["of"], row["word"]


def _narrower(table: str, before: Row, after: Row, key: str) -> bool:
    old, new = before.get(key, _ABSENT), after.get(key, _ABSENT)
    if old == new:
        return True
    if key == "valid_until":
        return table in _MAY_END and new is not _ABSENT and (old is _ABSENT or new < old)
    proof = _PROGRAMME.get(before["id"]) if (table, key) == ("programme", "value") else _KEYS.get((table, key))
    return proof is not None and proof(None if old is _ABSENT else old, None if new is _ABSENT else new)
