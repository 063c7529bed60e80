"""The accounts of past runs as a refit sees them: features, nearness to reviewed accounts, scores, support."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exchange.matcher import nearness
from exchange.matcher.change.kept import Kept, read_kept_features
from exchange.matcher.engine import Engine, open_engine
from exchange.matcher.features import Features, Floats
from exchange.matcher.learned import OWN, PREFIX
from exchange.matcher.learning.reviews import CONFIRMED, CONTESTED, Standing
from exchange.matcher.run import ACCOUNTS, EVIDENCE
from exchange.matcher.values import quoted

LIKELY_FROM = 0.02
"""Probability from which an unreviewed account stands for those that are not to be cleared."""


@dataclass(frozen=True)
class Population:
    """Accounts with evidence of one run or several, one after the other."""

    features: Features
    columns: dict[str, Floats]
    """What models of likeness may look at: features, without those of reviews, and figures of nearness."""
    score: Floats
    log_odds: Floats
    names: NDArray[Any]
    """Account ids as text."""
    support: dict[tuple[str, str], float]
    """(feature, source) to the likely accounts for which it speaks, by its part in what speaks for them."""


def read_population(runs: Iterable[Kept], standing: dict[str, Standing], memory: str | None = None) -> Population:
    """All runs together, each looked at with the reviews at hand. Raises InputError as ``read_kept_features``."""
    parts = [_read(kept, standing, memory) for kept in runs]
    names = list(dict.fromkeys(name for part in parts for name in part.columns))
    shown = list(dict.fromkeys(name for part in parts for name in part.features.columns))
    support: dict[tuple[str, str], float] = {}
    for part in parts:
        for key, value in part.support.items():
            support[key] = support.get(key, 0.0) + value
    features = Features(
        np.concatenate([part.features.accounts.astype(str) for part in parts]),
        {name: _joined([part.features.columns for part in parts], name, parts) for name in shown},
        np.concatenate([part.features.firm for part in parts]))
    return Population(features, {name: _joined([part.columns for part in parts], name, parts) for name in names},
                      np.concatenate([part.score for part in parts]), np.concatenate([part.log_odds for part in parts]),
                      np.concatenate([part.names for part in parts]), support)


def _joined(columns: list[dict[str, Floats]], name: str, parts: list[Population]) -> Floats:
    return np.concatenate([found.get(name, np.zeros(len(part.score)))
                           for found, part in zip(columns, parts, strict=True)])


def _read(kept: Kept, standing: dict[str, Standing], memory: str | None) -> Population:
    features = read_kept_features(kept.out)
    with tempfile.TemporaryDirectory() as folder, open_engine(Path(folder), memory=memory) as engine:
        _load(engine, kept, standing)
        near = nearness.read_measures(engine, features.accounts)
        told = engine.connection.execute("""SELECT a.score, a.log_odds FROM accounts a JOIN asked USING (account_id)
            ORDER BY place""").fetchnumpy()
        support = {(feature, source): n for feature, source, n in engine.rows(_SUPPORT)}
    plain = {name: x for name, x in features.columns.items() if name != OWN and not name.startswith(PREFIX)}
    score, log_odds = (np.asarray(told[name], dtype=np.float64) for name in ("score", "log_odds"))
    return Population(features, {**plain, **near}, score, log_odds, features.accounts.astype(str), support)


def _load(engine: Engine, kept: Kept, standing: dict[str, Standing]) -> None:
    """The tables that nearness asks for: heard, judged, circles."""
    accounts, evidence = (f"read_parquet({quoted(str(kept.out / name))})" for name in (ACCOUNTS, EVIDENCE))
    engine.run(f"CREATE TEMP VIEW accounts AS SELECT * FROM {accounts}")
    engine.run(f"CREATE TEMP VIEW evidence AS SELECT * FROM {evidence}")
    engine.run("""CREATE TEMP TABLE heard AS SELECT account_id, step, kind, family, local_value, shared_value, source,
        campaign, raw FROM evidence WHERE step IN ('direct', 'company') AND raw > 0""")
    engine.run("CREATE TEMP TABLE circles AS SELECT account_id, cluster FROM accounts WHERE cluster IS NOT NULL")
    engine.run("CREATE TEMP TABLE words (account VARCHAR, verdict DOUBLE)")
    engine.load("words", ({"account": account, "verdict": 1.0 if one.verdict == CONFIRMED else -1.0}
                          for account, one in standing.items() if one.verdict != CONTESTED))
    engine.run("""CREATE TEMP TABLE judged AS SELECT a.account_id, w.verdict FROM words w
        JOIN accounts a ON CAST(a.account_id AS VARCHAR) = w.account""")


_SUPPORT = f"""WITH speaking AS (SELECT account_id, CASE WHEN step IN ('direct', 'company') THEN step || '.' || signal
            ELSE kind END AS feature, CASE WHEN step = 'direct' THEN source ELSE '' END AS source, sum(nats) AS nats
        FROM evidence WHERE nats > 0 AND step IN ('direct', 'company', 'account', 'together')
        AND account_id IN (SELECT account_id FROM accounts WHERE has_evidence AND score >= {LIKELY_FROM}
            AND CAST(account_id AS VARCHAR) NOT IN (SELECT account FROM words)) GROUP BY ALL)
    SELECT feature, source, sum(score * nats / total) FROM (
        SELECT *, sum(nats) OVER (PARTITION BY account_id) AS total FROM speaking) JOIN accounts USING (account_id)
    GROUP BY ALL"""
