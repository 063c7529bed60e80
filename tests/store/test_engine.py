"""Transactions, settings and faults of the engine, the same on SQLite and PostgreSQL where they can be."""

from __future__ import annotations

import multiprocessing
import os
import resource
import sqlite3
import threading
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from exchange.errors import ExchangeError, SettingError, StorageFullError, UnavailableError
from exchange.store.engine import before_commit, is_sqlite, open_engine, quick_check, raw, read, write
from exchange.store.faults import CrossedError, translated
from exchange.store.ledger import Ledger
from exchange.store.migrations import migrate
from tests.fakes.apart import apart

PUT = text("INSERT INTO meta (key, value) VALUES (:key, :value)")
GET = text("SELECT value FROM meta WHERE key = :key")


def put(engine: Engine, key: str, value: str = "x") -> None:
    with write(engine) as connection:
        connection.execute(PUT, {"key": key, "value": value})


def get(engine: Engine, key: str) -> str | None:
    with read(engine) as connection:
        return connection.execute(GET, {"key": key}).scalar()


def test_what_is_written_is_read(engine: Engine) -> None:
    put(engine, "a", "1")
    assert get(engine, "a") == "1"


def test_an_error_takes_everything_back(engine: Engine) -> None:
    def fail() -> None:
        with write(engine) as connection:
            connection.execute(PUT, {"key": "a", "value": "1"})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert get(engine, "a") is None
    put(engine, "a", "2")
    assert get(engine, "a") == "2"


def test_what_fails_just_before_the_commit_takes_everything_back_and_keeps_no_lock(engine: Engine) -> None:
    def refuse() -> None:
        raise StorageFullError("The list is full.")

    def fail() -> None:
        with write(engine) as connection:
            connection.execute(PUT, {"key": "a", "value": "1"})
            before_commit(connection, refuse)

    for _ in range(3):
        with pytest.raises(StorageFullError, match="The list is full"):
            fail()
        assert get(engine, "a") is None
    other = open_engine(str(engine.url.render_as_string(hide_password=False)))
    put(other, "a", "2")
    other.dispose()
    assert get(engine, "a") == "2"


def test_a_commit_that_fails_keeps_no_lock(engine: Engine) -> None:
    def fail() -> None:
        with write(engine) as connection:
            connection.execute(text("CREATE TABLE told (of INTEGER REFERENCES told_of (number)"
                                    " DEFERRABLE INITIALLY DEFERRED)"))
            connection.execute(text("INSERT INTO told (of) VALUES (7)"))

    with write(engine) as connection:
        connection.execute(text("CREATE TABLE told_of (number INTEGER PRIMARY KEY)"))
    for _ in range(2):
        with pytest.raises(IntegrityError):
            fail()
        put(engine, f"a{_}")
    assert get(engine, "a1") == "x"


def test_a_fault_of_the_program_stays_what_it_is(engine: Engine) -> None:
    put(engine, "a")
    with pytest.raises(IntegrityError):
        put(engine, "a")


def test_a_read_sees_one_state_while_others_write(engine: Engine) -> None:
    with read(engine) as connection:
        assert connection.execute(GET, {"key": "a"}).scalar() is None
        writer = threading.Thread(target=put, args=(engine, "a"))
        writer.start()
        writer.join()
        assert connection.execute(GET, {"key": "a"}).scalar() is None
    assert get(engine, "a") == "x"


def test_a_write_after_a_read_transaction_can_write(engine: Engine) -> None:
    for number in range(3):  # the pool hands the same connection out again
        get(engine, "a")
        put(engine, f"k{number}")
    assert get(engine, "k2") == "x"


def test_foreign_keys_hold(engine: Engine) -> None:
    with pytest.raises(IntegrityError), write(engine) as connection:
        connection.execute(text("INSERT INTO community (id, title, grp) VALUES ('c', 'C', 'nobody')"))


def test_raw_statements_stand_alone_and_leave_nothing_open(engine: Engine) -> None:
    statement = "SELECT value FROM meta WHERE key = 'a'"
    with raw(engine) as connection:
        assert connection.execute(statement).fetchall() == []
        put(engine, "a")
        assert connection.execute(statement).fetchall() == [("x",)]
        connection.execute("BEGIN")
        connection.execute("DELETE FROM meta WHERE key = 'a'")
    assert get(engine, "a") == "x"
    put(engine, "b")  # no lock was left behind
    with raw(engine) as connection:
        assert connection.execute(statement).fetchall() == [("x",)]


def test_a_raw_error_of_the_program_stays_what_it_is(engine: Engine) -> None:
    with pytest.raises((sqlite3.OperationalError, psycopg.ProgrammingError)), raw(engine) as connection:
        connection.execute("SELECT nonsense FROM meta")
    assert get(engine, "a") is None


@pytest.mark.parametrize("statement", ["SELECT 1 FROM no_such_thing", "CREATE TABLE meta (key TEXT)"])
def test_tables_of_another_schema_are_told_with_a_remedy(engine: Engine, statement: str) -> None:
    sentence = r"tables aren't those of this release.*cibx serve"
    with pytest.raises(SettingError, match=sentence), raw(engine) as driver:
        driver.execute(statement)
    with pytest.raises(SettingError, match=sentence), write(engine) as connection:
        connection.execute(text(statement))


def test_an_error_of_the_caller_passes_through_raw(engine: Engine) -> None:
    with pytest.raises(ZeroDivisionError), raw(engine):
        raise ZeroDivisionError
    assert get(engine, "a") is None


def test_many_threads_share_an_engine(engine: Engine) -> None:
    def work(number: int) -> None:
        for step in range(5):
            put(engine, f"{number}.{step}")
            with raw(engine) as connection:
                connection.execute("SELECT 1").fetchall()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with read(engine) as connection:
        assert connection.execute(text("SELECT count(*) FROM meta WHERE key LIKE '%.%' AND value = 'x'")).scalar() == 60


def _put_after_fork(engine: Engine, key: str) -> None:
    try:
        put(engine, key)
    finally:
        os._exit(0)


def test_connections_are_not_carried_over_a_fork(engine: Engine) -> None:
    get(engine, "a")  # the parent holds a connection
    children = []
    for number in range(3):
        child = os.fork()
        if child == 0:
            _put_after_fork(engine, f"child{number}")
        children.append(child)
    put(engine, "parent")
    for child in children:
        os.waitpid(child, 0)
    assert [get(engine, key) for key in ("child0", "child1", "child2", "parent")] == ["x"] * 4


# -- SQLite ----------------------------------------------------------------------------------------------
@pytest.fixture
def sqlite_engine(tmp_path: Path) -> Engine:
    from exchange.store.migrations import migrate

    opened = open_engine(f"sqlite:///{tmp_path / 'cibx.db'}")
    migrate(opened)
    return opened


@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),
        ("foreign_keys", 1),
        ("trusted_schema", 0),
        ("secure_delete", 1),
        ("page_size", 8192),
        ("busy_timeout", 10_000),  # also after a write, which waits without it
        ("mmap_size", 0),
        ("cache_size", -16_384),
    ],
)
def test_sqlite_is_set_for_durability_and_bounded_memory(sqlite_engine: Engine, pragma: str, value: object) -> None:
    put(sqlite_engine, "a")
    with raw(sqlite_engine) as connection:
        assert connection.execute(f"PRAGMA {pragma}").fetchone()[0] == value


def test_a_sqlite_write_transaction_holds_the_lock_from_its_start(sqlite_engine: Engine, tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "cibx.db", timeout=0, isolation_level=None)
    with write(sqlite_engine), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    other.execute("BEGIN IMMEDIATE")
    other.execute("ROLLBACK")
    with read(sqlite_engine):
        other.execute("BEGIN IMMEDIATE")
        other.close()


def test_writers_of_one_process_queue_before_they_ask_sqlite(
    sqlite_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exchange.store.engine.BUSY_SECONDS", 0.01)
    with write(sqlite_engine), pytest.raises(UnavailableError, match="Other requests"):
        put(sqlite_engine, "a")
    put(sqlite_engine, "a")


def test_a_busy_sqlite_says_so(
    sqlite_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exchange.store.engine.BUSY_SECONDS", 0.05)
    other = sqlite3.connect(tmp_path / "cibx.db", timeout=0, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(UnavailableError, match="busy"):
        put(sqlite_engine, "a")
    other.close()
    put(sqlite_engine, "a")


def test_a_full_sqlite_disk_is_told_reads_go_on_and_it_recovers(sqlite_engine: Engine) -> None:
    with sqlite_engine.connect() as connection:  # the one that writes: each connection has a limit of its own
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StorageFullError, match="disk of the store is full"):
        put(sqlite_engine, "big", "x" * 1_000_000)
    assert get(sqlite_engine, "big") is None
    with sqlite_engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    put(sqlite_engine, "big", "x" * 1_000_000)


def _write_beyond_the_limit(url: str, answers: multiprocessing.SimpleQueue[object]) -> None:
    engine = open_engine(url)
    get(engine, "a")
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
    try:
        put(engine, "big", "x" * 1_000_000)
    except ExchangeError as error:
        answers.put((type(error).__name__, get(engine, "big")))


def test_a_disk_that_refuses_a_write_is_told(sqlite_engine: Engine) -> None:
    answers = apart().SimpleQueue()
    process = apart().Process(target=_write_beyond_the_limit, args=(str(sqlite_engine.url), answers))
    process.start()
    process.join()
    assert answers.get() == ("StorageFullError", None)


def test_the_sqlite_file_stays_the_same_when_the_folder_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    engine = open_engine("sqlite:///here.db")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    with raw(engine) as connection:
        connection.execute("SELECT 1")
    assert (tmp_path / "here.db").exists()


@pytest.mark.parametrize("linked", [False, True])
def test_new_sqlite_files_are_for_their_user_alone(tmp_path: Path, linked: bool) -> None:
    file = tmp_path / "cibx.db"
    if linked:
        (tmp_path / "elsewhere").mkdir()
        file.symlink_to(tmp_path / "elsewhere" / "cibx.db")
    before = os.umask(0o022)
    try:
        engine = open_engine(f"sqlite:///{file}")
        migrate(engine)
        put(engine, "a")
        Ledger(engine).after(0, 1)
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.rglob("cibx.db*")}
    finally:
        os.umask(before)
    assert {"cibx.db", "cibx.db-ledger", "cibx.db-ledger-wal"} <= set(modes)
    assert {f"cibx.db{end}" for end in ("-wal", "-shm")} <= set(modes)
    assert set(modes.values()) == {0o600}
    engine.dispose()


def test_the_mode_of_a_sqlite_file_that_exists_stays(tmp_path: Path) -> None:
    file = tmp_path / "cibx.db"
    file.touch(0o640)
    file.chmod(0o640)
    engine = open_engine(f"sqlite:///{file}")
    migrate(engine)
    assert file.stat().st_mode & 0o777 == 0o640
    engine.dispose()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"this is not a database, however long it may be" * 300)
    with (
        pytest.raises(SettingError, match=r"no SQLite database.*CIBX_DATABASE_URL"),
        raw(open_engine(f"sqlite:///{tmp_path / 'x.db'}")),
    ):
        pass


def test_a_damaged_file_is_found_and_a_sound_one_passes(engine: Engine, tmp_path: Path) -> None:
    quick_check(engine)
    if not is_sqlite(engine):
        return
    for number in range(200):
        put(engine, f"k{number}", "x" * 500)
    engine.dispose()  # the last connection folds the log into the file
    content = bytearray((tmp_path / "cibx.db").read_bytes())
    content[-8192:] = b"\xff" * 8192
    (tmp_path / "cibx.db").write_bytes(content)
    with pytest.raises(SettingError, match=r"file is damaged[^$]*Restore a backup"):
        quick_check(engine)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", "is not a database URL"),
        ("cibx.db", "is not a database URL"),
        ("mysql://host/db", "begins with 'mysql'"),
        ("postgresql+asyncpg://host/db", "begins with 'postgresql\\+asyncpg'"),
        ("postgresql://host", "names no PostgreSQL database"),
        ("postgresql://host:port/db", "is not a database URL"),
        ("sqlite://", "names no SQLite file"),
        ("sqlite:///:memory:", "names no SQLite file"),
        ("sqlite:///file:x?uri=true", "names no SQLite file"),
        ("sqlite:///x.db?mode=ro", "more than a file"),
        ("sqlite://host/x.db", "more than a file|not a database URL"),
        ("sqlite:////nowhere/at/all/x.db", "the folder /nowhere/at/all doesn't exist"),
        ("sqlite:////tmp", "/tmp is a folder"),
    ],
)
def test_a_bad_url_is_refused_with_a_remedy(url: str, sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence) as refused:
        open_engine(url)
    assert refused.value.fix


def test_a_password_in_a_bad_url_is_not_shown() -> None:
    with pytest.raises(SettingError) as refused:
        open_engine("mysql://user:hunter2@host/db")
    assert "hunter2" not in str(refused.value)


# -- PostgreSQL ------------------------------------------------------------------------------------------
@pytest.mark.postgres
@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_scheme_of_postgresql_goes(postgres_url: str, scheme: str) -> None:
    engine = open_engine(postgres_url.replace("postgresql", scheme, 1))
    assert not is_sqlite(engine)
    with raw(engine) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    engine.dispose()


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("synchronous_commit", "on"),
        ("statement_timeout", "30s"),
        ("lock_timeout", "10s"),
        ("idle_in_transaction_session_timeout", "1min"),
        ("application_name", "cibx"),
        ("TimeZone", "UTC"),
    ],
)
def test_postgresql_is_set_for_durability_and_bounded_waiting(postgres_url: str, name: str, value: str) -> None:
    engine = open_engine(postgres_url)
    with raw(engine) as connection:
        assert connection.execute(f"SHOW {name}").fetchone() == (value,)
    engine.dispose()


@pytest.mark.postgres
def test_options_in_the_url_come_last(postgres_url: str) -> None:
    engine = open_engine(postgres_url + "&options=-c%20statement_timeout%3D5s")
    with raw(engine) as connection:
        assert connection.execute("SHOW statement_timeout").fetchone() == ("5s",)
        assert connection.execute("SHOW lock_timeout").fetchone() == ("10s",)
    engine.dispose()


@pytest.mark.postgres
def test_a_connection_that_the_server_ended_is_replaced_unnoticed(postgres_url: str, postgres_server: str) -> None:
    engine = open_engine(postgres_url)
    with raw(engine) as connection:
        process = connection.info.backend_pid
    with psycopg.connect(postgres_server, autocommit=True) as administrator:
        administrator.execute("SELECT pg_terminate_backend(%s, 5000)", (process,))
    with raw(engine) as connection:
        assert connection.info.backend_pid != process
        assert connection.execute("SELECT 1").fetchone() == (1,)
    engine.dispose()


@pytest.mark.postgres
def test_a_connection_that_ends_in_use_is_unavailable_and_then_well_again(
    postgres_url: str, postgres_server: str
) -> None:
    engine = open_engine(postgres_url)

    def lose_the_connection() -> None:
        with raw(engine) as connection:
            with psycopg.connect(postgres_server, autocommit=True) as administrator:
                administrator.execute("SELECT pg_terminate_backend(%s, 5000)", (connection.info.backend_pid,))
            connection.execute("SELECT 1")

    with pytest.raises(UnavailableError):
        lose_the_connection()
    with raw(engine) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    engine.dispose()


@pytest.mark.postgres
def test_a_statement_that_takes_too_long_is_unavailable(postgres_url: str) -> None:
    engine = open_engine(postgres_url + "&options=-c%20statement_timeout%3D20ms")
    with pytest.raises(UnavailableError, match="statement timeout"), read(engine) as connection:
        connection.execute(text("SELECT pg_sleep(5)"))
    engine.dispose()


def test_a_postgresql_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    engine = open_engine(f"postgresql://user:hunter2@/db?host={tmp_path}")
    for block in (read, write, raw):
        with pytest.raises(UnavailableError, match="can't be reached") as refused, block(engine):
            pass
        assert "hunter2" not in str(refused.value)


class _Diagnosed(psycopg.Error):
    def __init__(self, state: str | None) -> None:
        super().__init__("said so\nDETAIL: more")
        self.sqlstate = state


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("53100", StorageFullError),
        ("53300", UnavailableError),
        ("57P01", UnavailableError),
        ("57014", UnavailableError),
        ("55P03", UnavailableError),
        ("40P01", CrossedError),
        ("40001", CrossedError),
        ("08006", UnavailableError),
        ("25006", UnavailableError),
        ("58030", UnavailableError),
        ("28P01", UnavailableError),
        ("3D000", UnavailableError),
        ("42P01", SettingError),
        ("42P07", SettingError),
        ("23505", None),
        ("42601", None),
        ("22P02", None),
        (None, None),
    ],
)
def test_postgresql_codes_and_what_they_mean(state: str | None, expected: type | None) -> None:
    for error in (_Diagnosed(state), DBAPIError("SELECT 1", None, _Diagnosed(state))):
        fault = translated(error)
        assert (None if fault is None else type(fault)) is expected
        assert "DETAIL" not in str(fault)


def test_a_pool_without_a_free_connection_is_unavailable() -> None:
    assert isinstance(translated(PoolTimeout()), UnavailableError)
    assert translated(ValueError("x")) is None


def test_a_connection_for_quick_reads_is_at_hand_again_and_closed_with_its_engine(sqlite_engine: Engine) -> None:
    with raw(sqlite_engine) as first, raw(sqlite_engine) as beside:
        assert beside is not first
    with raw(sqlite_engine) as again:
        assert again in (first, beside)
    sqlite_engine.dispose()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        again.execute("SELECT 1")
    with raw(sqlite_engine) as fresh:
        assert fresh.execute("SELECT 1").fetchone() == (1,)


def test_what_a_quick_read_left_open_is_rolled_back_before_its_connection_is_used_again(sqlite_engine: Engine) -> None:
    with raw(sqlite_engine) as connection:
        connection.execute("BEGIN")
    with raw(sqlite_engine) as again:
        assert again is connection
        assert not again.in_transaction


def test_a_connection_that_failed_is_not_used_again(sqlite_engine: Engine) -> None:
    with pytest.raises(sqlite3.OperationalError), raw(sqlite_engine) as broken:
        broken.execute("SELECT nothing")
    with raw(sqlite_engine) as fresh:
        assert fresh is not broken
