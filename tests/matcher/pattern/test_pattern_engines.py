"""The two engines of MATCHES give one answer: RE2 in the words it is given, and Perl's library itself."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.matcher.pattern import perl
from exchange.matcher.pattern.budget import Budget
from exchange.matcher.pattern.demands import OverBudgetError
from exchange.matcher.pattern.text import search

ATOMS = [
    "a", "b", "é", "ж", ".", "^", "$", "\\A", "\\z", "\\Z", "\\b", "\\B", "\\w", "\\W", "\\d", "\\D", "\\s", "\\S", "\\h", "\\v", "\\N", "\\R",
    "[ab]", "[^a]", "[\\w]", "[\\W]", "[\\s]", "[\\S]", "[\\D]", "[^\\d]", "[[:alpha:]]", "[[:^alpha:]]", "[]a]", "[^]a]", "[$]", "[\\b]",
    "(a)", "(?:b|a)", "(|a)", "|", "(?i)", "(?m)", "(?-s)", "(?i:A)", "\\Qa.\\E", "\\e", "\\t", "\\x41", "\\x{416}", "\\x4", "\\cA", "\\o{101}",
    "\\101", "\\p{L}", "\\P{Lu}", "(?#x)", "(?=a)", "(?<!a)", "\\1", "\\K", "\\$",
]
HOW_OFTEN = ["", "", "", "*", "+", "?", "*?", "+?", "{2}", "{1,2}", "{,2}", "{ 1, 2}"]
expressions = st.lists(st.tuples(st.sampled_from(ATOMS), st.sampled_from(HOW_OFTEN)).map("".join), min_size=1, max_size=4).map("".join)
VALUES: list[str | bytes] = [
    "", "a", "ab", "a\n", "a\nb", "\n\n", "é", "жa", "a ж b", "a\u00a0b", "\u0663", "a5_", "\x0b", "\u2028a", "A", "Ж\n", "\x04", "\r\n", "\u0905\u0902",
    b"a\n", b"\xe9", b"\xc9a", b"a\xa0b", b"\x01", b"\x85",
]


@settings(max_examples=80, deadline=None)
@given(expressions)
def test_both_engines_say_the_same(expression: str) -> None:
    try:
        perl.is_searchable(expression)
    except perl.NonsenseError:
        return
    test = search(expression, Budget())
    for value in VALUES:
        assert test(value) == perl.found(expression, value, Budget()), value


def test_going_back_is_paid_for_before_it_begins() -> None:
    budget = Budget(100)
    with pytest.raises(OverBudgetError):
        perl.found("(a+)+\\1b", "a" * 1000, budget)


def test_a_search_that_takes_too_many_steps_is_left_open() -> None:
    assert perl.found("^(?=(a+)+[^a])", "a" * 40, Budget(10**9)) is None
