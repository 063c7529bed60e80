"""Local hosts in the form in which indicators name them: letters beyond ASCII as A-labels."""

from __future__ import annotations

from exchange.matcher import names
from exchange.matcher.engine import Engine


def make_plain_hosts(engine: Engine) -> None:
    """Make table ``plain_hosts`` (host, plain) of the distinct hosts with a dot; only odd ones are told in Python."""
    engine.run("CREATE OR REPLACE TEMP TABLE dotted AS SELECT DISTINCT host FROM hosts WHERE host LIKE '%.%'")
    odd = engine.rows("SELECT host FROM dotted WHERE regexp_matches(host, '[^ -~]') ORDER BY host")
    engine.run("CREATE OR REPLACE TEMP TABLE odd_hosts (host VARCHAR, plain VARCHAR)")
    engine.load("odd_hosts", ({"host": host, "plain": names.host(host) or host} for (host,) in odd))
    engine.run("""CREATE OR REPLACE TEMP TABLE plain_hosts AS SELECT d.host, COALESCE(o.plain, d.host) AS plain
        FROM dotted d LEFT JOIN odd_hosts o ON o.host = d.host""")
