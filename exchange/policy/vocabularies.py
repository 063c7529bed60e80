"""The words of the packs as values: regimes, bases, conditions, mechanisms, and how they are built of entries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]
Entries = Mapping[str, list[Row]]


@dataclass(frozen=True, slots=True)
class Regime:
    """A body of law that a producer processes under."""

    id: str
    basis_required: bool
    """Whether personal data needs a lawful basis that is named."""
    transfer_limits: bool
    """Whether it limits transfers abroad at all."""
    free_flow: frozenset[str]
    """Classes of country that need no further mechanism."""
    law_systems: frozenset[str]
    """Legal systems (in lower case) whose laws can be the ground of a legal obligation or public task."""
    special_conditions_apply: bool
    criminal_limits: bool
    notice_required: bool
    """Whether a notice status (Art. 14) is stated."""
    arrangement_required: bool
    """Whether those who share are joint controllers, who need an arrangement (Art. 26)."""


@dataclass(frozen=True, slots=True)
class Basis:
    """A lawful basis of one regime."""

    id: str
    regime: str
    evidence: frozenset[str]
    """What must be at hand: lia, law, consent, condition."""
    closed_to_public_authority: bool
    only_competent_authority: bool
    citation: str


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition for special categories of data."""

    id: str
    regimes: frozenset[str]
    evidence: frozenset[str]
    """What must be at hand: special-law, consent, public-evidence, safeguards."""
    automated_decisions: bool
    """Whether decisions may rest on such data by a machine alone, where a law says so (Art. 22(4))."""
    citation: str


@dataclass(frozen=True, slots=True)
class Mechanism:
    """A transfer mechanism."""

    id: str
    regimes: frozenset[str]
    needs: frozenset[str]
    citation: str


@dataclass(frozen=True, slots=True)
class SubjectKind:
    """A kind of person whose data an object holds."""

    id: str
    protected: bool
    """Victims and the co-opted: shorter retention, redacted and not passed on unless stated."""


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The longest that something may be kept."""

    days: int
    citation: str


def regimes_of(rows: Iterable[Row]) -> dict[str, Regime]:
    """Regimes by id."""
    return {
        row["id"]: Regime(
            id=row["id"],
            basis_required=row["basis_required"],
            transfer_limits=row["transfer_limits"],
            free_flow=frozenset(row.get("free_flow", ())),
            law_systems=frozenset(word.lower() for word in row.get("law_systems", ())),
            special_conditions_apply=row["special_conditions_apply"],
            criminal_limits=row["criminal_limits"],
            notice_required=row["notice_required"],
            arrangement_required=row["arrangement_required"],
        )
        for row in rows
    }


def bases_of(rows: Iterable[Row]) -> dict[str, Basis]:
    """Lawful bases by id."""
    return {
        row["id"]: Basis(
            id=row["id"],
            regime=row["regime"],
            evidence=frozenset(row.get("evidence", ())),
            closed_to_public_authority=row.get("closed_to_public_authority", False),
            only_competent_authority=row.get("only_competent_authority", False),
            citation=row["citation"],
        )
        for row in rows
    }


def conditions_of(rows: Iterable[Row]) -> dict[str, Condition]:
    """Conditions for special categories by id."""
    return {
        row["id"]: Condition(
            id=row["id"],
            regimes=frozenset(row["regimes"]),
            evidence=frozenset(row.get("evidence", ())),
            automated_decisions=row.get("automated_decisions", False),
            citation=row["citation"],
        )
        for row in rows
    }


def mechanisms_of(rows: Iterable[Row]) -> dict[str, Mechanism]:
    """Transfer mechanisms by id."""
    return {
        row["id"]: Mechanism(
            row["id"], frozenset(row["regimes"]), frozenset(row.get("needs", ())), row["citation"]
        )
        for row in rows
    }


def subjects_of(rows: Iterable[Row]) -> dict[str, SubjectKind]:
    """Kinds of subject by their id and by every other word for them."""
    kinds = [(SubjectKind(row["id"], row["protected"]), row.get("words", ())) for row in rows]
    return {word: kind for kind, words in kinds for word in (kind.id, *words)}


def words_of(rows: Iterable[Row]) -> dict[str, str]:
    """Ids by themselves and by every other word for them."""
    return {word: row["id"] for row in rows for word in (row["id"], *row.get("words", ()))}


def ceilings_of(rows: Iterable[Row]) -> dict[tuple[str, str], Ceiling]:
    """Retention maxima by what they are of (basis, category, subject) and its word."""
    return {(row["of"], row["word"]): Ceiling(row["days"], row["citation"]) for row in rows}


def acts_of(rows: Iterable[Row]) -> dict[str, frozenset[str]]:
    """Levels of a handling standard to the acts they permit."""
    return {row["id"]: frozenset(row["acts"]) for row in rows}


def by_id(rows: Iterable[Row]) -> dict[str, Row]:
    """Entries as they stand, by id."""
    return {row["id"]: row for row in rows}
