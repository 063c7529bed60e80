"""How far a run is said to be."""

import pytest

from exchange.cli.match_progress import done_before


@pytest.mark.parametrize(("step", "so_far", "expected"), [
    ("reading the feed", 0.0, 0.0),
    ("reading the tables", 0.0, 3.0),
    ("reading links.parquet (93,000,000 rows)", 3.0, 3.0),
    ("weighing", 30.0, 42.0),
    ("weighing, round 3 of 4", 50.0, 64.5),
    ("writing", 90.0, 91.0),
])
def test_a_step_begins_where_those_before_it_end(step, so_far, expected):
    assert done_before(step, so_far) == expected
