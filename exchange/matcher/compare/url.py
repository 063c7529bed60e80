"""URLs in the clear: one page, however its scheme, its ``www.`` or its last slash are written.

Only URLs on a host that some indicator names are brought to the common form, in Python.
"""

from __future__ import annotations

from exchange.matcher import names
from exchange.matcher.compare.plain_hosts import make_plain_hosts
from exchange.matcher.engine import Engine

NEEDS = "hosts"
HOW = ("url",)


def compare(engine: Engine) -> None:
    """Fill ``hits`` from hosts (rows whose value is a URL)."""
    hosts = {names.url_host(row[0]) for row in engine.rows("SELECT DISTINCT text FROM probes WHERE how = 'url'")}
    engine.run("CREATE OR REPLACE TEMP TABLE wanted_hosts (host VARCHAR)")
    engine.load("wanted_hosts", ({"host": name} for host in sorted(hosts) for name in (host, f"www.{host}")))
    make_plain_hosts(engine)
    local = engine.rows("""SELECT DISTINCT h.value FROM hosts h JOIN plain_hosts n ON n.host = h.host
        JOIN wanted_hosts w ON w.host = n.plain ORDER BY 1""")
    engine.run("CREATE OR REPLACE TEMP TABLE urls (value VARCHAR, url VARCHAR)")
    engine.load("urls", ({"value": value, "url": names.url(value)} for (value,) in local))
    engine.run("""INSERT INTO hits SELECT account_id, ix, 'url', similarity, value, shared, first_seen,
            last_seen,
            count(DISTINCT account_id) OVER (PARTITION BY u.url)
        FROM hosts JOIN urls u USING (value) JOIN probes p ON p.text = u.url WHERE p.how = 'url'""")
