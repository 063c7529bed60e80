"""An SQLite database with the schema alone: made once in a test process, since migrating takes a while, and copied."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from exchange.store.engine import open_engine
from exchange.store.migrations import migrate


def lay_empty(file: Path) -> str:
    """Put the database there; gives its URL."""
    file.touch(mode=0o600)
    file.write_bytes(_empty())
    return f"sqlite:///{file}"


@cache
def _empty() -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "cibx.db"
        engine = open_engine(f"sqlite:///{file}")
        migrate(engine)
        engine.dispose()
        return file.read_bytes()
