"""Domains in the clear: the local host itself, a host below an indicated one, or one under the same parent."""

from __future__ import annotations

from exchange.matcher.compare.plain_hosts import make_plain_hosts
from exchange.matcher.engine import Engine
from exchange.matcher.values import real

NEEDS = "hosts"
HOW = ("host",)


def compare(engine: Engine, subdomain: float) -> None:
    """Fill ``hits`` from hosts; ``subdomain`` is the similarity of a host below the indicated one."""
    make_plain_hosts(engine)
    engine.run("""CREATE OR REPLACE TEMP TABLE chains AS
        SELECT host, plain, depth, array_to_string(parts[depth + 1:], '.') AS name
        FROM (SELECT host, plain, parts, unnest(range(len(parts) - 1)) AS depth
              FROM (SELECT host, plain, string_split(plain, '.') AS parts FROM plain_hosts) p) c""")
    engine.run(f"""CREATE OR REPLACE TEMP TABLE met AS
        SELECT c.host, p.ix, p.shared, max(p.similarity * CASE WHEN c.depth = 0 OR p.similarity < 1 THEN 1
               WHEN c.plain = 'www.' || p.text THEN 1 ELSE {real(subdomain)} END) OVER of AS similarity,
            p.text AS named
        FROM chains c JOIN probes p ON p.text = c.name WHERE p.how = 'host'
        WINDOW of AS (PARTITION BY c.host, p.ix, p.shared)
        QUALIFY row_number() OVER (PARTITION BY c.host, p.ix, p.shared ORDER BY p.similarity DESC, p.text) = 1""")
    engine.here("met")
    engine.run("""INSERT INTO hits SELECT account_id, ix, 'domain', similarity, value, shared, first_seen,
            last_seen,
            count(DISTINCT account_id) OVER (PARTITION BY named)
        FROM hosts h JOIN met m USING (host)""")
