"""When the members of each cluster signed up and acted, counted by day, kept with the results of a run."""

from __future__ import annotations

from exchange.matcher.direct import DAY
from exchange.matcher.engine import Engine


def count_days(engine: Engine, *, acts: bool) -> None:
    """Make table ``timeline``: cluster, day (days since 1970), what (sign-up, post, share, tag), n; from ``told``."""
    parts = [f"""SELECT t.cluster, a.created // {DAY} AS day, 'sign-up' AS what, count(*) AS n
        FROM told t JOIN accounts a USING (account_id)
        WHERE t.cluster IS NOT NULL AND a.created IS NOT NULL GROUP BY ALL"""]
    if acts:
        parts.append(f"""SELECT t.cluster, d.ts // {DAY} AS day,
            CASE WHEN d.wrote THEN 'post' ELSE d.kind END AS what, count(*) AS n
            FROM acts d JOIN told t USING (account_id) WHERE t.cluster IS NOT NULL AND d.ts IS NOT NULL GROUP BY ALL""")
    engine.run("CREATE OR REPLACE TEMP TABLE timeline AS " + " UNION ALL ".join(parts))
