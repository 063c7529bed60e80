"""Claims: whether what a campaign says of accounts here is borne out by anything but its own word.

A campaign of a source names accounts (by infrastructure that is no stranger's). An account bears it out when another
source names its infrastructure too, or when it holds infrastructure together with accounts of which other sources speak
(``vouched``), or with any suspects at all (``knit``). Each account hears what the *others* named in the same breath
say, smoothed by one that bears nothing out; of several campaigns the one that is borne out best. A poisoner names
people whom nothing else ties to anything, so however many kinds it names, nobody vouches. ``unsaid`` is what an account
holds with suspects and no source names of it: the platform's own sight, and no echo of anybody's word.
"""

from __future__ import annotations

from exchange.matcher.direct import grid
from exchange.matcher.engine import Engine
from exchange.matcher.weighing import Weights
from exchange.matcher.witness import WITNESSING

MEASURES = ("vouched", "knit", "unsaid")
UNSAID = f"""SELECT account_id, sum(nats) AS unsaid FROM company c WHERE {WITNESSING} AND nats > 0
    AND NOT EXISTS (SELECT 1 FROM direct d WHERE d.account_id = c.account_id AND d.kind = c.kind
        AND d.local_value = c.value) GROUP BY account_id"""
"""SELECT of account_id and ``unsaid``, over ``direct`` and ``company``; it hangs on an account's own rows alone."""


def weigh_claims(engine: Engine, weights: Weights) -> None:
    """Make table ``claims`` from ``direct`` and ``company``: account_id, two shares (0 to 1), and nats ``unsaid``."""
    least = weights.provisional.counts_from
    engine.run(f"""CREATE OR REPLACE TEMP TABLE named AS
        SELECT d.account_id, d.source, d.campaign, any_value(b.bits) AS bits, bool_or(d.witness) AS witness
        FROM direct d JOIN source_bits b USING (source) WHERE {WITNESSING}
        GROUP BY ALL HAVING sum(nats) >= {least}""")
    engine.run(f"""CREATE OR REPLACE TEMP TABLE tied AS
        SELECT account_id, bit_or(sources) AS told FROM company
        WHERE {WITNESSING} AND nats >= {least}
        GROUP BY account_id""")
    engine.run(f"""CREATE OR REPLACE TEMP TABLE claims AS
        WITH word AS (SELECT n.account_id, n.source, n.campaign,
                ((COALESCE(o.bits, 0) | COALESCE(t.told, 0)) & ~n.bits) <> 0 AS vouched,
                t.account_id IS NOT NULL AS knit
            FROM named n LEFT JOIN (SELECT account_id, bit_or(bits) AS bits FROM named WHERE witness GROUP BY 1) o
            USING (account_id)
            LEFT JOIN tied t USING (account_id)),
        unsaid AS ({UNSAID})
        SELECT account_id, vouched, knit, unsaid FROM (
            SELECT w.account_id, max({grid('(c.vouched - w.vouched::INTEGER) / c.size')}) AS vouched,
                max({grid('(c.knit - w.knit::INTEGER) / c.size')}) AS knit
            FROM word w JOIN (SELECT source, campaign, count(*) AS size, count(*) FILTER (vouched) AS vouched,
                    count(*) FILTER (knit) AS knit FROM word GROUP BY ALL) c USING (source, campaign)
            GROUP BY w.account_id)
        FULL JOIN unsaid USING (account_id)""")
