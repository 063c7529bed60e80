"""What would change the result: members scored again without each source, each kind of evidence, and so on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from exchange.errors import InputError
from exchange.matcher.case.material import Left, LeftOfMember
from exchange.matcher.change.kept import read_kept
from exchange.matcher.rescore import COMPANY, MEMBERS, NOTHING, STRONGEST, Part, open_rescorer

_SOURCES, _SAID = 20, 6
"""Sources that are taken away one by one, most accounts first; sentences about kinds of evidence."""
_LEAST = 1e-6
"""Nats of change below which nothing was taken away."""


@dataclass(frozen=True)
class Again:
    """Changes of log-odds: part to account to what its log-odds lose (negative) or gain without the part."""

    changes: Mapping[Part, Mapping[Any, float]]
    missing: str = ""
    """Why nothing could be scored again; empty where it was."""

    def of_cluster(self, members: Sequence[tuple[Any, float]], least: float) -> tuple[Left, ...]:
        """For members (account, log-odds): what each part means for those of at least ``least`` log-odds."""
        found = []
        for part, changes in self.changes.items():
            touched = [log_odds + changes[account] for account, log_odds in members
                       if log_odds >= least and abs(changes.get(account, 0.0)) >= _LEAST]
            if touched:
                fall = sum(left < least for left in touched)
                found.append(Left(part.what, part.name, _words(part), len(touched), fall))
        return tuple(sorted(found, key=lambda left: (-left.fall, -left.likely, left.what, left.name)))

    def of_member(self, account: Any, log_odds: float, least: float) -> tuple[LeftOfMember, ...]:
        """The strongest piece, and every part without which a likely member would not be likely."""
        found = []
        for part, changes in self.changes.items():
            change = changes.get(account, 0.0)
            left = log_odds + change
            if abs(change) >= _LEAST and (part == STRONGEST or left < least <= log_odds):
                found.append(LeftOfMember(part.what, part.name, _words(part), left,
                                          1 / (1 + math.exp(-left))))
        return tuple(sorted(found, key=lambda one: (one.what != STRONGEST.what, one.log_odds, one.name)))


def score_again(out: Path, sources: Sequence[str], kinds: Sequence[str], at: int) -> Again:
    """Score the members of the run in ``out`` without each of the sources and kinds (signals), most important first.

    Results of a run that kept nothing of itself give no changes and say why.
    """
    try:
        weights = read_kept(out).weights
        parts = [STRONGEST, COMPANY, *(Part("source", name) for name in sources[:_SOURCES]),
                 *(Part("kind", name) for name in kinds)]
        with open_rescorer(out / MEMBERS, weights, at) as without:
            whole = without(NOTHING)
            changes = {}
            for part in parts:
                left = without(part)
                changes[part] = {account: left[account] - whole[account] for account in whole}
    except InputError as error:
        return Again({}, error.what)
    return Again(changes)


def without_strongest(out: Path, account: str) -> float | None:
    """Log-odds of a member of the run in ``out`` without its strongest piece of evidence (one value that met one
    indicator, or that it has in common with suspects); None for others, and where the run kept nothing of itself."""
    try:
        kept = read_kept(out)
        with open_rescorer(out / MEMBERS, kept.weights, kept.run["at"], only=account) as without:
            return next(iter(without(STRONGEST).values()), None)
    except InputError:
        return None


def sentences(found: Sequence[Left], bound: float, missing: str) -> tuple[str, ...]:
    """What would change the result of a cluster, for people."""
    if missing:
        return (f"Nothing could be scored again without a part of the evidence: {missing}",)
    kinds = [left for left in found if left.what == "kind" and left.fall][:_SAID]
    chosen = [left for left in found if left.what != "kind" or left in kinds]
    if not chosen:
        return ("No part of the evidence, taken away alone, changes any likely member.",)
    return tuple(f"Without {left.words}, {_of_likely(left)} would fall below {bound:g}." for left in chosen)


def _of_likely(left: Left) -> str:
    if left.likely == 1:
        return f"{'the' if left.fall else 'not even the'} one likely member that it speaks of"
    return f"{f'{left.fall:,}' if left.fall else 'none'} of the {left.likely:,} likely members that it speaks of"


def _words(part: Part) -> str:
    name = part.name.replace("_", " ")
    return {
        "source": f"everything that {part.name} shared", "kind": f"all evidence of {name}",
        "company": "all that members have in common with other suspects",
        "strongest": "the strongest single piece of evidence",
    }[part.what]
