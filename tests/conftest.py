"""What many tests need: a PostgreSQL server of their own, and a migrated store on both engines."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

ENGINES = ("sqlite", "postgres")


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
def postgres_url(postgres_server: str) -> Iterator[str]:
    """URL of an empty PostgreSQL database."""
    name = f"t{uuid.uuid4().hex}"
    _administer(postgres_server, f"CREATE DATABASE {name}")
    yield postgres_server.replace("/postgres?", f"/{name}?")
    _administer(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=[ENGINES[0], pytest.param(ENGINES[1], marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database: the test runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'cibx.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture(scope="session")
def templates() -> dict[str, str]:
    """Databases that were migrated once, to be copied; filled as they are first needed."""
    return {}


@pytest.fixture
def migrated_url(
    database_url: str, request: pytest.FixtureRequest, templates: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> str:
    """URL of a migrated database, a copy of one that was migrated: migrating takes a second each time."""
    if database_url.startswith("sqlite"):
        if "sqlite" not in templates:
            templates["sqlite"] = str(tmp_path_factory.mktemp("template") / "cibx.db")
            _migrate(f"sqlite:///{templates['sqlite']}")
        shutil.copy(templates["sqlite"], database_url.removeprefix("sqlite:///"))
        return database_url
    server = str(request.getfixturevalue("postgres_server"))
    if "postgres" not in templates:
        templates["postgres"] = "template_migrated"
        _administer(server, "CREATE DATABASE template_migrated")
        _migrate(server.replace("/postgres?", "/template_migrated?"))
    name = database_url.partition("?")[0].rpartition("/")[2]
    _administer(server, f"DROP DATABASE {name}")
    _administer(server, f"CREATE DATABASE {name} TEMPLATE template_migrated")
    return database_url


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
