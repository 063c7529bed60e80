"""Whether something was committed since the last look, on both engines."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from exchange.store.changes import Changes
from exchange.store.engine import is_sqlite, open_engine, write

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


def test_a_commit_of_another_process_or_pool_shows(engine: Engine) -> None:
    changes = Changes(engine)
    other = open_engine(engine.url.render_as_string(hide_password=False))
    before = changes.look()
    for key in "abc":
        with write(other) as connection:
            connection.execute(PUT, {"key": key})
        assert not changes.is_as(before)
        before = changes.look()
        assert changes.is_as(before)
    other.dispose()


def test_transactions_that_end_in_another_order_than_they_began_all_show(engine: Engine) -> None:
    if is_sqlite(engine):
        pytest.skip("SQLite has one writer at a time")
    changes = Changes(engine)
    with engine.connect() as early, engine.connect() as late:
        for one, key in ((early, "a"), (late, "b")):
            one.begin()
            one.execute(PUT, {"key": key})
        before = changes.look()
        assert changes.is_as(before)
        late.commit()
        between = changes.look()
        assert between != before
        with late.begin(), late.begin_nested():  # with a number of its own beyond the one that is open
            late.execute(PUT, {"key": "c"})
        with late.begin():
            late.execute(PUT, {"key": "d"})
        assert not changes.is_as(between)
        between = changes.look()
        early.commit()
        assert not changes.is_as(between)


def test_another_file_in_the_same_place_is_another_database(engine: Engine, tmp_path: Path) -> None:
    if not is_sqlite(engine):
        pytest.skip("PostgreSQL's database is no file of ours")
    changes = Changes(engine)
    place = Path(str(engine.url.database))
    with write(engine) as connection:
        connection.execute(PUT, {"key": "a"})
    signed = changes.sign()
    engine.dispose()
    kept = shutil.copy(place, tmp_path / "copy")
    looked = changes.look()
    place.rename(tmp_path / "moved")
    assert changes.sign() is None
    os.replace(kept, place)
    assert changes.sign() not in (None, signed, looked.sign)
    assert not changes.is_as(looked)
    (tmp_path / "moved").replace(place)
    assert not changes.is_as(looked)


def test_a_child_process_asks_by_a_connection_of_its_own(engine: Engine) -> None:
    if not is_sqlite(engine):
        pytest.skip("its connections are the pool's")
    changes = Changes(engine)
    before = changes.look()
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(tell, b"0" if changes.sign() in (None, before.sign) else b"1")
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(told, 1) == b"1"
    os.close(told)
    os.close(tell)
    assert changes.is_as(before)
