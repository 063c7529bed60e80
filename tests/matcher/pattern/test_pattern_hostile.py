"""Hostile patterns and broken observed data: an answer with its reason, and never more work than the budget."""

from __future__ import annotations

from typing import Any

import pytest

from exchange.matcher.pattern.observed import observed_data
from exchange.matcher.pattern.verdict import INVALID, MATCH, NO_MATCH, UNDECIDED, Judge
from exchange.stix.timestamp import from_microseconds

Y, N, BAD, OPEN = MATCH, NO_MATCH, INVALID, UNDECIDED
A, B = "[x:v = 'a']", "[x:v = 'b']"


@pytest.fixture(scope="module")
def judge() -> Judge:
    """A thousand observed-data, a second apart, a and b in turn; some show both."""
    seen = [
        {"type": "observed-data", "id": f"observed-data--{n}", "number_observed": 1,
         "first_observed": from_microseconds(n * 10**6), "last_observed": from_microseconds(n * 10**6),
         "objects": {str(k): {"type": "x", "v": "ab"[(n + k) % 2], "t": "a" * 2000} for k in range(1 + n % 2)}}
        for n in range(1000)]
    return Judge(observed_data(seen).observed)


HOSTILE = [
    ("[" + " OR ".join(["x:v = 'c'"] * 12_000) + "]", N),
    ("(" * 5_000 + A + ")" * 5_000, OPEN),
    ("[" + "(" * 5_000 + "x:v = 'a'" + ")" * 5_000 + "]", OPEN),
    ("[x:v = '" + "a" * 5_000_000 + "']", OPEN),  # right, but beyond what is read
    ("[" + " OR ".join(["x:v = 'c'"] * 9_000) + " OR x:v = 'a']", Y),
    (" OR ".join(["[x:v = 'c']"] * 5_000) + f" OR {A}", Y),
    ("(" * 79 + A + ")" * 79, Y),
    ("[" + "(" * 79 + "x:v = 'a'" + ")" * 79 + "]", Y),
    ("[x:v IN (" + ", ".join(f"'{n}'" for n in range(9_000)) + ", 'a')]", Y),
    (f"{A} WITHIN 0 SECONDS", BAD),
    (f"{A} WITHIN -1 SECONDS", BAD),
    (f"{A} REPEATS 0 TIMES", BAD),
    (f"{A} REPEATS 2 TIMES REPEATS 2 TIMES", BAD),
    ("[x:v = h'abc']", BAD),
    ("[x:v = b'?']", BAD),
    ("[x:v = t'2026-02-30T00:00:00Z']", BAD),
    ("[x:v = 'a\\n']", BAD),
    ("[x:t[-1] = 'a']", N),
    ("", BAD),
    (f"{A} REPEATS 1000000000 TIMES", N),
    (f"(({A} REPEATS 10000 TIMES) REPEATS 10000 TIMES) REPEATS 10000 TIMES", N),
    (f"(({A} FOLLOWEDBY {B}) REPEATS 1000 TIMES) REPEATS 1000 TIMES", N),
    (f"({A} FOLLOWEDBY {B}) REPEATS 300 TIMES", OPEN),
    (f"{A} REPEATS 700 TIMES", Y),
    (f"{A} REPEATS 500 TIMES WITHIN 60 SECONDS", N),
    (f"({A} FOLLOWEDBY {B}) REPEATS 40 TIMES", Y),
    (" FOLLOWEDBY ".join([A, B] * 50), Y),
    (" AND ".join([A, B] * 90), Y),
    ("(" + " FOLLOWEDBY ".join([A, B] * 50) + ") WITHIN 20 SECONDS", N),
    ("(" + " AND ".join([f"({A} OR ({B} AND {A}))"] * 40) + ") WITHIN 10 SECONDS", OPEN),
    (f"(({A} OR ({A} FOLLOWEDBY {B})) REPEATS 12 TIMES) WITHIN 5 SECONDS", N),
    (f"({A} AND {B}) WITHIN {'9' * 390}.5 SECONDS", Y),
    (f"({A} AND {B}) WITHIN .{'0' * 30}1 SECONDS", N),
    ("[x:t MATCHES '(a+)+$b']", N),
    ("[x:t MATCHES '(a|aa)+c']", N),
    ("[x:t MATCHES '((a{1,30}){1,30}){1,30}']", Y),
    ("[x:t MATCHES '^(?=(a+)+[^a])']", OPEN),
    ("[x:t MATCHES '" + "(?=[^b]*)" * 20 + "(?!a)(a|b)']", N),
    ("[x:t MATCHES '(?=a)" + "(" * 900 + "a" + ")" * 900 + "']", OPEN),
    ("[x:t LIKE '" + "%a" * 500 + "%b']", N),
    ("[x:v = 'a' AND x:t MATCHES '" + "(" * 900 + "a" + ")" * 900 + "']", Y),
]


@pytest.mark.parametrize(("pattern", "result"), HOSTILE, ids=[pattern[:50] for pattern, _ in HOSTILE])
def test_a_hostile_pattern_gets_an_answer(judge: Judge, pattern: str, result: str) -> None:
    verdict = judge.judge(pattern)
    assert verdict.result == result
    assert bool(verdict.reason) == (result in (BAD, OPEN))


def test_what_is_used_up_is_undecided_and_says_so() -> None:
    seen = [{"type": "observed-data", "id": f"observed-data--{n}", "objects": {"0": {"type": "x", "v": "a"}}} for n in range(9)]
    verdict = Judge(observed_data(seen).observed, budget=3).judge(f"{A} REPEATS 2 TIMES")
    assert (verdict.result, verdict.observed) == (OPEN, ())
    assert "more work" in verdict.reason


BROKEN: list[tuple[dict[str, Any], str]] = [
    ({"number_observed": 0}, "number_observed"),
    ({"number_observed": "many"}, "number_observed"),
    ({"first_observed": "yesterday"}, "when it was observed"),
    ({"first_observed": 5}, "when it was observed"),
    ({"first_observed": "2027-01-01T00:00:00Z", "last_observed": "2026-01-01T00:00:00Z"}, "when it was observed"),
    ({"object_refs": ["x--1", "x--2", 7]}, "2 object(s)"),
]


@pytest.mark.parametrize(("changes", "word"), BROKEN)
def test_a_broken_observed_data_is_told_and_still_looked_at(changes: dict[str, Any], word: str) -> None:
    seen = {"type": "observed-data", "id": "observed-data--1", "number_observed": 1, "object_refs": ["x--1"],
            "first_observed": "2026-01-01T00:00:00Z", "last_observed": "2026-01-01T00:00:00Z", **changes}
    bundle = observed_data([seen, {"type": "x", "id": "x--1", "v": "a"}, {"type": "x", "v": "no id"}])
    assert Judge(bundle.observed).judge(A).result == Y
    assert any("observed-data--1" in problem and word in problem for problem in bundle.problems)
    assert any("without an id" in problem for problem in bundle.problems)


@pytest.mark.parametrize("objects", [None, 5, [], {"0": 5}, {"0": {"v": "a"}}, {"0": {"type": ["x"], "v": "a"}}])
def test_objects_of_another_shape_are_nothing_seen(objects: Any) -> None:
    bundle = observed_data([{"type": "observed-data", "id": "observed-data--1", "objects": objects}])
    assert Judge(bundle.observed).judge(A).result == N
