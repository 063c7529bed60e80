"""Drift between two runs: what differs in the weights, who was newly flagged or cleared, and which evidence did it.

For each account whose standing changed the differences of its contributions are told; they add up to the difference of
its log-odds. Beside it: what each signal adds up to over flagged accounts, and how the population's features moved
(population stability index over tenths of the old run).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from exchange.matcher.change.kept import Kept, read_kept_features
from exchange.matcher.features import Floats
from exchange.matcher.run import ACCOUNTS, EVIDENCE
from exchange.matcher.values import quoted

LISTED, PARTS = 50, 6
"""Accounts that are listed on each side, and differences told of each."""
_SHIFTED = 0.1
"""Stability index from which a feature is said to have moved."""
_TENTHS = 10


def drift(old: Kept, new: Kept) -> dict[str, Any]:
    """The whole comparison as plain JSON values. Raises InputError where files are missing."""
    import duckdb  # noqa: PLC0415 - slow to load

    with duckdb.connect(":memory:") as connection:
        for side, kept in (("old", old), ("new", new)):
            for name, file in (("accounts", ACCOUNTS), ("evidence", EVIDENCE)):
                connection.execute(f"CREATE VIEW {name}_{side} AS SELECT * FROM"
                                   f" read_parquet({quoted(str(kept.out / file))})")
        connection.execute(_BOTH)
        totals = dict(zip(("accounts", "flagged_before", "flagged_after", "newly_flagged", "cleared", "moved"),
                          connection.execute(_TOTALS).fetchall()[0], strict=True))
        return {
            "old": _side(old), "new": _side(new),
            "same_feed": old.run["feed"] == new.run["feed"], "same_tables": old.run["tables"] == new.run["tables"],
            "same_program": old.run["program"] == new.run["program"],
            "weights_changed": _differences(old.weights.table, new.weights.table),
            "totals": totals,
            "newly_flagged": _listed(connection, "NOT was AND now", "delta DESC"),
            "cleared": _listed(connection, "was AND NOT now", "delta"),
            "only_in_one": connection.execute(_MISSING).fetchall()[0][0],
            "actions": [dict(zip(("before", "after", "accounts"), row, strict=True))
                        for row in connection.execute(_ACTIONS).fetchall()],
            "signals": [dict(zip(("step", "signal", "before", "after"), row, strict=True))
                        for row in connection.execute(_SIGNALS).fetchall()],
            "population": _population(old, new),
        }


def _side(kept: Kept) -> dict[str, Any]:
    return {"run": kept.name, "weights": kept.weights.version, "weights_digest": kept.digest, "at": kept.run["at"]}


def _differences(old: Any, new: Any, place: str = "") -> list[dict[str, Any]]:
    """Places in two tables where they differ; a list of numbers is one place."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        if place.startswith("learned.known"):
            return [{"place": place, "before": len(old), "after": len(new)}] if old != new else []
        return [row for name in dict.fromkeys((*old, *new))
                for row in _differences(old.get(name), new.get(name), f"{place}.{name}" if place else name)]
    if isinstance(old, list) and isinstance(new, list) and any(isinstance(x, Mapping) for x in (*old, *new)):
        return [row for n in range(max(len(old), len(new))) for row in _differences(
            old[n] if n < len(old) else None, new[n] if n < len(new) else None, f"{place}.{n + 1}")]
    return [] if old == new else [{"place": place, "before": _brief(old), "after": _brief(new)}]


def _brief(value: Any) -> Any:
    return f"{len(value)} entries" if isinstance(value, Mapping) else value


def _listed(connection: Any, where: str, order: str) -> list[dict[str, Any]]:
    rows = connection.execute(f"""SELECT account_id, score_old, score_new, delta FROM both_sides WHERE {where}
        ORDER BY {order}, account_id LIMIT {LISTED}""").fetchall()
    if not rows:
        return []
    connection.execute(f"""CREATE OR REPLACE TEMP TABLE parts AS SELECT account_id, step, what,
            sum(CASE WHEN side = 'old' THEN nats ELSE 0 END) AS before,
            sum(CASE WHEN side = 'new' THEN nats ELSE 0 END) AS after
        FROM (SELECT 'old' AS side, account_id, step, {_WHAT} AS what, nats FROM evidence_old
            UNION ALL SELECT 'new', account_id, step, {_WHAT}, nats FROM evidence_new)
        SEMI JOIN (SELECT account_id FROM both_sides WHERE {where} ORDER BY {order}, account_id LIMIT {LISTED})
        USING (account_id) GROUP BY ALL""")
    parts: dict[Any, list[dict[str, Any]]] = {}
    for account, step, what, before, after in connection.execute(
            "SELECT * FROM parts WHERE before <> after ORDER BY abs(after - before) DESC, step, what").fetchall():
        parts.setdefault(account, []).append({"step": step, "what": what, "before": before, "after": after})
    return [{"account": str(account), "score_before": before, "score_after": after, "log_odds_change": delta,
             "why": parts.get(account, [])[:PARTS],
             "rest": delta - sum(row["after"] - row["before"] for row in parts.get(account, [])[:PARTS])}
            for account, before, after, delta in rows]


def _population(old: Kept, new: Kept) -> list[dict[str, Any]]:
    """Features whose spread over accounts with evidence moved, most first."""
    before, after = (read_kept_features(kept.out).columns for kept in (old, new))
    found = [{"feature": name, "stability_index": round(index, 4), "median_before": _median(before[name]),
              "median_after": _median(after[name])}
             for name in before if name in after and (index := _stability(before[name], after[name])) >= _SHIFTED]
    return sorted(found, key=lambda row: (-row["stability_index"], row["feature"]))


def _median(x: Floats) -> float | None:
    there = x[~np.isnan(x)]
    return round(float(np.median(there)), 4) if len(there) else None


def _stability(before: Floats, after: Floats) -> float:
    before, after = before[~np.isnan(before)], after[~np.isnan(after)]
    if not len(before) or not len(after):
        return 0.0
    edges = np.unique(np.quantile(before, np.linspace(0, 1, _TENTHS + 1)[1:-1]))
    one, other = ((np.bincount(np.searchsorted(edges, x, side="right"), minlength=len(edges) + 1) + 0.5)
                  / (len(x) + 0.5 * (len(edges) + 1)) for x in (before, after))
    return float(((other - one) * np.log(other / one)).sum())


def as_text(found: Mapping[str, Any]) -> str:
    """The comparison for people."""
    old, new, totals = found["old"], found["new"], found["totals"]
    lines = [f"From weights {old['weights']} (run {old['run']}) to {new['weights']} (run {new['run']}):"
             f" {totals['flagged_before']:,} accounts flagged before, {totals['flagged_after']:,} after;"
             f" {totals['newly_flagged']:,} newly flagged, {totals['cleared']:,} cleared, {totals['moved']:,} with"
             " another score."]
    if unlike := [what for what in ("feed", "tables", "program") if not found[f"same_{what}"]]:
        lines.append(f"Not the same either: {', '.join(unlike)}; so what differs isn't the weights' doing alone.")
    changed = found["weights_changed"]
    lines.append(f"Weights: {len(changed)} places differ{': ' if changed else '.'}"
                 + "; ".join(row["place"] for row in changed[:8]) + (" …" if len(changed) > 8 else ""))
    for title, key in (("Newly flagged", "newly_flagged"), ("Cleared", "cleared")):
        for row in found[key][:10]:
            why = ", ".join(f"{part['step']} {part['what']} {part['after'] - part['before']:+.2f}"
                            for part in row["why"][:4])
            lines.append(f"{title} {row['account']}: {row['score_before']:.3f} -> {row['score_after']:.3f}"
                         f" ({row['log_odds_change']:+.2f}: {why or 'no contribution'})")
    moved = sorted(found["signals"], key=lambda row: -abs(row["after"] - row["before"]))[:8]
    lines += [f"Signal {row['step']} {row['signal']}: {row['before']:.1f} nats over flagged accounts before,"
              f" {row['after']:.1f} after" for row in moved if row["before"] != row["after"]]
    lines += [f"Population: {row['feature']} moved (stability index {row['stability_index']:.2f})"
              for row in found["population"][:8]]
    lines += [f"Action {row['before']} -> {row['after']}: {row['accounts']:,} accounts" for row in found["actions"]]
    return "\n".join(lines)


_WHAT = "CASE WHEN step IN ('direct', 'company', 'objection') THEN signal ELSE kind END"
_BOTH = """CREATE TEMP TABLE both_sides AS SELECT o.account_id, o.score AS score_old, n.score AS score_new,
    o.score >= o.likely_from AS was, n.score >= n.likely_from AS now, n.log_odds - o.log_odds AS delta,
    o.action AS action_old, n.action AS action_new
    FROM accounts_old o JOIN accounts_new n USING (account_id)
    WHERE o.has_evidence OR n.has_evidence OR o.action <> n.action"""
_TOTALS = """SELECT (SELECT count(*) FROM accounts_new), count(*) FILTER (was), count(*) FILTER (now),
    count(*) FILTER (now AND NOT was), count(*) FILTER (was AND NOT now), count(*) FILTER (delta <> 0)
    FROM both_sides"""
_MISSING = """SELECT count(*) FROM accounts_old o FULL JOIN accounts_new n USING (account_id)
    WHERE o.account_id IS NULL OR n.account_id IS NULL"""
_ACTIONS = """SELECT action_old, action_new, count(*) FROM both_sides WHERE action_old <> action_new GROUP BY ALL
    ORDER BY 3 DESC, 1, 2"""
_SIGNALS = f"""SELECT step, what, sum(CASE WHEN side = 'old' THEN nats ELSE 0 END) AS before,
        sum(CASE WHEN side = 'new' THEN nats ELSE 0 END) AS after
    FROM (SELECT 'old' AS side, account_id, step, {_WHAT} AS what, nats FROM evidence_old
            SEMI JOIN (SELECT account_id FROM both_sides WHERE was) USING (account_id)
        UNION ALL SELECT 'new', account_id, step, {_WHAT}, nats FROM evidence_new
            SEMI JOIN (SELECT account_id FROM both_sides WHERE now) USING (account_id))
    GROUP BY ALL HAVING before <> 0 OR after <> 0 ORDER BY step, what"""
