"""Company: what the other holders of an account's values say, for and against, over a few rounds.

For each value that a suspect holds, the share of suspects among its *other* holders, smoothed, against the
prior: nats = strength x rarity x decay x told, where told = ln(share / prior) / -ln(prior's odds) and strength =
-ln(prior's odds) x base / largest base is what a value wholly in the hands of suspects is worth before the scorecard
weighs it. An account never hears itself, and what it says can go round only as often as there are rounds (a fixed
number, each with a scorecard of its own that was fitted on what such a round yields). Of sources only those are passed
on that name infrastructure of a suspect themselves, so that their word goes one step and never round. Only sums per
value are kept, never pairs.
"""

from __future__ import annotations

from exchange.matcher.direct import DAY, grid, rarity_sql
from exchange.matcher.engine import Engine
from exchange.matcher.entities import Entities
from exchange.matcher.platform.questions import ask_holders
from exchange.matcher.weighing import Weights

_COARSE = 2**14  # sums of suspicion times time must stay exact too: 14 bits + 23 of time + 16 of holders
OWN = 1 << 62
"""The bit of the platform's own observation among the bits of independent sources; it isn't passed on."""
_TICK = 84  # seconds; times are counted backwards from the run's moment in these


def _coarse(expression: str) -> str:
    return f"(round(({expression}) * {_COARSE}) / {_COARSE})"


def gather(engine: Engine, there: Entities, weights: Weights, at: int) -> bool:
    """Make table ``shared``: each account's period with each value that suspects and others hold; returns whether there
    is any."""
    engine.run(f"""CREATE OR REPLACE TEMP TABLE voices AS SELECT account_id, heard AS score FROM state
        WHERE heard >= {weights.company.suspect_from}""")
    ask_holders(engine, there)
    largest = max(kind.base for kind in weights.kinds.values() if kind.company)
    engine.run(f"""CREATE OR REPLACE TEMP TABLE active AS
        SELECT a.*, row_number() OVER (ORDER BY a.kind, a.key) AS value_no,
            {rarity_sql('a.holders', 'k.cap')} AS rarity, k.half_life, k.together, k.base,
            k.base / {largest} * {-weights.prior} AS strength, k.signal, k.family,
            dense_rank() OVER (ORDER BY k.signal) AS signal_no
        FROM (SELECT l.kind, l.key, any_value(l.holders) AS holders FROM ground.holdings l SEMI JOIN voices s
            USING (account_id) GROUP BY l.kind, l.key) a JOIN kinds k ON k.kind = a.kind""")
    engine.run(f"""CREATE OR REPLACE TEMP TABLE shared AS
        SELECT l.*, a.value_no, a.rarity, a.base,
            COALESCE(pow(2, -(greatest(0, {at} - l.last_seen) / {DAY}) / a.half_life),
                     {weights.direct.unknown_time}) AS recent
        FROM ground.holdings l JOIN active a ON a.key = l.key AND a.kind = l.kind""")
    return bool(engine.rows("SELECT 1 FROM shared LIMIT 1"))


def one_round(engine: Engine, weights: Weights, at: int) -> None:
    """Make table ``company`` from ``shared``, ``active`` (what is true of a value) and ``state``."""
    prior = weights.prior_probability
    engine.run(f"""CREATE OR REPLACE TEMP TABLE seen AS
        SELECT account_id, value_no, first_seen, last_seen, sources, {_coarse('recent')} AS w,
            {_coarse('recent * suspicion')} AS ws,
            COALESCE(greatest(0, {at} - first_seen) // {_TICK}, 0) AS d1,
            COALESCE(greatest(0, {at} - last_seen) // {_TICK}, 0) AS d2
        FROM (SELECT s.account_id, s.value_no, s.first_seen, s.last_seen, s.recent,
                COALESCE(v.heard, {prior * weights.company.quiet}) AS suspicion,
                CASE WHEN v.heard >= {weights.company.suspect_from} THEN COALESCE(n.bits, 0) ELSE 0 END AS sources
            FROM shared s LEFT JOIN state v ON v.account_id = s.account_id
            LEFT JOIN said n ON n.account_id = s.account_id) s""")
    engine.run("""CREATE OR REPLACE TEMP TABLE sums AS
        SELECT value_no, sum(w) AS w, sum(ws) AS ws, sum(ws * d1) AS wd1, sum(ws * d2) AS wd2,
            bit_or(sources) AS sources, bit_xor(hash(account_id)) AS together_with FROM seen GROUP BY value_no""")
    engine.run("""CREATE OR REPLACE TEMP TABLE single AS
        SELECT value_no, bit_or(1::BIGINT << bit) AS sources FROM (
            SELECT value_no, bit FROM seen, (SELECT unnest(range(62)) AS bit)
            WHERE sources <> 0 AND (sources >> bit) & 1 = 1 GROUP BY ALL HAVING count(*) = 1) GROUP BY value_no""")
    _weigh(engine, weights)


def _weigh(engine: Engine, weights: Weights) -> None:
    """What each holding tells comes first; who hears too little of it to be worth a row is left out of the rest."""
    rules, prior = weights.company, weights.prior_probability
    ticks = DAY / _TICK
    gap = f"pow(2, -(greatest(0, d2 - other_d1, other_d2 - d1) / {ticks}) / together)"
    aged = f"pow(2, -(d2 / {ticks}) / (2 * half_life))"
    engine.run(f"""CREATE OR REPLACE TEMP TABLE weighed AS
        SELECT account_id, value_no, signal_no, together_with, first_seen, last_seen, others_w, others_ws, told,
            decay, strength * rarity * decay * told AS raw, told_by
        FROM (SELECT *, {gap} * {aged} AS decay,
                ln((others_ws + {rules.smoothing * prior}) / (others_w + {rules.smoothing}) / {prior})
                    / {-weights.prior} AS told
            FROM (SELECT s.*, a.signal_no, a.strength, a.rarity, a.together, a.half_life,
                    t.together_with, t.w - s.w AS others_w, t.ws - s.ws AS others_ws,
                    CASE WHEN t.ws > s.ws THEN (t.wd1 - s.ws * d1) / (t.ws - s.ws) ELSE d1 END AS other_d1,
                    CASE WHEN t.ws > s.ws THEN (t.wd2 - s.ws * d2) / (t.ws - s.ws) ELSE d2 END AS other_d2,
                    t.sources & ~(s.sources & COALESCE(u.sources, 0)) AS told_by
                FROM seen s JOIN sums t USING (value_no) JOIN active a USING (value_no)
                LEFT JOIN single u USING (value_no)))
        WHERE abs(raw) > 1e-4""")
    engine.run(f"""CREATE OR REPLACE TEMP TABLE worth AS SELECT account_id FROM direct UNION
        SELECT account_id FROM weighed WHERE raw > 0
        GROUP BY account_id HAVING sum(raw) >= {rules.heard_from} - 1e-3""")
    engine.run(f"""CREATE OR REPLACE TEMP TABLE company AS
        WITH once AS (SELECT *, {repeated_sql(weights, 'signal_no', 'raw', 'value_no')} AS repeated
            FROM weighed SEMI JOIN worth USING (account_id)),
        rows AS (SELECT *, {grid('raw * repeated')} AS nats FROM once WHERE repeated > 0.01),
        heard AS (SELECT account_id FROM direct UNION SELECT account_id FROM rows WHERE nats > 0
            GROUP BY account_id HAVING sum(nats) >= {rules.heard_from})
        SELECT r.account_id, a.kind, a.key, a.signal, a.family, NULL::VARCHAR AS value, r.first_seen, r.last_seen,
            a.holders, a.strength, a.rarity, r.decay, r.told, r.others_w, r.others_ws, r.together_with,
            r.repeated, r.nats,
            CASE WHEN raw > 0 THEN 'company.' || a.signal ELSE 'against.' || a.family END AS feature,
            CASE WHEN raw > 0 THEN r.told_by ELSE 0 END AS sources
        FROM rows r SEMI JOIN heard USING (account_id) JOIN active a USING (value_no)""")
    for table in ("seen", "sums", "single", "weighed", "worth"):
        engine.run(f"DROP TABLE {table}")


def repeated_sql(weights: Weights, signal: str, nats: str, order: str) -> str:
    """What of an account's row counts beside its others: of one signal, and of values that the very same accounts hold,
    each further one less."""
    def among(factor: float, column: str) -> str:
        """How much the rank of a row among those of one account and column takes away (SQL)."""
        return (f"pow({factor}, row_number() OVER (PARTITION BY account_id, {column}, {nats} > 0"
                f" ORDER BY abs({nats}) DESC, {order}) - 1)")

    by_signal = among(weights.direct.second_value, signal)
    if weights.company.same_holders == 1:
        return by_signal
    return f"least({by_signal}, {among(weights.company.same_holders, 'together_with')})"


def empty(engine: Engine, account_type: str) -> None:
    """Make table ``company`` without rows: no round was run."""
    engine.run(f"""CREATE OR REPLACE TEMP TABLE company (account_id {account_type}, kind VARCHAR, key BIGINT,
        signal VARCHAR, family VARCHAR, value VARCHAR, first_seen BIGINT, last_seen BIGINT, holders BIGINT,
        strength DOUBLE, rarity DOUBLE, decay DOUBLE, told DOUBLE, others_w DOUBLE, others_ws DOUBLE,
        together_with UBIGINT, repeated DOUBLE,
        nats DOUBLE, feature VARCHAR, sources BIGINT)""")
