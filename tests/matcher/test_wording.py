"""Wording: runs of five words that those who are asked for have in common with others, and no more of the platform."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.matcher.engine import Engine, open_engine
from exchange.matcher.platform.answers import open_answers
from exchange.matcher.wording import add_wording, hash_posts

POSTS = (
    (1, "one two three four five six", 100), (1, "and one two three four five", 50),
    (2, "zero one two three four five", 200), (3, "seven eight nine ten eleven", 300),
    (4, "seven eight nine ten eleven", 400), (5, "one two three four", 500),
)
SHARED = (("one two three four five", 1, 50, 100), ("one two three four five", 2, 200, 200))
OTHERS = (("seven eight nine ten eleven", 3, 300, 300), ("seven eight nine ten eleven", 4, 400, 400))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    with open_engine(tmp_path, small=True) as opened:
        opened.run("CREATE TABLE posts (account_id BIGINT, form VARCHAR, first_seen BIGINT, last_seen BIGINT)")
        opened.connection.executemany("INSERT INTO posts SELECT $1, $2, $3, $3", POSTS)
        open_answers(opened, "BIGINT", "[]")
        hash_posts(opened, "TEMP TABLE hashes")
        yield opened


def ask(engine: Engine, *accounts: int) -> None:
    engine.run(f"CREATE OR REPLACE TEMP TABLE asked AS SELECT unnest({list(accounts)}::BIGINT[]) AS account_id")
    add_wording(engine)


def heard(engine: Engine) -> list[tuple[str, int, int, int]]:
    return engine.rows("SELECT value, account_id, first_seen, last_seen FROM wording ORDER BY ALL")


@pytest.mark.parametrize(("asked", "expected"), [
    ((1,), SHARED),
    ((2,), SHARED),
    ((3,), OTHERS),
    ((1, 4), SHARED + OTHERS),
    ((5,), ()),  # four words say too little
    ((6,), ()),
])
def test_runs_of_those_who_are_asked_for_come_with_all_who_have_them(engine, asked, expected) -> None:
    ask(engine, *asked)
    assert heard(engine) == sorted(expected)


def test_what_was_asked_for_is_not_added_again(engine) -> None:
    ask(engine, 1)
    engine.run("INSERT INTO ground.asked_values SELECT DISTINCT 'wording', key FROM wording")
    ask(engine, 2, 3)
    assert heard(engine) == sorted(SHARED + OTHERS)
