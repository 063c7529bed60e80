"""The scorecard reads a column of figures as it would read each of them alone."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from exchange.matcher.scorecard import Line, level_weights

LEVELS = (0.0, 2.0, 5.0, 10.0)
NODES = (0.0, 0.5, 3.0)
LINES = (
    Line("one row", NODES, ((-0.25, 0.1, 1.7),), unknown=0.3),
    Line("a row for each level", NODES, ((0.0, 0.0, 0.1), (0.0, 0.2, 0.9), (0.1, 0.7, 1.9), (0.3, 1.1, 3.3)), unknown=-1.5),
    Line("nodes below 0", (-1.0, 2.0), ((-0.7, 0.4),)),
)
FIGURES = st.one_of(st.just(0.0), st.just(-0.0), st.just(math.nan), st.floats(-4, 12))


@given(st.sampled_from(LINES), st.lists(st.tuples(FIGURES, st.floats(0, 12)), max_size=12))
def test_a_column_is_read_as_each_figure_alone_to_the_last_bit(line: Line, rows: list[tuple[float, float]]) -> None:
    x, infrastructure = (np.array([row[n] for row in rows], dtype=np.float64) for n in (0, 1))
    weight = level_weights(infrastructure, LEVELS)
    alone = []
    for figure, levels in zip(x, weight, strict=True):
        read = [float(np.interp(figure, line.nodes, row)) for row in line.nats]
        nats = read[0] if len(read) == 1 else float((np.array(read) * levels).sum())
        alone.append(line.unknown if math.isnan(figure) else nats)
    assert line.read(x, weight).tolist() == alone
