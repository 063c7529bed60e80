"""Takeovers: members of a cluster that are a real person's accounts in somebody else's hands (contain, give back).

The sign is that the person is still there: things of one's own (machine, number, mail, card, cookie) that the account
held well before its evidence begins, most of them still in use after. An account bought with a past has no such things
left, a new one never had any. Evidence begins when half of its nats of infrastructure have: a single old address that a
crowd shares says nothing of when the account changed hands.
"""

from __future__ import annotations

from exchange.matcher.direct import DAY
from exchange.matcher.engine import Engine
from exchange.matcher.values import quoted

OWN = ("device", "phone", "email", "cookie", "payment", "upload_fp")
BEFORE, AFTER = 30, 3
"""Days before the evidence begins at which a thing must have been there, and after it at which it must still be."""
_KINDS, _KEPT = 2, 0.5


def find_takeovers(engine: Engine, *, links: bool) -> None:
    """Make table ``taken``: account_id of the accounts in table ``members`` that look taken over.

    Reads direct, company, accounts and, with ``links``, what accounts hold.
    """
    if not links:
        engine.run("CREATE OR REPLACE TEMP TABLE taken AS SELECT account_id FROM members WHERE false")
        return
    own = ", ".join(quoted(kind) for kind in OWN)
    engine.run("""CREATE OR REPLACE TEMP TABLE against_it AS
        SELECT account_id, kind, value, min(first_seen) AS first_seen, sum(nats) AS nats FROM (
            SELECT account_id, kind, local_value AS value, first_seen, nats, family FROM direct UNION ALL
            SELECT account_id, kind, value, first_seen, nats, family FROM company)
        SEMI JOIN members USING (account_id) WHERE nats > 0 AND family = 'infrastructure' GROUP BY ALL""")
    engine.run("""CREATE OR REPLACE TEMP TABLE begun AS
        SELECT account_id, min(first_seen) FILTER (so_far >= whole / 2) AS since FROM (
            SELECT account_id, first_seen, sum(nats) OVER (PARTITION BY account_id ORDER BY first_seen) AS so_far,
                sum(nats) OVER (PARTITION BY account_id) AS whole FROM against_it WHERE first_seen IS NOT NULL)
        GROUP BY account_id""")
    engine.run(f"""CREATE OR REPLACE TEMP TABLE taken AS
        SELECT account_id FROM (SELECT l.account_id, l.kind, l.last_seen > e.since + {AFTER * DAY} AS still
            FROM links l JOIN begun e ON e.account_id = l.account_id
            ANTI JOIN against_it a ON a.account_id = l.account_id AND a.kind = l.kind AND a.value = l.value
            WHERE l.kind IN ({own}) AND l.first_seen < e.since - {BEFORE * DAY})
        GROUP BY account_id
        HAVING count(DISTINCT kind) FILTER (still) >= {_KINDS} AND avg(still::INTEGER) >= {_KEPT}""")
