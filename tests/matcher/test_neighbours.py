"""Parents of very many indicated hosts say nothing of their other hosts."""

from __future__ import annotations

from typing import Any

from exchange.matcher.indicators import Terms, collect, read_indicators
from exchange.matcher.neighbours import CROWDED, MOST, thin_neighbours
from exchange.matcher.report import Report


def parents(platform: Any, hosts: int) -> tuple[int, Report]:
    report = Report()
    objects = [platform.indicator(f"[domain-name:value = 's{n}.shops.example']") for n in range(hosts)]
    objects.append(platform.indicator("[domain-name:value = 'a.other.example']"))
    found = thin_neighbours(read_indicators(collect(objects, report), Terms(platform.at, 0.5, 0.4), report), report)
    assert len(found) == hosts + 1
    assert {len([p for p in one.probes if p.how == "host" and p.similarity == 1]) for one in found} == {1}
    return sum(probe.text == "shops.example" for one in found for probe in one.probes), report


def test_a_parent_of_too_many_indicated_hosts_is_not_looked_for(platform: Any) -> None:
    assert parents(platform, MOST)[0] == MOST
    left, report = parents(platform, MOST + 1)
    assert left == 0
    assert report.not_used[CROWDED] == MOST + 1
    assert report.values_used["domain"] == MOST + 3
