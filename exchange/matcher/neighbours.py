"""Neighbours of indicated hosts: how many indicated hosts one parent may have before standing beside them says nothing.

Under a parent where hundreds of hosts are indicated, many strangers live too (a host of shops, a builder of sites that
no list knows yet): its other hosts are then not looked for, only the indicated ones. It also bounds a feed's cost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from exchange.matcher.indicators import Indicator
from exchange.matcher.probes import Probe
from exchange.matcher.report import Report

MOST = 200
CROWDED = f"the registrable parent of over {MOST} indicated hosts: its other hosts are not looked for"


def is_neighbour(probe: Probe) -> bool:
    """Whether a value to look for is a parent of the indicated host and not the host itself."""
    return probe.how == "host" and probe.similarity < 1


def thin_neighbours(indicators: Iterable[Indicator], report: Report) -> list[Indicator]:
    """The indicators without parents that too many of them have; each is counted in the report."""
    indicators = list(indicators)
    count = Counter(probe.text for one in indicators for probe in one.probes if is_neighbour(probe))
    crowded = {parent for parent, hosts in count.items() if hosts > MOST}
    if not crowded:
        return indicators
    kept = []
    for one in indicators:
        probes = tuple(probe for probe in one.probes if not (is_neighbour(probe) and probe.text in crowded))
        if len(probes) < len(one.probes):
            report.leave_out(CROWDED, one.id, len(one.probes) - len(probes))
            report.values_used["domain"] -= len(one.probes) - len(probes)
        kept.append(replace(one, probes=probes))
    return kept
