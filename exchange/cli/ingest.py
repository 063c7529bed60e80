"""``cibx ingest``: a file or folder through a connector into the exchange, or (dry run) into files to look at.

The simple way of ``cibx connector run``: no options, no schedule, this machine's database.
"""

from __future__ import annotations

from pathlib import Path

import click

from exchange.cli.connector_run import EPILOG, Bringing
from exchange.errors import InputError


@click.command(name="ingest", epilog=EPILOG)
@click.argument("connector")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--as", "org", metavar="ORG", help="Organisation that contributes; needed unless --dry-run.")
@click.option("--policy", "pack", metavar="PACK",
              help="Policy pack whose terms the objects get that carry none; needed unless --dry-run.")
@click.option("--collection", metavar="C",
              help="Collection (id or alias), where the organisation writes to several.")
@click.option("--dry-run", is_flag=True, help="Change nothing; show what would go in. Needs no database.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Write rows.jsonl there (one line per source row), and in a dry run bundle.json.")
def command(
    *, connector: str, source: Path, org: str | None, pack: str | None, collection: str | None,
    dry_run: bool, out: Path | None,
) -> int:
    """Bring SOURCE in through CONNECTOR.

    Every row of the source is accounted for: taken, mended with a note, or quarantined with its place and a
    reason. Running it again adds nothing.
    """
    from exchange.cli.connector_options import job_of, way_of

    job = job_of(connector, str(source), pack=pack)
    if not dry_run:
        _need("--as ORG", org)
        _need("--policy PACK", pack)
    if out:
        _apart(source, out)
    way = way_of(org=org, server=None, token_file=None, collection=collection, state=None, dry_run=dry_run)
    return Bringing(way, dry_run=dry_run, out=out).once(job)


def _need(option: str, value: str | None) -> None:
    if not value:
        raise click.UsageError(f"{option} is missing: say who contributes and under which policy.")


def _apart(source: Path, out: Path) -> None:
    """Raise InputError where what is written would be read as source, now or at the next run."""
    there, read = out.resolve(), source.resolve()
    inside = there.is_relative_to(read) if source.is_dir() else read in (there / "bundle.json", there / "rows.jsonl")
    if inside:
        raise InputError(f"--out {out} is inside of the source {source}." if source.is_dir()
                         else f"--out {out} would write over the source {source}.",
                         why="What is written there would be read as source.", fix="Name another folder.")
