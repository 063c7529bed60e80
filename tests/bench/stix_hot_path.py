"""Cost per object of a push's STIX part, in microseconds: run by hand, ``python tests/bench/stix_hot_path.py``."""

from __future__ import annotations

import itertools
import json
import time
import timeit
from collections.abc import Callable
from typing import Any

from exchange.stix import personal
from exchange.stix.behaviour import labels_cib
from exchange.stix.markings import read_terms
from exchange.stix.parse import parse_strict
from exchange.stix.pattern import parse
from exchange.stix.validate import check

_ROUNDS, _COUNT = 9, 2_000


def _indicator(number: int) -> dict[str, Any]:
    return {
        "type": "indicator", "spec_version": "2.1", "id": f"indicator--fa18956a-d416-49ac-89a4-{number:012x}",
        "created_by_ref": "identity--b5dc2afd-9eae-461b-a63b-009b0df6182e", "created": "2026-04-06T19:17:10.000Z",
        "modified": "2026-04-06T19:17:10.000Z", "name": "Domain of a made-up network", "description": "d" * 330,
        "indicator_types": ["malicious-activity"], "pattern": f"[domain-name:value = 'n{number}.example']",
        "pattern_type": "stix", "valid_from": "2026-04-06T19:17:10Z", "valid_until": "2027-04-06T19:17:10Z",
        "labels": ["spam", "ads"], "confidence": 80,
        "object_marking_refs": ["marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"],
        "external_references": [{"source_name": "made up", "url": "https://a.example/report"}],
    }


def _cost(work: Callable[[Any], object], inputs: list[Any]) -> float:
    turns = itertools.cycle(inputs)
    rounds = timeit.repeat(lambda: work(next(turns)), timer=time.process_time, number=_COUNT, repeat=_ROUNDS)
    return min(rounds) / _COUNT * 1e6


def main() -> None:
    """Print a line per step; every input is another object, so that no cache flatters."""
    objects = [_indicator(number) for number in range(_COUNT)]
    raws = [json.dumps(obj, separators=(",", ":")).encode() for obj in objects]
    patterns = [obj["pattern"] for obj in objects]
    accounts = [f"[user-account:account_type = 'x' AND user-account:account_login = 'u{n}']" for n in range(_COUNT)]
    others = [f"[url:value LIKE 'https://n{n}.example/%'] FOLLOWEDBY [ipv4-addr:value ISSUBSET '198.51.100.0/24']"
              for n in range(_COUNT)]
    print(f"object of {len(raws[0])} bytes")
    steps: list[tuple[str, Callable[[Any], object], list[Any]]] = [
        ("parse_strict", parse_strict, raws),
        ("json.loads, for comparison", json.loads, raws),
        ("check, with its pattern", check, objects),
        ("pattern of one comparison", parse, patterns),
        ("pattern of an account", parse, accounts),
        ("pattern of two observations", parse, others),
        ("parse_strict + check", lambda raw: check(parse_strict(raw)), raws),
        ("personal: status and categories", lambda obj: (personal.status(obj), personal.categories(obj)), objects),
        ("markings of a TLP 2 id", lambda obj: read_terms(obj, lambda _: None), objects),
        ("behaviour precheck", labels_cib, objects),
    ]
    for name, work, inputs in steps:
        print(f"{name:34}{_cost(work, inputs):8.2f} us")


if __name__ == "__main__":
    main()
