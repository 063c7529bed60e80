"""Names of clusters: kept from an earlier run where most of a cluster is still together, else made of what ties it.

A name is a digest of the heaviest thing that ties a group together, so that it stays while members come and go, and
tells nobody what that thing is.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from exchange.matcher.groups import Ints, Ties, shares

_STILL = 0.5
"""Share of the smaller one, of the members that both runs know, from which a cluster is the one of before."""


def name_groups(ties: Ties, labels: Ints, smallest: int, before: Mapping[Any, str]) -> dict[int, str]:
    """Label to name of the groups that are large enough; no name is given twice."""
    found, counts = np.unique(labels, return_counts=True)
    large = found[counts >= smallest]
    names = _kept(ties, labels, set(large.tolist()), before)
    taken = set(names.values())
    value, group, weight = shares(ties, labels)
    order = np.lexsort((value, -np.round(weight, 9), group))
    bounds = np.searchsorted(group[order], np.stack([large, large + 1]))
    for label, left, right in zip(large.tolist(), *bounds.tolist(), strict=True):
        if label not in names:
            names[label] = next(name for row in (*order[left:right], -1)
                                if (name := _digest(ties.names[value[row]] if row >= 0 else f"{label}")) not in taken)
            taken.add(names[label])
    return names


def _digest(text: str) -> str:
    return "c" + hashlib.sha256(text.encode()).hexdigest()[:11]


def _kept(ties: Ties, labels: Ints, large: set[int], before: Mapping[Any, str]) -> dict[int, str]:
    """The groups that are clusters of before: most members in common first, each name once."""
    if not before:
        return {}
    both = Counter((int(label), before[account]) for account, label in zip(ties.accounts.tolist(), labels, strict=True)
                   if account in before and int(label) in large)
    now, then = Counter[int](), Counter[str]()
    for (label, name), count in both.items():
        now[label] += count
        then[name] += count
    names: dict[int, str] = {}
    taken: set[str] = set()
    for (label, name), count in sorted(both.items(), key=lambda item: (-item[1], item[0])):
        if label not in names and name not in taken and count >= _STILL * min(now[label], then[name]):
            names[label] = name
            taken.add(name)
    return names
