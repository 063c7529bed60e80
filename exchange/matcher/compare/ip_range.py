"""Addresses in ranges: one equi-join on the network number for each prefix length that the feed uses."""

from __future__ import annotations

from exchange.matcher.engine import Engine
from exchange.matcher.values import salt, shown_sql

NEEDS = "links"
HOW = ("range",)


def network_sql(address: str, bits: int) -> str:
    """Network number of an IPv4 address at a prefix length; everything is in network 0 of /0."""
    return f"({address} >> {32 - bits})"


def compare(engine: Engine) -> None:
    """Fill ``hits`` from links of kind ip4."""
    lengths = [row[0] for row in engine.rows("SELECT DISTINCT bits FROM probes WHERE how = 'range' ORDER BY 1")]
    engine.run(f"""CREATE OR REPLACE TEMP VIEW addresses AS SELECT *, xor(key, {salt('ip4')}) AS address
        FROM links WHERE kind = 'ip4'""")
    for bits in lengths:
        network = network_sql("l.address", bits)
        chosen = f"(SELECT DISTINCT key FROM probes WHERE how = 'range' AND bits = {bits})"
        engine.run(f"""CREATE OR REPLACE TEMP TABLE held AS
            SELECT p.key, count(DISTINCT l.account_id) AS holders
            FROM addresses l JOIN {chosen} p ON {network} = p.key GROUP BY ALL""")
        engine.here("held")
        engine.run(f"""INSERT INTO hits
            SELECT l.account_id, p.ix, 'ip_range', p.similarity, {shown_sql('l')}, p.shared, l.first_seen,
                l.last_seen, h.holders
            FROM addresses l JOIN held h ON {network} = h.key JOIN probes p ON p.key = h.key
            JOIN kinds k ON k.kind = 'ip_range'
            WHERE p.how = 'range' AND p.bits = {bits} AND h.holders < 3 * k.cap""")
        engine.run("""INSERT INTO too_common SELECT 'ip_range', h.holders FROM held h
            JOIN kinds k ON k.kind = 'ip_range' WHERE h.holders >= 3 * k.cap""")
