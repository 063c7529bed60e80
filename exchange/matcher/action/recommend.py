"""Recommendations for a whole platform: the pack's rows as one SQL expression over a table of facts.

The same terms that ``decide`` reads for one account; facts and decision are kept together (actions.parquet), so that
a past decision can be taken again from its own row.
"""

from __future__ import annotations

from exchange.matcher.action.facts import NAMES
from exchange.matcher.action.pack import ActionPack
from exchange.matcher.action.terms import holds_sql, terms
from exchange.matcher.company import OWN
from exchange.matcher.direct import DAY
from exchange.matcher.engine import Engine
from exchange.matcher.values import quoted

_OTHERS = OWN - 1
"""The bits of sources without that of the platform's own observation."""


def recommend(engine: Engine, pack: ActionPack, at: int, *, acts: bool) -> None:
    """Make table ``actions``: account_id, action, decided_by, human, hours and the facts, of all accounts for which any
    row but the last could hold, and of all members of clusters.

    Reads state, evidence, accounts, ``told`` (account_id, cluster, role, class, compromised), and with ``acts`` what
    accounts did.
    """
    gather_facts(engine, pack, at, acts=acts)
    decide_all(engine, pack)


def gather_facts(engine: Engine, pack: ActionPack, at: int, *, acts: bool) -> None:
    """Make table ``facts``: account_id and a column for each of ``Facts``."""
    least = min(min(levels.values()) for levels in pack.confidence.values())
    engine.run(f"""CREATE OR REPLACE TEMP TABLE asked AS
        SELECT account_id, score, bit_count(firm)::INTEGER AS sources, bit_count(signals)::INTEGER AS kinds,
            COALESCE(firm & {OWN} <> 0, false) AS seen
        FROM state WHERE score >= {least!r} OR account_id IN (SELECT account_id FROM told WHERE cluster IS NOT NULL)""")
    engine.run(f"""CREATE OR REPLACE TEMP TABLE pace AS
        SELECT account_id, least(4, greatest(0.5, (recent + 1) / 7.0 / ((before + 4) / 28.0))) AS growth FROM (
            SELECT account_id, count(*) FILTER (ts > {at - 7 * DAY}) AS recent,
                count(*) FILTER (ts <= {at - 7 * DAY}) AS before
            FROM {'acts' if acts else '(SELECT NULL AS account_id, 0 AS ts WHERE false)'}
            SEMI JOIN asked USING (account_id) WHERE ts > {at - 35 * DAY} AND ts <= {at} GROUP BY account_id)""")
    engine.run("""CREATE OR REPLACE TEMP TABLE enlisted AS
        SELECT account_id, count(*) OVER (PARTITION BY t.cluster ORDER BY a.created
            RANGE BETWEEN 3600 PRECEDING AND 3600 FOLLOWING) - 1 AS made_with
        FROM told t JOIN state s USING (account_id) JOIN accounts a USING (account_id)
        WHERE t.cluster IS NOT NULL AND a.created IS NOT NULL AND s.score >= t.likely_from""")
    engine.run(f"""CREATE OR REPLACE TEMP TABLE growing AS
        SELECT cluster, least(8, greatest(0.25,
            (count(*) FILTER (week = 0) + 1) / (count(*) FILTER (week > 0) / 4.0 + 1))) AS spread
        FROM (SELECT DISTINCT t.cluster, account_id, ({at} - ts) // {7 * DAY} AS week FROM told t
            JOIN {'acts' if acts else '(SELECT NULL AS account_id, 0 AS ts WHERE false)'} USING (account_id)
            WHERE t.cluster IS NOT NULL AND ts > {at - 35 * DAY} AND ts <= {at}) GROUP BY 1""")
    engine.run("""CREATE OR REPLACE TEMP TABLE disputes AS
        SELECT d.account_id, sum(d.nats) FILTER (o.kind IS NOT NULL) / sum(d.nats) AS disputed
        FROM evidence d SEMI JOIN asked USING (account_id) LEFT JOIN (
            SELECT DISTINCT account_id, kind, local_value FROM evidence WHERE step = 'objection') o
            ON o.account_id = d.account_id AND o.kind = d.kind AND o.local_value = d.local_value
        WHERE d.step = 'direct' AND d.nats > 0 GROUP BY d.account_id""")
    engine.run("""CREATE OR REPLACE TEMP TABLE onset AS
        SELECT account_id, min(first_seen) FILTER (begun >= whole / 2) AS since FROM (
            SELECT account_id, first_seen, sum(nats) OVER (PARTITION BY account_id ORDER BY first_seen) AS begun,
                sum(nats) OVER (PARTITION BY account_id) AS whole
            FROM evidence SEMI JOIN asked USING (account_id)
            WHERE step IN ('direct', 'company') AND nats > 0 AND first_seen IS NOT NULL) GROUP BY account_id""")
    engine.run(f"""CREATE OR REPLACE TEMP TABLE facts AS
        SELECT s.account_id, s.score, s.sources, s.kinds, COALESCE(c.size, 1)::INTEGER AS cluster,
            COALESCE(c.sources, 0)::INTEGER AS cluster_sources,
            COALESCE(a.reach_90d, 0)::DOUBLE AS reach, COALESCE(p.growth, 1)::DOUBLE AS growth,
            COALESCE(d.disputed, 0)::DOUBLE AS disputed,
            greatest(0, o.since - a.created) / {DAY}.0::DOUBLE AS prior_days, t.role, t.class AS campaign_class,
            COALESCE(t.class_sources, 0)::INTEGER AS class_sources, COALESCE(g.spread, 1)::DOUBLE AS spread,
            COALESCE(m.made_with, 0)::INTEGER AS made_with, COALESCE(c.theft, 0)::DOUBLE AS theft,
            COALESCE(t.compromised, false) AS compromised, COALESCE(t.role = 'co-opted', false) AS co_opted,
            COALESCE(a.disclosed > 0, false) AS disclosed,
            COALESCE(a.verified > 0, false) OR COALESCE(a.assurance >= 2, false)
                OR COALESCE(a.payment_months >= 12, false) AS clean, s.seen, t.cluster AS cluster_name
        FROM asked s JOIN accounts a USING (account_id) LEFT JOIN told t USING (account_id)
        LEFT JOIN (SELECT cluster, count(*) AS size, bit_count(bit_or(firm) FILTER (score >= likely_from)
                & {_OTHERS}) AS sources, avg(compromised::INTEGER) FILTER (score >= likely_from) AS theft
            FROM told JOIN state USING (account_id) WHERE cluster IS NOT NULL GROUP BY 1) c
            ON c.cluster = t.cluster
        LEFT JOIN enlisted m USING (account_id) LEFT JOIN growing g ON g.cluster = t.cluster
        LEFT JOIN pace p USING (account_id) LEFT JOIN disputes d USING (account_id)
        LEFT JOIN onset o USING (account_id)""")


def decide_all(engine: Engine, pack: ActionPack) -> None:
    """Make table ``actions`` from ``facts``."""
    cases = " ".join(
        f"WHEN {' AND '.join(holds_sql(term, pack) for term in terms(row, pack)) or 'true'} THEN {number}"
        for number, row in enumerate(pack.rows))
    engine.run("""CREATE OR REPLACE TEMP TABLE pack_rows (number INTEGER, decided_by VARCHAR, action VARCHAR,
        human BOOLEAN, hours INTEGER)""")
    engine.load("pack_rows", ({"number": number, "decided_by": row.id, "action": row.action, "human": row.human,
                               "hours": row.hours} for number, row in enumerate(pack.rows)))
    facts = ", ".join(f"f.{name}" for name in NAMES)
    engine.run(f"""CREATE OR REPLACE TEMP TABLE actions AS
        SELECT f.account_id, r.action, r.decided_by, r.human, r.hours, f.cluster_name, {facts},
            {quoted(pack.digest)} AS pack
        FROM (SELECT *, CASE {cases} END AS number FROM facts) f JOIN pack_rows r USING (number)""")
