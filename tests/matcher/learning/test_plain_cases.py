"""What a card is fitted on beside the members of made-up operations: plain cases, and people somebody plots against."""

from dataclasses import replace

import duckdb
import numpy as np
import pytest

from exchange.matcher.bundle import read_objects
from exchange.matcher.features import names
from exchange.matcher.learning.cases import hold_plainest, plain_cases
from exchange.matcher.learning.plots import make_plots
from exchange.matcher.weighing import load_weights
from exchange.matcher.world import FEED

WEIGHTS = load_weights()


def test_plain_cases_are_what_two_sources_say_in_strong_kinds_and_nothing_else():
    columns = {name: np.array([0.0, 1.0, np.nan]) for name in names(WEIGHTS)}
    cases = plain_cases(columns, WEIGHTS)
    direct = np.stack([column for name, column in cases.items() if name.startswith("direct.")])
    assert set(cases) == set(columns)
    assert (cases["sources"] >= 2).all()
    assert (cases["infrastructure"] == pytest.approx(direct.sum(axis=0)))
    assert (cases["kinds"] == (direct > 0).sum(axis=0)).all()
    assert cases["kinds"].min() >= 3
    assert (cases["seconded"] > 0).all()
    assert (cases["seconded"] <= direct.sum(axis=0) * (1 - 1 / cases["sources"]) + 1e-9).all()
    assert not any(column.any() for name, column in cases.items() if name.startswith(("company.", "circle_", "against.")))


@pytest.fixture(scope="module")
def plotted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plots")
    make_plots(folder, accounts=500, seed=5, difficulty=0.5)
    return folder


@pytest.mark.parametrize(("plot", "sly"), [(0, True), (3, False)])
def test_a_plot_names_what_belongs_to_innocents_and_the_sly_leave_out_what_is_shared(plotted, plot, sly):
    said = {obj["pattern"].rpartition("_")[2][:16] for obj in read_objects(plotted / FEED)
            if obj.get("created_by_ref") == f"identity--plot-{plot}" and "device:" in obj["pattern"]}
    with duckdb.connect() as connection:
        holders = connection.execute(f"""SELECT count(*), count(*) FILTER (op >= 0)
            FROM '{plotted}/links.parquet' JOIN '{plotted}/truth/accounts.parquet' USING (account_id)
            WHERE itype = 'device' AND format('{{:016x}}', value) IN {tuple(said)} GROUP BY value""").fetchall()
    assert len(said) == len(holders) > 20
    assert all(members < count for count, members in holders)  # nobody is named who isn't an innocent, or lives with one
    assert (max(count for count, _ in holders) == 1) == sly


@pytest.mark.parametrize(("intercept", "lifted"), [(-30.0, True), (WEIGHTS.cards[-1].intercept, False)])
def test_a_card_is_held_to_two_kinds_by_each_of_two_sources_against_any_words_of_benign(intercept, lifted):
    """Where the fit let such an account go, what a second source says gets what is missing, from two strong kinds on: one
    alone that it named by mistake is no more than it was. Else the card stays."""
    fitted = replace(WEIGHTS.cards[-1], intercept=intercept)
    held = hold_plainest(fitted, WEIGHTS)
    (nodes, before, after), = ((a.nodes, a.nats[-1], b.nats[-1]) for a, b in zip(fitted.lines, held.lines, strict=True)
                               if b.feature == "seconded")
    assert (after != before) == lifted
    assert all(new <= old for node, old, new in zip(nodes, before, after, strict=True) if node < 7)
    assert list(after) == sorted(after)
    assert lifted or held == fitted
