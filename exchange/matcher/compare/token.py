"""Exact values: device, payment, phone, e-mail, cookie, upload fingerprint, address, and domains told as tokens.

Links are searched once, and by the number alone, many times as fast as by number and kind; of what comes along by
chance only what has the kind too is kept. Holders are counted first, so that what everybody holds makes no hits.
"""

from __future__ import annotations

from exchange.matcher.engine import Engine
from exchange.matcher.values import shown_sql

NEEDS = "links"
HOW = ("token",)


def compare(engine: Engine) -> None:
    """Fill ``hits`` from links."""
    engine.run("""CREATE OR REPLACE TEMP TABLE named AS SELECT l.* FROM links l
        SEMI JOIN (SELECT key FROM probes WHERE how = 'token') n ON n.key = l.key""")
    engine.run("""CREATE OR REPLACE TEMP TABLE held AS
        SELECT l.kind, l.key, count(DISTINCT l.account_id) AS holders FROM named l
        SEMI JOIN (SELECT kind, key FROM probes WHERE how = 'token') p ON l.key = p.key AND l.kind = p.kind
        GROUP BY ALL""")
    engine.here("held")
    engine.run("""CREATE OR REPLACE TEMP TABLE few AS SELECT h.* FROM held h JOIN kinds k ON k.kind = h.kind
        WHERE h.holders < 3 * k.cap""")
    engine.run(f"""INSERT INTO hits
        SELECT l.account_id, p.ix, l.kind, p.similarity, {shown_sql('l')}, p.shared, l.first_seen, l.last_seen,
            h.holders
        FROM named l JOIN few h ON l.key = h.key AND l.kind = h.kind
        JOIN (SELECT * FROM probes WHERE how = 'token') p ON l.key = p.key AND l.kind = p.kind""")
    engine.run("""INSERT INTO too_common SELECT h.kind, h.holders FROM held h JOIN kinds k USING (kind)
        WHERE h.holders >= 3 * k.cap""")
    engine.run("DROP TABLE named")
