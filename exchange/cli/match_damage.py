"""What ends a command over results of which a file is damaged: a sentence with the file, not a fault of the program."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from exchange.errors import InputError


class OverResults(click.Group):
    """The commands of ``cibx match``: most read what a run left behind."""

    def invoke(self, ctx: click.Context) -> Any:
        """Raises InputError where a file of results is cut off, or isn't what its name says."""
        try:
            return super().invoke(ctx)
        except _damage() as error:
            raise InputError("A file of the results can't be read.", why=f"{str(error).strip().splitlines()[0]}.",
                             fix="Run cibx match into that folder again, or bring it back from a backup.") from error


def _damage() -> tuple[type[Exception], ...]:
    """What reading a broken file ends in; the engine's errors only where it was loaded."""
    engine = sys.modules.get("duckdb")
    return (json.JSONDecodeError, *((engine.InvalidInputException, engine.IOException) if engine else ()))
