"""Roles within a cluster (R56): who writes what the others pass on, who passes on at once, who follows and pushes; and
those beside it who are no part of it.

Origin, relay and amplifier are read off what members do with the posts, tags and links of the *likely* members: what
each one's part in that is made of, how long after the first and in which place of the row it acts, and how it compares
with the rest of its own cluster, since every operation has its own pace. A member that isn't likely and shares no
infrastructure worth the name is ``casual`` (somebody who now and then passes things on), or ``co-opted`` where it is a
person's account with a life of its own that lives mostly off the operation's posts: authentic people whom an operation
uses, who are told so and never targets (R10). Accounts taken from their owners keep the part that they are made to
play; that they are taken is told beside it (``takeover``).
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exchange.matcher.direct import DAY
from exchange.matcher.engine import Engine
from exchange.matcher.role_table import MEASURES, PLACED, RoleTable
from exchange.matcher.scorecard import Floats
from exchange.matcher.values import quoted

_PARTS = ("wrote", "shared", "linked", "tagged")
SURE = 0.5
"""Probability from which a member counts as part of what roles are read off."""
BESIDE = ("casual", "co-opted")
_HELD = 1.0
"""Nats of infrastructure (networks apart) from which an account is more than a bystander."""
_OFTEN, _DEVOTED, _OWN_DAYS = 4, 0.5, 180
"""Posts of the cluster that a co-opted account passed on, their share of all that it passed on, and days of a life of
its own before the first of them."""


def tell_roles(engine: Engine, table: RoleTable, *, acts: bool, links: bool) -> None:
    """Make table ``roles`` (account_id, role) of all members."""
    accounts, measures = read_measures(engine, acts=acts, links=links)
    engine.table("parts", {"account_id": accounts, "role": np.array(table.tell(measures), dtype=object)})
    engine.run(f"""CREATE OR REPLACE TEMP TABLE beside AS
        WITH held AS (SELECT account_id, sum(nats) AS nats FROM (
                SELECT account_id, signal, family, nats FROM direct UNION ALL
                SELECT account_id, signal, family, nats FROM company)
            WHERE family = 'infrastructure' AND signal <> 'network' AND nats > 0 GROUP BY 1),
        ours AS (SELECT DISTINCT cluster, kind, key FROM done WHERE sure),
        did AS (SELECT d.account_id, count(*) FILTER (o.key IS NOT NULL) AS ours,
                count(*) FILTER (o.key IS NOT NULL AND d.kind = 'share' AND NOT wrote) AS passed_on,
                count(*) FILTER (d.kind = 'share' AND NOT wrote) AS shared, min(ts) FILTER (o.key IS NOT NULL) AS since
            FROM done d LEFT JOIN ours o ON o.cluster = d.cluster AND o.kind = d.kind AND o.key = d.key GROUP BY 1)
        SELECT m.account_id, passed_on >= {_OFTEN} AND passed_on >= {_DEVOTED} * shared AND authentic
                AND created < since - {_OWN_DAYS * DAY} AS devoted
        FROM members m JOIN state s USING (account_id) JOIN did USING (account_id) LEFT JOIN held h USING (account_id)
        JOIN (SELECT account_id, created, COALESCE(strikes, 0) = 0 AND (COALESCE(verified, 0) > 0
            OR COALESCE(assurance, 0) >= 2 OR COALESCE(payment_months, 0) >= 12) AS authentic FROM accounts) a
            USING (account_id)
        WHERE s.score < {SURE} AND COALESCE(h.nats, 0) < {_HELD} AND ours > 0""")
    casual, used = BESIDE
    engine.run(f"""CREATE OR REPLACE TEMP TABLE roles AS SELECT p.account_id,
            CASE WHEN b.devoted THEN {quoted(used)} WHEN b.account_id IS NOT NULL THEN {quoted(casual)} ELSE p.role END
            AS role
        FROM parts p LEFT JOIN beside b USING (account_id)""")


def read_measures(engine: Engine, *, acts: bool, links: bool) -> tuple[NDArray[Any], Floats]:
    """Measures of every account in table ``members`` (account_id, cluster), in order of account_id.

    ``authored`` and ``echoed`` are logarithms of how many own posts others of the cluster share and how often;
    ``wrote``, ``shared``, ``linked`` and ``tagged`` the shares of each in what the account does in common with the
    cluster; ``late`` the logarithm of the minutes after the first of the cluster, ``first`` how often it was that
    first, ``rank`` its mean place among those who shared (0 to 1). Names that end in ``_here`` are places of a measure
    within the cluster, 0 to 1. Posts, tags and links count that likely members have in common with the account.
    """
    none = "SELECT NULL AS account_id, NULL AS kind, NULL AS key, NULL AS ts, NULL AS wrote WHERE false"
    engine.run(f"""CREATE OR REPLACE TEMP TABLE done AS SELECT m.cluster, s.score >= {SURE} AS sure, a.*
        FROM members m JOIN state s USING (account_id)
        JOIN ({'SELECT * FROM acts' if acts else none}) a ON a.account_id = m.account_id""")
    visits = f"""SELECT DISTINCT account_id, cluster, key, s.score >= {SURE} AS sure FROM links
        JOIN members USING (account_id) JOIN state s USING (account_id) WHERE kind = 'domain'"""
    nothing = "SELECT NULL AS account_id, NULL AS cluster, NULL AS key, NULL AS sure WHERE false"
    engine.run(f"CREATE OR REPLACE TEMP TABLE visits AS {visits if links else nothing}")
    rows = engine.connection.execute(_MEASURES.replace("<sure>", str(SURE))).fetchnumpy()
    found = {name: np.ma.filled(np.ma.asarray(column).astype(np.float64), np.nan) for name, column in rows.items()
             if name not in ("account_id", "cluster")}
    busy = sum((np.nan_to_num(found[name]) for name in _PARTS), np.zeros(len(found["wrote"])))
    for name in _PARTS:
        found[name] = np.where(busy > 0, np.nan_to_num(found[name]) / np.maximum(busy, 1), np.nan)
    found["busy"] = np.log1p(busy)
    cluster = np.asarray(rows["cluster"]).astype(str)
    sure = found.pop("sure") > 0
    found |= {f"{name}_here": _places(found[name], cluster, sure) for name in PLACED}
    return np.asarray(rows["account_id"]), np.stack([found[name] for name in MEASURES], axis=1)


def _places(x: Floats, cluster: NDArray[Any], sure: NDArray[np.bool_]) -> Floats:
    """Place of each figure among those of the likely members of its cluster, 0 to 1; equals share their mean."""
    order = np.argsort(cluster, kind="stable")
    places = np.full(len(x), np.nan)
    group = cluster[order]
    bounds = np.flatnonzero(np.r_[True, group[1:] != group[:-1], True]) if len(x) else np.zeros(0, dtype=int)
    for left, right in itertools.pairwise(bounds):
        here = order[left:right]
        among = np.sort(x[here[sure[here] & ~np.isnan(x[here])]])
        if len(among) > 1:
            low, high = np.searchsorted(among, x[here], "left"), np.searchsorted(among, x[here], "right") - 1
            places[here] = np.where(np.isnan(x[here]), np.nan,
                                    np.clip((low + np.maximum(low, high)) / 2 / (len(among) - 1), 0, 1))
    return places


_MEASURES = """WITH
    chains AS (SELECT cluster, key, min(ts) AS start FROM done
        WHERE kind = 'share' GROUP BY ALL HAVING count(DISTINCT account_id) > 1 AND bool_or(sure)),
    chain AS (SELECT d.*, c.start, count(*) FILTER (NOT wrote) OVER (PARTITION BY cluster, key) AS sharers,
            count(*) FILTER (NOT wrote) OVER (PARTITION BY cluster, key ORDER BY ts) AS place
        FROM done d JOIN chains c USING (cluster, key) WHERE kind = 'share'),
    own AS (SELECT account_id, count(*) AS n, sum(sharers) AS heard FROM chain WHERE wrote GROUP BY 1),
    passed AS (SELECT account_id, count(*) AS n, median(ln(1 + (ts - start) / 60.0)) AS late,
            avg((place <= 1)::INTEGER) AS first, avg((place - 1) / (sharers - 1)) FILTER (sharers > 1) AS rank
        FROM chain WHERE NOT wrote GROUP BY 1),
    tags AS (SELECT cluster, key FROM done WHERE kind = 'tag'
        GROUP BY ALL HAVING count(DISTINCT account_id) > 2 AND bool_or(sure)),
    tagged AS (SELECT account_id, count(*) AS n FROM done SEMI JOIN tags USING (cluster, key) WHERE kind = 'tag'
        GROUP BY 1),
    sites AS (SELECT cluster, key FROM visits GROUP BY ALL HAVING count(DISTINCT account_id) > 1 AND bool_or(sure)),
    linked AS (SELECT account_id, count(*) AS n FROM visits SEMI JOIN sites USING (cluster, key) GROUP BY 1),
    wrote AS (SELECT account_id, count(*) AS n FROM done WHERE wrote GROUP BY 1)
    SELECT m.account_id, m.cluster, ln(1 + COALESCE(own.n, 0)) AS authored, ln(1 + COALESCE(own.heard, 0)) AS echoed,
        COALESCE(w.n, 0)::DOUBLE AS wrote, COALESCE(p.n, 0)::DOUBLE AS shared, COALESCE(t.n, 0)::DOUBLE AS tagged,
        COALESCE(v.n, 0)::DOUBLE AS linked, p.late, p.first, p.rank, ln(1 + followers) AS followers,
        (st.score >= <sure>)::DOUBLE AS sure
    FROM members m JOIN state st USING (account_id) LEFT JOIN own USING (account_id)
    LEFT JOIN passed p USING (account_id)
    LEFT JOIN tagged t USING (account_id) LEFT JOIN linked v USING (account_id) LEFT JOIN wrote w USING (account_id)
    LEFT JOIN accounts USING (account_id) ORDER BY m.account_id"""
