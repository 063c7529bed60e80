"""``cibx backup``: one file with everything of a running exchange but its keys."""

from __future__ import annotations

from pathlib import Path

import click

from exchange.words import counted

EXIT_IN_PART = 3


@click.command(name="backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--with-keys", is_flag=True, help="Put the seal key and the log key in: who has the file has them then.")
def command(file: Path, with_keys: bool) -> int:
    """Write a backup of CIBX_DATABASE_URL into a new FILE, while the server runs.

    It appears whole or not at all, for this user alone. The list of erasures is never in it: a restore needs the list
    as it is then, so keep a copy of it apart that is never older than a day. Exit code 3: --with-keys found no log key.
    """
    from exchange.backup.take import take
    from exchange.obligations.erasure_list import erasures_path
    from exchange.settings import read_settings
    from exchange.wiring import system_clock

    settings = read_settings()
    taken = take(settings, file, system_clock(), with_keys=with_keys)
    had = taken.manifest
    click.echo(f"{file}: {counted(had.objects, 'version')} of objects,"
               f" a log of {counted(had.log_size, 'leaf', 'leaves')}, schema {had.schema}.")
    for what, path in taken.left_out:
        click.echo(f"Not included: {what} ({path}). Keep a copy of it apart, or say --with-keys.")
    for what, path in taken.not_found:
        click.echo(f"Not found: {what} ({path.absolute()}). Run this where the server keeps it, or set CIBX_LOG_KEY and"
                   " CIBX_SEAL_KEY: a restore needs both keys.", err=True)
    erasures = erasures_path(settings)
    if erasures is None:
        click.echo("No list of erasures is kept: set CIBX_ERASURES, or what is erased comes back with this backup.",
                   err=True)
    else:
        click.echo(f"Not included: the list of erasures ({erasures}). A restore needs it as it is then.")
    return EXIT_IN_PART if with_keys and taken.not_found else 0
