"""Company: what the other holders of an account's values say, for and against, over a few rounds.

For each value that a suspect holds, the share of suspects among its *other* holders, smoothed, against the prior:
nats = strength x rarity x decay x ln(share / prior) / -ln(prior's odds), where strength = -ln(prior's odds) x base /
largest base is what a value wholly in the hands of suspects is worth.

Nothing can amplify itself: evidence flows outwards only. Accounts that direct evidence makes suspects are the first
layer and speak with that evidence alone; those who become suspects by their word in round n are layer n and are heard
by later layers only. Nobody hears an account of its own or a later layer, so what one says never comes back to it.
Accounts without direct evidence count as less suspicious than average. Only sums per value are kept, never pairs.
"""

from __future__ import annotations

from exchange.matcher.direct import DAY, decay_sql, grid, rarity_sql
from exchange.matcher.engine import Engine
from exchange.matcher.weighing import Weights

_COARSE = 2**20  # sums of suspicion times days must stay exact too: 20 bits + 15 of days + 18 of holders


def _coarse(expression: str) -> str:
    return f"(round(({expression}) * {_COARSE}) / {_COARSE})"


def gather(engine: Engine, weights: Weights, at: int) -> None:
    """Make table ``shared``: each account's period with each value that suspects and others hold."""
    engine.run("""CREATE OR REPLACE TEMP TABLE active AS
        SELECT DISTINCT l.kind, l.key FROM links l SEMI JOIN
            voices s USING (account_id) JOIN kinds k ON k.kind = l.kind WHERE k.company""")
    engine.run("""CREATE OR REPLACE TEMP TABLE held AS
        SELECT l.kind, l.key, count(DISTINCT l.account_id) AS holders FROM links l
        JOIN active a ON a.key = l.key AND a.kind = l.kind GROUP BY ALL""")
    engine.run(f"""CREATE OR REPLACE TEMP TABLE shared AS
        SELECT l.account_id, l.kind, l.key, min(l.value) AS value, min(l.first_seen) AS first_seen,
            max(l.last_seen) AS last_seen, any_value(h.holders) AS holders,
            any_value({rarity_sql('h.holders', 'k.cap')}) AS rarity, any_value(k.half_life) AS half_life,
            any_value(k.base) AS base, any_value(k.signal) AS signal,
            COALESCE(pow(2, -(greatest(0, {at} - max(l.last_seen)) / {DAY}) / any_value(k.half_life)),
                     {weights.direct.unknown_time}) AS recent
        FROM links l JOIN held h ON h.key = l.key AND h.kind = l.kind JOIN kinds k ON k.kind = l.kind
        SEMI JOIN accounts a ON a.account_id = l.account_id
        WHERE h.holders > 1 AND h.holders < 3 * k.cap GROUP BY l.account_id, l.kind, l.key""")


def begin(engine: Engine, weights: Weights) -> None:
    """Make table ``voices`` (who is heard, with what suspicion) of those whom direct evidence makes suspects."""
    engine.run("CREATE OR REPLACE TEMP TABLE base AS SELECT account_id, score FROM state")
    engine.run(f"""CREATE OR REPLACE TEMP TABLE voices AS SELECT account_id, score, sources FROM state
        WHERE score >= {weights.company.suspect_from}""")


def promote(engine: Engine, weights: Weights) -> bool:
    """Add those who became suspects in this round; whether there were any."""
    engine.run(f"""CREATE OR REPLACE TEMP TABLE fresh AS SELECT account_id, score, sources FROM state
        WHERE score >= {weights.company.suspect_from} AND account_id NOT IN (SELECT account_id FROM voices)""")
    engine.run("INSERT INTO voices SELECT * FROM fresh")
    return bool(engine.one("SELECT count(*) FROM fresh")[0])


def one_round(engine: Engine, weights: Weights, at: int, *, first: bool) -> None:
    """Bring table ``company`` up to date from ``shared`` and ``voices``: in the first round for everyone, later for
    those who aren't heard yet."""
    prior = weights.prior_probability
    engine.run(f"""CREATE OR REPLACE TEMP TABLE seen AS
        SELECT s.*, {_coarse('s.recent')} AS w, {_coarse('s.recent * suspicion')} AS ws,
            COALESCE(s.first_seen // {DAY}, {at // DAY}) AS d1, COALESCE(s.last_seen // {DAY}, {at // DAY})
                AS d2
        FROM (SELECT s.*, COALESCE(v.score, b.score, {prior * weights.company.quiet}) AS suspicion,
                COALESCE(v.sources, 0) AS sources, v.account_id IS NOT NULL AS heard
            FROM shared s LEFT JOIN voices v ON v.account_id = s.account_id
            LEFT JOIN base b ON b.account_id = s.account_id) s""")
    engine.run("""CREATE OR REPLACE TEMP TABLE sums AS
        SELECT kind, key, sum(w) AS w, sum(ws) AS ws, sum(ws * d1) AS wd1, sum(ws * d2) AS wd2,
            bit_or(sources) AS sources FROM seen GROUP BY kind, key""")
    engine.run("""CREATE OR REPLACE TEMP TABLE single AS
        SELECT kind, key, bit_or(1::BIGINT << bit) AS sources FROM (
            SELECT kind, key, bit FROM seen, (SELECT unnest(range(62)) AS bit)
            WHERE sources <> 0 AND (sources >> bit) & 1 = 1 GROUP BY ALL HAVING count(*) = 1) GROUP BY kind,
                key""")
    _weigh(engine, weights, at, "true" if first else "NOT heard")


def _weigh(engine: Engine, weights: Weights, at: int, listening: str) -> None:
    rules, prior = weights.company, weights.prior_probability
    largest = max(kind.base for kind in weights.kinds.values() if kind.company)
    gap = "greatest(0, d1 - other_d2, other_d1 - d2)"
    age = f"greatest(0, {at // DAY} - d2)"
    engine.run(f"""CREATE OR REPLACE TEMP TABLE weighed AS
        SELECT *, {decay_sql(gap, age, 'half_life')} AS decay, base / {largest} * {-weights.prior} AS
            strength,
            ln((others_ws + {rules.smoothing * prior}) / (others_w + {rules.smoothing}) / {prior})
            / {-weights.prior} AS told
        FROM (SELECT s.*, t.w - s.w AS others_w, t.ws - s.ws AS others_ws,
                CASE WHEN t.ws > s.ws THEN (t.wd1 - s.ws * d1) / (t.ws - s.ws) ELSE d1 END AS other_d1,
                CASE WHEN t.ws > s.ws THEN (t.wd2 - s.ws * d2) / (t.ws - s.ws) ELSE d2 END AS other_d2,
                t.sources & ~(s.sources & COALESCE(u.sources, 0)) AS told_by
            FROM seen s JOIN sums t USING (kind, key) LEFT JOIN single u USING (kind, key) WHERE
                {listening})""")
    engine.run("DELETE FROM company WHERE account_id NOT IN (SELECT account_id FROM voices)")
    engine.run(f"""INSERT INTO company
        SELECT account_id, kind, key, signal, value, first_seen, last_seen, holders, strength, rarity, decay,
            told,
            others_w, others_ws, repeated, {grid('raw * repeated')} AS nats,
            CASE WHEN raw > 0 THEN told_by ELSE 0 END AS sources
        FROM (SELECT *, pow({weights.direct.second_value}, row_number() OVER (
                PARTITION BY account_id, signal, raw > 0 ORDER BY abs(raw) DESC, kind, key) - 1) AS repeated
            FROM (SELECT *, strength * rarity * decay * told AS raw FROM weighed) WHERE abs(raw) > 1e-6)
        QUALIFY account_id IN (SELECT account_id FROM direct) OR max(nats) OVER (PARTITION BY account_id) >=
            0.1""")


def empty(engine: Engine, account_type: str) -> None:
    """Make table ``company`` without rows: no round was run."""
    engine.run(f"""CREATE OR REPLACE TEMP TABLE company (account_id {account_type}, kind VARCHAR, key BIGINT,
        signal VARCHAR, value VARCHAR, first_seen BIGINT, last_seen BIGINT, holders BIGINT, strength DOUBLE,
        rarity DOUBLE, decay DOUBLE, told DOUBLE, others_w DOUBLE, others_ws DOUBLE, repeated DOUBLE, nats
            DOUBLE, sources BIGINT)""")


EVIDENCE_SQL = """SELECT account_id, 'company' AS step, kind, signal, 'infrastructure' AS family, value AS
        local_value,
    value AS shared_value, NULL AS indicator_id, NULL AS source, NULL AS source_name, NULL AS campaign, NULL
        AS observed, first_seen,
    last_seen, holders, strength, NULL AS confidence, rarity, decay, told AS similarity, repeated, nats,
    format('{:d} other accounts hold it; suspicion of {:.2f} among {:.2f} recent ones', holders - 1,
        others_ws, others_w)
    AS note FROM company"""
"""Rows of ``company`` as evidence."""
