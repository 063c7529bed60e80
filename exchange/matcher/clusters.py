"""Clusters: candidates that hold the same rare, recent values, or that the same campaigns name.

Accounts and values take labels from each other by weight until nothing changes; then groups that have much of what ties
the smaller one together in common are one. Nothing that more than three caps of its kind hold takes part, so VPN exits,
popular tags and memes never join anybody. A cluster's name comes from the heaviest thing that ties it together, so it
keeps its name while members come and go.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exchange.matcher.engine import Engine
from exchange.matcher.scorecard import Floats
from exchange.matcher.weighing import Weights

Ints = NDArray[np.int64]
_ROUNDS = 30


@dataclass(frozen=True)
class Ties:
    """What ties candidates together: edges between accounts and values, heaviest kinds first."""

    accounts: NDArray[Any]
    account: Ints
    """Number of the account of each edge."""
    value: Ints
    weight: Floats
    names: list[str]
    """Of each value: kind and key, or campaign."""


@dataclass(frozen=True)
class Memberships:
    """Who belongs where; an account may belong to several clusters in part."""

    cluster: list[str | None]
    """Per account of the ties its main cluster."""
    account: Ints
    also: list[str]
    share: Floats
    """Parts of what ties ``account`` that lie in cluster ``also``."""


def read_ties(engine: Engine, weights: Weights) -> Ties:
    """Edges among accounts that score at least as much as the table of weights asks, from company and campaigns."""
    rules = weights.cluster
    engine.run(f"""CREATE OR REPLACE TEMP TABLE ties AS
        SELECT account_id, kind || ':' || key AS name, weight FROM (
            SELECT account_id, kind, CAST(key AS VARCHAR) AS key, strength * rarity * recent AS weight,
                count(*) OVER (PARTITION BY kind, key) AS candidates
            FROM (SELECT s.*, s.base AS strength FROM shared s SEMI JOIN
                (SELECT account_id FROM state WHERE score >= {rules.candidate_from}) c USING (account_id)))
        WHERE candidates > 1 AND weight >= {rules.cut}
        UNION ALL
        SELECT account_id, 'campaign:' || source || ' ' || campaign, {rules.campaign} * least(1, sum(nats) / 2)
        FROM direct WHERE campaign <> '' AND account_id IN
            (SELECT account_id FROM state WHERE score >= {rules.candidate_from})
        GROUP BY account_id, source, campaign HAVING sum(nats) >= {rules.cut}""")
    rows = engine.connection.execute("""SELECT account_id, weight, dense_rank() OVER (ORDER BY account_id) - 1 AS a,
        dense_rank() OVER (ORDER BY name) - 1 AS v FROM ties ORDER BY a, v""").fetchnumpy()
    names = [name for name, in engine.rows("SELECT DISTINCT name FROM ties ORDER BY name")]
    accounts = np.asarray(rows["account_id"])
    numbers = np.asarray(rows["a"]).astype(np.int64)
    first = np.unique(numbers, return_index=True)[1]
    return Ties(accounts[first], numbers, np.asarray(rows["v"]).astype(np.int64),
                np.asarray(rows["weight"]).astype(np.float64), names)


def find_clusters(ties: Ties, *, merge_from: float, largest: int, smallest: int = 2) -> Memberships:
    """Groups of at least ``smallest`` accounts and at most ``largest`` where they can be told apart."""
    count = len(ties.accounts)
    if not count:
        return Memberships([], np.zeros(0, np.int64), [], np.zeros(0))
    labels = _merged(ties, _spread(ties, np.arange(count)), merge_from, largest)
    names = _named(ties, labels, smallest)
    return Memberships([names.get(int(label)) for label in labels], *_overlaps(ties, labels, names))


def _heaviest(node: Ints, label: Ints, weight: Floats, count: int) -> Ints:
    """Per node the label with most weight; of equals the smallest."""
    order = np.lexsort((label, node))
    node, label, weight = node[order], label[order], weight[order]
    start = np.flatnonzero(np.r_[True, (node[1:] != node[:-1]) | (label[1:] != label[:-1])])
    total = np.add.reduceat(weight, start)
    node, label = node[start], label[start]
    best = np.lexsort((label, -np.round(total, 9), node))
    firsts = best[np.r_[True, node[best][1:] != node[best][:-1]]]
    found = np.full(count, -1, dtype=np.int64)
    found[node[firsts]] = label[firsts]
    return found


def _spread(ties: Ties, labels: Ints) -> Ints:
    for _ in range(_ROUNDS):
        values = _heaviest(ties.value, labels[ties.account], ties.weight, len(ties.names))
        new = _heaviest(ties.account, values[ties.value], ties.weight, len(labels))
        if np.array_equal(new, labels):
            break
        labels = new
    return labels


def _merged(ties: Ties, labels: Ints, merge_from: float, largest: int) -> Ints:
    """Join groups while two have a share of ties in common, most alike first."""
    while True:
        pairs = _alike(ties, labels)
        sizes = np.bincount(labels, minlength=len(labels))
        moved: set[int] = set()
        for alike, one, other in pairs:
            if alike < merge_from:
                break
            if one in moved or other in moved or sizes[one] + sizes[other] > largest:
                continue
            labels = np.where(labels == other, one, labels)
            moved |= {one, other}
        if not moved:
            return labels


def _alike(ties: Ties, labels: Ints) -> list[tuple[float, int, int]]:
    """Pairs of groups with a value in common: the part of the smaller one's ties that the other takes part in."""
    own = labels[ties.account]
    order = np.lexsort((own, ties.value))
    value, group, weight = ties.value[order], own[order], ties.weight[order]
    start = np.flatnonzero(np.r_[True, (value[1:] != value[:-1]) | (group[1:] != group[:-1])])
    total = np.add.reduceat(weight, start)
    value, group = value[start], group[start]
    whole = np.bincount(group, total, minlength=len(labels))
    of_value = np.bincount(value, total, minlength=len(ties.names))
    both: dict[tuple[int, int], float] = {}
    bounds = np.flatnonzero(np.r_[True, value[1:] != value[:-1], True])
    for left, right in pairwise(bounds):
        for i in range(left, right):
            for j in range(i + 1, right):
                key = (int(group[i]), int(group[j]))
                both[key] = both.get(key, 0.0) + 2 * float(total[i] * total[j] / of_value[value[i]])
    return sorted(((round(part / float(min(whole[a], whole[b])), 9), a, b) for (a, b), part in both.items()),
                  key=lambda row: (-row[0], row[1], row[2]))


def _named(ties: Ties, labels: Ints, smallest: int) -> dict[int, str]:
    """Names of the groups that are large enough."""
    own = labels[ties.account]
    names: dict[int, str] = {}
    taken: set[str] = set()
    for label, size in zip(*np.unique(labels, return_counts=True), strict=True):
        if size < smallest:
            continue
        there = own == label
        heavy = np.bincount(ties.value[there], ties.weight[there], minlength=len(ties.names))
        for value in np.lexsort((np.arange(len(heavy)), -np.round(heavy, 9))):
            name = "c" + hashlib.sha256(ties.names[value].encode()).hexdigest()[:11]
            if name not in taken:
                break
        taken.add(name)
        names[int(label)] = name
    return names


def _overlaps(ties: Ties, labels: Ints, names: dict[int, str]) -> tuple[Ints, list[str], Floats]:
    """Accounts of which at least a quarter of the ties lies in a cluster, main or other."""
    values = _heaviest(ties.value, labels[ties.account], ties.weight, len(ties.names))
    count = len(labels)
    cell = ties.account * count + values[ties.value]
    cells, place = np.unique(cell, return_inverse=True)
    weight = np.bincount(place, ties.weight)
    account, label = cells // count, cells % count
    share = weight / np.bincount(ties.account, ties.weight, minlength=count)[account]
    kept = (share >= 0.25) & np.isin(label, list(names))
    return account[kept], [names[int(n)] for n in label[kept]], share[kept]
