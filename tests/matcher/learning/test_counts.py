"""Posteriors of signals and sources: what reviews do to weights, by how much, and what they don't."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.matcher.learning.counts import (
    HALF_LIFE,
    TOGETHER,
    Count,
    count,
    faded,
    is_defect,
    pooled,
    posterior,
    source_posterior,
    stepped,
)
from exchange.matcher.learning.reviews import CONFIRMED, OVERTURNED, Decision, Review

NOW = datetime(2026, 6, 1, tzinfo=UTC)
ROWS = [
    {"step": "prior", "kind": "prior", "nats": -5.0},
    {"step": "direct", "kind": "phone", "signal": "phone", "source": "identity--a", "nats": 3.0},
    {"step": "company", "kind": "share", "signal": "share", "nats": 1.0},
    {"step": "account", "kind": "age_days", "nats": -1.0},
]
MEANS = {"share": {"company.share"}, "cookie": {"company.cookie"}}


def review(verdict=OVERTURNED, account="1", **more):
    decision = Decision("run", "made", "d", 0, 0.9, 2.2, campaign_class=more.pop("cls", None), evidence=ROWS)
    return Review(account, verdict, more.pop("by", "ann"), more.pop("time", NOW.isoformat()), "", decision, **more)


def test_a_review_is_shared_out_over_what_spoke_for_the_account():
    found = count([review(cls="spam")], NOW, MEANS, {})
    assert {key: (one.overturned, one.confirmed) for key, one in found.items()} == {
        ("direct.phone", "spam", "identity--a"): (0.75, 0.0), ("company.share", "spam", ""): (0.25, 0.0)}


def test_what_the_reviewer_names_bears_it_alone():
    found = count([review(signals=("share",))], NOW, MEANS, {})
    assert {key: one.named for key, one in found.items()} == {("company.share", "", ""): 1.0}


def test_naming_what_did_not_speak_blames_nothing():
    assert count([review(signals=("cookie",))], NOW, MEANS, {}) == {}


def test_many_of_one_group_count_as_one_mistake_found_often():
    reviews = [review(account=str(n)) for n in range(50)]
    one_group = pooled(count(reviews, NOW, MEANS, {str(n): "agency" for n in range(50)}), 0)
    apart = pooled(count(reviews, NOW, MEANS, {}), 0)
    assert one_group["direct.phone"].overturned == pytest.approx(0.75 * TOGETHER)
    assert apart["direct.phone"].overturned == pytest.approx(0.75 * 50)


@pytest.mark.parametrize(("age", "size", "weight"), [
    (0, 1, 1.0), (HALF_LIFE, 1, 0.5), (2 * HALF_LIFE, 1, 0.25), (0, 100, TOGETHER / 100), (-3, 1, 1.0)])
def test_reviews_fade_and_a_word_on_a_whole_cluster_is_parted(age, size, weight):
    assert faded(review(time=(NOW - timedelta(days=age)).isoformat(), size=size), NOW) == pytest.approx(weight)


@settings(max_examples=40)
@given(st.floats(0, 200), st.floats(0, 200), st.floats(0, 1), st.floats(0, 500))
def test_more_overturned_never_raise_a_factor_and_more_confirmed_never_lower_it(confirmed, overturned, share, silent):
    def factor(c, o):
        return posterior(Count(c, o, share * (c + o)), silent).factor

    if confirmed + overturned >= 3:
        assert factor(confirmed, overturned) <= factor(confirmed + overturned, 0) + 1e-9
        assert 0.1 <= factor(confirmed, overturned) <= 1.1
        one = source_posterior(Count(confirmed, overturned, share * (confirmed + overturned)), silent)
        assert 0 <= one.factor <= 1


def test_few_reviews_move_nothing():
    assert posterior(Count(0, 2.9, 2.6)).factor == 1
    assert source_posterior(Count(0, 2.9, 2.6)).factor == 1


def test_likely_accounts_that_nobody_complained_of_hold_a_source_up():
    one = Count(0, 10, 9)
    assert source_posterior(one, 200).factor > source_posterior(one, 0).factor


@pytest.mark.parametrize(("confirmed", "overturned", "defect"), [
    (0, 4, False), (0, 6, True), (0, 40, True), (20, 20, False), (40, 0, False), (10, 30, True), (3, 5, False)])
def test_a_signal_that_keeps_being_overturned_is_a_defect(confirmed, overturned, defect):
    assert is_defect(Count(confirmed, overturned)) is defect


@pytest.mark.parametrize(("before", "target", "days", "people", "after"), [
    (1.0, 0.5, 1, 1, 0.9), (1.0, 0.5, 1, 2, 0.75), (1.0, 0.5, 4, 2, 0.5), (1.0, 0.97, 1, 1, 0.97),
    (0.5, 1.0, 1, 1, 0.6), (1.0, 0.5, 0, 5, 1.0)])
def test_a_factor_moves_a_bounded_step_a_day_and_further_where_two_people_speak(before, target, days, people, after):
    assert stepped(before, target, days, people) == pytest.approx(after)


def test_confirmed_ones_count_for():
    assert pooled(count([review(CONFIRMED)], NOW, MEANS, {}), 2)["identity--a"].confirmed == 0.75
