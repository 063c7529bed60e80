"""``cibx match drift`` and ``cibx match canary``: two versions side by side, before one of them counts."""

from __future__ import annotations

import json
from pathlib import Path

import click

from exchange.words import counted


@click.command("drift")
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="As JSON, with up to 50 accounts on each side.")
def drift_command(old: Path, new: Path, as_json: bool) -> int:
    """What changed between the results OLD and NEW: who was newly flagged or cleared, and why."""
    from exchange.matcher.change.drift import as_text, drift
    from exchange.matcher.change.kept import read_kept

    found = drift(read_kept(old), read_kept(new))
    click.echo(json.dumps(found, indent=2) if as_json else as_text(found))
    return 0


@click.command("canary")
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--share", type=click.FloatRange(0, 1), default=0.05, show_default=True,
              help="Share of the accounts for which the candidate decides.")
@click.option("--key", type=click.Path(path_type=Path, dir_okay=False), required=True, metavar="FILE",
              help="File with the secret that chooses the accounts; made if it isn't there.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, metavar="DIR",
              help="Where the mixed results go.")
def canary_command(old: Path, new: Path, share: float, key: Path, out: Path) -> int:
    """Mix the results OLD and NEW of the same inputs: NEW decides for a share of the accounts.

    The same accounts take part each time, by a keyed hash of their id. accounts.parquet tells in the columns weights
    and canary who was decided by which version; reviews name the run that decided.
    """
    from exchange.matcher.change.canary import mix, read_key
    from exchange.matcher.change.kept import read_kept

    note = mix(read_kept(old), read_kept(new), share, read_key(key), out)
    click.echo(f"{note['canary']['weights']} decides for {note['canary_accounts']:,} of"
               f" {counted(note['accounts'], 'account')},"
               f" {note['old']['weights']} for the rest: {out}.")
    return 0
