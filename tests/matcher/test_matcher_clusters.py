"""Clusters: what ties, what doesn't, and names that stay."""

import numpy as np
import pytest

from exchange.matcher.clusters import Ties, find_clusters, read_ties
from exchange.matcher.engine import open_engine
from exchange.matcher.learning.fit import fit_card
from exchange.matcher.role_table import MEASURES, ROLES
from exchange.matcher.weighing import load_weights


def ties(*edges):
    """Edges as (account, value, weight)."""
    accounts = sorted({account for account, _, _ in edges})
    names = sorted({value for _, value, _ in edges})
    return Ties(
        np.array(accounts),
        np.array([accounts.index(account) for account, _, _ in edges]),
        np.array([names.index(value) for _, value, _ in edges]),
        np.array([float(weight) for _, _, weight in edges]),
        names,
    )


def group(value, accounts, weight=3.0):
    return [(account, value, weight) for account in accounts]


def found(*edges, largest=100):
    given = ties(*edges)
    result = find_clusters(given, merge_from=0.15, largest=largest)
    return dict(zip(given.accounts.tolist(), result.cluster, strict=True)), result


def test_accounts_with_a_value_in_common_are_one_cluster():
    clusters, _ = found(*group("device:1", range(4)), *group("phone:1", range(4, 8)))
    assert len({clusters[n] for n in range(4)}) == 1
    assert len(set(clusters.values())) == 2


def test_a_weak_tie_joins_nobody():
    clusters, _ = found(*group("device:1", range(4)), *group("phone:1", range(4, 8)), *group("ip4:1", (0, 4), 0.3))
    assert clusters[0] != clusters[4]


def test_pieces_named_by_one_campaign_are_one():
    pieces = [edge for n in range(3) for edge in group(f"device:{n}", range(4 * n, 4 * n + 4))]
    clusters, _ = found(*pieces, *group("campaign:a c1", (0, 1, 4, 5, 8, 9)))
    assert len(set(clusters.values())) == 1


def test_no_cluster_grows_beyond_the_largest():
    pieces = [edge for n in range(6) for edge in group(f"device:{n}", range(4 * n, 4 * n + 4))]
    clusters, _ = found(*pieces, *group("campaign:a c1", range(24), 1.0), largest=8)
    assert max(np.unique(list(clusters.values()), return_counts=True)[1]) <= 8


def test_a_name_stays_when_members_come_and_go():
    before, _ = found(*group("device:1", range(9)), *group("phone:2", (0, 1)))
    after, _ = found(*group("device:1", range(3, 12)), *group("phone:3", (4, 5)))
    assert set(before.values()) == set(after.values())


def test_membership_in_two_clusters_is_told():
    clusters, result = found(*group("device:1", range(5)), *group("phone:1", range(4, 9), 2.0))
    shares = {name: share for who, name, share in zip(result.account, result.also, result.share, strict=True) if who == 4}
    assert set(shares) == {clusters[0], clusters[8]}
    assert sum(shares.values()) == pytest.approx(1)


def partition(folder, ids):
    """Groups of 12 people with these ids, of whom the last two are tied to two groups alike, as sets of places."""
    held = [(person, f"d{person // 5}") for person in range(10)] + [(person, f"d{side}") for person in (10, 11) for side in (0, 1)]
    held += [(person, f"own{person}") for person in range(12)]
    with open_engine(folder) as engine:
        engine.run("CREATE TEMP TABLE state (account_id BIGINT, score DOUBLE)")
        engine.load("state", ({"account_id": one, "score": 0.9} for one in ids))
        engine.run("""CREATE TEMP TABLE direct (account_id BIGINT, campaign VARCHAR, source VARCHAR, nats DOUBLE);
            CREATE TEMP TABLE shared (account_id BIGINT, kind VARCHAR, key VARCHAR, base DOUBLE, rarity DOUBLE, recent DOUBLE)""")
        engine.load("shared", ({"account_id": ids[person], "kind": "device", "key": key, "base": 5.0, "rarity": 1.0, "recent": 1.0}
                               for person, key in held))
        given = read_ties(engine, load_weights())
    clusters = find_clusters(given, merge_from=1.0, largest=100).cluster
    names = dict(zip(given.accounts.tolist(), clusters, strict=True))
    return {frozenset(place for place, one in enumerate(ids) if names[one] == name) for name in set(clusters)}


def test_who_belongs_where_does_not_hang_on_how_accounts_are_numbered(tmp_path):
    numbered = partition(tmp_path, list(range(12)))
    assert numbered == partition(tmp_path, list(range(12))[::-1]) == partition(tmp_path, [7, 3, 9, 0, 11, 1, 10, 5, 2, 8, 4, 6])


def test_without_candidates_there_are_no_clusters():
    none = np.zeros(0, dtype=np.int64)
    assert find_clusters(Ties(none, none, none, np.zeros(0), []), merge_from=0.15, largest=9).cluster == []


def test_roles_follow_from_what_accounts_do():
    table = load_weights().roles
    row = dict.fromkeys(MEASURES, np.nan)
    cases = {
        "origin": {"authored": 2.0, "echoed": 3.0, "wrote": 0.6, "shared": 0.1, "authored_here": 1.0, "echoed_here": 1.0},
        "relay": {"authored": 0.0, "echoed": 0.0, "wrote": 0.1, "shared": 0.6, "linked": 0.3, "linked_here": 0.9,
                  "tagged": 0.0, "tagged_here": 0.2, "late": 2.0, "late_here": 0.1, "rank": 0.1, "rank_here": 0.1},
        "amplifier": {"authored": 0.0, "echoed": 0.0, "wrote": 0.1, "shared": 0.4, "linked": 0.0, "linked_here": 0.2,
                      "tagged": 0.4, "tagged_here": 0.8, "late": 4.0, "late_here": 0.8, "rank": 0.7, "rank_here": 0.8},
    }
    measures = np.array([list({**row, **case}.values()) for case in cases.values()])
    assert table.tell(measures) == list(cases) == list(ROLES)


def test_a_feature_without_examples_keeps_the_weight_set_by_hand():
    rng = np.random.default_rng(1)
    columns = {"infrastructure": rng.uniform(0, 9, 400), "direct.device": rng.uniform(0, 6, 400), "direct.card": np.zeros(400)}
    truth = (rng.random(400) < 1 / (1 + np.exp(4 - columns["direct.device"]))).astype(np.int8)
    card = fit_card(columns, truth, {"direct.device": "infrastructure", "direct.card": "infrastructure"}, rounds=300)
    (line,) = (line for line in card.lines if line.feature == "direct.card")
    assert line.nats[0] == pytest.approx(line.nodes, abs=1e-3)
