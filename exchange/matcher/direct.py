"""Direct evidence: what a meeting of a local row with a shared value is worth, in nats.

nats = base x confidence x rarity x decay x similarity x record x the factors of a second source and of a second value,
where record is what the source's record and disputes of the indicator leave of its word (``contributors``),
rarity = max(0, 1 - ln holders / ln 3 cap) and decay = 2^-(gap / half-life) x 2^-(age / 2 half-lives); gap is the
distance in days between the indicator's observation and the local [first_seen, last_seen], age the days since the
later of the two. Every figure is rounded to a grid of 2^-32, so that sums are exact in any order: the same input
gives the same score to the last bit, however the engine splits its work.
"""

from __future__ import annotations

from exchange.matcher.engine import Engine
from exchange.matcher.weighing import Weights

DAY = 86_400
_GRID = 2**32
STRANGERS = ("network", "email_domain", "signup")
"""Signals of infrastructure that strangers have in common too: no source is handed on through them."""

def grid(expression: str) -> str:
    """A figure rounded to the grid on which sums are exact."""
    return f"(round(({expression}) * {_GRID}) / {_GRID})"


def rarity_sql(holders: str, cap: str) -> str:
    """1 for one holder, falling with the logarithm of their number, 0 from three caps on."""
    return f"greatest(0, 1 - ln({holders}) / ln(3 * {cap}))"


def decay_sql(gap_days: str, age_days: str, half_life: str) -> str:
    """Halved for each half-life of distance, and for every two half-lives of age."""
    return f"pow(2, -({gap_days}) / {half_life}) * pow(2, -({age_days}) / (2 * {half_life}))"


def gap_days_sql(first: str, last: str, moment: str) -> str:
    """Days between a moment and a period; 0 inside of it."""
    return f"greatest(0, {first} - {moment}, {moment} - {last}) / {DAY}"


def weigh_hits(engine: Engine, weights: Weights, at: int) -> int:
    """Make table ``direct`` from ``hits``; returns how many repetitions by one source were left out."""
    factors = weights.direct
    decay = decay_sql(gap_days_sql("first_seen", "last_seen", "observed"),
                      f"greatest(0, {at} - greatest(observed, last_seen)) / {DAY}",
                      "(k.half_life * COALESCE(c.half_life, 1))")
    passed_on = f"CASE WHEN handover > 0 THEN pow(2, -greatest(0, first_seen - observed) / {DAY} / handover) ELSE 1 END"
    engine.run(f"""CREATE OR REPLACE TEMP TABLE scored AS
        SELECT *, strength * confidence * rarity * decay * similarity * record AS raw FROM (
            SELECT h.account_id, h.kind, k.signal, k.family, h.local, h.shared, h.similarity, h.holders,
                h.first_seen, h.last_seen, i.indicator_id, i.source, i.source_name, i.campaign, i.observed,
                    i.confidence, i.record, i.witness, i.record_why,
                k.base * COALESCE(c.strength, 1) AS strength, {rarity_sql('h.holders', 'k.cap')} AS rarity,
                CASE WHEN first_seen IS NULL OR last_seen IS NULL THEN {factors.unknown_time} ELSE {decay} * {passed_on}
                    END AS decay
            FROM hits h JOIN kinds k ON k.kind = h.kind JOIN indicators i ON i.ix = h.ix
            LEFT JOIN class_kinds c ON c.campaign_class = i.campaign_class AND c.kind = h.kind
            SEMI JOIN accounts a ON a.account_id = h.account_id)""")
    engine.run("""CREATE OR REPLACE TEMP TABLE once AS SELECT * FROM scored QUALIFY row_number() OVER (
            PARTITION BY account_id, signal, local, source ORDER BY raw DESC, kind, indicator_id, shared) = 1""")
    engine.run(f"""CREATE OR REPLACE TEMP TABLE direct AS
        SELECT account_id, 'direct' AS step, kind, signal, family, local AS local_value, shared AS
            shared_value,
            indicator_id, source, source_name, campaign, observed, first_seen, last_seen, holders, strength,
                confidence, rarity,
            decay, similarity, repeated, {grid('raw * repeated')} AS nats, record_why AS note, record, witness
        FROM (SELECT *, pow({factors.second_source}, by_source - 1) * pow({factors.second_value}, by_value -
            1) AS repeated
            FROM (SELECT *, dense_rank() OVER (PARTITION BY account_id, signal ORDER BY best DESC, local) AS
                by_value
                FROM (SELECT *, max(raw) OVER (PARTITION BY account_id, signal, local) AS best,
                    row_number() OVER (PARTITION BY account_id, signal, local
                                       ORDER BY raw DESC, source) AS by_source FROM once)))""")
    left_out: int = engine.one("SELECT (SELECT count(*) FROM scored) - (SELECT count(*) FROM once)")[0]
    return left_out
