"""Times one event against indicators in memory: ``python tests/bench/bench_stream.py [--indicators N]``.

Prints one JSON object: microseconds of processor time per event by kind (with and without a hit), per indicator added, and the memory
that the index takes.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Iterator
from pathlib import Path

from exchange.matcher.indicators import Indicator
from exchange.matcher.patterns import Unit
from exchange.matcher.probes import probes
from exchange.matcher.stream import Event, Index
from exchange.matcher.weighing import load_weights

AT = 1_780_272_000
_REPEAT = 20_000
_PATHS = {
    "device": "x-cib-device:token", "payment": "x-cib-payment:token", "phone": "phone-number:value",
    "email": "email-addr:value", "cookie": "x-cib-cookie:token", "ip4": "ipv4-addr:value", "ip_range": "ipv4-addr:value",
    "domain": "domain-name:value", "link": "url:value", "picture": "x-cib-media:pdq", "text": "x-cib-post:text",
    "account": "user-account:x_misp_url",
}
_SHARES = {"picture": 0.1, "text": 0.05, "ip_range": 0.02}
"""Of the indicators; the other kinds share the rest evenly."""


def value(kind: str, rng: random.Random) -> str:
    """A made-up value of a kind."""
    number = rng.getrandbits(60)
    return {
        "phone": f"+4479{number % 10**8:08}", "email": f"p{number:x}@mail{number % 97}.example",
        "ip4": f"10.{number % 256}.{number // 256 % 256}.{number // 65536 % 256}",
        "ip_range": f"10.{number % 256}.{number // 256 % 256}.0/{rng.choice([20, 22, 24, 26, 28])}",
        "domain": f"site{number:x}.example", "link": f"https://site{number:x}.example/page/{number % 977}",
        "picture": f"{rng.getrandbits(256):064x}", "account": f"https://x.com/u{number % 10**12}",
        "text": " ".join(f"word{rng.randrange(5_000)}" for _ in range(14)),
    }.get(kind, f"dv_{number:x}")


def indicators(count: int, rng: random.Random) -> Iterator[Indicator]:
    """Indicators of all kinds."""
    rest = [kind for kind in _PATHS if kind not in _SHARES]
    weights = [_SHARES.get(kind, (1 - sum(_SHARES.values())) / len(rest)) for kind in _PATHS]
    for number, kind in enumerate(rng.choices(list(_PATHS), weights, k=count)):
        unit = Unit(((_PATHS[kind], value(kind, rng).replace("dv_", "pm_" if kind == "payment" else "ck_" if
                      kind == "cookie" else "dv_")),))
        made = probes(unit, 0.4)
        if isinstance(made, list):
            yield Indicator(f"indicator--{number}", f"identity--{number % 9}", "A", "", AT - 864_000, 0.8, tuple(made))


def timed(index: Index, events: list[Event]) -> float:
    """Microseconds per event."""
    start = time.process_time()
    for event in events:
        index.meet(event)
    return round((time.process_time() - start) / len(events) * 1e6, 2)


def resident_mb() -> float:
    """Memory of this process."""
    return int(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0]) / 1024


def main() -> None:
    """Make, add, ask."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--indicators", type=int, default=100_000)
    given = arguments.parse_args()
    rng = random.Random(5)
    known = list(indicators(given.indicators, rng))
    before = resident_mb()
    start = time.process_time()
    index = Index(load_weights(), known, at=AT)
    adding = (time.process_time() - start) / len(known) * 1e6
    result: dict[str, object] = {"indicators": len(index), "microseconds_to_add": round(adding, 2),
                                 "index_mb": round(resident_mb() - before, 1)}
    named = {kind: [probe.shared for indicator in known[:20_000] for probe in indicator.probes
                    if probe.kind == {"link": "url"}.get(kind, kind)] for kind in _PATHS}
    for kind in _PATHS:
        if kind == "ip_range":
            continue
        strangers = [Event("a", kind, value(kind, rng), AT) for _ in range(_REPEAT)]
        hits = [Event("a", kind, rng.choice(named[kind]), AT) for _ in range(_REPEAT)]
        result[kind] = {"stranger": timed(index, strangers), "hit": timed(index, hits)}
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
