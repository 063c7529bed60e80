"""What many tests need: a PostgreSQL server of their own, and a migrated store on both engines."""

from __future__ import annotations

import gc
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

ENGINES = ("sqlite", "postgres")


def pytest_collection() -> None:
    """Collect without a look for cycles: what 14,000 tests are made of stays anyway, and each look passes over it."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Pass over it no more: from here on only what tests make is looked through."""
    gc.freeze()
    gc.enable()


def pytest_sessionfinish() -> None:
    """Let Python clear everything away at its end: DuckDB complains of what it finds there."""
    gc.unfreeze()


@pytest.fixture(scope="session", autouse=True)
def kept_bytecode() -> Iterator[None]:
    """Child processes keep what they compiled, aside from the sources, also on a machine that says not to.

    Else each of some hundreds compiles the project anew, which is 0.3 s of work.
    """
    if not os.environ.get("PYTHONDONTWRITEBYTECODE"):
        yield
        return
    with tempfile.TemporaryDirectory(prefix="bytecode-") as folder, pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTHONDONTWRITEBYTECODE")
        patch.setenv("PYTHONPYCACHEPREFIX", folder)
        yield


def _postgres_programs() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("pg_ctl")
    return Path(on_path).parent if on_path else None


def _as_server_user(command: list[str], folder: Path) -> None:
    """PostgreSQL refuses to run as root; Debian's packages bring the user ``postgres``."""
    user = "postgres" if os.geteuid() == 0 else None
    done = subprocess.run(
        command,
        cwd=folder,
        user=user,
        group=user,
        extra_groups=[] if user else None,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout}{done.stderr}")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of the administrative database of a server that lives as long as the tests, on a socket."""
    programs = _postgres_programs()
    if programs is None:
        warnings.warn("No PostgreSQL programs found: every test on PostgreSQL is skipped.", stacklevel=1)
        pytest.skip("PostgreSQL's initdb and pg_ctl are not installed (Debian: apt-get install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="cibx-pg-"))
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    data = folder / "data"
    control = [str(programs / "pg_ctl"), "-D", str(data), "-w", "-s"]
    options = f"-k {folder} -c listen_addresses='' -c fsync=off -c max_connections=200"
    try:
        _as_server_user(
            [
                str(programs / "initdb"),
                "-D",
                str(data),
                "-U",
                "cibx",
                "-A",
                "trust",
                "-N",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
            ],
            folder,
        )
        _as_server_user([*control, "-l", str(folder / "log"), "-o", options, "start"], folder)
        try:
            yield f"postgresql://cibx@/postgres?host={folder}"
        finally:
            _as_server_user([*control, "-m", "immediate", "stop"], folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _administer(server: str, statement: str) -> None:
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement.encode())


@pytest.fixture
def copy_postgres(postgres_server: str) -> Iterator[Callable[[str], str]]:
    """Makes a copy of the named PostgreSQL database, which goes with the test; gives its URL."""
    made: list[str] = []

    def copy(original: str) -> str:
        made.append(f"t{uuid.uuid4().hex}")
        _administer(postgres_server, f"CREATE DATABASE {made[-1]} TEMPLATE {original}")
        return _beside(postgres_server, made[-1])

    yield copy
    for name in made:
        _administer(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgres_url(copy_postgres: Callable[[str], str]) -> str:
    """URL of an empty PostgreSQL database."""
    return copy_postgres("template1")


@pytest.fixture(params=[ENGINES[0], pytest.param(ENGINES[1], marks=pytest.mark.postgres)])
def engine_name(request: pytest.FixtureRequest) -> str:
    """The test runs once on SQLite and once on PostgreSQL."""
    return str(request.param)


@pytest.fixture
def database_url(engine_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database."""
    if engine_name == "sqlite":
        return f"sqlite:///{tmp_path / 'cibx.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture(scope="session")
def migrated_template(postgres_server: str) -> str:
    """Name of a PostgreSQL database that was migrated once, to be copied."""
    _administer(postgres_server, "CREATE DATABASE template_migrated")
    _migrate(_beside(postgres_server, "template_migrated"))
    return "template_migrated"


@pytest.fixture
def migrated_url(engine_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of a migrated database; a test has it or ``database_url``, not both."""
    if engine_name == "sqlite":
        from tests.fakes.empty_store import lay_empty

        return lay_empty(tmp_path / "cibx.db")
    copy = request.getfixturevalue("copy_postgres")
    return str(copy(request.getfixturevalue("migrated_template")))


def _beside(server: str, name: str) -> str:
    """URL of the database ``name`` on the server."""
    return server.replace("/postgres?", f"/{name}?")


def _migrate(url: str) -> None:
    from exchange.store.engine import open_engine
    from exchange.store.migrations import migrate

    opened = open_engine(url)
    migrate(opened)
    opened.dispose()


@pytest.fixture
def engine(migrated_url: str) -> Iterator[Engine]:
    """A migrated store on either engine."""
    from exchange.store.engine import open_engine

    opened = open_engine(migrated_url)
    yield opened
    opened.dispose()
