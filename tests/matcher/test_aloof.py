"""Who stands in a circle by word alone, and what the platform itself may see as a witness."""

import numpy as np
import pytest

from exchange.matcher.features import aloof, names
from exchange.matcher.weighing import load_weights
from exchange.matcher.witness import observe

WEIGHTS = load_weights("made-7")


def columns(**given):
    """Features of one account: nothing but what is given."""
    return {name: np.array([float(given.get(name.replace(".", "_"), 0))]) for name in names(WEIGHTS)}


@pytest.mark.parametrize(("given", "found"), [
    ({}, 0),  # no circle
    ({"circle_mass": 3}, 3),  # named among them, and nothing else
    ({"circle_mass": 3, "company_payment": 4, "unsaid": 4}, 3),  # a home's card, which nobody named
    ({"circle_mass": 3, "company_share": 0.5}, 1.5),  # does a little of what they do
    ({"circle_mass": 3, "company_share": 0.6, "company_wave": 0.4}, 0),
    ({"circle_mass": 3, "company_likeness": 2}, 0),  # wears one of their pictures
])
def test_who_does_nothing_of_what_its_circle_does_is_aloof(given, found):
    assert aloof(columns(**given), WEIGHTS)[0] == pytest.approx(found)


@pytest.mark.parametrize(("given", "version", "seen"), [
    ({"company_likeness": 4, "company_share": 1, "circle_mass": 3, "circle_sources": 2}, "made-7", True),
    ({"company_likeness": 2, "company_share": 1, "circle_mass": 3, "circle_sources": 2}, "made-7", False),  # a piece of a picture in common, as fans have
    ({"company_likeness": 4, "company_share": 1, "circle_mass": 3, "circle_sources": 2}, "made-5", False),  # as it was decided then
    ({"company_likeness": 4, "company_share": 1, "circle_mass": 3, "circle_sources": 1}, "made-7", False),  # one source's circle
    ({"company_likeness": 4, "company_share": 1, "circle_mass": 1, "circle_sources": 2}, "made-7", False),  # no larger than a home
    ({"company_likeness": 4, "circle_mass": 3, "circle_sources": 2}, "made-7", False),  # a picture alone
    ({"company_share": 2, "circle_mass": 3, "circle_sources": 2}, "made-7", False),  # acts as a crowd does
    ({"company_likeness": 4, "company_share": 1, "circle_mass": 3, "circle_sources": 2, "disclosed": 1}, "made-7", False),
])
def test_a_suspects_picture_and_acts_beside_two_sources_are_seen_by_the_platform(given, version, seen):
    own, _ = observe(columns(**given), load_weights(version))
    assert own[0] == seen
