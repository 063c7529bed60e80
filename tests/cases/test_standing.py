"""Stages, reliability and anomalies: what one source can reach, what sock puppets add, when a day is unusual."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.cases.anomaly import OverturnLimits, VolumeLimits, limit_of_day, overturns_jumped
from exchange.cases.posterior import Verdict, beta_quantile, incomplete_beta, reliability, weights
from exchange.cases.standing import Report, Standing, Thresholds, weigh
from exchange.model.state import State

DAY = 86_400_000_000
T = 1_790_000_000_000_000
LIMITS = Thresholds(review=2, friction=3, reliability=0.5)


def report(group: str, **more: object) -> Report:
    return replace(Report(org=f"org-{group}", group=group, at=T, reliability=0.9), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(("reports", "stage", "independent", "tips"), [
    ([report("a")], Standing.OBSERVE, 1, 0),
    ([report("a"), report("a", org="org-a2"), report("a", org="org-a3")], Standing.OBSERVE, 1, 0),
    ([report("a"), report("b", copied=True)], Standing.OBSERVE, 1, 0),
    ([report("a"), report("b", authority=True)], Standing.OBSERVE, 1, 1),
    ([report("a", authority=True)], Standing.OBSERVE, 0, 1),
    ([report("a"), report("b", new=True)], Standing.OBSERVE, 2, 0),
    ([report("a"), report("b")], Standing.REVIEW, 2, 0),
    ([report("a"), report("b"), report("c", reliability=0.1)], Standing.REVIEW, 3, 0),
    ([report("a"), report("b"), report("c")], Standing.FRICTION, 3, 0),
])  # fmt: skip
def test_stages_by_reports(reports: list[Report], stage: Standing, independent: int, tips: int) -> None:
    weighed = weigh(reports, State.ACTIVE, LIMITS)
    assert (weighed.stage, weighed.independent, weighed.tips) == (stage, independent, tips)
    assert weighed.single_source is (independent < 2)


@pytest.mark.parametrize(("state", "stage"), [
    (State.HELD, Standing.QUARANTINED), (State.RESTRICTED, Standing.QUARANTINED), (State.DISPUTED, Standing.DISPUTED),
    (State.REVOKED, Standing.RETRACTED), (State.ERASED, Standing.RETRACTED),
])
def test_a_state_wins_over_reports(state: State, stage: Standing) -> None:
    assert weigh([report("a"), report("b"), report("c")], state, LIMITS, upheld=True).stage is stage


def test_upheld_confirms_what_two_report_but_never_a_single_source() -> None:
    assert weigh([report("a"), report("b")], State.ACTIVE, LIMITS, upheld=True).stage is Standing.CONFIRMED
    assert weigh([report("a")], State.ACTIVE, LIMITS, upheld=True).stage is Standing.OBSERVE


reports_of_one = st.lists(st.builds(
    Report, org=st.text(min_size=1, max_size=3), group=st.just("one"), at=st.integers(0, T), copied=st.booleans(),
    authority=st.booleans(), new=st.booleans(), reliability=st.floats(0, 1)), max_size=8)


@given(reports_of_one, st.booleans(), st.integers(0, 5), st.integers(0, 5))
def test_one_ownership_group_never_gets_beyond_observe(
    reports: list[Report], upheld: bool, review: int, friction: int
) -> None:
    weighed = weigh(reports, State.ACTIVE, Thresholds(review, friction, 0.0), upheld=upheld)
    assert weighed.stage is Standing.OBSERVE
    assert weighed.single_source


@pytest.mark.parametrize(("a", "b"), [(1.0, 1.0), (3.0, 1.0), (1.0, 7.5), (40.0, 1.0)])
@pytest.mark.parametrize("p", [0.05, 0.5, 0.9])
def test_quantiles_where_they_have_a_closed_form(a: float, b: float, p: float) -> None:
    expected = p ** (1 / a) if b == 1 else 1 - (1 - p) ** (1 / b)
    assert math.isclose(beta_quantile(p, a, b), expected, abs_tol=1e-9)


@pytest.mark.parametrize("a", range(1, 9))
@pytest.mark.parametrize("b", [1, 4, 30])
@pytest.mark.parametrize("x", [0.0, 0.02, 0.3, 0.5, 0.97, 1.0])
def test_the_incomplete_beta_function_is_a_tail_of_the_binomial(a: int, b: int, x: float) -> None:
    n = a + b - 1
    tail = sum(math.comb(n, j) * x**j * (1 - x) ** (n - j) for j in range(a, n + 1))
    assert math.isclose(incomplete_beta(x, a, b), tail, abs_tol=1e-10)


@given(st.floats(0.01, 500), st.floats(0.01, 500), st.floats(0.001, 0.999))
def test_quantile_and_distribution_are_inverse(a: float, b: float, p: float) -> None:
    x = beta_quantile(p, a, b)
    assert 0 <= x <= 1
    low, high = incomplete_beta(max(0.0, x - 1e-9), a, b), incomplete_beta(min(1.0, x + 1e-9), a, b)
    assert low - 1e-6 <= p <= high + 1e-6


def test_a_verdict_halves_with_every_half_life() -> None:
    verdicts = [Verdict(True, T - 90 * DAY), Verdict(False, T - 180 * DAY), Verdict(True, T)]
    assert weights(verdicts, T, 90) == (1.5, 0.25)


verdicts_of = st.lists(st.builds(Verdict, confirmed=st.booleans(), at=st.integers(T - 900 * DAY, T)), max_size=12)


@given(verdicts_of)
def test_counts_are_never_negative_and_a_confirmation_never_lowers_trust(verdicts: list[Verdict]) -> None:
    assert min(weights(verdicts, T, 90)) >= 0
    before = reliability(verdicts, T, half_life_days=90, quantile=0.05)
    assert reliability([*verdicts, Verdict(True, T)], T, half_life_days=90, quantile=0.05) >= before - 1e-9
    assert reliability([*verdicts, Verdict(False, T)], T, half_life_days=90, quantile=0.05) <= before + 1e-9


def test_somebody_unknown_is_hardly_trusted() -> None:
    assert reliability([], T, half_life_days=90, quantile=0.05) == pytest.approx(0.05)


@pytest.mark.parametrize(("history", "limit"), [
    ([5_000] * 13, None),          # too little history
    ([5_000] * 14, 50_000),
    ([10] * 14, 10_000),           # below ten thousand nothing is unusual
    ([10] * 13 + [20_000], 200_000),
])  # fmt: skip
def test_what_a_day_may_hold(history: list[int], limit: int | None) -> None:
    assert limit_of_day(history, VolumeLimits(14, 10, 10_000)) == limit


OVERTURNS = OverturnLimits(days=30, fewest=3, times_usual=3, percent=20)


@pytest.mark.parametrize(("recent", "before", "jumped"), [
    ("ooo", "", True),
    ("oo", "", False),                        # too few
    ("ooo" + "c" * 20, "", False),            # below the rate
    ("ooo" + "c" * 3, "c" * 40, True),
    ("ooo" + "c" * 3, "oc" * 20, False),      # as usual with this one
])
def test_when_overturns_jump(recent: str, before: str, jumped: bool) -> None:
    verdicts = [Verdict(letter == "c", T - DAY) for letter in recent]
    verdicts += [Verdict(letter == "c", T - 90 * DAY) for letter in before]
    assert overturns_jumped(verdicts, T, OVERTURNS) is jumped
