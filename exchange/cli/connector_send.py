"""``cibx connector send``: hand what the exchange releases to a member to another system of that member.

Exit codes: 0 everything was sent, 3 something was refused or failed, 2 the arguments or the target are wrong, 1
something failed, 130 interrupted (the same command goes on from where it stopped).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from exchange.cli.connector_options import job_of, target_options, way_of, way_options
from exchange.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from exchange.connect.outward import Account, Gate
    from exchange.connect.way import Way

EXIT_SOME_LEFT = 3


@click.command()
@click.argument("publisher")
@click.argument("target")
@target_options
@way_options
@click.option("--credential", metavar="ID", help="With --as: the organisation's credential whose purpose decides.")
def send(publisher: str, target: str, *, credential: str | None, org: str | None, server: str | None,
         token_file: Path | None, collection: str | None, state: Path | None, config: Path | None,
         **given: Any) -> int:
    """Send what is new to TARGET (a path or URL) through PUBLISHER.

    The target is a system of the member that --as names (or whose token --server takes): it gets what that member
    may have, by the same decisions, with the same deliveries in the ledger, as when the member pulls.
    """
    from exchange.connect import registry
    from exchange.connect.job import source_of
    from exchange.connect.outward import Target
    from exchange.connect.outward import send as send_out

    if config is not None:
        raise click.UsageError("--config names sources to bring in; send has its target on the command line.")
    known = registry.publisher(publisher)
    job = job_of(publisher, target, known=known, **given)
    way = way_of(org=org, server=server, token_file=token_file, collection=collection, state=state)
    source = source_of(job, known)
    with source.web, way.journal() as journal, journal.alone(f"out {job.name}"), _progress(known.title) as watch:
        where = Target(source.place, source.options, source.secrets, source.outside, source.now)
        account = send_out(known, where, _gate(way, credential), journal, watch=watch)
    _show(account)
    return 0 if account.all_sent else EXIT_SOME_LEFT


def _gate(way: Way, credential: str | None) -> Gate:
    from exchange.client.taxii import Client
    from exchange.connect.gates import RemoteGate, local_gate

    if way.server:
        if credential:
            raise click.UsageError("--credential is for --as; with --server the token says who pulls.")
        return RemoteGate(Client(way.server, token=way.token), way.collection)
    return local_gate(way.settings, org=way.org, collection=way.collection, credential=credential)


@contextmanager
def _progress(title: str) -> Iterator[Callable[[Account], None]]:
    """How many objects were sent, on the standard error where that is a terminal; nothing elsewhere."""
    from rich.console import Console

    with Console(stderr=True).status(f"{title} …") as status:
        yield lambda account: status.update(f"{title} … {counted(account.states.total(), 'object')}")


def _show(account: Account) -> None:
    words: Sequence[str] = [f"{account.states[state]:,} {state}" for state in (
        "sent", "unchanged", "left-out", "refused", "failed") if account.states[state]]
    click.echo(", ".join(words) or "nothing new")
    for sentence in account.aside:
        click.echo(f"  {sentence}", err=True)
