"""``cibx snapshot``: all that a member may have of a collection now, in files, with a place to follow from.

Exit codes: 0 it is whole (or, with ``--verify``, as it was made), 1 the credential or the server says no, 2 the
arguments are wrong, 3 ``--verify`` found it otherwise.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from exchange.words import counted

if TYPE_CHECKING:
    from exchange.client.snapshot import Format

EXIT_OTHERWISE = 3


@click.command(name="snapshot")
@click.argument("server")
@click.option("--collection", metavar="C", help="Collection (id, alias or title), where the URL isn't a collection's.")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR_OR_FILE",
              help="Folder for objects.parquet, bundle.json and snapshot.json; or one file, .parquet or .json.")
@click.option("--format", "form", type=click.Choice(["parquet", "bundle", "both"]), metavar="FORMAT",
              help="parquet, bundle or both (the default).")
@click.option("--verify", is_flag=True,
              help="Compare the snapshot that is there with its hashes, and its count and root with the server's.")
@click.option("--token-file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="File with the bearer token (or, with --user, the password).")
@click.option("--token-env", default="CIBX_TOKEN", show_default=True, metavar="VARIABLE",
              help="Environment variable with it, where no file is named.")
@click.option("--user", metavar="NAME", help="User for HTTP Basic.")
def command(
    server: str, collection: str | None, out: Path, form: Format | None, verify: bool, token_file: Path | None,
    token_env: str, user: str | None,
) -> int:
    """Bring all that you may have of a collection of SERVER into files.

    Run again after a kill or a lost connection it goes on where it was. ``cibx follow SERVER --from-snapshot
    OUT/snapshot.json`` goes on behind it.
    """
    from exchange.cli.follow import read_secret
    from exchange.client.snapshot import check_snapshot, take_snapshot, target
    from exchange.client.taxii import Client

    secret = read_secret(token_file, token_env)
    client = Client(server, user, secret) if user else Client(server, token=secret)
    if verify:
        wrong = check_snapshot(client, collection, target(out, form).description)
        for sentence in wrong:
            click.echo(sentence)
        if not wrong:
            click.echo("The files are as they were written, and count and root are the server's.")
        return EXIT_OTHERWISE if wrong else 0
    made = take_snapshot(client, collection, out, form, tell=lambda sentence: click.echo(sentence, err=True))
    click.echo(f"{counted(made.count, 'object')} up to {made.cursor or 'now'} in {', '.join(made.files)}; "
               f"{target(out, form).description} says what they are.")
    return 0
