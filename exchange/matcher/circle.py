"""Circles: what the other members of an account's cluster of candidates stand for, before clusters are final.

Between two rounds the candidates are grouped as they would be at the end; each then hears of the *others* in its group:
how many likely ones there are, how likely they are on the whole, how many sources name at least two of them, and how
many likely ones a chain of identifiers binds together. One account that everybody names makes no circle, and nobody
hears of itself.
"""

from __future__ import annotations

import numpy as np

from exchange.matcher.clusters import find_clusters, read_ties
from exchange.matcher.direct import grid
from exchange.matcher.engine import Engine
from exchange.matcher.groups import Ints
from exchange.matcher.values import quoted
from exchange.matcher.weighing import Weights

SMALLEST = 6
"""Accounts in a circle, from which it is more than a household."""
MEASURES = ("circle_mass", "circle_mean", "circle_sources", "circle_bound")
BINDING = ("device", "payment", "phone", "cookie", "email")
"""Kinds that chain an operation's accounts together, and a household's no further than its door."""


def empty(engine: Engine, account_type: str) -> None:
    """Make table ``circle`` without rows."""
    columns = ", ".join(f"{name} DOUBLE" for name in MEASURES)
    engine.run(f"CREATE OR REPLACE TEMP TABLE circle (account_id {account_type}, {columns})")


def gather_circles(engine: Engine, weights: Weights, accounts: int) -> None:
    """Make table ``circle`` from ``shared``, ``direct`` and ``state``: account_id and the measures of its circle."""
    rules = weights.cluster
    ties = read_ties(engine, weights)
    found = find_clusters(ties, merge_from=rules.merge_from, largest=max(2, int(rules.largest_share * accounts)))
    inside = [n for n, name in enumerate(found.cluster) if name is not None]
    engine.table("grouped", {"account_id": ties.accounts[inside],
                             "cluster": np.array([found.cluster[n] for n in inside], dtype=object)})
    engine.run(f"""CREATE OR REPLACE TEMP TABLE named_here AS SELECT g.account_id, g.cluster, v.voice AS source
        FROM grouped g JOIN direct d USING (account_id) JOIN source_bits v USING (source) WHERE d.witness GROUP BY ALL
        HAVING sum(d.nats) >= {weights.provisional.counts_from}""")
    _bind(engine, weights)
    engine.run(f"""CREATE OR REPLACE TEMP TABLE circle AS
        SELECT COALESCE(c.account_id, b.account_id) AS account_id, {', '.join(MEASURES)}
        FROM (SELECT g.account_id, {grid('ln(1 + c.mass - s.rounded)')} AS circle_mass,
            {grid('(c.mass - s.rounded) / (c.size - 1)')} AS circle_mean,
            COALESCE(n.sources, 0)::DOUBLE AS circle_sources
        FROM grouped g JOIN (SELECT account_id, {grid('score')} AS rounded FROM state) s USING (account_id)
        JOIN (SELECT cluster, count(*) AS size, sum({grid('score')}) AS mass FROM grouped JOIN state USING (account_id)
            GROUP BY 1 HAVING count(*) >= {SMALLEST}) c USING (cluster)
        LEFT JOIN (SELECT a.account_id, count(*) FILTER (b.n - (h.source IS NOT NULL)::INTEGER >= 2) AS sources
            FROM grouped a JOIN (SELECT cluster, source, count(*) AS n FROM named_here GROUP BY ALL) b USING (cluster)
            LEFT JOIN named_here h ON h.account_id = a.account_id AND h.source = b.source GROUP BY 1) n
        USING (account_id)) c FULL JOIN bound b ON b.account_id = c.account_id""")


def _bind(engine: Engine, weights: Weights) -> None:
    """Make table ``bound``: account_id and the logarithm of how many likely ones a chain of identifiers binds to it."""
    chain(engine, weights)
    engine.run(f"""CREATE OR REPLACE TEMP TABLE bound AS
        SELECT h.account_id, {grid(f'ln(1 + c.mass - {grid("s.score")})')} AS circle_bound
        FROM chains h JOIN state s USING (account_id)
        JOIN (SELECT chain, sum({grid('score')}) AS mass FROM chains JOIN state USING (account_id) GROUP BY 1) c
        USING (chain)""")


def chain(engine: Engine, weights: Weights) -> None:
    """Make table ``chains`` from ``shared`` and ``state``: account_id and the number of its chain, of candidates that
    identifiers tie to one another."""
    rules = weights.cluster
    engine.run(f"""CREATE OR REPLACE TEMP TABLE chained AS
        SELECT account_id, value_no FROM shared JOIN state USING (account_id)
        WHERE score >= {rules.candidate_from} AND kind IN ({', '.join(map(quoted, BINDING))})
            AND base * rarity * recent >= {rules.cut} QUALIFY count(*) OVER (PARTITION BY value_no) > 1""")
    rows = engine.connection.execute("""SELECT account_id, dense_rank() OVER (ORDER BY account_id) - 1 AS a,
        dense_rank() OVER (ORDER BY value_no) - 1 AS v FROM chained ORDER BY a, v""").fetchnumpy()
    account, value = (np.asarray(rows[name]).astype(np.int64) for name in "av")
    first = np.unique(account, return_index=True)[1]
    engine.table("chains", {"account_id": np.asarray(rows["account_id"])[first], "chain": components(account, value)})


def components(account: Ints, value: Ints) -> Ints:
    """Per account 0 ... n - 1 the least number in its connected component, of pairs of accounts and values."""
    count, values = int(account.max(initial=-1)) + 1, int(value.max(initial=-1)) + 1
    labels = np.arange(count, dtype=np.int64)
    while True:
        told = np.full(values, count, dtype=np.int64)
        np.minimum.at(told, value, labels[account])
        new = labels.copy()
        np.minimum.at(new, account, told[value])
        new = new[new]
        if (new == labels).all():
            return labels
        labels = new
