"""How the store is reached: one engine for SQLite or PostgreSQL, its transactions, and its faults in words.

SQLite runs in WAL mode with synchronous=FULL (an acknowledged object survives a power cut), PostgreSQL with
synchronous_commit on. Connections are opened when first used and never carried over a fork.
"""

from __future__ import annotations

import os
import select
import sqlite3
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from itertools import chain, repeat
from pathlib import Path
from typing import Any, NoReturn, ParamSpec, TypeVar, cast

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import PoolProxiedConnection, QueuePool

from exchange.errors import SettingError, UnavailableError
from exchange.store.faults import CrossedError, driver_errors, translated

_Done = TypeVar("_Done")
_Given = ParamSpec("_Given")
_URL_FORMS = "Use sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE."
_POSTGRES_SCHEMES = ("postgres", "postgresql", "postgresql+psycopg")
_SQLITE_CONNECTIONS = 64
_POSTGRES_CONNECTIONS = 16
"""Most connections of one process; only as many are made as threads use at once, and those are kept. PostgreSQL
allows 100 in all by default: a thread above the number waits its turn."""
_POSTGRES_WRITERS = 6
"""Most write transactions of one process at once: those that wait for a lock leave connections to readers."""
BUSY_SECONDS = 10
"""How long a writer waits for its turn before it is told that the store is busy."""
_CROSSINGS = 5
"""How often a transaction is tried that gives way to others."""
_PAUSES = (0.001, 0.002, 0.005, 0.01, 0.02)
"""Seconds between a writer's attempts to get SQLite's lock from another process; the last one again and again."""
_SQLITE_PRAGMAS = (
    "busy_timeout = 10000",          # of readers, while a log is recovered
    "page_size = 8192",              # counts for a new file only
    "synchronous = FULL",            # fsync per commit: NORMAL loses acknowledged objects in a power cut
    "foreign_keys = ON",
    "trusted_schema = OFF",
    "secure_delete = ON",            # erased means overwritten; costs nothing measurable on inserts
    "mmap_size = 0",                 # the file mapped cost as much for a page as the file read, and 64 MB of memory
    "cache_size = -16384",           # KiB: 16 MB per connection ...
    "soft_heap_limit = 100663296",   # ... and 96 MB over all connections of the process
    "journal_size_limit = 67108864",
)
_SMALL_FILE = 256 * 1024 * 1024
"""Bytes that are looked through at every start: 0.3 s from memory, 3 s from a slow disk."""
_POSTGRES_OPTIONS = {
    "synchronous_commit": "on",
    "statement_timeout": "30s",
    "lock_timeout": f"{BUSY_SECONDS}s",
    "idle_in_transaction_session_timeout": "60s",
    "timezone": "UTC",
    "jit": "off",  # compiling the conditions of visibility took seconds, running them milliseconds
}
_POSTGRES_LINK = {
    "connect_timeout": 5, "tcp_user_timeout": 20_000,
    "keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3,
}
"""A server that vanished without a word is noticed in half a minute; in seconds, but tcp_user_timeout in ms."""


def open_engine(url: str) -> Engine:
    """The engine of ``url``; nothing is connected yet. Raises SettingError for a URL that can't be used."""
    parsed = _parsed(url)
    engine = _sqlite_engine(parsed) if parsed.drivername == "sqlite" else _postgres_engine(parsed)
    at_hand = _at_hand[engine] = _AtHand()
    event.listen(engine, "engine_disposed", lambda _engine: at_hand.let_go())
    _forget_connections_after_fork(engine)
    return engine


def watch_pool(engine: Engine, taken: Callable[[], None], given_back: Callable[[], None]) -> None:
    """Call ``taken`` when a connection is taken out of the pool, ``given_back`` when it is back or was given up."""
    _at_hand[engine].watched = True  # whoever watches is to see each use
    _at_hand[engine].let_go()
    event.listen(engine, "checkout", lambda *_: taken())
    event.listen(engine, "checkin", lambda *_: given_back())


class _AtHand:
    """Connections of one engine that ``raw`` keeps out of the pool between two uses, in one process.

    Taking one out of the pool and putting it back costs as much as what most uses ask of it. On PostgreSQL none is
    kept: the pool looks whether the server ended it meanwhile.
    """

    __slots__ = ("kept", "process", "watched")

    def __init__(self) -> None:
        self.kept: list[PoolProxiedConnection] = []
        self.process = os.getpid()
        self.watched = False

    def let_go(self) -> None:
        """Close them; those of the parent process are left as they are."""
        kept, self.kept = self.kept, []
        if self.process != os.getpid():
            _left_behind.extend(kept)
            self.process = os.getpid()
            return
        for one in kept:
            one.invalidate()


_at_hand: weakref.WeakKeyDictionary[Engine, _AtHand] = weakref.WeakKeyDictionary()
_MOST_AT_HAND = 4


def is_sqlite(engine: Engine | Connection) -> bool:
    """Whether the store is SQLite (else it is PostgreSQL)."""
    return engine.dialect.name == "sqlite"


@contextmanager
def write(engine: Engine, *, apart: bool = False) -> Iterator[Connection]:
    """One write transaction: committed when the block ends, rolled back when it raises.

    On SQLite it holds the one write lock from its first moment (BEGIN IMMEDIATE). With ``apart`` its commit doesn't
    keep the greenlets of a worker waiting for the disk. Raises StorageFullError and UnavailableError; nothing of the
    block is stored then.
    """
    with _in_words(), _turn_to_write(engine), engine.connect() as connection, _nothing_left_open(connection):
        if is_sqlite(engine):
            _begin_immediate(cast(sqlite3.Connection, connection.connection.driver_connection))
        with connection.begin() as transaction:
            yield connection
            for act in _before_commit.pop(transaction, ()):
                act()
            if apart:
                _commit_apart(connection)


def crossing(act: Callable[[frozenset[int]], _Done]) -> _Done:
    """Do ``act``, which is a write transaction, and do it again where it gave way to one that crossed it.

    It gets the numbers of collections whose turns it is to take before all else: none at first, then those that it
    wanted out of turn. Raises CrossedError after five tries.
    """
    first: frozenset[int] = frozenset()
    for _ in range(_CROSSINGS - 1):
        try:
            return act(first)
        except CrossedError as crossed:
            first |= crossed.feeds
    return act(first)


def gives_way(act: Callable[_Given, _Done]) -> Callable[_Given, _Done]:
    """A function whose one write transaction is its first effect: it is called again as ``crossing`` says."""

    @wraps(act)
    def again(*given: _Given.args, **named: _Given.kwargs) -> _Done:
        """``act``, as ``crossing`` calls it."""
        return crossing(lambda _turns: act(*given, **named))

    return again


_before_commit: weakref.WeakKeyDictionary[Any, list[Callable[[], None]]] = weakref.WeakKeyDictionary()
"""What is to run before each open transaction is committed."""


def before_commit(connection: Connection, act: Callable[[], None]) -> None:
    """Let ``act`` run just before the ``write`` transaction is committed, or never; what it raises rolls all back."""
    _before_commit.setdefault(connection.get_transaction(), []).append(act)


@contextmanager
def _nothing_left_open(connection: Connection) -> Iterator[None]:
    """Where a commit fails SQLAlchemy takes the transaction for ended; the driver's is ended here, with its locks."""
    committed = False
    try:
        yield
        committed = True
    finally:
        if not committed and not connection.invalidated:
            try:
                cast(Any, connection.connection.driver_connection).rollback()
            except driver_errors() as failure:
                connection.invalidate(failure)


@contextmanager
def read(engine: Engine) -> Iterator[Connection]:
    """One read transaction: all its statements see the same state. Raises UnavailableError."""
    with _in_words(), engine.connect() as connection:
        if not is_sqlite(engine):
            connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        with connection.begin():
            yield connection


class raw:  # noqa: N801 - used like the functions beside it; a class because that costs 4 us less per request
    """A DBAPI connection (sqlite3 or psycopg) in autocommit mode for hot reads: each statement is on its own.

    A caller that needs several statements to agree sends BEGIN and COMMIT itself; what is left open is rolled
    back when the block ends. Raises UnavailableError.
    """

    __slots__ = ("_at_hand", "_engine", "_pooled")

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._at_hand = _at_hand[engine]

    def __enter__(self) -> Any:
        try:
            self._pooled = self._at_hand.kept.pop()
        except IndexError:
            self._pooled = self._from_pool()
        driver: Any = self._pooled.driver_connection
        if not is_sqlite(self._engine):
            driver.autocommit = True
        return driver

    def _from_pool(self) -> PoolProxiedConnection:
        try:
            return self._engine.raw_connection()
        except _any_fault() as error:
            _raise_in_words(error)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is not None and isinstance(error, driver_errors()):
            self._pooled.invalidate(error)  # it may be broken: nobody else should get it
            _raise_in_words(error)
        driver: Any = self._pooled.driver_connection
        try:
            if is_sqlite(self._engine):
                if driver.in_transaction:
                    driver.rollback()
                at_hand = self._at_hand
                if len(at_hand.kept) < _MOST_AT_HAND and not at_hand.watched:
                    at_hand.kept.append(self._pooled)
                    return
            else:
                driver.rollback()
                driver.autocommit = False
        except driver_errors() as failure:
            self._pooled.invalidate(failure)
            _raise_in_words(failure)
        self._pooled.close()


def quick_check(engine: Engine) -> None:
    """Look through a SQLite file for damage (seconds per GB; nothing to do for PostgreSQL).

    Raises SettingError with what SQLite found first.
    """
    if not is_sqlite(engine):
        return
    with raw(engine) as connection:
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise _damaged(f"SQLite: {found.splitlines()[-1]}.")  # its first line is a heading


def check_at_start(engine: Engine) -> None:
    """Refuse a damaged SQLite file: a small one is always looked through, a large one after an unclean end.

    A log is left behind where the last process was killed or lost its power. Raises SettingError.
    """
    path = Path(str(engine.url.database))
    if not is_sqlite(engine) or not path.exists():
        return
    log = path.with_name(path.name + "-wal")
    unclean, size = log.exists() and log.stat().st_size > 0, path.stat().st_size
    with raw(engine) as connection:  # SQLite refuses a file that lacks whole pages, not one cut within a page
        page_size = connection.execute("PRAGMA page_size").fetchone()[0]
    if not unclean and size % page_size:
        raise _damaged("It ends within a page.")
    if unclean or size <= _SMALL_FILE:
        quick_check(engine)


def _damaged(why: str) -> SettingError:
    return SettingError("The store's file is damaged.", why=why, fix="Restore a backup.")


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except _any_fault() as error:
        _raise_in_words(error)


def _raise_in_words(error: BaseException) -> NoReturn:
    """Raise a driver's error as one of our tree; what is a fault of the program stays as it is."""
    fault = translated(error)
    if fault is None:
        raise error
    raise fault from error


def _any_fault() -> tuple[type[Exception], ...]:
    return (DBAPIError, PoolTimeout, *driver_errors())


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise SettingError("CIBX_DATABASE_URL is not a database URL.", fix=_URL_FORMS) from None
    if parsed.drivername == "sqlite":
        return parsed
    if parsed.drivername in _POSTGRES_SCHEMES:
        if not parsed.database:
            raise SettingError("CIBX_DATABASE_URL names no PostgreSQL database.", fix=_URL_FORMS)
        return parsed.set(drivername="postgresql+psycopg")
    raise SettingError(f"CIBX_DATABASE_URL begins with {parsed.drivername!r}, an unknown engine.",
                       fix=_URL_FORMS)


_turns: weakref.WeakKeyDictionary[Engine, threading.Lock | threading.Semaphore] = weakref.WeakKeyDictionary()
"""Writers of this process queue here: SQLite has one at a time, and only the first asks it for the lock."""


@contextmanager
def _turn_to_write(engine: Engine) -> Iterator[None]:
    turn = _turns[engine]
    if not turn.acquire(timeout=BUSY_SECONDS):
        raise UnavailableError("The store is busy.", why="Other requests are writing.",
                               fix="Try again shortly.")
    try:
        yield
    finally:
        turn.release()


def _sqlite_engine(url: URL) -> Engine:
    path = _sqlite_path(url)
    engine = create_engine(
        url.set(database=str(path)), poolclass=QueuePool, pool_size=_SQLITE_CONNECTIONS, max_overflow=0,
        pool_timeout=BUSY_SECONDS, pool_use_lifo=True, connect_args={"check_same_thread": False},
        pool_reset_on_return=None,  # read, write and raw end their transactions themselves
    )
    event.listen(engine, "do_connect", lambda *_: _make_private(path))
    event.listen(engine, "connect", _set_up_sqlite)
    engine.dialect.do_begin = _begin_sqlite  # type: ignore[assignment]
    _turns[engine] = threading.Lock()
    return engine


def _sqlite_path(url: URL) -> Path:
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise SettingError("CIBX_DATABASE_URL names no SQLite file.",
                           why="A database in memory isn't shared by the worker processes.", fix=_URL_FORMS)
    if url.query or url.host or url.username:
        raise SettingError("CIBX_DATABASE_URL has more than a file in it.", fix="Use sqlite:///FILE.")
    path = Path(url.database).absolute()  # stays right when the server changes its folder
    if path.is_dir() or not path.parent.is_dir():
        missing = f"{path} is a folder" if path.is_dir() else f"the folder {path.parent} doesn't exist"
        raise SettingError(f"The database {path} can't be opened: {missing}.",
                           fix="Name a file in an existing folder in CIBX_DATABASE_URL.")
    return path


def _make_private(path: Path) -> None:
    """Make the file where there is none, for this user alone: it holds secrets. SQLite's -wal and -shm take its mode.

    A file that exists isn't opened: closing it would end the locks that other connections of the process hold.
    """
    with suppress(OSError):  # it exists, or can't be made: then SQLite says so
        os.close(os.open(os.path.realpath(path), os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _set_up_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself; see _begin_sqlite
    for pragma in _SQLITE_PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").close()
    mode = _switch_to_wal(connection)
    if mode != "wal":
        raise SettingError(f"The database can't use write-ahead logging (SQLite answers {mode!r}).",
                           why="Its file lies on a disk without shared memory, such as a network disk.",
                           fix="Put it on a local disk, or use PostgreSQL.")


def _switch_to_wal(connection: sqlite3.Connection) -> str:
    """Two processes that make the file at the same moment can meet a lock that ignores busy_timeout."""
    for _attempt in range(100):
        try:
            return str(connection.execute("PRAGMA journal_mode = WAL").fetchone()[0])
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_BUSY":
                raise
            time.sleep(0.05)
    return str(connection.execute("PRAGMA journal_mode = WAL").fetchone()[0])


def _begin_sqlite(connection: PoolProxiedConnection) -> None:
    """Begin a transaction, unless ``write`` has."""
    driver = cast(sqlite3.Connection, connection.driver_connection)
    if not driver.in_transaction:
        driver.execute("BEGIN").close()


def _commit_apart(connection: Connection) -> None:
    """Commit in a thread where greenlets share this one: SQLite waits for the disk in C, and so would all of them."""
    patched = sys.modules.get("gevent.monkey")
    if is_sqlite(connection) and patched is not None and patched.is_module_patched("threading"):
        import gevent  # noqa: PLC0415 - only where it is used already

        driver = cast(sqlite3.Connection, connection.connection.driver_connection)
        fault = gevent.get_hub().threadpool.apply(_fault_of_commit, (driver,))
        if fault is not None:
            raise fault


def _fault_of_commit(driver: sqlite3.Connection) -> sqlite3.Error | None:
    """Commit; what went wrong is given back, since gevent prints with its frames what a function of a thread raises."""
    try:
        driver.commit()
    except sqlite3.Error as fault:
        return fault
    return None


def _begin_immediate(driver: sqlite3.Connection) -> None:
    """Take the write lock, waiting for other processes between attempts.

    SQLite's own waiting sleeps in C, where it would stop every greenlet of a gevent worker, readers too.
    """
    end = time.monotonic() + BUSY_SECONDS
    pauses = chain(_PAUSES, repeat(_PAUSES[-1]))
    driver.execute("PRAGMA busy_timeout = 0").close()
    try:
        while True:
            try:
                driver.execute("BEGIN IMMEDIATE").close()
                return
            except sqlite3.OperationalError as error:
                if not error.sqlite_errorname.startswith("SQLITE_BUSY") or time.monotonic() > end:
                    raise
            time.sleep(next(pauses))
    finally:
        driver.execute(f"PRAGMA {_SQLITE_PRAGMAS[0]}").close()


def _postgres_engine(url: URL) -> Engine:
    options = " ".join(f"-c {name}={value}" for name, value in _POSTGRES_OPTIONS.items())
    given = url.query.get("options", "")
    engine = create_engine(
        url.difference_update_query(["options"]), pool_size=_POSTGRES_CONNECTIONS, max_overflow=0,
        pool_timeout=BUSY_SECONDS, pool_use_lifo=True,
        connect_args={"options": f"{options} {given}".strip(), "application_name": "cibx", **_POSTGRES_LINK},
    )
    event.listen(engine, "checkout", _refuse_closed_connection)
    _turns[engine] = threading.Semaphore(_POSTGRES_WRITERS)
    _wait_in_greenlets()
    return engine


def _wait_in_greenlets() -> None:
    """In a gevent worker let psycopg wait by poll(), which gevent has replaced.

    Imported before the worker was forked, psycopg waits in C: one held lock would stop all of the worker.
    """
    patched = sys.modules.get("gevent.monkey")
    if patched is not None and patched.is_module_patched("select"):
        from psycopg import waiting  # noqa: PLC0415 - only where PostgreSQL is used

        waiting.wait = waiting.wait_poll


def _refuse_closed_connection(connection: Any, _record: object, _pooled: object) -> None:
    """An idle connection that has something to read was ended by the server: the pool then makes a new one.

    Costs a poll of the socket (2 us) instead of a query per checkout.
    """
    if connection.closed:
        raise DisconnectionError
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN)
    if waiting.poll(0):
        raise DisconnectionError


_left_behind: list[object] = []
"""Pools of the parent process: kept so that nothing closes the parent's connections in the child."""


def _forget_connections_after_fork(engine: Engine) -> None:
    here = weakref.ref(engine)

    def forget() -> None:
        """In the child: leave the parent's connections open and use none of them."""
        inherited = here()
        if inherited is not None:
            _left_behind.append(inherited.pool)
            inherited.dispose(close=False)
            _turns[inherited] = threading.Lock() if is_sqlite(inherited) else threading.Semaphore(_POSTGRES_WRITERS)

    os.register_at_fork(after_in_child=forget)
