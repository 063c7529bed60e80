"""From scores to networks: clusters, roles, classes, takeovers, what is recommended, and the tables of all that."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from exchange.matcher.action.pack import ActionPack
from exchange.matcher.action.recommend import recommend
from exchange.matcher.case.timeline import count_days
from exchange.matcher.classes.tell import tell_classes
from exchange.matcher.clusters import find_clusters, read_ties
from exchange.matcher.direct import grid
from exchange.matcher.engine import Engine
from exchange.matcher.entities import Entities
from exchange.matcher.report import Report
from exchange.matcher.rescore import MEMBERS, keep_members
from exchange.matcher.roles import tell_roles
from exchange.matcher.takeover import find_takeovers
from exchange.matcher.values import quoted
from exchange.matcher.weighing import Weights

SMALL = 25
"""Accounts that a cluster may have on any platform, however small."""
CLUSTERS, MEMBERSHIPS, CLASSES = "clusters.parquet", "memberships.parquet", "classes.parquet"


def find_networks(engine: Engine, there: Entities, weights: Weights, report: Report,
                  before: Path | None = None) -> None:
    """Make tables ``members`` (account_id, cluster), ``memberships`` (account_id, cluster, share), ``roles``,
    ``taken``, ``classes``, ``class_reasons``, and ``told``: all that the matcher says of members."""
    group_members(engine, weights, report.accounts, earlier_clusters(before, report))
    acts, links = "acts" in there.tables, "links" in there.tables
    if weights.roles:
        tell_roles(engine, weights.roles, acts=acts, links=links)
    else:
        engine.run("CREATE OR REPLACE TEMP TABLE roles AS SELECT account_id, NULL::VARCHAR AS role FROM members")
    find_takeovers(engine, links=links)
    tell_classes(engine, weights.classes, acts=acts, links=links)
    engine.run("""CREATE OR REPLACE TEMP TABLE told AS SELECT m.account_id, m.cluster, r.role, c.class,
        c.sources AS class_sources, c.likely_from, t.account_id IS NOT NULL AS compromised
        FROM members m JOIN classes c USING (cluster) LEFT JOIN roles r USING (account_id)
        LEFT JOIN taken t USING (account_id)""")
    report.clusters = engine.one("SELECT count(DISTINCT cluster) FROM members")[0]


def earlier_clusters(folder: Path | None, report: Report) -> dict[Any, str]:
    """Cluster of each member in the results of an earlier run, so that clusters keep their names; nothing where there
    are none."""
    path = folder / MEMBERSHIPS if folder else None
    if path is None or not path.is_file():
        return {}
    import duckdb  # noqa: PLC0415 - slow to load

    try:
        with duckdb.connect(":memory:") as connection:
            return dict(connection.execute(f"""SELECT account_id, arg_max(cluster, share) FROM
                read_parquet({quoted(str(path))}) GROUP BY 1""").fetchall())
    except duckdb.Error:
        report.problems.append(f"{path} of an earlier run can't be read, so clusters may get other names than in it;"
                               " it is written anew.")
        return {}


def group_members(engine: Engine, weights: Weights, accounts: int, before: Mapping[Any, str] | None = None) -> None:
    """Make tables ``members`` and ``memberships`` for a platform of that many accounts; reads ``shared``, ``direct``,
    ``state``."""
    ties, rules = read_ties(engine, weights), weights.cluster
    found = find_clusters(ties, merge_from=rules.merge_from, largest=max(SMALL, int(rules.largest_share * accounts)),
                          cut=True, before=before)
    inside = [n for n, name in enumerate(found.cluster) if name is not None]
    engine.table("members", {"account_id": ties.accounts[inside],
                             "cluster": np.array([found.cluster[n] for n in inside], dtype=object)})
    engine.table("memberships", {"account_id": ties.accounts[found.account], "share": found.share,
                                 "cluster": np.array(found.also, dtype=object)})


def recommend_steps(engine: Engine, there: Entities, pack: ActionPack, at: int, report: Report) -> None:
    """Make tables ``actions`` (what the policy makes of what was told) and ``timeline``."""
    acts = "acts" in there.tables
    recommend(engine, pack, at, acts=acts)
    count_days(engine, acts=acts)
    report.recommend(pack, at, engine.rows("SELECT action, count(*) FROM actions GROUP BY 1"))


def write_networks(engine: Engine) -> tuple[str, ...]:
    """Write the tables of clusters into the engine's work folder; returns the names of the files."""
    _copy(engine, CLUSTERS, f"""SELECT m.cluster, count(*) AS accounts, sum({grid('s.score')}) / count(*) AS mean_score,
            count(*) FILTER (s.score >= c.likely_from) AS likely, any_value(c.likely_from) AS likely_from,
            any_value(c.class) AS class, any_value(c.probability) AS class_probability,
            any_value(c.sources) AS class_sources, any_value(n.sources) AS sources,
            any_value(n.campaigns) AS campaigns, any_value(n.direct) AS accounts_named
        FROM members m JOIN state s USING (account_id) JOIN classes c USING (cluster) LEFT JOIN (
            SELECT cluster, list(DISTINCT source_name ORDER BY source_name) AS sources,
                list(DISTINCT campaign ORDER BY campaign) AS campaigns, count(DISTINCT account_id) AS direct
            FROM members JOIN direct USING (account_id) GROUP BY 1) n USING (cluster)
        GROUP BY m.cluster ORDER BY m.cluster""")
    _copy(engine, MEMBERSHIPS, "SELECT account_id, cluster, share FROM memberships ORDER BY account_id, cluster")
    keep_members(engine)
    _copy(engine, CLASSES, "SELECT * FROM class_reasons ORDER BY cluster, abs(nats) DESC, class, source_name, what")
    return CLUSTERS, MEMBERSHIPS, CLASSES, MEMBERS


def _copy(engine: Engine, name: str, sql: str) -> None:
    engine.run(f"COPY ({sql}) TO {quoted(str(engine.work / name))} (FORMAT parquet)")
