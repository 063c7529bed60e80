"""How near accounts are to those that reviewers judged: by the values, the indicators and the circle they share.

Works on three tables: ``heard`` (account_id, step, kind, family, local_value, shared_value, source, campaign, raw: the
evidence of direct hits and company above 0, in nats before the card), ``judged`` (account_id, verdict -1 or 1) and
``circles`` (account_id, cluster). A value is as near as the judged accounts that hold it were overturned,
overturned / (overturned + confirmed + 1), the account itself left out; its nats are parted into near and far ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from exchange.matcher.direct import grid
from exchange.matcher.learned import OWN, Floats, Learned
from exchange.matcher.values import quoted

if TYPE_CHECKING:
    from exchange.matcher.engine import Engine

FAMILIES = ("infrastructure", "content", "behaviour")
_PARTS = tuple((step, family) for step in ("direct", "company") for family in FAMILIES
               if (step, family) != ("direct", "behaviour"))
AROUND = ("near_campaign", "near_circle", "judged_circle")
AMOUNTS = (*(f"{side}_{step}_{family}" for step, family in _PARTS for side in ("near", "far")), *AROUND)
SHARES = ("near_share", *(f"near_share_{step}_{family}" for step, family in _PARTS), *AROUND)
_LITTLE = 0.5
"""Nats added to the whole of which a share is told, so that a share of next to nothing is next to nothing."""


def account_hash_sql(salt: str, account: str, created: str) -> str:
    """Keyed hash of an account: 64 bits, as hex; an id that is given to somebody else is another account."""
    return (f"left(md5({quoted(salt)} || '|' || CAST({account} AS VARCHAR) || '|' ||"
            f" COALESCE(CAST({created} AS VARCHAR), '')), 16)")


def columns(engine: Engine, learned: Learned, accounts: NDArray[Any], found: dict[str, Floats]) -> dict[str, Floats]:
    """The features of reviews of accounts, from the tables of a run under way; none if nothing was learned."""
    if not learned.known and not learned.models:
        return {}
    engine.run("CREATE OR REPLACE TEMP TABLE known_hashes (hash VARCHAR, nats DOUBLE)")
    engine.load("known_hashes", ({"hash": name, "nats": nats} for name, nats in learned.known.items()))
    engine.run(f"""CREATE OR REPLACE TEMP TABLE judged AS SELECT s.account_id, sign(k.nats) AS verdict, k.nats
        FROM standing s JOIN accounts a USING (account_id) JOIN known_hashes k
        ON k.hash = {account_hash_sql(learned.salt, 'a.account_id', 'a.created')}""")
    own = engine.connection.execute("""SELECT COALESCE(j.nats, 0) AS nats FROM standing s
        LEFT JOIN judged j USING (account_id) ORDER BY s.account_id""").fetchnumpy()["nats"]
    result = {OWN: np.asarray(own, dtype=np.float64)}
    if not learned.models or not engine.one("SELECT count(*) FROM company")[0]:
        return result | dict.fromkeys((model.name for model in learned.models), np.zeros(len(accounts)))
    engine.run("""CREATE OR REPLACE TEMP TABLE heard AS
        SELECT account_id, 'company' AS step, kind, family, value AS local_value, NULL::VARCHAR AS shared_value,
            NULL::VARCHAR AS source, NULL::VARCHAR AS campaign, nats AS raw FROM company WHERE nats > 0
        UNION ALL SELECT account_id, 'direct', kind, family, local_value, shared_value, source, campaign, nats
        FROM direct WHERE nats > 0""")
    engine.run("CREATE OR REPLACE TEMP TABLE circles AS SELECT account_id, cluster FROM grouped")
    measures = read_measures(engine, accounts) if any(m.near for m in learned.models) else {}
    return result | {model.name: model.read({**found, **measures}, len(accounts)) for model in learned.models}


def read_measures(engine: Engine, accounts: NDArray[Any]) -> dict[str, Floats]:
    """The figures of nearness of ``accounts`` (in rising order), from heard, judged and circles."""
    engine.table("asked", {"account_id": accounts, "place": np.arange(len(accounts))})
    measures = {name: np.zeros(len(accounts)) for name in (*AMOUNTS, *SHARES)}
    for step, value in (("company", "local_value"), ("direct", "shared_value")):
        for place, family, near, far in _parted(engine, step, value):
            for side, nats in (("near", near), ("far", far)):
                if (name := f"{side}_{step}_{family}") in measures:
                    measures[name][place] = nats
    for name, sql in (("near_campaign", _CAMPAIGNS), ("near_circle", _CIRCLES.format(what=_SHARE)),
                      ("judged_circle", _CIRCLES.format(what=_JUDGED))):
        rows = engine.connection.execute(sql).fetchnumpy()
        measures[name][np.asarray(rows["place"]).astype(np.int64)] = np.asarray(rows["x"], dtype=np.float64)
    near, far = np.zeros(len(accounts)), np.zeros(len(accounts))
    for step, family in _PARTS:
        parts = [measures[f"{side}_{step}_{family}"] for side in ("near", "far")]
        measures[f"near_share_{step}_{family}"] = parts[0] / (parts[0] + parts[1] + _LITTLE)
        near, far = near + parts[0], far + parts[1]
    measures["near_share"] = near / (near + far + _LITTLE)
    return measures


def _parted(engine: Engine, step: str, value: str) -> list[tuple[Any, ...]]:
    """(place, family, near nats, far nats) of each account."""
    return engine.rows(f"""WITH held AS (SELECT DISTINCT h.account_id, kind, {value} AS value, verdict FROM heard h
            JOIN judged USING (account_id) WHERE step = '{step}'),
        weight AS (SELECT kind, value, sum(greatest(0, -verdict)) AS overturned, sum(greatest(0, verdict)) AS confirmed
            FROM held GROUP BY ALL),
        parts AS (SELECT h.account_id, h.family, h.raw,
                COALESCE(w.overturned, 0) - greatest(0, -COALESCE(j.verdict, 0)) AS o,
                COALESCE(w.confirmed, 0) - greatest(0, COALESCE(j.verdict, 0)) AS c
            FROM heard h LEFT JOIN weight w ON w.kind = h.kind AND w.value = h.{value}
            LEFT JOIN judged j ON j.account_id = h.account_id WHERE h.step = '{step}')
        SELECT a.place, p.family, sum({grid('raw * o / (o + c + 1)')}) AS near,
            sum({grid('raw * (1 - o / (o + c + 1))')}) AS far
        FROM parts p JOIN asked a USING (account_id) GROUP BY ALL""")


_NAMED = f"sum({grid('n.nats * (t.o - greatest(0, -COALESCE(j.verdict, 0))) / t.n')})"
_CAMPAIGNS = f"""WITH named AS (SELECT account_id, source, campaign, sum(raw) AS nats FROM heard
        WHERE step = 'direct' GROUP BY ALL),
    told AS (SELECT source, campaign, count(*) AS n, sum(greatest(0, -COALESCE(verdict, 0))) AS o
        FROM named LEFT JOIN judged USING (account_id) GROUP BY ALL)
    SELECT a.place, {_NAMED} / sum(n.nats) AS x
    FROM named n JOIN told t ON t.source = n.source AND t.campaign IS NOT DISTINCT FROM n.campaign
    JOIN asked a ON a.account_id = n.account_id LEFT JOIN judged j ON j.account_id = n.account_id GROUP BY 1"""
_CIRCLES = """WITH told AS (SELECT cluster, count(*) AS n, sum(greatest(0, -COALESCE(verdict, 0))) AS o,
        sum(greatest(0, COALESCE(verdict, 0))) AS c FROM circles LEFT JOIN judged USING (account_id) GROUP BY 1)
    SELECT a.place, {what} AS x FROM circles g JOIN told t USING (cluster) JOIN asked a USING (account_id)
    LEFT JOIN judged j USING (account_id)"""
_SHARE = "(t.o - greatest(0, -COALESCE(j.verdict, 0))) / t.n"
_JUDGED = """(t.o - greatest(0, -COALESCE(j.verdict, 0))) / (t.o + t.c - abs(COALESCE(j.verdict, 0)) + 3)"""
