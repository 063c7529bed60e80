"""Fits the table of roles: a softmax over measures, on the members of made-up operations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from exchange.matcher.learning.examples import Study
from exchange.matcher.networks import group_members
from exchange.matcher.role_table import MEASURES, ROLES, RoleTable
from exchange.matcher.roles import SURE, read_measures
from exchange.matcher.scorecard import Floats
from exchange.matcher.values import quoted


def role_examples(study: Study, world: Path) -> tuple[Floats, NDArray[np.int64]]:
    """Measures of the likely members of a world's operations, grouped as in a run, and the number of each role.

    Left out is who did nothing of the role: an origin none of whose posts anybody passed on is one in a plan only, and
    teaches that whoever writes is an origin.
    """
    truth = f"read_parquet({quoted(str(world / 'truth' / 'accounts.parquet'))})"
    group_members(study.engine, study.weights, study.accounts)
    accounts, measures = read_measures(study.engine, acts=True, links=True)
    study.engine.connection.register("placed", {"account_id": accounts, "place": np.arange(len(accounts))})
    rows = study.engine.rows(f"""SELECT place, role FROM placed JOIN {truth} USING (account_id)
        JOIN state USING (account_id) WHERE op >= 0 AND score >= {SURE} ORDER BY place""")
    study.engine.connection.unregister("placed")
    inside = np.array([place for place, _ in rows], dtype=np.int64)
    measures, roles = measures[inside], np.array([ROLES.index(role) for _, role in rows], dtype=np.int64)
    wrote, busy = (measures[:, MEASURES.index(name)] for name in ("authored", "busy"))
    lived = np.where(roles == ROLES.index("origin"), wrote > 0, busy > 0)
    return measures[lived], roles[lived]


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
