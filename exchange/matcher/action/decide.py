"""From facts to a recommended action: the first row of the pack that holds decides. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from exchange.matcher.action.facts import FLAGS, Facts
from exchange.matcher.action.pack import ACTIONS, ActionPack, Row
from exchange.matcher.action.terms import Term, holds, terms
from exchange.matcher.classes.names import CLASSES

_KNOWN: dict[str, list[tuple[Row, tuple[Term, ...]]]] = {}


@dataclass(frozen=True)
class Recommendation:
    """What the pack recommends; nothing is done by it."""

    action: str
    row: str
    """Id of the row that decided."""
    why: str
    citation: str
    human: bool
    """Whether a person decides before anything happens."""
    hours: int | None
    """Within how many hours; None: no haste."""
    title: str
    undo: str
    """How the step is taken back."""
    pack: str
    """Digest of the pack."""
    changes: tuple[str, ...] = ()
    """What would change it: each sentence names one fact and the action that would follow."""

    @property
    def sentence(self) -> str:
        """The recommendation for people."""
        if self.action == "none":
            return "Nothing is recommended."
        lead = "For a human to decide" if self.human else "Recommended"
        return f"{lead}: {self.title}{f', within {self.hours} hours' if self.hours else ''}."


def deciding_row(facts: Facts, pack: ActionPack) -> Row:
    """The first row all of whose terms hold."""
    return next(row for row, asked in _rows(pack) if all(holds(term, facts, pack) for term in asked))


def _rows(pack: ActionPack) -> list[tuple[Row, tuple[Term, ...]]]:
    """The rows with their terms, put together once for each pack."""
    if pack.digest not in _KNOWN:
        _KNOWN[pack.digest] = [(row, tuple(terms(row, pack))) for row in pack.rows]
    return _KNOWN[pack.digest]


def decide(facts: Facts, pack: ActionPack, *, changes: bool = True) -> Recommendation:
    """The recommendation for an account; ``changes`` also asks what would change it."""
    row = deciding_row(facts, pack)
    step = pack.steps[row.action]
    return Recommendation(
        action=row.action, row=row.id, why=row.why, citation=row.citation, human=row.human, hours=row.hours,
        title=step.title, undo=step.undo, pack=pack.digest,
        changes=tuple(what_would_change(facts, pack)) if changes else ())


def what_would_change(facts: Facts, pack: ActionPack) -> list[str]:
    """Sentences, each true because the pack was asked again with that one fact changed; the nearest change to each
    other action for each fact."""
    now = deciding_row(facts, pack)
    found: dict[tuple[str, str], str] = {}
    for fact, value, words in _others(facts, pack):
        row = deciding_row(replace(facts, **{fact: value}), pack)
        if row.action != now.action:
            found.setdefault((fact, row.action),
                             f"{words}: {row.action}{' (a human decides)' if row.human else ''}, row {row.id}.")
    return [words for _, words in sorted(found.items(), key=lambda item: -ACTIONS.index(item[0][1]))]


def _others(facts: Facts, pack: ActionPack) -> Iterator[tuple[str, Any, str]]:
    """One fact changed at a time, nearest first: (fact, value, words)."""
    bounds = sorted({pack.bound(row.confidence, facts.campaign_class) for row in pack.rows if row.confidence},
                    key=lambda bound: abs(bound - facts.score))
    for bound in bounds:
        yield ("score", bound, f"Were the probability {bound:g} or more") if bound > facts.score else (
            "score", math.nextafter(bound, 0), f"Were the probability below {bound:g}")
    for bound in sorted(pack.bands.values(), key=lambda bound: abs(bound - facts.radius)):
        if bound > facts.radius:
            yield "reach", bound / facts.growth * (1 + 1e-9), f"Did it reach {bound:,.0f} people in 90 days"
        else:
            yield "reach", math.nextafter(bound, 0) / facts.growth * (1 - 1e-9), f"Did it reach fewer than {bound:,.0f}"
    for fact, one, many in (("sources", "independent source", "independent sources"),
                            ("kinds", "kind of evidence", "kinds of evidence")):
        now = getattr(facts, fact)
        for value in sorted(set(range(1, 7)) - {now}, key=lambda value: abs(value - now)):
            yield fact, value, f"Did {value} {one if value == 1 else many} speak of it"
    yield "disputed", 1.0, "Were all its shared values called benign by another source"
    yield "disputed", 0.0, "Did nobody call its shared values benign"
    yield "prior_days", 0.0, "Had it no life of its own before the evidence begins"
    yield "prior_days", 3_650.0, "Had it years of its own life before the evidence begins"
    for name in (None, *CLASSES):
        if name != facts.campaign_class:
            yield "campaign_class", name, (f"Were its cluster of class {name}" if name else
                                           "Could no class be told of its cluster")
    yield "class_sources", 2 if facts.class_sources < 2 else 1, (
        f"Did {'two sources' if facts.class_sources < 2 else 'one source alone'} speak for that class")
    yield "cluster_sources", 2 if facts.cluster_sources < 2 else 1, (
        f"Did {'two sources' if facts.cluster_sources < 2 else 'one source alone'} speak of its cluster")
    yield "made_with", 3 if facts.made_with < 3 else 0, (
        f"Had it signed up {'with others of its cluster' if facts.made_with < 3 else 'apart from its cluster'}")
    yield "theft", 0.0 if facts.theft else 0.1, (
        f"Did {'no' if facts.theft else 'one in ten'} of the cluster's accounts look stolen")
    yield "spread", 1.0 if facts.spread > 1 else 4.0, (
        f"Were the cluster {'no longer growing' if facts.spread > 1 else 'four times as active as usual'}")
    for flag in FLAGS:
        there = getattr(facts, flag)
        yield flag, not there, f"Were it {'not ' if there else ''}{_FLAG_WORDS[flag]}"


_FLAG_WORDS = {
    "compromised": "taken from its owner", "co_opted": "an authentic person whom the operation uses",
    "disclosed": "openly run by an agency", "clean": "with a clean record (verified, identified or paying)",
    "seen": "borne out by what the platform itself saw",
}
