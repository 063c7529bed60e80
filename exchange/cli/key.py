"""``cibx key``: the keys that this exchange signs, seals and checks with, and their rotation."""

from __future__ import annotations

import click


@click.group()
def command() -> None:
    """Keys of this exchange itself; those of members: cibx credential."""


@command.command("list")
def list_keys() -> None:
    """Show which keys there are, the one in use first; never a key that is secret."""
    from exchange.cli.audit import opened
    from exchange.obligations.seal import read_seal, seal_path
    from exchange.store.directory import cursor_keys
    from exchange.store.engine import read

    exchange = opened()
    for verifier in reversed(exchange.notary.keys().own):
        click.echo(f"log      {verifier}")
    with read(exchange.engine) as connection:
        kept = exchange.settings.secret_key or cursor_keys(connection)
    where = "CIBX_SECRET_KEY" if exchange.settings.secret_key else "the database"
    click.echo(f"cursors  in {where}: 1 signs, {kept.count(',')} former")
    path = seal_path(exchange.settings)
    if path.exists():
        seal = read_seal(path)
        click.echo(f"seal     {seal.fingerprint} in {path}, {len(seal.former)} former")


@command.command()
@click.argument("name", type=click.Choice(["log", "cursors", "seal"]))
def rotate(name: str) -> None:
    """Put a new key in the place of one; what the old one signed or sealed stays good.

    log: the old key signs the next checkpoint too (as cibx audit keys rotate). cursors: the old key goes on verifying
    until the next rotation. seal: the old keys stay in the file for as long as it is kept.
    """
    from time import time_ns

    from exchange.cli.audit import opened
    from exchange.errors import InputError
    from exchange.obligations.seal import rotate_seal, seal_path
    from exchange.store.directory_changes import lock_directory, rotate_cursor_key
    from exchange.store.engine import write

    exchange = opened()
    if name == "log":
        click.echo(f"log      {exchange.notary.rotate_key()}")
    elif name == "seal":
        path = seal_path(exchange.settings)
        click.echo(f"seal     {rotate_seal(path).fingerprint} in {path}: copy the file to every server of the exchange")
    elif exchange.settings.secret_key:
        raise InputError("The keys of cursors are those of CIBX_SECRET_KEY.",
                         fix="Put a new one before it there, with a comma between, and start the servers again.")
    else:
        with write(exchange.engine) as connection:
            lock_directory(connection)
            rotate_cursor_key(connection, time_ns() // 1_000)
        click.echo("cursors  rotated: running servers take the new key at once.")
