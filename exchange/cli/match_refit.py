"""``cibx match refit``: a new version of the weights from the reviews, with what changed and why."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from exchange.errors import InputError


@click.command("refit")
@click.option("--out", "outs", type=click.Path(path_type=Path), multiple=True, required=True, metavar="DIR",
              help="Results of the run that was reviewed (repeatable: of several runs).")
@click.option("--reviews", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Folder of the reviews. Default: reviews in the last --out.")
@click.option("--weights", metavar="NAME|FILE", help="The version to start from. Default: that of the last --out.")
@click.option("--to", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="The new version's file. Default: weights/VERSION.toml in the folder of the reviews.")
@click.option("--at", metavar="TIME", help="The moment of the refit, such as 2026-06-01T12:00:00Z (default: now).")
@click.option("--memory", metavar="SIZE", help="Most memory for the engine, such as 4GB.")
@click.option("--json", "as_json", is_flag=True, help="Print the account of the refit as JSON.")
def command(**given: Any) -> int:
    """Refit the weights from reviews into a new version; use it with cibx match --weights FILE.

    The version knows the reviewed accounts, clears accounts like those that were overturned, and moves signals and
    sources by a bounded step a day; what is held back until a second person or another day is told. Nothing is changed
    in place.
    """
    import json

    from exchange.matcher.change.kept import read_kept
    from exchange.matcher.learning.population import read_population
    from exchange.matcher.learning.refit import refit
    from exchange.matcher.learning.reviews import read_book
    from exchange.matcher.learning.version import as_json, as_text, hashes, write_version
    from exchange.matcher.weighing import load_weights

    runs = [read_kept(out) for out in given["outs"]]
    folder: Path = given["reviews"] or given["outs"][-1] / "reviews"
    book = read_book(folder)
    name = given["weights"]
    base = load_weights(Path(name) if name.endswith(".toml") or "/" in name else name) if name else runs[-1].weights
    salt = base.learned.salt or secrets.token_hex(8)
    found = refit(base, book, read_population(runs, book.standing(), given["memory"]), _moment(given["at"]), salt,
                  hashes(book.reviews, salt))
    path, account = write_version(found, folder, given["to"])
    version = load_weights(path).version
    click.echo(json.dumps(as_json(found, version), indent=2) if given["as_json"] else as_text(found, version))
    click.echo(f"Written: {path} (for cibx match --weights), {account}.", err=given["as_json"])
    return 0


def _moment(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"--at {text!r} is no moment.", why=f"{error}.",
                         fix="Write such as 2026-06-01T00:00:00Z.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
