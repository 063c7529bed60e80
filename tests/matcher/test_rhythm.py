"""Rhythm: same time, same order, same pauses; and what is popular anyway is no coincidence."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from exchange.matcher import rhythm

START = 1_780_000_200  # a full half hour
MINUTE, HOUR, DAY = 60, 3_600, 86_400
Step = tuple[Any, str, int, int]


def traces(kind: str, steps: list[Step]) -> list[tuple[frozenset[Any], str]]:
    """(who holds it, value) of the traces that two accounts share; steps are account, act, key, ts."""
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE steps (account_id VARCHAR, act INTEGER, key BIGINT, ts BIGINT)")
        rows = [(account, rhythm.ACTS.index(act), key, START + ts) for account, act, key, ts in steps]
        connection.executemany("INSERT INTO steps VALUES (?, ?, ?, ?)", rows)
        connection.execute(f"CREATE TABLE following AS {rhythm.following_sql()}")
        found = connection.execute(f"""SELECT list(DISTINCT account_id), min(value) FROM ({rhythm.RHYTHMS[kind]()})
            GROUP BY key HAVING count(DISTINCT account_id) > 1 ORDER BY 2""").fetchall()
    return [(frozenset(accounts), value) for accounts, value in found]


def holders(kind: str, steps: list[Step]) -> list[frozenset[Any]]:
    return [accounts for accounts, _ in traces(kind, steps)]


@pytest.mark.parametrize(("delays", "together"), [
    ((60, 200), True),  # both within 5 minutes
    ((299, 300), False),  # the first window has ended
    ((301, 899), True),
    ((2_700, 8_099), True),
    ((8_100, 8_101), False),  # so late says nothing of a trigger
])
def test_shares_of_a_post_in_the_same_window_after_its_trigger_are_a_wave(
    delays: tuple[int, int], together: bool
) -> None:
    steps = [("writer", "original", 7, 0), ("a", "share", 7, delays[0]), ("b", "share", 7, delays[1])]
    assert any({"a", "b"} <= accounts for accounts in holders("wave", steps)) == together


def test_a_wave_names_its_post_and_window() -> None:
    steps: list[Step] = [("a", "share", 7, 0), ("b", "share", 7, 100)]
    assert traces("wave", steps) == [(frozenset("ab"), "7 within 5 minutes of its first")]


def test_one_post_without_any_share_makes_no_wave() -> None:
    assert holders("wave", [("a", "original", 7, 0), ("b", "share", 8, 10)]) == []


@pytest.mark.parametrize("act", ["link", "tag"])
def test_two_who_use_a_rare_thing_in_one_half_hour_meet(act: str) -> None:
    steps = [("a", act, 5, 60), ("b", act, 5, 1_700), ("later", act, 5, 9 * DAY)]
    assert holders("joint", steps) == [frozenset("ab")]


def test_a_thing_that_is_used_all_the_time_makes_no_coincidence() -> None:
    everywhere: list[Step] = [(f"x{n}", "tag", 5, n * HOUR // 4) for n in range(400)]
    two: list[Step] = [("a", "tag", 5, 60), ("b", "tag", 5, 61)]
    assert holders("joint", everywhere + two) == []
    crowd: list[Step] = [(f"c{n}", "tag", 5, 60 + n) for n in range(12)]
    assert any(len(accounts) > 12 for accounts in holders("joint", everywhere + two + crowd))


def test_one_account_that_uses_a_thing_twice_meets_nobody() -> None:
    assert holders("joint", [("a", "link", 5, 0), ("a", "link", 5, 9), ("b", "link", 6, 0)]) == []


def test_the_same_two_things_in_the_same_order_meet() -> None:
    def row(account: str, first: str, second: str, gap: int, start: int) -> list[Step]:
        return [(account, first, 1, start), (account, second, 2, start + gap)]

    steps = [*row("a", "share", "tag", 30, 0), *row("b", "share", "tag", 2_000, 5 * DAY),
             *row("turned", "tag", "share", 30, 0), *row("slow", "share", "tag", HOUR, 0)]
    assert traces("sequence", steps) == [(frozenset("ab"), "share 1, then tag 2")]


def test_own_words_differ_and_still_follow() -> None:
    steps: list[Step] = [("a", "original", 11, 0), ("a", "link", 2, 5), ("b", "original", 12, 0), ("b", "link", 2, 9),
                         ("c", "original", 13, 0), ("c", "original", 14, 5), ("d", "original", 15, 0),
                         ("d", "original", 16, 5)]
    assert traces("sequence", steps) == [(frozenset("ab"), "own words, then link 2")]


def test_the_same_pauses_meet_whatever_the_acts_are_about() -> None:
    def row(account: str, key: int, pauses: tuple[int, int]) -> list[Step]:
        return [(account, "share", key, 0), (account, "tag", key + 1, pauses[0]),
                (account, "link", key + 2, sum(pauses))]

    steps = [*row("a", 10, (30, 9)), *row("b", 20, (30, 9)), *row("about", 30, (31, 10)), *row("c", 40, (90, 9)),
             *row("d", 50, (30, 4_000)), *row("e", 60, (30, 4_000))]
    assert traces("cadence", steps) == [(frozenset({"a", "b", "about"}), "share, 24 s+, tag, 6 s+, link")]


