"""Whether a description of members and terms uses words that the policy knows: an unknown word releases nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from exchange.policy.packs import Packs

Row = Mapping[str, Any]


def faults_of_description(wanted: Mapping[str, Mapping[tuple[str, ...], Row]], packs: Packs) -> list[str]:
    """One sentence for each unknown word in the rows of a description; empty when the policy knows them all."""
    return [
        fault
        for kind, rows in wanted.items()
        for key, row in rows.items()
        for fault in _faults(f"{kind} {'/'.join(key)}", row, packs)
    ]


def _faults(place: str, row: Row, packs: Packs) -> Iterator[str]:
    terms = row.get("default_terms")
    if isinstance(terms, Mapping):
        yield from _unknown(f"{place}, default_terms.legal_basis", terms.get("legal_basis"), packs.bases)
        yield from _unknown(f"{place}, default_terms.special_basis", terms.get("special_basis"), packs.conditions)
        yield from _unknown(f"{place}, default_terms.purposes", terms.get("purposes"), packs.purposes)
        yield from _unknown(f"{place}, default_terms.categories", terms.get("categories"), packs.categories)
        yield from _unknown(f"{place}, default_terms.notice", _one(terms.get("notice")), packs.notices)
        yield from _unknown(f"{place}, default_terms.subject_kind", _one(terms.get("subject_kind")), packs.subjects)
        yield from _unknown(f"{place}, default_terms.regime", _one(terms.get("regime")), packs.regimes)
    yield from _unknown(f"{place}, purposes", row.get("purposes"), packs.purposes)
    yield from _unknown(f"{place}, purpose", _one(row.get("purpose")), packs.purposes)


def _one(word: Any) -> tuple[str, ...]:
    return (word,) if isinstance(word, str) else ()


def _unknown(place: str, words: Iterable[str] | None, known: Iterable[str]) -> Iterator[str]:
    vocabulary = sorted(known)
    for word in words or ():
        if word not in vocabulary:
            yield f"{place}: {word!r} is no word of the policy packs. Known: {', '.join(vocabulary)}."
