"""The conditions of a row as terms: one fact, one comparison, one bound. Python and SQL read the same terms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from exchange.matcher.action.facts import Facts
from exchange.matcher.action.pack import EVERY_CLASS, ActionPack, Row
from exchange.matcher.values import quoted

Comparison = Literal["at least", "at most", "one of", "any", "none"]


@dataclass(frozen=True, slots=True)
class Term:
    """``fact`` compared with ``bound``; for confidence the bound is the level, looked up by the account's class."""

    fact: str
    comparison: Comparison
    bound: Any


_PLAIN: tuple[tuple[str, str, Comparison], ...] = (
    ("sources", "sources", "at least"), ("sources_at_most", "sources", "at most"),
    ("kinds", "kinds", "at least"), ("kinds_at_most", "kinds", "at most"), ("cluster", "cluster", "at least"),
    ("disputed", "disputed", "at least"), ("disputed_at_most", "disputed", "at most"),
    ("prior_days_at_most", "prior_days", "at most"), ("theft_at_most", "theft", "at most"),
    ("spread", "spread", "at least"), ("class_sources", "class_sources", "at least"),
    ("cluster_sources", "cluster_sources", "at least"), ("made_with", "made_with", "at least"),
)


def terms(row: Row, pack: ActionPack) -> Iterator[Term]:
    """All that must hold for a row."""
    if row.confidence:
        yield Term("score", "at least", row.confidence)
    if row.reach:
        yield Term("radius", "at least", pack.bands[row.reach])
    for key, fact, comparison in _PLAIN:
        if (bound := getattr(row, key)) is not None:
            yield Term(fact, comparison, bound)
    if row.only:
        yield Term("flags", "any", row.only)
    if row.never:
        yield Term("flags", "none", row.never)
    if row.classes:
        yield Term("campaign_class", "one of", row.classes)


def holds(term: Term, facts: Facts, pack: ActionPack) -> bool:
    """Whether a term holds; what isn't known holds nothing."""
    if term.fact == "flags":
        there = any(getattr(facts, flag) for flag in term.bound)
        return there if term.comparison == "any" else not there
    value = getattr(facts, term.fact)
    if value is None:
        return False
    if term.comparison == "one of":
        return value in term.bound
    bound = pack.bound(term.bound, facts.campaign_class) if term.fact == "score" else term.bound
    return bool(value >= bound if term.comparison == "at least" else value <= bound)


def holds_sql(term: Term, pack: ActionPack) -> str:
    """The same over the columns of table ``facts``."""
    if term.fact == "flags":
        there = "(" + " OR ".join(term.bound) + ")"
        return there if term.comparison == "any" else f"NOT {there}"
    if term.comparison == "one of":
        return f"COALESCE(campaign_class IN ({', '.join(quoted(word) for word in term.bound)}), false)"
    column = "(reach * growth)" if term.fact == "radius" else term.fact
    bound = _bound_sql(term.bound, pack) if term.fact == "score" else repr(float(term.bound))
    return f"COALESCE({column} {'>=' if term.comparison == 'at least' else '<='} {bound}::DOUBLE, false)"


def _bound_sql(level: str, pack: ActionPack) -> str:
    cases = " ".join(f"WHEN {quoted(name)} THEN {levels[level]!r}::DOUBLE"
                     for name, levels in pack.confidence.items() if name != EVERY_CLASS)
    rest = f"{pack.confidence[EVERY_CLASS][level]!r}::DOUBLE"
    return f"(CASE campaign_class {cases} ELSE {rest} END)" if cases else rest
