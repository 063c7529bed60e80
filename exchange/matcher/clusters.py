"""Clusters: candidates that hold the same rare, recent values, or that the same campaigns name.

Accounts and values take labels from each other by weight until nothing changes; then groups that have much of what ties
the smaller one together in common are one. Nothing that more than three caps of its kind hold takes part, so VPN exits,
popular tags and memes never join anybody, and what is still too large is cut where least holds it together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from exchange.matcher.engine import Engine
from exchange.matcher.groupnames import name_groups
from exchange.matcher.groups import Ints, Ties, cut_down, heaviest, merged
from exchange.matcher.scorecard import Floats
from exchange.matcher.weighing import Weights

_ROUNDS = 30


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
    """Edges among accounts that score at least as much as the table of weights asks, from company and campaigns.

    Accounts are numbered by how much ties them, then by what; ids decide between accounts with the very same ties only.
    So which of two equal groups takes an account up doesn't hang on how a platform numbers its accounts.
    """
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
    engine.run("""CREATE OR REPLACE TEMP TABLE tie_names AS SELECT name, row_number() OVER (ORDER BY name) - 1 AS v
        FROM (SELECT DISTINCT name FROM ties)""")
    engine.run("""CREATE OR REPLACE TEMP TABLE tie_rows AS SELECT account_id, v, weight
        FROM ties JOIN tie_names USING (name)""")
    rows = engine.connection.execute("""SELECT account_id, weight, a, v FROM tie_rows JOIN (
            SELECT account_id, row_number() OVER (ORDER BY much, held, account_id) - 1 AS a FROM (
                SELECT account_id, list(round(weight, 6) ORDER BY weight DESC) AS much, list(v ORDER BY v) AS held
                FROM tie_rows GROUP BY 1)) USING (account_id) ORDER BY a, v""").fetchnumpy()
    names = [name for name, in engine.rows("SELECT name FROM tie_names ORDER BY v")]
    accounts = np.asarray(rows["account_id"])
    numbers = np.asarray(rows["a"]).astype(np.int64)
    first = np.unique(numbers, return_index=True)[1]
    return Ties(accounts[first], numbers, np.asarray(rows["v"]).astype(np.int64),
                np.asarray(rows["weight"]).astype(np.float64), names)


def find_clusters(ties: Ties, *, merge_from: float, largest: int, smallest: int = 2, cut: bool = False,
                  before: Mapping[Any, str] | None = None) -> Memberships:
    """Groups of at least ``smallest`` accounts, none merged beyond ``largest``, and with ``cut`` none larger at all.
    ``before`` are the clusters of accounts in an earlier run: names are kept where most of one is still together."""
    count = len(ties.accounts)
    if not count:
        return Memberships([], np.zeros(0, np.int64), [], np.zeros(0))
    labels = _spread(ties, np.arange(count))
    labels = merged(ties, cut_down(ties, labels, largest if cut else count), merge_from, largest)
    names = name_groups(ties, labels, smallest, before or {})
    return Memberships([names.get(int(label)) for label in labels], *_overlaps(ties, labels, names))


def _spread(ties: Ties, labels: Ints) -> Ints:
    """Labels that accounts and values take from each other; after a round only what stands beside a change is asked."""
    values = np.full(len(ties.names), -1, dtype=np.int64)
    changed = np.ones(len(labels), dtype=bool)
    for _ in range(_ROUNDS):
        asked = np.zeros(len(values), dtype=bool)
        asked[ties.value[changed[ties.account]]] = True
        there = asked[ties.value]
        told = heaviest(ties.value[there], labels[ties.account[there]], ties.weight[there], len(values))
        told = np.where(told >= 0, told, values)
        moved, values = told != values, told
        asked = np.zeros(len(labels), dtype=bool)
        asked[ties.account[moved[ties.value]]] = True
        there = asked[ties.account]
        if not there.any():
            break
        new = heaviest(ties.account[there], values[ties.value[there]], ties.weight[there], len(labels))
        new = np.where(new >= 0, new, labels)
        changed, labels = new != labels, new
        if not changed.any():
            break
    return labels


def _overlaps(ties: Ties, labels: Ints, names: dict[int, str]) -> tuple[Ints, list[str], Floats]:
    """Accounts of which at least a quarter of the ties lies in a cluster, main or other."""
    values = heaviest(ties.value, labels[ties.account], ties.weight, len(ties.names))
    count = len(labels)
    cell = ties.account * count + values[ties.value]
    cells, place = np.unique(cell, return_inverse=True)
    weight = np.bincount(place, ties.weight)
    account, label = cells // count, cells % count
    share = weight / np.bincount(ties.account, ties.weight, minlength=count)[account]
    kept = (share >= 0.25) & np.isin(label, list(names))
    return account[kept], [names[int(n)] for n in label[kept]], share[kept]
