"""What ends a command over results that are damaged, or a folder that can't be written: a sentence with the place, not
a fault of the program."""

from __future__ import annotations

import errno
import json
import sys
from typing import Any

import click

from exchange.errors import InputError

_OF_FOLDERS = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR, errno.EISDIR,
                         errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class OverResults(click.Group):
    """The commands of ``cibx match``: most read what a run left behind."""

    def invoke(self, ctx: click.Context) -> Any:
        """Raises InputError where a file of results is cut off, or isn't what its name says, and where a folder may
        not be written to."""
        try:
            return super().invoke(ctx)
        except _damage() as error:
            raise InputError("A file of the results can't be read.", why=f"{str(error).strip().splitlines()[0]}.",
                             fix="Run cibx match into that folder again, or bring it back from a backup.") from error
        except OSError as error:
            if error.filename is None or error.errno not in _OF_FOLDERS:
                raise
            raise InputError(f"{error.filename} can't be written or read.", why=f"{error.strerror}.",
                             fix="Name a folder that may be written to (--out, --cases, --state), or make room"
                                 " there.") from error


def _damage() -> tuple[type[Exception], ...]:
    """What reading a broken file ends in; the engine's errors only where it was loaded."""
    engine = sys.modules.get("duckdb")
    return (json.JSONDecodeError, *((engine.InvalidInputException, engine.IOException) if engine else ()))
