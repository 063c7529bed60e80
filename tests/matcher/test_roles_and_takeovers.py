"""Who plays which part, who stands beside a cluster, whose account was taken, and what is left without evidence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("duckdb", reason="the matcher's tests need cib-exchange[matcher]")

from exchange.matcher.engine import Engine, open_engine
from exchange.matcher.role_table import MEASURES
from exchange.matcher.roles import read_measures, tell_roles
from exchange.matcher.takeover import find_takeovers
from exchange.matcher.weighing import load_weights

AT, DAY, MINUTE = 1_780_272_000, 86_400, 60
WEIGHTS = load_weights()


@pytest.fixture
def engine(tmp_path: Path) -> Any:
    """Tables of a cluster: writers w, relays r, amplifiers a, likely all; a believer b, a devoted person d, both not."""
    with open_engine(tmp_path, threads=1) as opened:
        likely = [f"{part}{number}" for part in "wra" for number in range(3)]
        opened.run("CREATE TEMP TABLE members (account_id VARCHAR, cluster VARCHAR)")
        opened.run("CREATE TEMP TABLE state (account_id VARCHAR, score DOUBLE)")
        opened.run("""CREATE TEMP TABLE accounts (account_id VARCHAR, created BIGINT, followers DOUBLE, strikes DOUBLE,
            verified DOUBLE, assurance DOUBLE, payment_months DOUBLE)""")
        for table in ("direct", "company"):
            opened.run(f"""CREATE TEMP TABLE {table} (account_id VARCHAR, kind VARCHAR, {'local_value' if table == 'direct' else
                'value'} VARCHAR, first_seen BIGINT, nats DOUBLE, family VARCHAR, signal VARCHAR)""")
        opened.run("CREATE TEMP TABLE acts (account_id VARCHAR, kind VARCHAR, key BIGINT, ts BIGINT, wrote BOOLEAN)")
        opened.run("""CREATE TEMP TABLE links (account_id VARCHAR, kind VARCHAR, key BIGINT, value VARCHAR,
            first_seen BIGINT, last_seen BIGINT)""")
        for name in (*likely, "b0", "d0"):
            opened.run(f"INSERT INTO members VALUES ('{name}', 'c1')")
            opened.run(f"INSERT INTO state VALUES ('{name}', {0.9 if name in likely else 0.3})")
            old, clean = (AT - 900 * DAY, 1) if name[0] == "d" else (AT - 60 * DAY, 0)
            opened.run(f"INSERT INTO accounts VALUES ('{name}', {old}, 50, 0, {clean}, 0, 0)")
        for post in range(6):
            start = AT - 20 * DAY + post * DAY
            did = [(f"w{post % 3}", 0, True), *((f"r{n}", 2 + n, False) for n in range(3)), *((f"a{n}", 40 + n, False) for n in range(3)),
                   ("d0", 90, False), *([("b0", 600, False)] if post == 0 else [])]
            for name, minutes, wrote in did:
                opened.run(f"INSERT INTO acts VALUES ('{name}', 'share', {post}, {start + minutes * MINUTE}, {wrote})")
            for n in range(3):
                opened.run(f"INSERT INTO acts VALUES ('a{n}', 'tag', 99, {start + 50 * MINUTE}, false)")
        for name in ("r0", "r1", "r2", "w0"):
            for site in (1, 2, 3):
                opened.run(f"INSERT INTO links VALUES ('{name}', 'domain', {site}, 's{site}', {AT - 9 * DAY}, {AT - DAY})")
        for other in range(90, 96):
            opened.run(f"INSERT INTO acts VALUES ('b0', 'share', {other}, {AT - DAY}, false)")
        yield opened


def roles(engine: Engine) -> dict[str, str]:
    assert WEIGHTS.roles is not None
    tell_roles(engine, WEIGHTS.roles, acts=True, links=True)
    return dict(engine.rows("SELECT * FROM roles"))


def test_parts_follow_from_what_members_do_and_people_beside_the_cluster_are_told(engine: Engine) -> None:
    found = roles(engine)
    assert {found[f"w{n}"] for n in range(3)} == {"origin"}
    assert {found[f"r{n}"] for n in range(3)} == {"relay"}
    assert {found[f"a{n}"] for n in range(3)} == {"amplifier"}
    assert found["b0"] == "casual"
    assert found["d0"] == "co-opted"


def test_who_shares_a_machine_with_suspects_stands_not_beside(engine: Engine) -> None:
    for name in ("b0", "d0"):
        engine.run(f"INSERT INTO company VALUES ('{name}', 'device', 'x', 0, 2.0, 'infrastructure', 'device')")
    assert {roles(engine)[name] for name in ("b0", "d0")} <= {"origin", "relay", "amplifier"}


def test_an_address_in_common_makes_no_accomplice(engine: Engine) -> None:
    engine.run("INSERT INTO company VALUES ('b0', 'ip4', 'x', 0, 2.0, 'infrastructure', 'network')")
    assert roles(engine)["b0"] == "casual"


def test_posts_that_only_people_beside_the_cluster_have_in_common_count_for_nobody(engine: Engine) -> None:
    before = read_measures(engine, acts=True, links=True)[1]
    for name in ("b0", "d0"):
        engine.run(f"INSERT INTO acts VALUES ('{name}', 'share', 777, {AT}, false)")
    after = read_measures(engine, acts=True, links=True)[1]
    shared = MEASURES.index("late")
    np.testing.assert_array_equal(before[:, shared], after[:, shared])


OWN = (("device", "mine"), ("phone", "mine"), ("cookie", "mine"))


@pytest.mark.parametrize(("first", "last", "kinds", "taken"), [
    (AT - 800 * DAY, AT, 3, True),
    (AT - 800 * DAY, AT - 200 * DAY, 3, False),  # bought: the former owner's things ended
    (AT - 35 * DAY, AT, 3, False),  # new: nothing of one's own from before
    (AT - 800 * DAY, AT, 1, False),  # one kind alone may be a reused machine
])
def test_an_account_is_taken_where_its_owner_is_still_there(engine: Engine, first: int, last: int, kinds: int, taken: bool) -> None:
    engine.run(f"INSERT INTO direct VALUES ('a0', 'device', 'theirs', {AT - 20 * DAY}, 4.0, 'infrastructure', 'device')")
    engine.run(f"INSERT INTO company VALUES ('a0', 'ip4', 'old', {AT - 700 * DAY}, 0.1, 'infrastructure', 'network')")
    for kind, value in OWN[:kinds]:
        engine.run(f"INSERT INTO links VALUES ('a0', '{kind}', 1, '{value}', {first}, {last})")
    find_takeovers(engine, links=True)
    assert engine.rows("SELECT * FROM taken") == ([("a0",)] if taken else [])
