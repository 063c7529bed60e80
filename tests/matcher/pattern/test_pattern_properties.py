"""Laws of STIX patterns: equivalences, text and back, and the same answer as trying every assignment."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.matcher.pattern.observed import TICKS, Observed, observed_data
from exchange.matcher.pattern.verdict import MATCH, NO_MATCH, Judge
from exchange.stix.pattern.parser import parse
from exchange.stix.pattern.tree import (
    Combination,
    Comparison,
    Expression,
    Logic,
    ObjectPath,
    Observation,
    Octets,
    Pattern,
    Qualified,
    Repeats,
    StartStop,
    Test,
    Timestamp,
    Within,
)
from exchange.stix.pattern.write import write
from exchange.stix.timestamp import from_microseconds

BASE = 1_767_225_600

# -- comparisons ---------------------------------------------------------------------------------------------------

scalars = st.one_of(st.booleans(), st.integers(-3, 3), st.sampled_from([0.5, -1.5, 2.0]), st.sampled_from(["", "a", "ab", "b%", "é"]))
scos = st.fixed_dictionaries({"type": st.sampled_from(["x", "y"])}, optional={
    "a": scalars, "b": scalars, "l": st.lists(scalars, max_size=3)})
paths = st.builds(ObjectPath, st.sampled_from(["x", "x", "y"]), st.sampled_from([("a",), ("b",), ("l", None), ("l", 0)]))


def comparisons() -> st.SearchStrategy[Comparison]:
    negated = st.booleans()
    strings = st.sampled_from(["a", "ab", "%", "a_", "", "b\\%"])
    ordered = scalars.filter(lambda one: not isinstance(one, bool))
    return st.one_of(
        st.builds(Comparison, paths, st.sampled_from(["=", "!="]), scalars, negated),
        st.builds(Comparison, paths, st.sampled_from(["<", "<=", ">", ">="]), ordered, negated),
        st.builds(Comparison, paths, st.just("IN"), st.lists(st.integers(-2, 2), max_size=3).map(tuple), negated),
        st.builds(Comparison, paths, st.just("LIKE"), strings, negated),
        st.builds(Comparison, paths, st.just("EXISTS"), st.none(), negated),
    )


tests = st.recursive(comparisons(), lambda inner: st.builds(
    Logic, st.sampled_from(["AND", "OR"]), st.lists(inner, min_size=2, max_size=3).map(tuple)), max_leaves=6)


def seen(*groups: list[dict[str, Any]]) -> list[Observed]:
    return [Observed(f"observed-data--{n}", tuple(group), {}) for n, group in enumerate(groups)]


def brackets(test: Test) -> str:
    return write(Pattern(Observation(test)))


def result(pattern: str, observed: list[Observed]) -> str:
    return Judge(observed).judge(pattern).result


def alone(value: Any, comparison: Comparison) -> bool:
    """One comparison on one value, NOT aside, by the text of 9.6.1."""
    constant = comparison.value
    number = isinstance(value, int | float) and not isinstance(value, bool)
    alike = (
        (isinstance(value, bool) and isinstance(constant, bool))
        or (number and isinstance(constant, int | float) and not isinstance(constant, bool))
        or (isinstance(value, str) and isinstance(constant, str)))
    match comparison.operator:
        case "EXISTS":
            return True
        case "=":
            return alike and value == constant
        case "!=":
            return not (alike and value == constant)
        case "<":
            return alike and value < constant  # type: ignore[operator]
        case "<=":
            return alike and value <= constant  # type: ignore[operator]
        case ">":
            return alike and value > constant  # type: ignore[operator]
        case ">=":
            return alike and value >= constant  # type: ignore[operator]
        case "IN":
            return number and value in constant  # type: ignore[operator]
        case _:
            return isinstance(value, str) and liked(value, str(constant))


def liked(text: str, template: str) -> bool:
    if not template:
        return not text
    if template[0] == "%":
        return any(liked(text[n:], template[1:]) for n in range(len(text) + 1))
    return bool(text) and template[0] in ("_", text[0]) and liked(text[1:], template[1:])


def holds(test: Test, sco: dict[str, Any]) -> bool:
    """A test on one object, as the specification tells it."""
    if isinstance(test, Logic):
        every = all if test.operator == "AND" else any
        return every(holds(one, sco) for one in test.operands)
    if test.path.type != sco["type"]:
        return False
    name, *index = test.path.steps
    values = [sco[name]] if name in sco else []
    if index:
        values = [one for held in values for one in (held if index[0] is None else held[:1])]
    return bool(values) and any(alone(one, test) for one in values) != test.negated


@settings(max_examples=40, deadline=None)
@given(tests, st.lists(st.lists(scos, min_size=1, max_size=2), max_size=3))
def test_a_single_observation_expression_equals_trying_every_object(test: Test, groups: list[list[dict[str, Any]]]) -> None:
    expected = tuple(f"observed-data--{n}" for n, group in enumerate(groups) if any(holds(test, one) for one in group))
    verdict = Judge(seen(*groups)).judge(brackets(test))
    assert (verdict.result, verdict.observed) == (MATCH if expected else NO_MATCH, expected)


def negation(test: Test) -> Test:
    if isinstance(test, Logic):
        return Logic("OR" if test.operator == "AND" else "AND", tuple(map(negation, test.operands)))
    return Comparison(test.path, test.operator, test.value, not test.negated)


complete = st.fixed_dictionaries({"type": st.just("x"), "a": scalars, "b": scalars, "l": st.lists(scalars, min_size=1, max_size=3)})


def on_x(test: Test) -> Test:
    if isinstance(test, Logic):
        return Logic(test.operator, tuple(map(on_x, test.operands)))
    return Comparison(ObjectPath("x", test.path.steps), test.operator, test.value, test.negated)


@settings(max_examples=40, deadline=None)
@given(tests, complete)
def test_de_morgan_holds_where_every_path_is_there(test: Test, sco: dict[str, Any]) -> None:
    given_test = on_x(test)
    assert result(brackets(given_test), seen([sco])) != result(brackets(negation(given_test)), seen([sco]))


@settings(max_examples=40, deadline=None)
@given(st.lists(comparisons(), min_size=2, max_size=4), st.sampled_from(["AND", "OR"]), st.lists(scos, max_size=3), st.randoms())
def test_the_order_of_operands_in_brackets_does_not_matter(operands: list[Comparison], operator: str, held: list[dict[str, Any]], chance: Any) -> None:
    shuffled = list(operands)
    chance.shuffle(shuffled)
    one, other = (Pattern(Observation(Logic(operator, tuple(order)))) for order in (operands, shuffled))
    assert result(write(one), seen(held)) == result(write(other), seen(held))


@settings(max_examples=40, deadline=None)
@given(paths, st.lists(st.integers(-2, 2), min_size=1, max_size=3), scos)
def test_in_is_an_or_of_equalities(path: ObjectPath, members: list[int], sco: dict[str, Any]) -> None:
    one = brackets(Comparison(path, "IN", tuple(members)))
    other = "[" + " OR ".join(f"{path.text} = {member}" for member in members) + "]"
    assert result(one, seen([sco])) == result(other, seen([sco]))


# -- text and back -------------------------------------------------------------------------------------------------

texts = st.text(st.characters(codec="utf-8"), max_size=8)
moments = st.integers(0, 10**6).map(lambda n: Timestamp(from_microseconds((BASE + n) * 1_000_000)))
constants = st.one_of(
    st.booleans(), st.integers(-(10**20), 10**20), st.floats(allow_nan=False, allow_infinity=False, width=32), texts, moments,
    st.builds(Octets, st.binary(max_size=6), st.sampled_from("bh")))
steps = st.lists(st.one_of(texts, st.integers(0, 20), st.none()), max_size=3)
any_paths = st.builds(lambda first, rest: ObjectPath("x-type", (first, *rest)), texts, steps)
any_comparisons = st.one_of(
    st.builds(Comparison, any_paths, st.sampled_from(["=", "!="]), constants, st.booleans()),
    st.builds(Comparison, any_paths, st.just("IN"), st.lists(constants, max_size=3).map(tuple), st.booleans()),
    st.builds(Comparison, any_paths, st.sampled_from(["LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET"]), texts, st.booleans()),
    st.builds(Comparison, any_paths, st.just("EXISTS"), st.none(), st.booleans()))


def chains(inner: st.SearchStrategy[Any], kind: Any, operators: list[str]) -> st.SearchStrategy[Any]:
    """Chains whose operands don't have the chain's own operator: the parser reads those as one chain."""
    return st.builds(lambda operator, operands: kind(operator, tuple(
        operands)), st.sampled_from(operators), st.lists(inner, min_size=2, max_size=3))


any_tests = st.recursive(any_comparisons, lambda inner: chains(inner, Logic, ["AND", "OR"]), max_leaves=4)
qualifiers = st.tuples(
    st.builds(Repeats, st.integers(1, 9)), st.builds(Within, st.one_of(st.integers(1, 99), st.floats(1e-9, 1e20))),
    st.just(StartStop("2026-01-01T00:00:00Z", "2026-01-02T00:00:00.5Z"))).flatmap(
        lambda three: st.permutations(three).flatmap(lambda order: st.integers(1, 3).map(lambda n: tuple(order[:n]))))
any_expressions = st.recursive(
    st.builds(Observation, any_tests),
    lambda inner: st.one_of(chains(inner, Combination, ["AND", "OR", "FOLLOWEDBY"]), st.builds(Qualified, inner, qualifiers)),
    max_leaves=4)


@settings(max_examples=30, deadline=None)
@given(any_expressions)
def test_what_is_written_reads_back_as_the_same_pattern(expression: Expression) -> None:
    assert parse(write(Pattern(expression))).expression == expression


# -- combinations of observations against trying every assignment --------------------------------------------------


class Event(NamedTuple):
    """One observation: its number, the letters it shows, its time in half seconds."""

    number: int
    letters: str
    time: int


spans = st.tuples(st.sampled_from(["a", "b", "ab", "c"]), st.integers(0, 4), st.integers(0, 2), st.integers(1, 2))


def bindings(node: Expression, events: list[Event]) -> Iterator[tuple[Event, ...]]:
    """Every set of observations that satisfies an expression, at fixed times."""
    if isinstance(node, Observation):
        assert isinstance(node.test, Comparison)
        yield from ((one,) for one in events if str(node.test.value) in one.letters)
    elif isinstance(node, Qualified):
        yield from qualified(node, events)
    elif node.operator == "OR":
        for operand in node.operands:
            yield from bindings(operand, events)
    else:
        yield from joined(node.operands, node.operator == "FOLLOWEDBY", events)


def joined(operands: tuple[Expression, ...], ordered: bool, events: list[Event]) -> Iterator[tuple[Event, ...]]:
    if not operands:
        yield ()
        return
    for before in joined(operands[:-1], ordered, events):
        for last in bindings(operands[-1], [one for one in events if one not in before]):
            if not (ordered and before) or max(one.time for one in before) <= min(one.time for one in last):
                yield (*before, *last)


def qualified(node: Qualified, events: list[Event]) -> Iterator[tuple[Event, ...]]:
    inner = node.expression if len(node.qualifiers) == 1 else Qualified(node.expression, node.qualifiers[:-1])
    qualifier = node.qualifiers[-1]
    if isinstance(qualifier, Repeats):
        yield from joined((inner,) * qualifier.times, False, events)
        return
    for found in bindings(inner, events):
        times = [one.time for one in found]
        if isinstance(qualifier, Within):
            if max(times) - min(times) < 2 * qualifier.seconds:
                yield found
        elif all(2 <= time < 6 for time in times):
            yield found


leaves = st.sampled_from("abc").map(lambda letter: Observation(Comparison(ObjectPath("x", ("v",)), "=", letter)))
window = StartStop(from_microseconds((BASE + 1) * 10**6), from_microseconds((BASE + 3) * 10**6))
small_qualifiers = st.lists(
    st.one_of(st.builds(Repeats, st.integers(1, 2)), st.builds(Within, st.sampled_from([1, 1.5, 2, 3])), st.just(window)),
    min_size=1, max_size=2, unique_by=type).map(tuple)
small_expressions = st.recursive(leaves, lambda inner: st.one_of(
    st.builds(Combination, st.sampled_from(["AND", "OR", "FOLLOWEDBY"]), st.lists(inner, min_size=2, max_size=2).map(tuple)),
    st.builds(Qualified, inner, small_qualifiers)), max_leaves=3)


def matches(expression: Expression, given_spans: list[tuple[str, int, int, int]]) -> bool:
    """Try every time of every observation (half seconds: between whole ones nothing else can decide)."""
    kinds = [(letters, first, first + length) for letters, first, length, count in given_spans for _ in range(count)]
    worlds = product(*(range(2 * first, 2 * last + 1) for _, first, last in kinds))
    return any(
        next(bindings(expression, [Event(n, kind[0], time) for n, (kind, time) in enumerate(zip(kinds, world, strict=True))]), None) is not None
        for world in worlds)


@settings(max_examples=60, deadline=None)
@given(small_expressions, st.lists(spans, max_size=3).filter(lambda given_spans: sum(one[3] * (one[2] + 1) for one in given_spans) <= 7))
def test_combinations_equal_trying_every_assignment_and_time(expression: Expression, given_spans: list[tuple[str, int, int, int]]) -> None:
    observed = [
        Observed(f"observed-data--{n}", tuple({"type": "x", "v": letter} for letter in letters), {}, count,
                 (BASE + first) * TICKS, (BASE + first + length) * TICKS)
        for n, (letters, first, length, count) in enumerate(given_spans)]
    expected = MATCH if matches(expression, given_spans) else NO_MATCH
    assert result(write(Pattern(expression)), observed) == expected


points = st.tuples(st.sampled_from(["a", "b", "ab", "c"]), st.integers(0, 5), st.just(0), st.just(1))


@settings(max_examples=60, deadline=None)
@given(small_expressions, st.lists(points, max_size=6))
def test_combinations_of_moments_equal_trying_every_assignment(expression: Expression, given_spans: list[tuple[str, int, int, int]]) -> None:
    seen_at = [
        {"type": "observed-data", "id": f"observed-data--{n}", "number_observed": 1,
         "first_observed": from_microseconds((BASE + first) * 10**6), "last_observed": from_microseconds((BASE + first) * 10**6),
         "objects": {str(k): {"type": "x", "v": letter} for k, letter in enumerate(letters)}}
        for n, (letters, first, _, _) in enumerate(given_spans)]
    expected = MATCH if matches(expression, given_spans) else NO_MATCH
    assert result(write(Pattern(expression)), observed_data(seen_at).observed) == expected


@pytest.mark.parametrize("pattern", ["[x:'AND' = 1]", "[x:a.'true'.'EXISTS' = 1]", "[x:'' = 1]"])
def test_a_property_named_like_a_word_of_the_language_is_written_in_quotes(pattern: str) -> None:
    assert write(parse(pattern)) == pattern
