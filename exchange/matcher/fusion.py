"""Fusion: prior, evidence and limits add up to the log-odds; each limit is a row of its own, so the sum is exact.

Limits, in this order: content beside too little infrastructure (the gate); company, for and against; evidence from
the account itself and objections; and what rests on one source or one signal alone, which stays provisional.
"""

from __future__ import annotations

from exchange.matcher.direct import grid
from exchange.matcher.engine import Engine
from exchange.matcher.values import quoted
from exchange.matcher.weighing import Weights

LIMITS = {
    "gate": "content counts fully only beside infrastructure",
    "company-for": "company can add no more",
    "company-against": "company can take away no more",
    "against": "the account's own record and words that values are benign can take away no more",
    "provisional": "one source or one kind of evidence alone stays provisional",
}


def squeezed_sql(x: str, start: float, end: float) -> str:
    """Log-odds above ``start`` pressed together so that they never reach ``end`` and keep their order."""
    return f"({start} + {end - start} * (1 - exp(-({x} - {start}) / {end - start})))"


def fuse(engine: Engine, weights: Weights) -> None:
    """Make tables ``limits`` and ``state`` (log_odds, score, sources) from direct, company, facts and
    objections."""
    _masks(engine, weights)
    _sums(engine, weights)
    gate, rules, company = weights.gate, weights.against, weights.company
    against = f"CASE WHEN strong_signals >= 2 THEN {rules.limit_two_strong} ELSE {rules.limit} END"
    provisional = weights.provisional
    squeezed = grid(squeezed_sql("subtotal", provisional.from_log_odds, provisional.to_log_odds))
    engine.run(f"""CREATE OR REPLACE TEMP TABLE limited AS
        SELECT *, CASE WHEN (bit_count(sources) < 2 OR bit_count(signals) < 2) AND subtotal >
            {provisional.from_log_odds}
            THEN {squeezed} - subtotal ELSE 0 END AS "provisional"
        FROM (SELECT *, {grid(str(weights.prior))} + infrastructure + content + company_for + company_against
            + account_for + account_against + "gate" + "company-for" + "company-against" + "against" AS
                subtotal
        FROM (SELECT *,
            CASE WHEN infrastructure + company_for < {gate.infrastructure_floor} AND content >
                {gate.content_limit}
                THEN {gate.content_limit} - content ELSE 0 END AS "gate",
            CASE WHEN company_for > {company.limit_for} THEN {company.limit_for} - company_for ELSE 0 END AS
                "company-for",
            CASE WHEN company_against < {company.limit_against}
                THEN {company.limit_against} - company_against ELSE 0 END AS "company-against",
            CASE WHEN account_against < {against} THEN {against} - account_against ELSE 0 END AS "against"
        FROM balance))""")
    names = ", ".join(f'"{name}"' for name in LIMITS)
    engine.run(f"""CREATE OR REPLACE TEMP TABLE limits AS SELECT account_id, name, nats
        FROM (UNPIVOT limited ON {names} INTO NAME name VALUE nats) WHERE nats <> 0""")
    engine.run("""CREATE OR REPLACE TEMP TABLE state AS
        SELECT account_id, subtotal + "provisional" AS log_odds, sources, signals,
            1 / (1 + exp(-(subtotal + "provisional"))) AS score FROM limited""")


def _masks(engine: Engine, weights: Weights) -> None:
    """Per account the sources and signals that count as present, as bits; a company's sources are its suspects'."""
    least = weights.provisional.counts_from
    engine.run(f"""CREATE OR REPLACE TEMP TABLE masks AS
        SELECT account_id, bit_or(source_bits) AS sources, bit_or(signal_bits) AS signals,
            sum(strong)::INTEGER AS strong_signals FROM (
            SELECT account_id, bit_or(bits) AS source_bits, 0 AS signal_bits, 0 AS strong
            FROM (SELECT account_id, s.bits FROM direct d JOIN source_bits s USING (source)
                  GROUP BY account_id, s.bits HAVING sum(nats) >= {least}) GROUP BY account_id
          UNION ALL
            SELECT account_id, bit_or(sources), 0, 0 FROM company WHERE nats >= {least} GROUP BY account_id
          UNION ALL
            SELECT account_id, 0, bits, CASE WHEN infrastructure AND nats >= {weights.against.strong} THEN 1
                ELSE 0 END
            FROM (SELECT account_id, bits, sum(nats) AS nats, bool_or(family = 'infrastructure') AS
                infrastructure
                FROM (SELECT account_id, signal, family, nats FROM direct UNION ALL
                      SELECT account_id, signal, 'infrastructure', nats FROM company WHERE nats > 0)
                JOIN signal_bits USING (signal) GROUP BY account_id, bits HAVING sum(nats) >= {least}))
        GROUP BY account_id""")


def _sums(engine: Engine, weights: Weights) -> None:
    engine.run("""CREATE OR REPLACE TEMP TABLE balance AS
        SELECT t.account_id, COALESCE(infrastructure, 0) AS infrastructure, COALESCE(content, 0) AS content,
            COALESCE(company_for, 0) AS company_for, COALESCE(company_against, 0) AS company_against,
            COALESCE(account_for, 0) AS account_for, COALESCE(account_against, 0) AS account_against,
            COALESCE(m.sources, 0) AS sources, COALESCE(m.signals, 0) AS signals,
            COALESCE(m.strong_signals, 0) AS strong_signals
        FROM touched t LEFT JOIN (SELECT account_id, sum(nats) FILTER (family = 'infrastructure') AS
            infrastructure,
                sum(nats) FILTER (family = 'content') AS content FROM direct GROUP BY account_id) d USING
                    (account_id)
        LEFT JOIN (SELECT account_id, sum(nats) FILTER (nats > 0) AS company_for,
                sum(nats) FILTER (nats < 0) AS company_against FROM company GROUP BY account_id) c USING
                    (account_id)
        LEFT JOIN (SELECT account_id, sum(nats) FILTER (nats > 0) AS account_for,
                sum(nats) FILTER (nats < 0) AS account_against FROM (SELECT account_id, nats FROM facts
                UNION ALL SELECT account_id, nats FROM objections) GROUP BY account_id) f USING
                    (account_id)
        LEFT JOIN masks m USING (account_id)""")


def evidence_sql(weights: Weights) -> str:
    """Prior and limits as evidence rows."""
    empty = ", ".join(f"NULL AS {name}" for name in (
        "local_value", "shared_value", "indicator_id", "source", "source_name", "campaign", "observed",
        "first_seen", "last_seen", "holders", "strength", "confidence", "rarity", "decay", "similarity", "repeated"))
    notes = " ".join(f"WHEN '{name}' THEN {quoted(note)}" for name, note in LIMITS.items())
    return f"""SELECT account_id, 'prior' AS step, 'prior' AS kind, NULL AS signal, NULL AS family, {empty},
            {grid(str(weights.prior))} AS nats, 'before any evidence' AS note FROM touched
        UNION ALL SELECT account_id, 'limit', name, NULL, NULL, {empty}, nats, CASE name {notes} END FROM
            limits"""
