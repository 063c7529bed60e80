"""A database with the members under test in it: ``cibx apply`` makes it once in a test process, to be copied.

Describing them anew takes each server more than a second of work.
"""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.e2e.members import SECRETS, description, environment_name

_SECONDS = 90
_SCHEME = "sqlite:///"


def lay_described(url: str, lanes: int) -> bool:
    """Put the database there; False, and nothing is done, where it isn't SQLite or the file is there already."""
    file = Path(url.removeprefix(_SCHEME))
    if not url.startswith(_SCHEME) or file.exists():
        return False
    file.touch(mode=0o600)
    file.write_bytes(_described(lanes))
    return True


@cache
def _described(lanes: int) -> bytes:
    with TemporaryDirectory() as folder:
        file, members = Path(folder) / "cibx.db", Path(folder) / "members.toml"
        members.write_text(description(lanes), encoding="utf-8")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CIBX_")}
        secrets = {environment_name(key): secret for key, secret in SECRETS.items()}
        done = subprocess.run(
            [sys.executable, "-c", "from exchange.cli.main import main; main()", "apply", str(members)], cwd=folder,
            env=kept | secrets | {"CIBX_DATABASE_URL": f"{_SCHEME}{file}"}, capture_output=True, text=True,
            check=False, timeout=_SECONDS,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return file.read_bytes()
