"""Times STIX patterns: ``python tests/bench/bench_patterns.py [--patterns 100000] [--observations 1000000]``.

Prints one JSON object: seconds to judge equality patterns over decoded observed-data, the table of objects included.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from typing import Any

from exchange.matcher.pattern.observed import Observed
from exchange.matcher.pattern.verdict import MATCH, Judge

SPREAD = 7
"""One in so many observations shows a value that a pattern asks for."""


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """What the work gives, and how long it took."""
    start = time.perf_counter()
    done = work()
    return done, round(time.perf_counter() - start, 2)


def main() -> None:
    """Make patterns and observations, and judge."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--patterns", type=int, default=100_000)
    arguments.add_argument("--observations", type=int, default=1_000_000)
    given = arguments.parse_args()
    texts = [f"[domain-name:value = 'd{number * SPREAD}.example']" for number in range(given.patterns)]
    observed = [Observed(f"observed-data--{n}", ({"type": "domain-name", "value": f"d{n}.example"},), {})
                for n in range(given.observations)]
    judge, preparing = timed(lambda: Judge(observed))
    found, judging = timed(lambda: sum(judge.judge(text).result == MATCH for text in texts))
    assert found == min(given.patterns, -(-given.observations // SPREAD))
    print(json.dumps({
        "patterns": given.patterns, "observations": given.observations, "matches": found, "prepare_seconds": preparing,
        "judge_seconds": judging, "total_seconds": round(preparing + judging, 2)}, indent=2))


if __name__ == "__main__":
    main()
