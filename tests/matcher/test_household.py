"""Household shape: few people, long together, signed up apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from exchange.matcher.engine import Engine, open_engine
from exchange.matcher.household import empty, gather_homes

DAY = 86_400
Holder = tuple[str, int, int, int]
"""Account, day of its sign-up, first and last day with the value."""


def homes(folder: Path, holders: list[Holder], kind: str = "device") -> dict[str, float]:
    with open_engine(folder) as engine:
        engine.run("CREATE TABLE accounts (account_id VARCHAR, created BIGINT)")
        engine.run("CREATE TABLE shared (account_id VARCHAR, kind VARCHAR, key BIGINT, first_seen BIGINT,"
                   " last_seen BIGINT, holders BIGINT)")
        for name, created, first, last in holders:
            engine.run(f"INSERT INTO accounts VALUES ('{name}', {created * DAY})")
            engine.run(f"INSERT INTO shared VALUES ('{name}', '{kind}', 1, {first * DAY}, {last * DAY}, {len(holders)})")
        gather_homes(engine)
        return _read(engine)


def _read(engine: Engine) -> dict[str, float]:
    return {name: round(home, 3) for name, home in engine.rows("SELECT account_id, home FROM homes")}


@pytest.mark.parametrize(("why", "holders", "home"), [
    ("a year together", [("a", 0, 0, 500), ("b", 100, 100, 465)], 1.0),
    ("part of a year", [("a", 0, 0, 200), ("b", 100, 127, 300)], 0.2),
    ("too short", [("a", 0, 0, 150), ("b", 100, 100, 300)], None),
    ("one after the other", [("a", 0, 0, 150), ("b", 100, 200, 400)], None),
    ("signed up at one go", [("a", 0, 0, 500), ("b", 29, 29, 500)], None),
    ("alone", [("a", 0, 0, 500)], None),
    ("more than a household", [(f"p{n}", 40 * n, 0, 500) for n in range(7)], None),
])
def test_a_household_has_a_shape(tmp_path: Path, why: str, holders: list[Holder], home: float | None) -> None:
    assert homes(tmp_path, holders) == ({} if home is None else {name: home for name, *_ in holders}), why


def test_what_everybody_may_see_is_no_home(tmp_path: Path) -> None:
    assert homes(tmp_path, [("a", 0, 0, 500), ("b", 100, 100, 465)], kind="domain") == {}


def test_nothing_gathered_is_an_empty_table(tmp_path: Path) -> None:
    with open_engine(tmp_path) as engine:
        empty(engine, "BIGINT")
        assert _read(engine) == {}
