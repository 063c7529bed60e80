"""Observation operators and qualifiers of STIX patterns (STIX 2.1, 9.1 and 9.5), told in a short notation.

``a@0 b@10 ab@20x3 c@30-40``: observed-data with an object x per letter (x:v is the letter), at a second or over a
span of seconds, standing for so many observations. In patterns ``a`` means ``[x:v = 'a']``.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from exchange.matcher.pattern.observed import observed_data
from exchange.matcher.pattern.verdict import INVALID, MATCH, NO_MATCH, UNDECIDED, Judge, Verdict
from exchange.stix.timestamp import from_microseconds

Y, N, BAD, OPEN = MATCH, NO_MATCH, INVALID, UNDECIDED
_NOTE = re.compile(r"([a-z]+)@(\?|[0-9.]+)(?:-([0-9.]+))?(?:x([0-9]+))?")
_SHORT = re.compile(r"\b([a-z])\b(?!')")
DAY = 1_767_225_600  # 2026-01-01


def moment(seconds: str) -> str:
    return from_microseconds(round((DAY + float(seconds)) * 1_000_000))


def bundle(notes: str) -> list[dict[str, Any]]:
    """The STIX objects of observations in short notation; the n-th observed-data has the id observed-data--n."""
    found: list[dict[str, Any]] = []
    for number, note in enumerate(notes.split(), 1):
        read = _NOTE.fullmatch(note)
        assert read, note
        letters, first, last, count = read.groups()
        refs = [f"x--{number}-{letter}" for letter in letters]
        seen: dict[str, Any] = {"type": "observed-data", "id": f"observed-data--{number}", "object_refs": refs,
                                "number_observed": int(count or 1)}
        if first != "?":
            seen |= {"first_observed": moment(first), "last_observed": moment(last or first)}
        found += [seen, *({"type": "x", "id": ref, "v": ref[-1]} for ref in refs)]
    return found


def full(pattern: str) -> str:
    """A pattern in short notation as a STIX pattern."""
    return _SHORT.sub(lambda hit: f"[x:v = '{hit[1]}']", pattern)


def judged(pattern: str, notes: str) -> Verdict:
    return Judge(observed_data(bundle(notes)).observed).judge(full(pattern))


def at(first: str, last: str) -> str:
    return f"START t'{moment(first)}' STOP t'{moment(last)}'"


OPERATORS = [
    # section, pattern, observations, result
    ("9.5", "a", "a@0", Y),
    ("9.5", "a", "b@0", N),
    ("9.4", "a", "", N),
    ("9.5.2", "a AND b", "a@0 b@0", Y),
    ("9.5.2", "a AND b", "b@0 a@9", Y),
    ("9.5.2", "a AND b", "a@0", N),
    ("9.5.2", "a AND b", "ab@0", N),  # two different observations
    ("9.5.2", "a AND b", "ab@0 b@5", Y),
    ("9.5.2", "a AND b", "ab@0 ab@5", Y),
    ("9.5.2", "a AND a", "a@0", N),
    ("9.5.2", "a AND a", "a@0 a@0", Y),
    ("9.5.2", "a AND b AND c", "ab@0 bc@1 ac@2", Y),
    ("9.5.2", "a AND b AND c", "ab@0 ab@1", N),
    ("9.5.2", "a AND b AND c", "ab@0 ab@1 b@2", N),
    ("9.5.2", "a AND b AND c", "abc@0 a@1 a@2", N),
    ("9.5.2", "a AND b AND c", "abc@0 a@1 ab@2", Y),
    ("9.5.2", "a OR b", "b@0", Y),
    ("9.5.2", "a OR b", "a@0", Y),
    ("9.5.2", "a OR b", "c@0", N),
    ("9.5.2", "a AND b OR c", "c@0", Y),
    ("9.5.2", "c OR a AND b", "c@0", Y),
    ("9.5.3", "(c OR a) AND b", "c@0", N),
    ("9.5.3", "(c OR a) AND b", "c@0 b@0", Y),
    ("9.5.3", "(a AND b) OR (c AND d)", "c@0 d@0", Y),
    ("9.5.3", "(a AND b) OR (c AND d)", "a@0 d@0", N),
    ("9.5.2", "a FOLLOWEDBY b", "a@0 b@1", Y),
    ("9.5.2", "a FOLLOWEDBY b", "a@1 b@0", N),
    ("9.5.2", "a FOLLOWEDBY b", "a@1 b@1", Y),  # greater or equal
    ("9.5.2", "a FOLLOWEDBY b", "ab@1", N),
    ("9.5.2", "a FOLLOWEDBY b", "ab@1 ab@1", Y),
    ("9.5.2", "a FOLLOWEDBY b", "b@1 a@2 b@3", Y),
    ("9.5.2", "a FOLLOWEDBY a", "a@0", N),
    ("9.5.2", "a FOLLOWEDBY a", "a@0 a@5", Y),
    ("9.5.2", "a FOLLOWEDBY b FOLLOWEDBY c", "a@0 b@1 c@2", Y),
    ("9.5.2", "a FOLLOWEDBY b FOLLOWEDBY c", "a@0 c@1 b@2", N),
    ("9.5.2", "a FOLLOWEDBY b FOLLOWEDBY c", "b@0 a@1 c@2", N),
    ("9.5.2", "(a AND b) FOLLOWEDBY c", "a@0 b@3 c@2", N),
    ("9.5.2", "(a AND b) FOLLOWEDBY c", "a@0 b@3 c@3", Y),
    ("9.5.2", "a FOLLOWEDBY (b AND c)", "a@1 b@2 c@0", N),
    ("9.5.2", "a FOLLOWEDBY (b AND c)", "a@1 b@2 c@1", Y),
    ("9.5.3", "a FOLLOWEDBY b OR c", "a@0 c@1", Y),  # OR binds tighter
    ("9.5.3", "a OR b FOLLOWEDBY c", "b@0 c@1", Y),
    ("9.5.3", "a OR b FOLLOWEDBY c", "b@0", N),
    ("9.5.3", "a OR (b FOLLOWEDBY c)", "a@0", Y),
    ("9.5.3", "a AND b FOLLOWEDBY c", "a@0 b@1 c@2", Y),
    ("9.5.3", "a AND (b FOLLOWEDBY c)", "a@9 b@1 c@2", Y),
    ("9.5.3", "a AND b FOLLOWEDBY c", "a@9 b@1 c@2", N),
]

REPEATS = [
    ("9.5.1", "a REPEATS 1 TIMES", "a@0", Y),
    ("9.5.1", "a REPEATS 2 TIMES", "a@0", N),
    ("9.5.1", "a REPEATS 2 TIMES", "a@0 a@1", Y),
    ("9.5.1", "a REPEATS 2 TIMES", "a@0 a@1 a@2", Y),  # at least
    ("9.5.1", "a REPEATS 3 TIMES", "a@0 b@1 a@2", N),
    ("9.1", "a REPEATS 3 TIMES", "a@0-9x3", Y),  # number_observed observations
    ("9.1", "a REPEATS 4 TIMES", "a@0-9x3", N),
    ("9.1", "a REPEATS 4 TIMES", "a@0-9x3 a@5", Y),
    ("9.1", "a AND a", "a@0x2", Y),
    ("9.1", "a AND b", "ab@0x2", Y),
    ("9.1", "a AND b AND c", "abc@0x2", N),
    ("9.1", "a FOLLOWEDBY b", "ab@0x2", Y),
    ("9.5.1", "a REPEATS 2 TIMES AND b", "a@0 ab@1", N),
    ("9.5.1", "a REPEATS 2 TIMES AND b", "a@0 ab@1 ab@2", Y),
    ("9.5.1", "a FOLLOWEDBY b REPEATS 2 TIMES", "a@0 b@1 b@2", Y),
    ("9.5.1", "a FOLLOWEDBY b REPEATS 2 TIMES", "b@0 a@1 b@2", N),
    ("9.5.2", "(a FOLLOWEDBY b) REPEATS 2 TIMES", "a@0 b@1 a@2 b@3", Y),
    ("9.5.2", "(a FOLLOWEDBY b) REPEATS 2 TIMES", "a@0 a@1 b@2 b@3", Y),
    ("9.5.2", "(a FOLLOWEDBY b) REPEATS 2 TIMES", "a@0 b@1 b@2 a@3", N),
    ("9.5.2", "(a FOLLOWEDBY b) REPEATS 2 TIMES", "a@0 b@1 b@2", N),
    ("9.5.2", "(a FOLLOWEDBY b) REPEATS 5 TIMES", " ".join(f"a@{n} b@{n + 1}" for n in range(0, 10, 2)), Y),
    ("9.5.2", "(a FOLLOWEDBY b) REPEATS 5 TIMES", "b@0 " + " ".join(f"a@{n} b@{n + 1}" for n in range(2, 10, 2)) + " a@11", N),
    ("9.5", "(a AND b) REPEATS 2 TIMES", "a@0 a@1 b@2 b@3", Y),
    ("9.5", "(a AND b) REPEATS 2 TIMES", "a@0 b@2 b@3", N),
    ("9.5.1", "(a OR b) REPEATS 2 TIMES", "a@0 b@1", Y),
    ("9.5.1", "(a OR b) REPEATS 3 TIMES", "a@0 b@1", N),
    ("9.5.1", "(a OR (b AND c)) REPEATS 2 TIMES", "a@0 b@1 c@2", Y),
    ("9.5.1", "(a OR (b AND c)) REPEATS 2 TIMES", "b@1 c@2", N),
    ("9.5.1", "(a REPEATS 2 TIMES) REPEATS 2 TIMES", "a@0x3", N),
    ("9.5.1", "(a REPEATS 2 TIMES) REPEATS 2 TIMES", "a@0x4", Y),
    ("9.5.1", "(a REPEATS 2 TIMES AND b) REPEATS 2 TIMES", "a@0x4 b@1x2", Y),
    ("9.5.1", "(a REPEATS 2 TIMES AND b) REPEATS 2 TIMES", "a@0x4 b@1", N),
]

WITHIN = [
    ("9.5.1", "(a AND b) WITHIN 10 SECONDS", "a@0 b@9", Y),
    ("9.5.1", "(a AND b) WITHIN 10 SECONDS", "a@0 b@10", N),  # strictly
    ("9.5.1", "(a AND b) WITHIN 10.5 SECONDS", "a@0 b@10", Y),
    ("9.5.1", "(a AND b) WITHIN 10 SECONDS", "a@0 b@9.999999", Y),
    ("9.5.1", "(a AND b) WITHIN 10 SECONDS", "b@0 a@9", Y),
    ("9.5.1", "(a AND b) WITHIN 10 SECONDS", "a@0 b@20 a@11", Y),
    ("9.5.1", "(a AND b AND c) WITHIN 10 SECONDS", "a@0 b@6 c@12", N),
    ("9.5.1", "a WITHIN 1 SECONDS", "a@5", Y),
    ("9.5.1", "a REPEATS 2 TIMES WITHIN 5 SECONDS", "a@0 a@4", Y),
    ("9.5.1", "a REPEATS 2 TIMES WITHIN 5 SECONDS", "a@0 a@5", N),
    ("9.5.1", "a REPEATS 3 TIMES WITHIN 5 SECONDS", "a@0 a@3 a@6 a@9 a@10 a@11", Y),
    ("9.5.1", "a REPEATS 3 TIMES WITHIN 5 SECONDS", "a@0 a@3 a@6 a@9 a@12", N),
    ("9.5.1", "a WITHIN 1 SECONDS REPEATS 2 TIMES", "a@0 a@100", Y),  # the qualifier before: each within
    ("9.5.1", "a AND b WITHIN 1 SECONDS", "a@0 b@100", Y),  # only of b
    ("9.5", "(a AND b REPEATS 2 TIMES) WITHIN 10 SECONDS", "a@0 b@1 b@9", Y),
    ("9.5", "(a AND b REPEATS 2 TIMES) WITHIN 10 SECONDS", "a@0 b@1 b@10", N),
    ("9.5", "(a AND b) REPEATS 2 TIMES WITHIN 10 SECONDS", "a@0 a@1 b@8 b@9", Y),
    ("9.5", "(a AND b) REPEATS 2 TIMES WITHIN 10 SECONDS", "a@0 a@1 b@8 b@11", N),
    ("9.5", "(a AND b) WITHIN 5 SECONDS REPEATS 2 TIMES", "a@0 b@1 a@100 b@101", Y),
    ("9.5", "(a AND b) WITHIN 5 SECONDS REPEATS 2 TIMES", "a@0 a@1 b@100 b@101", N),
    ("9.8", "(a FOLLOWEDBY b) WITHIN 300 SECONDS", "a@0 b@299", Y),
    ("9.8", "(a FOLLOWEDBY b) WITHIN 300 SECONDS", "a@0 b@300", N),
    ("9.8", "(a FOLLOWEDBY b) WITHIN 300 SECONDS", "b@0 a@5 b@400 a@390", Y),
    ("9.8", "a FOLLOWEDBY b WITHIN 300 SECONDS", "a@0 b@9000", Y),
    ("9.5.1", "((a FOLLOWEDBY b) WITHIN 5 SECONDS FOLLOWEDBY c) WITHIN 20 SECONDS", "a@0 b@4 c@19", Y),
    ("9.5.1", "((a FOLLOWEDBY b) WITHIN 5 SECONDS FOLLOWEDBY c) WITHIN 20 SECONDS", "a@0 b@5 c@19", N),
    ("9.5.1", "((a FOLLOWEDBY b) WITHIN 5 SECONDS FOLLOWEDBY c) WITHIN 20 SECONDS", "a@0 b@4 c@20", N),
    # it isn't defined when between first and last an observation occurs: any moment will do
    ("9.1", "(a AND b) WITHIN 10 SECONDS", "a@0-50 b@59", Y),
    ("9.1", "(a AND b) WITHIN 10 SECONDS", "a@0-50 b@60", N),
    ("9.1", "(a AND b) WITHIN 10 SECONDS", "a@0-50 b@20-90", Y),
    ("9.1", "a FOLLOWEDBY b", "a@5-9 b@0-6", Y),
    ("9.1", "a FOLLOWEDBY b", "a@5-9 b@0-4", N),
    ("9.1", "a FOLLOWEDBY b FOLLOWEDBY c", "a@3-9 b@0-5 c@4", Y),
    ("9.1", "a FOLLOWEDBY b FOLLOWEDBY c", "a@3-9 b@0-5 c@2", N),
    ("9.1", "(a FOLLOWEDBY b FOLLOWEDBY c) WITHIN 3 SECONDS", "a@0-9 b@5 c@0-9", Y),
    ("9.1", "(a FOLLOWEDBY b) WITHIN 5 SECONDS AND c", "a@0-9 b@12 c@40", Y),
    ("9.1", "a REPEATS 3 TIMES WITHIN 5 SECONDS", "a@0-60x3", Y),
]

START_STOP = [
    ("9.5.1", f"a {at('0', '10')}", "a@0", Y),  # from x on
    ("9.5.1", f"a {at('0', '10')}", "a@10", N),  # up to, not with, y
    ("9.5.1", f"a {at('0', '10')}", "a@9.999999", Y),
    ("9.5.1", f"a {at('1', '10')}", "a@0.5", N),
    ("9.5.1", f"a {at('1', '10')}", "a@0.5 a@3", Y),
    ("9.5.1", f"(a AND b) {at('0', '10')}", "a@3 b@4", Y),
    ("9.5.1", f"(a AND b) {at('0', '10')}", "a@3 b@14", N),
    ("9.5.1", f"a {at('0', '10')} AND b", "a@3 b@14", Y),
    ("9.5.1", f"(a OR b) {at('0', '10')}", "a@13 b@4", Y),
    ("9.5.1", f"a REPEATS 2 TIMES {at('0', '10')}", "a@3 a@4 a@14", Y),
    ("9.5.1", f"a REPEATS 2 TIMES {at('0', '10')}", "a@3 a@14", N),
    ("9.5.1", f"a {at('0', '10')} REPEATS 2 TIMES", "a@3 a@14", N),
    ("9.5.1", f"(a FOLLOWEDBY b) {at('0', '10')} WITHIN 5 SECONDS", "a@3 b@7", Y),
    ("9.5.1", f"(a {at('0', '10')} AND b {at('20', '30')}) WITHIN 15 SECONDS", "a@7 b@21", Y),
    ("9.5.1", f"(a {at('0', '10')} AND b {at('20', '30')}) WITHIN 15 SECONDS", "a@5 b@21", N),
    ("9.5.1", f"(a {at('0', '10')} OR a {at('20', '30')}) REPEATS 2 TIMES", "a@5 a@25", Y),
    ("9.5.1", f"(a {at('0', '10')} OR a {at('20', '30')}) REPEATS 2 TIMES", "a@5 a@15", N),
    ("9.1", f"a {at('10', '20')}", "a@0-10", Y),
    ("9.1", f"a {at('10', '20')}", "a@0-9", N),
    ("9.1", f"a {at('10', '20')}", "a@20-30", N),
    ("9.1", f"a {at('10', '20')}", "a@0-90", Y),
    ("9.1", f"(a {at('10', '20')} AND b) WITHIN 5 SECONDS", "a@0-90 b@24", Y),
    ("9.1", f"(a {at('10', '20')} AND b) WITHIN 5 SECONDS", "a@0-90 b@25", N),  # the same moment for both
    ("9.5.1", f"a {at('10', '5')}", "a@7", N),  # no time is in it
    ("9.5.1", f"a {at('10', '10')}", "a@10", N),
]

UNTIMED = [
    ("own", "a", "a@?", Y),
    ("own", "a AND b", "a@? b@?", Y),
    ("own", "a FOLLOWEDBY b", "a@? b@1", OPEN),
    ("own", "a FOLLOWEDBY b", "a@? c@1", N),
    ("own", "a FOLLOWEDBY b", "a@? a@0 b@1", Y),
    ("own", "(a AND b) WITHIN 5 SECONDS", "a@? b@1", OPEN),
    ("own", f"a {at('0', '10')}", "a@?", OPEN),
    ("own", "a WITHIN 5 SECONDS", "a@?", Y),
    ("own", "a REPEATS 2 TIMES", "a@?x2", Y),
]


@pytest.mark.parametrize(("section", "pattern", "notes", "result"),
                         OPERATORS + REPEATS + WITHIN + START_STOP + UNTIMED)
def test_observations_are_combined_as_the_specification_says(
    section: str, pattern: str, notes: str, result: str
) -> None:
    assert judged(pattern, notes).result == result, section


ALONE = [
    # pattern, observations, numbers of the observed-data that match when taken alone
    ("a", "a@0 b@1 ab@2", (1, 3)),
    ("a OR b", "a@0 b@1 c@2", (1, 2)),
    ("a AND b", "a@0 b@1", ()),
    ("a AND b", "ab@0 ab@1x2", (2,)),
    ("a REPEATS 2 TIMES", "a@0 a@1x2 a@2x5", (2, 3)),
    ("a OR (b AND c)", "a@0 b@1 c@2", (1,)),
    ("a OR (b AND c)", "b@1 c@2", ()),
    (f"a {at('0', '10')}", "a@3 a@13", (1,)),
    ("(a FOLLOWEDBY b) WITHIN 5 SECONDS", "ab@0-9x2 a@1 b@1", (1,)),
    ("a FOLLOWEDBY a", "a@0x2", (1,)),
    ("c", "a@0", ()),
    (f"a {at('0', '10')}", "a@? a@5-20 a@10-20", (2,)),
    (f"a {at('0', '10')} OR b", "b@? a@50", (1,)),
]


@pytest.mark.parametrize(("pattern", "notes", "numbers"), ALONE)
def test_observed_lists_what_matches_on_its_own(pattern: str, notes: str, numbers: tuple[int, ...]) -> None:
    assert judged(pattern, notes).observed == tuple(f"observed-data--{number}" for number in numbers)
