"""What can be a sign of a cluster's class: measures of what its likely members are and do, each a share from 0 to 1.

``taken``: members that look taken from their owners. ``burst``: sign-ups within the fullest 24 hours. ``idle``: members
who never did anything in public. ``linking`` and ``writing``: sites linked to, and posts of one's own, among all acts.
``paying`` and ``media``: members of whose evidence a card, or a picture or camera, is part. No measure says influence:
how people pass on what they read tells no opinion from an operation, so that word is left to sources (R9).
"""

from __future__ import annotations

from exchange.matcher.classes.table import SIGNS
from exchange.matcher.direct import DAY
from exchange.matcher.engine import Engine

LEAST = 5
"""Likely members below which behaviour says nothing."""
_EVIDENT = 0.3
"""Nats from which a kind of evidence is part of what speaks of an account."""


def measure_signs(engine: Engine, *, acts: bool, links: bool) -> dict[str, dict[str, float]]:
    """The measures of each cluster with enough likely members: cluster to measure to value (NaN: unknown).

    Reads members, state (score), accounts, taken, direct, company, and where they are there acts and links.
    """
    engine.run("""CREATE OR REPLACE TEMP TABLE sure AS SELECT m.account_id, m.cluster, a.created,
            t.account_id IS NOT NULL AS taken FROM members m JOIN accounts a USING (account_id)
        LEFT JOIN taken t USING (account_id) SEMI JOIN (SELECT account_id FROM state WHERE score >= 0.5) s
        ON s.account_id = m.account_id""")
    nothing = "(SELECT account_id, false AS wrote, '' AS kind FROM members WHERE false)"
    done = "(SELECT account_id, wrote, kind FROM acts)" if acts else nothing
    visits = "(SELECT account_id, key FROM links WHERE kind = 'domain')" if links else (
        "(SELECT account_id, 0 AS key FROM members WHERE false)")
    rows = engine.rows(f"""WITH
        whole AS (SELECT cluster, count(*) AS n, avg(taken::INTEGER) AS taken FROM sure GROUP BY 1),
        burst AS (SELECT cluster, max(k) AS k FROM (SELECT cluster, count(*) OVER (PARTITION BY cluster ORDER BY created
            RANGE BETWEEN CURRENT ROW AND {DAY} FOLLOWING) AS k FROM sure WHERE created IS NOT NULL) GROUP BY 1),
        deed AS (SELECT account_id, count(*) FILTER (wrote) AS wrote, count(*) AS n FROM {done} SEMI JOIN sure
            USING (account_id) GROUP BY 1),
        visit AS (SELECT account_id, count(DISTINCT key) AS n FROM {visits} SEMI JOIN sure USING (account_id)
            GROUP BY 1),
        act AS (SELECT cluster, sum(COALESCE(d.wrote, 0)) AS wrote, sum(COALESCE(v.n, 0)) AS linked,
                sum(COALESCE(d.n, 0) + COALESCE(v.n, 0)) AS n, avg((d.n IS NULL AND v.n IS NULL)::INTEGER) AS idle
            FROM sure LEFT JOIN deed d USING (account_id) LEFT JOIN visit v USING (account_id) GROUP BY 1),
        evident AS (SELECT cluster, count(DISTINCT account_id) FILTER (signal = 'payment') AS paying,
                count(DISTINCT account_id) FILTER (signal IN ('picture', 'upload_fp')) AS media
            FROM (SELECT account_id, signal, nats FROM direct UNION ALL SELECT account_id, signal, nats FROM company)
            JOIN sure USING (account_id) WHERE nats >= {_EVIDENT} GROUP BY 1)
        SELECT w.cluster, w.taken, b.k / w.n, {'a.idle' if acts else 'NULL'}, a.linked / nullif(a.n, 0),
            a.wrote / nullif(a.n, 0), COALESCE(e.paying, 0) / w.n, COALESCE(e.media, 0) / w.n
        FROM whole w LEFT JOIN burst b USING (cluster) LEFT JOIN act a USING (cluster) LEFT JOIN evident e
        USING (cluster) WHERE w.n >= {LEAST} ORDER BY 1""")
    return {row[0]: {name: float("nan") if value is None else float(value)
                     for name, value in zip(SIGNS, row[1:], strict=True)} for row in rows}
