"""Who stands in a circle by word alone, and what the platform itself may see as a witness."""

import numpy as np
import pytest

from exchange.matcher.features import aloof, names
from exchange.matcher.weighing import load_weights
from exchange.matcher.witness import observe

WEIGHTS = load_weights("made-6")


def columns(**given):
    """Features of one account: nothing but what is given."""
    return {name: np.array([float(given.get(name.replace(".", "_"), 0))]) for name in names(WEIGHTS)}


@pytest.mark.parametrize(("given", "found"), [
    ({}, 0),  # no circle
    ({"circle_mass": 3}, 3),  # named among them, and nothing else
    ({"circle_mass": 3, "company_payment": 4, "company_network": 1}, 3),  # a card that is named too, and a crowded address
    ({"circle_mass": 3, "unsaid": 0.5}, 1.5),  # holds a little with them that nobody named
    ({"circle_mass": 3, "unsaid": 2}, 0),
    ({"circle_mass": 3, "company_share": 0.6, "company_wave": 0.4}, 0),  # does what they do
    ({"circle_mass": 3, "company_likeness": 2}, 0),  # wears one of their pictures
])
def test_who_does_and_holds_nothing_with_its_circle_is_aloof(given, found):
    assert aloof(columns(**given), WEIGHTS)[0] == pytest.approx(found)


@pytest.mark.parametrize(("given", "version", "seen"), [
    ({"company_likeness": 2, "company_share": 1, "circle_mass": 3, "circle_sources": 2}, "made-6", True),
    ({"company_likeness": 2, "company_share": 1, "circle_mass": 3, "circle_sources": 2}, "made-5", False),  # as it was decided then
    ({"company_likeness": 2, "company_share": 1, "circle_mass": 3, "circle_sources": 1}, "made-6", False),  # one source's circle
    ({"company_likeness": 2, "company_share": 1, "circle_mass": 1, "circle_sources": 2}, "made-6", False),  # no larger than a home
    ({"company_likeness": 2, "circle_mass": 3, "circle_sources": 2}, "made-6", False),  # a picture alone
    ({"company_share": 2, "circle_mass": 3, "circle_sources": 2}, "made-6", False),  # acts as a crowd does
    ({"company_likeness": 2, "company_share": 1, "circle_mass": 3, "circle_sources": 2, "disclosed": 1}, "made-6", False),
])
def test_a_suspects_picture_and_acts_beside_two_sources_are_seen_by_the_platform(given, version, seen):
    own, _ = observe(columns(**given), load_weights(version))
    assert own[0] == seen
