"""Roles within a cluster (R56): who writes what the others pass on, who passes on at once, who follows and pushes.

Read off what members do with each other's posts, tags and links: what each one's part in that is made of, how long
after the first and in which place of the row it acts, and how it compares with the rest of its own cluster, since
every operation has its own pace. Innocents beside the cluster are told apart by score, not here.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exchange.matcher.engine import Engine
from exchange.matcher.role_table import MEASURES, PLACED
from exchange.matcher.scorecard import Floats

_PARTS = ("wrote", "shared", "linked", "tagged")


def read_measures(engine: Engine, *, acts: bool, links: bool) -> tuple[NDArray[Any], Floats]:
    """Measures of every account in table ``members`` (account_id, cluster), in order of account_id.

    ``authored`` and ``echoed`` are logarithms of how many own posts others of the cluster share and how often;
    ``wrote``, ``shared``, ``linked`` and ``tagged`` the shares of each in what the account does in common with the
    cluster; ``late`` the logarithm of the minutes after the first of the cluster, ``first`` how often it was that
    first, ``rank`` its mean place among those who shared (0 to 1). Names that end in ``_here`` are places of a measure
    within the cluster, 0 to 1.
    """
    none = "SELECT NULL AS account_id, NULL AS kind, NULL AS key, NULL AS ts, NULL AS wrote WHERE false"
    engine.run(f"""CREATE OR REPLACE TEMP TABLE done AS SELECT m.cluster, a.* FROM members m
        JOIN ({'SELECT * FROM acts' if acts else none}) a ON a.account_id = m.account_id""")
    visits = """SELECT account_id, cluster, key FROM links JOIN members USING (account_id) WHERE kind = 'domain'"""
    engine.run(f"""CREATE OR REPLACE TEMP TABLE visits AS
        {visits if links else 'SELECT NULL AS account_id, NULL AS cluster, NULL AS key WHERE false'}""")
    rows = engine.connection.execute(_MEASURES).fetchnumpy()
    found = {name: np.ma.filled(np.ma.asarray(column).astype(np.float64), np.nan) for name, column in rows.items()
             if name not in ("account_id", "cluster")}
    busy = sum((np.nan_to_num(found[name]) for name in _PARTS), np.zeros(len(found["wrote"])))
    for name in _PARTS:
        found[name] = np.where(busy > 0, np.nan_to_num(found[name]) / np.maximum(busy, 1), np.nan)
    found["busy"] = np.log1p(busy)
    cluster = np.asarray(rows["cluster"]).astype(str)
    found |= {f"{name}_here": _places(found[name], cluster) for name in PLACED}
    return np.asarray(rows["account_id"]), np.stack([found[name] for name in MEASURES], axis=1)


def _places(x: Floats, cluster: NDArray[Any]) -> Floats:
    """Place of each figure among those of its cluster, 0 (least) to 1; equals share their mean place."""
    order = np.lexsort((x, cluster))  # NaN sorts last
    places = np.full(len(x), np.nan)
    there, group = x[order], cluster[order]
    bounds = np.flatnonzero(np.r_[True, group[1:] != group[:-1], True]) if len(x) else np.zeros(0, dtype=int)
    for left, right in itertools.pairwise(bounds):
        known = there[left:right][~np.isnan(there[left:right])]
        if len(known) > 1:
            low, high = np.searchsorted(known, known, "left"), np.searchsorted(known, known, "right") - 1
            places[order[left : left + len(known)]] = (low + high) / 2 / (len(known) - 1)
    return places


_MEASURES = """WITH
    chains AS (SELECT cluster, key, min(ts) AS start FROM done
        WHERE kind = 'share' GROUP BY ALL HAVING count(DISTINCT account_id) > 1),
    chain AS (SELECT d.*, c.start, count(*) FILTER (NOT wrote) OVER (PARTITION BY cluster, key) AS sharers,
            count(*) FILTER (NOT wrote) OVER (PARTITION BY cluster, key ORDER BY ts) AS place
        FROM done d JOIN chains c USING (cluster, key) WHERE kind = 'share'),
    own AS (SELECT account_id, count(*) AS n, sum(sharers) AS heard FROM chain WHERE wrote GROUP BY 1),
    passed AS (SELECT account_id, count(*) AS n, median(ln(1 + (ts - start) / 60.0)) AS late,
            avg((place <= 1)::INTEGER) AS first, avg((place - 1) / (sharers - 1)) FILTER (sharers > 1) AS rank
        FROM chain WHERE NOT wrote GROUP BY 1),
    tagged AS (SELECT account_id, count(*) AS n FROM done SEMI JOIN (SELECT cluster, key FROM done WHERE kind = 'tag'
            GROUP BY ALL HAVING count(DISTINCT account_id) > 2) t USING (cluster, key) WHERE kind = 'tag' GROUP BY 1),
    linked AS (SELECT account_id, count(*) AS n FROM visits SEMI JOIN (SELECT cluster, key FROM visits
            GROUP BY ALL HAVING count(DISTINCT account_id) > 1) t USING (cluster, key) GROUP BY 1),
    wrote AS (SELECT account_id, count(*) AS n FROM done WHERE wrote GROUP BY 1)
    SELECT m.account_id, m.cluster, ln(1 + COALESCE(own.n, 0)) AS authored, ln(1 + COALESCE(own.heard, 0)) AS echoed,
        COALESCE(w.n, 0)::DOUBLE AS wrote, COALESCE(p.n, 0)::DOUBLE AS shared, COALESCE(t.n, 0)::DOUBLE AS tagged,
        COALESCE(v.n, 0)::DOUBLE AS linked, p.late, p.first, p.rank, ln(1 + followers) AS followers
    FROM members m LEFT JOIN own USING (account_id) LEFT JOIN passed p USING (account_id)
    LEFT JOIN tagged t USING (account_id) LEFT JOIN linked v USING (account_id) LEFT JOIN wrote w USING (account_id)
    LEFT JOIN accounts USING (account_id) ORDER BY m.account_id"""
