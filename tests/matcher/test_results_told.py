"""What is told of found objects: minimum counts, steps, no news of single accounts, words of reviews."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.matcher.results.found import Found
from exchange.matcher.results.told import (
    COVERED,
    FLOOR,
    FOREIGN,
    LEAST,
    OWN,
    RED,
    UNDECIDED,
    WHOLE,
    Former,
    Judgement,
    Kept,
    Sighting,
    decide,
    opinion,
    rounded,
)  # fmt: skip

ME, OTHER = "identity--me", "identity--other"
A, CAMPAIGN = "indicator--a", "campaign--c"
DAY = "2026-05-01T00:00:00.000000Z"


def found(accounts=0, name=A, **more):
    given = {"name": "Alpha", "source": OTHER, "campaign": "", "tlp": "", "met": accounts, "confirmed": 0, "overturned": 0}
    return Found(name, accounts=accounts, **{**given, **more})


def told(*objects, former=None, least=LEAST):
    return decide(objects, former or {}, least=least, own=ME, shared=frozenset({A, "indicator--b", CAMPAIGN}))


@pytest.mark.parametrize(("accounts", "least", "shown"), [
    (0, 10, 0), (9, 10, 0), (10, 10, 10), (19, 10, 10), (20, 10, 20), (49, 10, 20), (50, 10, 50), (1234, 10, 1000),
    (6, 7, 0), (7, 7, 7), (9, 7, 7), (10, 7, 10), (25, 25, 25), (49, 25, 25), (99, 25, 50), (10**9, 10, 10**9),
])  # fmt: skip
def test_counts_are_rounded_down_to_steps(accounts, least, shown):
    assert rounded(accounts, least) == shown


@given(st.integers(0, 10**7), st.integers(FLOOR, 300))
def test_a_step_is_never_more_than_what_is_there_and_never_below_the_minimum(accounts, least):
    shown = rounded(accounts, least)
    assert shown == 0 if accounts < least else least <= shown <= accounts
    assert rounded(shown, least) == shown


@pytest.mark.parametrize(("confirmed", "overturned", "word"), [
    (0, 0, None), (9, 0, None), (10, 0, "agree"), (19, 0, "agree"), (20, 0, "strongly-agree"), (20, 2, "agree"),
    (20, 5, "agree"), (20, 6, None), (0, 9, None), (0, 10, "strongly-disagree"), (1, 10, "strongly-disagree"),
    (2, 10, "disagree"), (10, 10, "disagree"), (11, 10, None), (9, 9, None),
])  # fmt: skip
def test_what_reviews_come_to(confirmed, overturned, word):
    assert opinion(confirmed, overturned, 10) == word


def test_below_the_minimum_nothing_is_told():
    (kept,) = told(found(9))
    assert isinstance(kept, Kept)
    assert "fewer than 10" in kept.why
    assert told(found(10)) == [Sighting(found(10), 10)]


@pytest.mark.parametrize(("one", "why"), [
    (found(50, source=ME), OWN),
    (found(50, name="removed: some network"), FOREIGN),
    (found(50, tlp="TLP:RED"), RED),
])  # fmt: skip
def test_what_never_leaves(one, why):
    assert [(type(said), said.why) for said in told(one)] == [(Kept, why)]


def test_a_campaign_is_told_where_none_of_its_indicators_is_and_then_none_of_them():
    few, many = found(5, campaign=CAMPAIGN), found(12, "indicator--b", campaign=CAMPAIGN)
    whole = found(15, CAMPAIGN)
    assert told(few, whole)[1] == Sighting(whole, 10)
    assert [said.why for said in told(few, many, whole) if isinstance(said, Kept)][1:] == [COVERED]
    before = {("sighting", CAMPAIGN): Former(DAY, DAY, 10, 15)}
    assert [said.why for said in told(many, former=before)] == [WHOLE]


@pytest.mark.parametrize(("before", "now", "shown"), [
    (12, 19, None), (12, 21, None), (12, 22, 20), (12, 9, None), (12, 3, None), (12, 2, 0), (12, 0, 0), (25, 15, 10),
    (25, 16, None), (25, 35, None), (0, 9, None), (0, 10, 10),
])  # fmt: skip
def test_what_was_told_stays_until_as_many_accounts_changed(before, now, shown):
    former = {("sighting", A): Former(DAY, DAY, rounded(before, 10), before)}
    (said,) = told(found(now), former=former)
    assert (said.shown if isinstance(said, Sighting) else None) == shown


@given(st.integers(0, 500), st.lists(st.integers(-9, 9), max_size=30))
def test_runs_that_differ_by_less_than_the_minimum_from_what_was_told_tell_nothing_new(start, steps):
    """Whoever compares all versions sees no account come or go by itself: told values rest on counts that lie apart."""
    former, truths = {}, []
    for accounts in [start, *(max(0, start + step) for step in steps)]:
        (said,) = told(found(accounts), former=former)
        if isinstance(said, Sighting):
            former = {("sighting", A): Former(DAY, DAY, said.shown, accounts)}
            truths.append(accounts)
    assert all(abs(one - other) >= LEAST for one, other in pairwise(truths))


def test_reviews_that_overturn_dispute_and_take_the_sighting_back():
    bad = found(30, confirmed=0, overturned=12)
    first = told(bad)
    assert Judgement(bad, "strongly-disagree") in first
    assert not [said for said in first if isinstance(said, Sighting)]
    former = {("sighting", A): Former(DAY, DAY, 20, 30), ("opinion", A): Former(DAY, DAY, 0, 15, 0, "agree")}
    assert told(bad, former=former) == [Sighting(bad, 0), Judgement(bad, "strongly-disagree")]


def test_reviews_that_are_few_or_of_two_minds_say_nothing():
    assert [said.why for said in told(found(30, confirmed=9, overturned=8)) if isinstance(said, Kept)] == [UNDECIDED]
    assert ["fewer than 10" in said.why for said in told(found(30, overturned=9)) if isinstance(said, Kept)] == [True]


def test_one_more_review_changes_no_opinion():
    former = {("opinion", A): Former(DAY, DAY, 0, 19, 0, "agree"), ("sighting", A): Former(DAY, DAY, 20, 30)}
    assert all(isinstance(said, Kept) for said in told(found(30, confirmed=20), former=former))
    assert Judgement(found(30, confirmed=29), "strongly-agree") in told(found(30, confirmed=29), former=former)
