"""Replay: a past decision computed again from what was kept of it, to the last bit.

Each row's nats are read anew off the kept card from the kept features and the row's own nats before the card; their sum
is the log-odds. Nothing is taken from the results but what went in, and everything is compared with what came out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exchange.errors import InputError
from exchange.matcher import fusion
from exchange.matcher.change.kept import Kept, read_kept_features
from exchange.matcher.features import OBJECTION, Features, Floats
from exchange.matcher.learning.reviews import VERSIONS, Book, Decision
from exchange.matcher.run import ACCOUNTS, EVIDENCE
from exchange.matcher.values import quoted
from exchange.matcher.weighing import Weights, load_weights
from exchange.matcher.weights_file import digest

_GRID = float(2**32)
_SHARED = ("direct", "company", "objection")


@dataclass(frozen=True)
class Rows:
    """Rows of evidence of some accounts, by column."""

    account: NDArray[np.int64]
    """Place of the row's account among the accounts."""
    feature: NDArray[Any]
    """What the card or the limits read it as; ``prior`` for the intercept."""
    raw: Floats
    """Nats before the card; NaN where the row stands for a whole feature or limit."""
    nats: Floats


@dataclass(frozen=True)
class Replayed:
    """Decisions computed again."""

    decisions: int
    rows: int
    differing_rows: int
    differing: tuple[str, ...]
    """Accounts whose log-odds or any of whose rows came out otherwise."""


def compute(features: Features, rows: Rows, weights: Weights) -> tuple[Floats, Floats]:
    """The nats of each row and the log-odds of each account."""
    card = weights.cards[-1]
    weighed = fusion.weigh(features, card, weights)
    scales = {name: np.divide(nats, features.columns[name], out=np.zeros_like(nats),
                              where=features.columns[name] != 0) for name, nats in weighed.nats.items() if "." in name}
    nats, unknown = np.zeros(len(rows.nats)), np.full(len(weighed.log_odds), np.nan)
    for name in np.unique(rows.feature.astype(str)):
        there = np.flatnonzero(rows.feature == name)
        place = rows.account[there]
        if name == "prior":
            nats[there] = card.intercept
        elif name in scales:
            nats[there] = rows.raw[there] * scales[name][place]
        else:
            nats[there] = {**weighed.nats, **weighed.guards}.get(name, unknown)[place]
    nats = _on_grid(nats)
    log_odds: Floats = np.bincount(rows.account, nats, minlength=len(features.accounts)).astype(np.float64)
    return nats, log_odds


def _on_grid(x: Floats) -> Floats:
    """As the engine rounds: half away from zero."""
    scaled = x * _GRID
    whole = np.trunc(scaled)
    rounded: Floats = (whole + np.where(np.abs(scaled - whole) >= 0.5, np.sign(scaled), 0.0)) / _GRID
    return rounded


def feature_of(row: Mapping[str, Any]) -> str:
    """What a row of evidence is read as."""
    step = str(row["step"])
    if step == "company" and row["raw"] <= 0:
        return f"against.{row['family']}"
    if step in _SHARED:
        return f"{OBJECTION if step == 'objection' else f'{step}.'}{row['signal']}"
    return str(row["kind"])


def replay_run(kept: Kept) -> Replayed:
    """All decisions of a run. Raises InputError where its files are missing."""
    import duckdb  # noqa: PLC0415 - slow to load

    features = read_kept_features(kept.out)
    for name in (ACCOUNTS, EVIDENCE):
        if not (kept.out / name).is_file():
            raise InputError(f"{kept.out / name} is not there.", fix="Run cibx match --out there again.")
    accounts, evidence = (f"read_parquet({quoted(str(kept.out / name))})" for name in (ACCOUNTS, EVIDENCE))
    with duckdb.connect(":memory:") as connection:
        if not _has_raw(connection, evidence):
            raise InputError(f"{kept.out / EVIDENCE} lacks the nats before the card.",
                             fix="Run cibx match --out there again.")
        decided = connection.execute(
            f"SELECT log_odds FROM {accounts} WHERE has_evidence ORDER BY account_id").fetchnumpy()
        found = connection.execute(f"""SELECT dense_rank() OVER (ORDER BY account_id) - 1 AS account,
            {_FEATURE} AS feature, COALESCE(raw, 'nan'::DOUBLE) AS raw, nats
            FROM {evidence} ORDER BY account_id""").fetchnumpy()
    rows = Rows(np.asarray(found["account"]).astype(np.int64), np.asarray(found["feature"], dtype=object),
                np.asarray(found["raw"], dtype=np.float64), np.asarray(found["nats"], dtype=np.float64))
    return _compared(features, rows, np.asarray(decided["log_odds"], dtype=np.float64), kept.weights)


_FEATURE = f"""CASE WHEN step = 'company' AND raw <= 0 THEN 'against.' || family WHEN step = 'objection'
    THEN '{OBJECTION}' || signal WHEN step IN ('direct', 'company') THEN step || '.' || signal ELSE kind END"""


def _has_raw(connection: Any, evidence: str) -> bool:
    return "raw" in {row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {evidence}").fetchall()}


def _compared(features: Features, rows: Rows, decided: Floats, weights: Weights) -> Replayed:
    nats, log_odds = compute(features, rows, weights)
    unlike = nats != rows.nats
    accounts = (log_odds != decided) | (np.bincount(rows.account, unlike, minlength=len(decided)) > 0)
    return Replayed(len(decided), len(nats), int(unlike.sum()), tuple(str(a) for a in features.accounts[accounts]))


def replay_decision(account: str, decision: Decision, weights: Weights) -> Replayed:
    """One reviewed decision, from what the review keeps of it."""
    columns = {name: np.array([np.nan if x is None else x], dtype=np.float64) for name, x in decision.features.items()}
    rows = Rows(np.zeros(len(decision.evidence), np.int64),
                np.array([feature_of(row) for row in decision.evidence], dtype=object),
                np.array([row.get("raw", np.nan) for row in decision.evidence], dtype=np.float64),
                np.array([row["nats"] for row in decision.evidence], dtype=np.float64))
    features = Features(np.array([account], dtype=object), columns, np.array([decision.firm]))
    return _compared(features, rows, np.array([decision.log_odds]), weights)


def replay_book(folder: Path, book: Book) -> Replayed:
    """All reviewed decisions that rest on evidence. Raises InputError where a version of the weights is missing."""
    versions: dict[str, Weights] = {}
    decisions = rows = wrong = 0
    differing: list[str] = []
    for review in book.reviews:
        decision = review.decision
        if not decision.evidence:
            continue
        name = decision.weights_digest
        if name not in versions:
            versions[name] = load_weights(folder / VERSIONS / f"{name}.toml")
            if digest(versions[name].table) != name:
                raise InputError(f"{folder / VERSIONS / name}.toml is not the table that its name says.",
                                 fix="Restore it from a backup.")
        one = replay_decision(review.account, decision, versions[name])
        decisions, rows, wrong = decisions + 1, rows + one.rows, wrong + one.differing_rows
        differing += one.differing
    return Replayed(decisions, rows, wrong, tuple(differing))


def same_results(one: Path, other: Path) -> dict[str, int]:
    """Rows of accounts and evidence that stand in only one of two results, to the last bit."""
    import duckdb  # noqa: PLC0415 - slow to load

    found = {}
    with duckdb.connect(":memory:") as connection:
        for name in (ACCOUNTS, EVIDENCE):
            a, b = (f"(SELECT * FROM read_parquet({quoted(str(folder / name))}))" for folder in (one, other))
            found[name] = connection.execute(f"""SELECT (SELECT count(*) FROM ({a} EXCEPT ALL {b}))
                + (SELECT count(*) FROM ({b} EXCEPT ALL {a}))""").fetchall()[0][0]
    return found
