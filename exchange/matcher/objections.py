"""Objections: another source's word that a value which met a local row is benign, as evidence against.

One word alone takes nothing out of the search; it weighs. For each value that an account holds and that somebody
calls benign: nats = -min(-said_benign, said_benign_share x the nats of the meetings with it), once however many say so.
So a word never takes more than a share of what it speaks of, and the limits of negative evidence hold for the sum.
"""

from __future__ import annotations

from exchange.matcher.direct import grid
from exchange.matcher.engine import Engine
from exchange.matcher.indicators import Indicator
from exchange.matcher.weighing import Weights


def load_objections(engine: Engine, indicators: list[Indicator]) -> None:
    """Make table ``objecting``: which value of which indicator is called benign, where and by whom."""
    engine.run("""CREATE TEMP TABLE objecting (indicator_id VARCHAR, shared VARCHAR, statement VARCHAR,
        source VARCHAR, source_name VARCHAR, tlp VARCHAR)""")
    engine.load("objecting", (
        {"indicator_id": i.id, "shared": o.shared, "statement": o.statement, "source": o.source,
         "source_name": o.source_name, "tlp": o.tlp} for i in indicators for o in i.objections))


def weigh_objections(engine: Engine, weights: Weights) -> None:
    """Make table ``objections`` from ``direct`` and ``objecting``: one row per account and value."""
    rules = weights.against
    engine.run(f"""CREATE OR REPLACE TEMP TABLE objections AS
        SELECT m.account_id, m.kind, m.signal, m.family, m.local_value, w.shared_value, w.statement, w.source,
            w.names, {rules.said_benign} AS strength,
            {grid(f'-least({-rules.said_benign}, {rules.said_benign_share} * m.nats)')} AS nats
        FROM (SELECT account_id, kind, signal, family, local_value, sum(nats) AS nats FROM direct d
              SEMI JOIN objecting o ON o.indicator_id = d.indicator_id AND o.shared = d.shared_value GROUP BY ALL) m
        JOIN (SELECT account_id, kind, local_value, min(shared_value) AS shared_value, min(statement) AS statement,
                min(o.source) AS source, string_agg(DISTINCT o.source_name, ', ' ORDER BY o.source_name) AS names
              FROM direct d JOIN objecting o ON o.indicator_id = d.indicator_id AND o.shared = d.shared_value
              GROUP BY ALL) w USING (account_id, kind, local_value)
        WHERE m.nats > 0""")
