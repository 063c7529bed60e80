"""Fits the table of roles: a softmax over measures, on the members of made-up operations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from exchange.matcher.learning.examples import Study
from exchange.matcher.role_table import MEASURES, ROLES, RoleTable
from exchange.matcher.roles import read_measures
from exchange.matcher.scorecard import Floats
from exchange.matcher.values import quoted


def role_examples(study: Study, world: Path) -> tuple[Floats, NDArray[np.int64]]:
    """Measures of all members of a world's operations, each operation a cluster, and the number of their role."""
    truth = f"read_parquet({quoted(str(world / 'truth' / 'accounts.parquet'))})"
    study.engine.run(f"""CREATE OR REPLACE TEMP TABLE members AS
        SELECT account_id, CAST(op AS VARCHAR) AS cluster, role FROM {truth} WHERE op >= 0""")
    _, measures = read_measures(study.engine, acts=True, links=True)
    roles = [role for role, in study.engine.rows("SELECT role FROM members ORDER BY account_id")]
    return measures, np.array([ROLES.index(role) for role in roles])


def fit_roles(measures: Floats, roles: NDArray[np.int64], *, ridge: float = 1.0, rounds: int = 2000) -> RoleTable:
    """The table; rare roles count as much as common ones by the square root of their numbers."""
    center, spread = np.nanmean(measures, axis=0), np.nanstd(measures, axis=0) + 1e-6
    z = np.clip(np.nan_to_num((measures - center) / spread, nan=0.0), -4, 4)
    x = np.concatenate([np.ones((len(z), 1)), z], axis=1)
    share = 1 / np.sqrt(np.bincount(roles, minlength=len(ROLES)))[roles]
    share /= share.sum()
    wanted = np.eye(len(ROLES))[roles]
    table = np.zeros((x.shape[1], len(ROLES)))
    step = 1.0 / np.linalg.eigvalsh((x * share[:, None]).T @ x)[-1]
    for _ in range(rounds):
        score = x @ table
        guess = np.exp(score - score.max(axis=1, keepdims=True))
        guess /= guess.sum(axis=1, keepdims=True)
        table -= step * (x.T @ (share[:, None] * (guess - wanted)) + ridge / len(x) * table)
    return RoleTable(tuple(center.round(4).tolist()), tuple(spread.round(4).tolist()),
                     {role: tuple(table[:, n].round(4).tolist()) for n, role in enumerate(ROLES)})


def roles_toml(table: RoleTable) -> str:
    """The table as TOML."""
    rows = "\n".join(f"{role} = {list(row)}" for role, row in table.weights.items())
    return (f"\n# Measures: {', '.join(MEASURES)}; a role's row begins with its intercept.\n[role]\n"
            f"center = {list(table.center)}\nspread = {list(table.spread)}\n\n[role.weights]\n{rows}\n")
