"""Groups that stay apart, none too large, and names that stay from run to run."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from exchange.matcher.clusters import Memberships, Ties, find_clusters
from exchange.matcher.groups import cut_down

GROUPS, SIZE = 12, 30


def network(rng: np.random.Generator, accounts: np.ndarray, *, extra: int = 0) -> Ties:
    """Groups of accounts that share a few machines and numbers each, and things that anybody may share; ``extra`` things
    that a new indicator makes interesting."""
    rows = []
    for account in accounts.tolist():
        group = account // SIZE
        for kind in range(4):
            rows.append((account, f"{group} {kind} {(account * 7 + kind * 3) % SIZE // 10}", 1 + (account * 31 + kind) % 100 / 50))
        rows.append((account, f"crowd {account % 9}", 0.3))
        if extra and account % 5 == 0:
            rows.append((account, f"new {group} {account % extra}", 1.0))
    names = sorted({name for _, name, _ in rows})
    held = Counter(name for _, name, _ in rows)
    rows = [row for row in rows if held[row[1]] > 1]
    names = sorted({name for _, name, _ in rows})
    there = sorted({account for account, _, _ in rows})
    return Ties(np.array(there), np.array([there.index(a) for a, _, _ in rows]), np.array([names.index(n) for _, n, _ in rows]),
                np.array([w for _, _, w in rows]), names)


def clusters(ties: Ties, found: Memberships) -> dict[int, str]:
    return {int(a): name for a, name in zip(ties.accounts, found.cluster, strict=True) if name}


def test_clusters_keep_their_names_while_accounts_come_and_go_and_indicators_are_added() -> None:
    rng = np.random.default_rng(3)
    everybody = np.arange(GROUPS * SIZE)
    gone = rng.choice(everybody, len(everybody) // 50, replace=False)
    first = network(rng, np.setdiff1d(everybody, gone))
    before = clusters(first, find_clusters(first, merge_from=0.15, largest=60))
    assert len(set(before.values())) == GROUPS
    left = rng.choice(np.setdiff1d(everybody, gone), len(everybody) // 50, replace=False)
    second = network(rng, np.setdiff1d(everybody, left), extra=3)
    after = clusters(second, find_clusters(second, merge_from=0.15, largest=60, before=before))
    assert set(after.values()) == set(before.values())
    assert [account for account in before if account in after and before[account] != after[account]] == []


def test_a_name_of_before_goes_to_one_cluster_only() -> None:
    ties = network(np.random.default_rng(1), np.arange(2 * SIZE))
    before = dict.fromkeys(range(2 * SIZE), "cold")
    names = set(clusters(ties, find_clusters(ties, merge_from=0.15, largest=60, before=before)).values())
    assert "cold" in names
    assert len(names) == 2


@pytest.mark.parametrize("largest", [5, 12, 29, 30])
def test_what_is_too_large_is_cut_and_nobody_is_lost(largest: int) -> None:
    ties = network(np.random.default_rng(2), np.arange(4 * SIZE))
    labels = cut_down(ties, np.zeros(len(ties.accounts), dtype=np.int64), largest)
    sizes = np.unique(labels, return_counts=True)[1]
    assert sizes.max() <= largest
    assert sizes.sum() == len(ties.accounts)


def test_a_giant_comes_apart_where_least_holds_it_together() -> None:
    ties = network(np.random.default_rng(2), np.arange(2 * SIZE))
    labels = cut_down(ties, np.zeros(len(ties.accounts), dtype=np.int64), SIZE)
    group = ties.accounts // SIZE
    assert len(set(zip(labels.tolist(), group.tolist(), strict=True))) == 2


def test_none_is_larger_than_it_may_be() -> None:
    ties = network(np.random.default_rng(4), np.arange(6 * SIZE))
    found = find_clusters(ties, merge_from=0.01, largest=20, cut=True)
    assert max(Counter(name for name in found.cluster if name).values()) <= 20


def test_the_order_of_ties_changes_nothing() -> None:
    ties = network(np.random.default_rng(5), np.arange(4 * SIZE))
    mixed = np.random.default_rng(6).permutation(len(ties.account))
    other = Ties(ties.accounts, ties.account[mixed], ties.value[mixed], ties.weight[mixed], ties.names)
    assert find_clusters(ties, merge_from=0.15, largest=60).cluster == find_clusters(other, merge_from=0.15, largest=60).cluster
