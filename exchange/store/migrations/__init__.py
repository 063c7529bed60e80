"""The database's schema through time: one revision per release that changed it, and the way up to the newest.

A migration runs inside one write transaction, so that of several processes that start together one migrates
and the others wait and find it done; a crash half-way leaves the old schema.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text

from exchange.errors import SettingError
from exchange.store.engine import is_sqlite, read, write

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0014"
"""The newest revision; a test compares it with the files, so that starting needn't load alembic (0.5 s)."""
_LOCK = 0x63696278  # PostgreSQL's advisory locks are numbers; "cibx"


def migrate(engine: Engine, *, may_make: bool = True) -> bool:
    """Bring the schema up to ``HEAD``; True when something had to be done.

    Leaves no connection open (the server forks after it). Raises SettingError when the database was made by a
    newer release; and, unless ``may_make``, where there is none: an empty one, made in the wrong folder, would be
    asked, changed or backed up in the place of the right one.
    """
    try:
        if not may_make:
            check_made(engine)
        with read(engine) as connection:
            if current_revision(connection) == HEAD:
                return False
        with write(engine) as connection:
            return _upgrade(connection)
    finally:
        engine.dispose()


def check_made(engine: Engine) -> None:
    """Raise SettingError where there is no table at all; makes no file."""
    file = engine.url.database if is_sqlite(engine) else None
    if file is None or Path(file).exists():
        with read(engine) as connection:
            if inspect(connection).get_table_names():
                return
    raise SettingError(f"There is no exchange in {file or 'this database'}.",
                       fix="Name its database in CIBX_DATABASE_URL, or make one by cibx apply.")


def current_revision(connection: Connection) -> str | None:
    """The revision of the database's schema; None for a new database."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def check_known(revision: str) -> None:
    """Raise SettingError for a schema that only a newer release knows."""
    if revision not in _known(_config()):
        raise _newer(revision)


def _config() -> Config:
    from alembic.config import Config  # noqa: PLC0415 - 0.5 s that only a changed schema is worth

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


def _known(config: Config) -> set[str]:
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    return {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}


def _newer(revision: str) -> SettingError:
    return SettingError(
        f"The database has schema {revision}, and this release knows schemas up to {HEAD} only.",
        why="A newer release of cib-exchange has changed it.",
        fix="Start that release or a newer one, or restore a backup of before the change.",
    )


def _upgrade(connection: Connection) -> bool:
    from alembic import command  # noqa: PLC0415 - 0.5 s that only a changed schema is worth

    if not is_sqlite(connection):
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    revision = current_revision(connection)
    if revision == HEAD:
        return False
    config = _config()
    if revision is not None and revision not in _known(config):
        raise _newer(revision)
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    return True
