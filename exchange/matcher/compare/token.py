"""Exact values: device, payment, phone, e-mail, cookie, upload fingerprint, address, and domains told as tokens.

One join of whole numbers; holders are counted first, so that a value that everybody holds costs a count, not rows.
"""

from __future__ import annotations

from exchange.matcher.engine import Engine
from exchange.matcher.values import shown_sql

NEEDS = "links"
HOW = ("token",)


def compare(engine: Engine) -> None:
    """Fill ``hits`` from links."""
    engine.run("""CREATE OR REPLACE TEMP TABLE held AS
        SELECT l.kind, l.key, count(DISTINCT l.account_id) AS holders
        FROM links l JOIN (SELECT DISTINCT kind, key FROM probes WHERE how = 'token') p
          ON l.key = p.key AND l.kind = p.kind GROUP BY ALL""")
    engine.here("held")
    engine.run(f"""INSERT INTO hits
        SELECT l.account_id, p.ix, l.kind, p.similarity, {shown_sql('l')}, p.shared, l.first_seen, l.last_seen,
            h.holders
        FROM links l JOIN held h ON l.key = h.key AND l.kind = h.kind JOIN kinds k ON k.kind = h.kind
        JOIN (SELECT * FROM probes WHERE how = 'token') p ON l.key = p.key AND l.kind = p.kind
        WHERE h.holders < 3 * k.cap""")
    engine.run("""INSERT INTO too_common SELECT h.kind, h.holders FROM held h JOIN kinds k USING (kind)
        WHERE h.holders >= 3 * k.cap""")
