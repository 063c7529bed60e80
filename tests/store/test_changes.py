"""Whether something was committed since the last look, on both engines."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, text

from exchange.store.changes import Changes
from exchange.store.engine import write

PUT = text("INSERT INTO meta (key, value) VALUES (:key, 'x')")
STEP = text("UPDATE meta SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT) WHERE key = 'directory.version'")


def test_looks_are_equal_until_something_is_committed_anywhere(engine: Engine) -> None:
    changes = Changes(engine)
    before = changes.look()
    assert changes.look() == before
    assert changes.is_as(before)
    with write(engine) as connection:
        connection.execute(PUT, {"key": "a"})
        assert changes.is_as(before), "what isn't committed hasn't happened"
    assert not changes.is_as(before)
    after = changes.look()
    assert after != before
    assert after.directory_version == before.directory_version
    assert changes.is_as(after)


def test_the_directory_s_version_comes_with_it(engine: Engine) -> None:
    changes = Changes(engine)
    before = changes.look()
    with write(engine) as connection:
        connection.execute(STEP)
    assert changes.look().directory_version == before.directory_version + 1


def test_what_was_rolled_back_changes_nothing(engine: Engine) -> None:
    changes = Changes(engine)
    before = changes.look()

    def fail() -> None:
        with write(engine) as connection:
            connection.execute(PUT, {"key": "a"})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    if engine.dialect.name == "sqlite":  # a PostgreSQL snapshot counts transactions that failed, too
        assert changes.is_as(before)
    assert changes.look().directory_version == before.directory_version


def test_a_look_from_before_the_connections_ended_counts_no_longer(engine: Engine) -> None:
    changes = Changes(engine)
    before = changes.sign()
    engine.dispose()
    assert before is None or changes.sign() != before
