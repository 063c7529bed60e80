"""What one client of the soak saw, and the judgement at the end: entitled, missed, twice, not its own, refused, failed."""

from __future__ import annotations

import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.bench.soak_members import entitled
from tests.e2e.http_caller import Answer

_DOCUMENTED = (429, 503)
_LAGS_OF = 20
"""One object in so many is timed."""


@dataclass
class Pushed:
    """What the pushers had acknowledged: all numbers before ``next`` but the ``unknown`` ones."""

    next: int
    unknown: set[int] = field(default_factory=set)
    """Numbers without an answer (yet): there or not."""
    sent: dict[int, float] = field(default_factory=dict)
    """Some numbers to the moment when they were sent (seconds of the monotonic clock)."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, count: int) -> range:
        """The next numbers, for one envelope that is sent now."""
        with self._lock:
            taken = range(self.next, self.next + count)
            self.next += count
            self.unknown.update(taken)
            self.sent.update({number: time.monotonic() for number in taken if number % _LAGS_OF == 1})
        return taken

    def acknowledge(self, numbers: range) -> None:
        """An envelope was taken whole."""
        with self._lock:
            self.unknown.difference_update(numbers)


@dataclass
class Tally:
    """One client's count; ``begins`` is the first number that it should see."""

    kind: str
    member: int
    begins: int
    counts: bytearray = field(default_factory=bytearray)
    duplicates: int = 0
    again: int = 0
    """Re-deliveries that at-least-once allows."""
    backwards: int = 0
    """Pages whose first date isn't after the last one of the page before."""
    asked: int = 0
    refused: Counter[int] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)
    _last: str = ""

    def take(self, numbers: Iterable[int], pushed: Pushed, *, allowed_again: bool = False) -> None:
        """Count objects that came."""
        now = time.monotonic()
        for number in numbers:
            if number >= len(self.counts):
                self.counts.extend(bytes(number + 50_000 - len(self.counts)))
            if self.counts[number]:
                self.again += allowed_again
                self.duplicates += not allowed_again
            self.counts[number] = 1
            if number % _LAGS_OF == 1 and (at := pushed.sent.get(number)) is not None:
                self.lags.append(now - at)

    def is_fine(self, answer: Answer, expected: int = 200) -> bool:
        """Whether an answer is what was asked for; counts the documented refusals, and notes everything else."""
        self.asked += 1
        if answer.status == expected:
            self._check_order(answer)
            return True
        if answer.status in _DOCUMENTED and "retry-after" in answer.headers:
            self.refused[answer.status] += 1
        else:
            self.fail(f"{answer.status} {answer.body[:200]!r}")
        return False

    def fail(self, sentence: str) -> None:
        """Note what should not have been."""
        self.errors.append(sentence)

    def _check_order(self, answer: Answer) -> None:
        if answer.first is not None:
            self.backwards += answer.first <= self._last
            self._last = answer.last or ""

    def judged(self, pushed: Pushed) -> dict[str, Any]:
        """Figures, and ``ok``: everything that the policy entitles it to, once, and nothing else."""
        missed, foreign, seen, wanted = 0, 0, 0, 0
        for number in range(self.begins, pushed.next):
            there = number < len(self.counts) and self.counts[number] > 0
            if not entitled(self.member, number):
                foreign += there
            elif number not in pushed.unknown:
                wanted, seen, missed = wanted + 1, seen + there, missed + (not there)
        early = sum(self.counts[: self.begins])
        ok = not (missed or foreign or early or self.duplicates or self.backwards or self.errors)
        return {
            "kind": self.kind, "member": self.member, "ok": ok, "entitled": wanted, "seen": seen, "missed": missed,
            "duplicates": self.duplicates, "delivered_again": self.again, "not_entitled": foreign, "before_begin": early,
            "backwards": self.backwards, "asked": self.asked, "refused": dict(self.refused), "errors": len(self.errors),
            "first_errors": self.errors[:3], "lag_s": quantiles(self.lags),
        }


def quantiles(values: list[float]) -> dict[str, float]:
    """Median, 99 of 100 and the largest, rounded; empty without values."""
    if len(values) < 2:
        return {}
    cuts = statistics.quantiles(values, n=100)
    return {"p50": round(cuts[49], 3), "p99": round(cuts[98], 3), "max": round(max(values), 3)}
