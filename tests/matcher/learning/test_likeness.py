"""Models of likeness: a group is told from those that nobody overturned, and where it can't be, nothing is cleared."""

import numpy as np
import pytest

from exchange.matcher.learned import PREFIX
from exchange.matcher.learning.groups import MOST, STEP, Group, learn_groups
from exchange.matcher.nearness import AMOUNTS, SHARES

RNG = np.random.default_rng(5)
SIZE = 600
GROUP = np.arange(SIZE) < 120
"""Accounts of one shape; half of them are reviewed."""
REVIEWED = np.arange(SIZE) < 60


def columns(apart):
    """Figures of which one lies ``apart`` for the group."""
    found = {f"x{n}": RNG.normal(2, 1, SIZE) for n in range(8)}
    found["x0"] = found["x0"] + apart * GROUP
    return found | dict.fromkeys((*AMOUNTS, *SHARES), np.zeros(SIZE))


def learn(given, *, people=("ann", "bea"), confirmed=None, before=None, days=1.0):
    group = Group("agency", REVIEWED.astype(float), frozenset(people))
    likely = np.where(REVIEWED, 0.0, 0.9)
    return learn_groups([group], given, likely, np.zeros(SIZE) if confirmed is None else confirmed,
                        before=before or {}, days=days)


def test_those_like_the_overturned_are_reached_and_the_others_are_not():
    given = columns(8.0)
    (found,) = [one for one in learn(given) if not one.model.near]
    alike = found.model.read(given, SIZE) >= 1
    assert alike[GROUP & ~REVIEWED].mean() >= 0.9
    assert alike[~GROUP].mean() <= 0.02
    assert found.model.target < -3


def test_a_group_without_a_shape_of_its_own_clears_nobody():
    assert learn(columns(0.0)) == []


def test_too_few_accounts_teach_nothing():
    group = Group("agency", (np.arange(SIZE) < 5).astype(float), frozenset({"ann"}))
    assert learn_groups([group], columns(8.0), np.full(SIZE, 0.9), np.zeros(SIZE), before={}, days=1.0) == []


def test_confirmed_accounts_of_the_same_shape_hold_it_back():
    given = columns(8.0)
    confirmed = (GROUP & ~REVIEWED).astype(float)
    plain, held = learn(given), learn(given, confirmed=confirmed)
    assert not held or held[0].model.target > plain[0].model.target + 2


@pytest.mark.parametrize(("reviewed", "people", "limit"), [
    (60, ("ann",), MOST), (20, ("ann",), STEP), (20, ("ann", "bea"), MOST)])
def test_one_person_alone_clears_no_more_than_was_looked_at_twice_over(reviewed, people, limit):
    """Of 120 alike, 60 reviewed speak for as many others; 20 would speak for five times as many."""
    given = columns(12.0)
    some = np.arange(SIZE) < reviewed
    found = learn_groups([Group("agency", some.astype(float), frozenset(people))], given, np.where(some, 0.0, 0.9),
                         np.zeros(SIZE), before={}, days=1.0)
    assert [one.model.limit for one in found] == [limit]
    assert all(one.held_back == MOST - limit for one in found)


@pytest.mark.parametrize(("days", "limit"), [(0.0, 5.0), (1.0, 10.0), (9.0, MOST)])
def test_a_limit_grows_by_the_day(days, limit):
    given = columns(12.0)
    some = np.arange(SIZE) < 20
    group = Group("agency", some.astype(float), frozenset({"ann"}))
    found = learn_groups([group], given, np.where(some, 0.0, 0.9), np.zeros(SIZE),
                         before={f"{PREFIX}like: agency": 5.0}, days=days)
    assert [one.model.limit for one in found] == [limit]
