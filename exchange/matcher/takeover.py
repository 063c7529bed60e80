"""Takeovers: members of a cluster that are a real person's accounts in somebody else's hands (contain, give back).

The sign is that the person is still there: things of one's own (machine, number, mail, card, cookie) that the account
held well before its evidence begins and still uses after. An account bought with a past has no such things left, a new
one never had any.
"""

from __future__ import annotations

from exchange.matcher.direct import DAY
from exchange.matcher.engine import Engine
from exchange.matcher.values import quoted

OWN = ("device", "phone", "email", "cookie", "payment", "upload_fp")
BEFORE, AFTER = 45, 3
"""Days before the evidence begins at which a thing must have been there, and after it at which it must still be."""
_KINDS = 2


def find_takeovers(engine: Engine, *, links: bool) -> None:
    """Make table ``taken``: account_id of the accounts in table ``members`` that look taken over.

    Reads direct, company, accounts and, with ``links``, what accounts hold.
    """
    if not links:
        engine.run("CREATE OR REPLACE TEMP TABLE taken AS SELECT account_id FROM members WHERE false")
        return
    own = ", ".join(quoted(kind) for kind in OWN)
    engine.run("""CREATE OR REPLACE TEMP TABLE against_it AS
        SELECT account_id, kind, value, first_seen FROM (
            SELECT account_id, kind, local_value AS value, first_seen, nats, family FROM direct UNION ALL
            SELECT account_id, kind, value, first_seen, nats, family FROM company)
        SEMI JOIN members USING (account_id) WHERE nats > 0 AND family = 'infrastructure'""")
    engine.run(f"""CREATE OR REPLACE TEMP TABLE taken AS
        SELECT l.account_id FROM links l
        JOIN (SELECT account_id, quantile_cont(first_seen, 0.25) AS since FROM against_it GROUP BY 1) e
            USING (account_id)
        ANTI JOIN against_it a ON a.account_id = l.account_id AND a.kind = l.kind AND a.value = l.value
        WHERE l.kind IN ({own}) AND l.first_seen < e.since - {BEFORE * DAY} AND l.last_seen > e.since + {AFTER * DAY}
        GROUP BY l.account_id HAVING count(DISTINCT l.kind) >= {_KINDS}""")
