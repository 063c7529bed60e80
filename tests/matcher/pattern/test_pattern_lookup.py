"""Look-ups on DuckDB give what the general evaluator gives, and name what they leave to it."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("duckdb", reason="the look-ups need cib-exchange[matcher]")

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.matcher.pattern.lookup import compile_patterns, matches
from exchange.matcher.pattern.observed import Observed
from exchange.matcher.pattern.verdict import Judge

Sco = dict[str, Any]


@pytest.fixture(scope="module")
def connection() -> Any:
    with duckdb.connect() as opened:
        yield opened


def by_lookup(connection: Any, patterns: list[str], groups: list[list[Sco]]) -> tuple[dict[int, set[int]], list[int]]:
    connection.execute("CREATE OR REPLACE TABLE seen (observed INTEGER, object INTEGER, path VARCHAR, value VARCHAR)")
    rows = [(place, number, f"{sco['type']}:{name}", value) for place, group in enumerate(groups)
            for number, sco in enumerate(group) for name, value in sco.items() if name != "type"]
    if rows:
        connection.executemany("INSERT INTO seen VALUES (?, ?, ?, ?)", rows)
    compiled = compile_patterns(patterns)
    found: dict[int, set[int]] = {place: set() for place in range(len(patterns))}
    for pattern, observed in matches(connection, compiled, "seen"):
        found[pattern].add(observed)
    return found, compiled.rest


def by_judge(pattern: str, groups: list[list[Sco]]) -> set[int]:
    seen = [Observed(str(place), tuple(group), {}) for place, group in enumerate(groups)]
    return {int(name) for name in Judge(seen).judge(pattern).observed}


TABLE: list[list[Sco]] = [
    [{"type": "x", "a": "1", "b": "p"}, {"type": "x", "a": "2", "b": "q"}],
    [{"type": "x", "a": "1", "b": "q"}],
    [{"type": "y", "a": "1"}, {"type": "ipv4-addr", "value": "198.51.100.7"}],
    [{"type": "ipv4-addr", "value": "198.51.100.0/26"}, {"type": "ipv6-addr", "value": "2001:db8::1"}],
    [{"type": "x", "a": "é\nz"}, {"type": "ipv4-addr", "value": "no address"}],
]
PATTERNS = [
    "[x:a = '1']", "[x:a = '1']", "[x:a = '9']", "[x:a = '1' OR y:a = '1']", "[x:a IN ('1', '2')]", "[x:a = '1' AND x:b = 'q']",
    "[x:a = '1' AND x:a = '1']", "[x:a IN ('1', '3') AND x:b IN ('q', 'p')]", "[(x:a = '2' AND x:b = 'q') OR y:a = '1']",
    "[x:a LIKE '_%']", "[x:a LIKE 'e\u0301%z']", "[x:a MATCHES '^[12]$' OR x:b = 'q']", "[ipv4-addr:value ISSUBSET '198.51.100.0/24']",
    "[ipv4-addr:value ISSUBSET '198.51.100.7']", "[ipv4-addr:value ISSUBSET '0.0.0.0/0' OR ipv6-addr:value ISSUBSET '::/0']",
    "[ipv6-addr:value ISSUBSET '2001:db8::/32']",
]


def test_lookups_answer_as_the_general_evaluator(connection: Any) -> None:
    found, rest = by_lookup(connection, PATTERNS, TABLE)
    assert rest == []
    assert found == {place: by_judge(pattern, TABLE) for place, pattern in enumerate(PATTERNS)}


values = st.sampled_from(["1", "2", "ab", "198.51.100.1", "198.51.100.0/24"])
scos = st.fixed_dictionaries({"type": st.sampled_from(["x", "y"])}, optional={"a": values, "b": values})
equality = st.builds("{}:{} = '{}'".format, st.just("x"), st.sampled_from("ab"), values)
single = st.one_of(
    equality, st.builds("x:{} LIKE '{}'".format, st.sampled_from("ab"), st.sampled_from(["%", "1_8%", "a_"])),
    st.builds("x:{} ISSUBSET '198.51.100.{}'".format, st.sampled_from("ab"), st.sampled_from(["0/24", "0/31", "1"])),
    st.lists(equality, min_size=2, max_size=3).map(" AND ".join))
patterns = st.lists(single, min_size=1, max_size=3).map(lambda tests: "[" + " OR ".join(tests) + "]")


@settings(max_examples=12, deadline=None)
@given(given_patterns=st.lists(patterns, min_size=1, max_size=4), groups=st.lists(st.lists(scos, max_size=2), max_size=3))
def test_any_mixture_of_lookups_answers_as_the_general_evaluator(connection: Any, given_patterns: list[str], groups: list[list[Sco]]) -> None:
    found, _ = by_lookup(connection, given_patterns, groups)
    assert found == {place: by_judge(pattern, groups) for place, pattern in enumerate(given_patterns)}


@pytest.mark.parametrize("pattern", [
    "[x:a != '1']", "[x:a NOT = '1']", "[x:a = 1]", "[x:a > '1']", "[EXISTS x:a]", "[x:a = '1'] AND [x:b = 'p']",
    "[x:a = '1'] REPEATS 2 TIMES", "[x:a ISSUPERSET '198.51.100.1']", "[x:a_hex = 'ff']", "[x:a = '1' AND x:b LIKE 'p']",
    "[x:a NOT LIKE '1']", "[x:a = h'31']",
])
def test_what_is_no_lookup_is_named_for_the_general_evaluator(pattern: str) -> None:
    assert compile_patterns(["[x:a = '1']", pattern]).rest == [1]


def test_an_invalid_pattern_is_told_with_its_sentence_and_the_rest_goes_on() -> None:
    compiled = compile_patterns(["[", "[x:a = '1']", "[x:a ISSUBSET 'q']", "["])
    assert sorted(compiled.invalid) == [0, 2, 3]
    assert "no IP address" in compiled.invalid[2]
    assert [one.pattern for one in compiled.equalities] == [1]
