"""Evidence from the account itself: age, verification, paid history, disclosure, audience, strikes."""

from __future__ import annotations

from exchange.matcher.direct import grid
from exchange.matcher.engine import Engine
from exchange.matcher.values import quoted
from exchange.matcher.weighing import AccountFact, Weights


def fact_sql(fact: AccountFact) -> tuple[str, str]:
    """The predicate of a fact over a row of accounts, and its nats."""
    if fact.operator == "each":
        return f"{fact.column} > 0", f"{fact.nats} * least({fact.column}, {fact.number})"
    return f"{fact.column} {fact.operator} {fact.number}", f"{fact.nats}"


def weigh_accounts(engine: Engine, weights: Weights) -> None:
    """Make table ``facts``: one row per fact that holds of an account with direct or company evidence."""
    parts = []
    for fact in weights.account:
        holds, nats = fact_sql(fact)
        parts.append(f"""SELECT account_id, {quoted(fact.name)} AS name, {quoted(fact.column)} AS column_name,
            CAST({fact.column} AS VARCHAR) AS value, {fact.nats} AS strength, {grid(nats)} AS nats
            FROM touched JOIN accounts USING (account_id) WHERE {holds}""")
    engine.run("""CREATE OR REPLACE TEMP TABLE touched AS
        SELECT account_id FROM direct UNION SELECT account_id FROM company""")
    engine.run("CREATE OR REPLACE TEMP TABLE facts AS " + " UNION ALL ".join(parts))


EVIDENCE_SQL = """SELECT account_id, 'account' AS step, column_name AS kind, column_name AS signal, 'account'
        AS family,
    value AS local_value, NULL AS shared_value, NULL AS indicator_id, NULL AS source, NULL AS source_name,
        NULL AS campaign,
    NULL AS observed, NULL AS first_seen, NULL AS last_seen, NULL AS holders, strength, NULL AS confidence,
    NULL AS rarity, NULL AS decay, NULL AS similarity, NULL AS repeated, nats, name AS note FROM facts"""
"""Rows of ``facts`` as evidence."""
