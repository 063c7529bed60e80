"""``cibx clock``: whether content is wiped by the server's clock, and a person's word that it is right."""

from __future__ import annotations

import click


@click.group()
def command() -> None:
    """The clock by which embargoes end, rights end and content is wiped."""


@command.command()
def show() -> None:
    """Show the time, and when an exchange ran last on this database."""
    from exchange.cli.directory_steps import open_store
    from exchange.stix.timestamp import from_microseconds
    from exchange.store.clock import is_believed, seen
    from exchange.store.engine import read
    from exchange.wiring import system_clock

    engine, now = open_store(), system_clock()
    with read(engine) as connection:
        ran, believed = seen(connection), is_believed(connection, now)
    engine.dispose()
    click.echo(f"now       {from_microseconds(now)}")
    click.echo(f"ran last  {from_microseconds(ran) if ran else 'never'}")
    if not believed:
        click.echo("The clock is far ahead: nothing is wiped by it for a day. If it is right: cibx clock confirm",
                   err=True)


@command.command()
def confirm() -> None:
    """Say that this machine's clock is right, after the exchange stood still for over a week or ran on a wrong one.

    Until then, and for a day at most, content past its retention is kept, since what is wiped can't be brought back.
    """
    from exchange.cli.directory_steps import open_store
    from exchange.stix.timestamp import from_microseconds
    from exchange.store import clock
    from exchange.store.engine import write
    from exchange.wiring import system_clock

    engine, now = open_store(), system_clock()
    with write(engine) as connection:
        clock.confirm(connection, now)
    engine.dispose()
    click.echo(f"It is {from_microseconds(now)}.")
