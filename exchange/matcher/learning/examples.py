"""Examples to fit on: the features of a world's accounts at each stage, with the truth beside them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from exchange.matcher import fusion
from exchange.matcher.bundle import read_objects
from exchange.matcher.engine import Engine, open_engine
from exchange.matcher.entities import Entities
from exchange.matcher.features import Features, read_features
from exchange.matcher.indicators import Terms, collect, read_indicators
from exchange.matcher.platform.ground import lay
from exchange.matcher.report import Report
from exchange.matcher.run import compare, listen, load_indicators, prepare
from exchange.matcher.scorecard import Card
from exchange.matcher.values import quoted
from exchange.matcher.weighing import Weights
from exchange.matcher.world import FEED


@dataclass
class Study:
    """One world under study: its engine stands before the next stage."""

    engine: Engine
    there: Entities
    weights: Weights
    at: int
    accounts: int
    listened: int = 0
    """Rounds of company so far; sources are judged from the second on, as in a run."""

    def features(self) -> Features:
        """What the next card would read."""
        return read_features(self.engine, self.weights)

    def go_on(self, features: Features, card: Card) -> fusion.Weighed:
        """Score with a card, and listen to company once more."""
        weighed = fusion.weigh(features, card, self.weights)
        fusion.keep_state(self.engine, weighed)
        listen(self.engine, self.there, self.weights, self.at, self.accounts, judge=self.listened > 0)
        self.listened += 1
        return weighed


@contextmanager
def open_study(world: Path, work: Path, weights: Weights, at: int) -> Iterator[Study]:
    """Compare a world's feed with its tables and stop before anything is scored."""
    report = Report()
    terms = Terms(at, weights.direct.default_confidence, weights.direct.sibling)
    indicators = read_indicators(collect(read_objects(world / FEED), report), terms, report)
    with open_engine(work, memory="2GB", threads=2) as engine:
        there = lay(engine, world, {}, at, report)
        load_indicators(engine, indicators, weights, there, report.accounts)
        compare(engine, there, weights, at, report)
        prepare(engine, there, weights, at, report)
        yield Study(engine, there, weights, at, report.accounts)


def read_truth(engine: Engine, world: Path, accounts: NDArray[np.int64]) -> NDArray[np.int8]:
    """1 for members of operations of which indicators were shared, 0 for others, -1 for members of other operations."""
    engine.connection.register("examined", {"account_id": accounts, "place": np.arange(len(accounts))})
    rows = engine.connection.execute(f"""SELECT CASE WHEN op < 0 THEN 0 WHEN seeded = 1 THEN 1 ELSE -1 END AS truth
        FROM examined JOIN read_parquet({quoted(str(world / 'truth' / 'accounts.parquet'))}) USING (account_id)
        ORDER BY place""").fetchnumpy()
    engine.connection.unregister("examined")
    return np.asarray(rows["truth"]).astype(np.int8)
