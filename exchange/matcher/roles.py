"""Roles within a cluster (R56): who writes what the others pass on, who passes on at once, who follows and pushes.

Read off what members do with each other's posts: posts of their own that others share, what their posts are made of,
and how long after the first of the cluster they act. Innocents beside the cluster are told apart by score, not here.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from exchange.matcher.engine import Engine
from exchange.matcher.role_table import MEASURES
from exchange.matcher.scorecard import Floats


def read_measures(engine: Engine, *, acts: bool, links: bool) -> tuple[NDArray[Any], Floats]:
    """Measures of every account in table ``members`` (account_id, cluster), in order of account_id.

    Shares of kinds of posts are of all that the account did; ``late`` is the logarithm of the minutes after the first
    of the cluster, ``first`` how often it was that first.
    """
    none = "SELECT NULL AS account_id, NULL AS kind, NULL AS key, NULL AS ts, NULL AS wrote WHERE false"
    engine.run(f"""CREATE OR REPLACE TEMP TABLE done AS SELECT m.cluster, a.* FROM members m
        JOIN ({'SELECT * FROM acts' if acts else none}) a ON a.account_id = m.account_id""")
    visits = "SELECT account_id, count(*) AS n FROM links SEMI JOIN members USING (account_id) WHERE kind = 'domain'"
    engine.run(f"""CREATE OR REPLACE TEMP TABLE visits AS
        {visits + ' GROUP BY 1' if links else 'SELECT NULL AS account_id, 0 AS n WHERE false'}""")
    rows = engine.connection.execute("""WITH
        chains AS (SELECT cluster, key, min(ts) AS start, count(DISTINCT account_id) AS size FROM done
            WHERE kind = 'share' GROUP BY ALL HAVING count(DISTINCT account_id) > 1),
        own AS (SELECT account_id, count(*) AS n FROM done JOIN chains USING (cluster, key) WHERE wrote GROUP BY 1),
        lag AS (SELECT account_id, median(ln(1 + (ts - start) / 60.0)) AS late, avg((ts <= start)::INTEGER) AS first
            FROM done JOIN chains USING (cluster, key) WHERE kind = 'share' AND NOT wrote GROUP BY 1),
        sums AS (SELECT account_id, count(*) FILTER (wrote) AS wrote, count(*) FILTER (kind = 'share' AND NOT wrote)
            AS shared, count(*) FILTER (kind = 'tag') AS tagged FROM done GROUP BY 1)
        SELECT m.account_id, ln(1 + COALESCE(own.n, 0)) AS authored, wrote::DOUBLE AS wrote, shared::DOUBLE AS shared,
            tagged::DOUBLE AS tagged, COALESCE(v.n, 0)::DOUBLE AS linked, late, first, ln(1 + followers) AS followers
        FROM members m LEFT JOIN own USING (account_id) LEFT JOIN lag USING (account_id)
        LEFT JOIN sums USING (account_id) LEFT JOIN visits v USING (account_id)
        LEFT JOIN accounts USING (account_id) ORDER BY m.account_id""").fetchnumpy()
    found = {name: np.ma.filled(np.ma.asarray(column).astype(np.float64), np.nan) for name, column in rows.items()
             if name != "account_id"}
    parts = ("wrote", "shared", "linked", "tagged")
    busy = sum((np.nan_to_num(found[name]) for name in parts), np.zeros(len(found["wrote"])))
    for name in parts:
        found[name] = np.where(busy > 0, np.nan_to_num(found[name]) / np.maximum(busy, 1), np.nan)
    found["busy"] = np.log1p(busy)
    return np.asarray(rows["account_id"]), np.stack([found[name] for name in MEASURES], axis=1)
