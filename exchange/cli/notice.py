"""``cibx notice``: what recipients were told after sharing, who answered, and who is late."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from exchange.cli import directory_steps as steps
from exchange.settings import read_settings

if TYPE_CHECKING:
    from exchange.wiring import Exchange

_COLUMNS = ("id", "org", "kind", "obligation", "deadline", "state")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON with everything.")


@click.group()
def command() -> None:
    """Notices to recipients, and their answers; works on the server's machine."""


@command.command("list")
@click.option("--org", help="Of this organisation only.")
@click.option("--all", "everything", is_flag=True, help="Also those that are answered.")
@_JSON
def list_notices(org: str | None, everything: bool, as_json: bool) -> None:
    """List the notices to which an answer is awaited."""
    with exchange() as opened:
        steps.print_rows(opened.obligations.notices(org, awaited=not everything), _COLUMNS, as_json)


@command.command()
@click.argument("notice")
def show(notice: str) -> None:
    """Show one notice with its answers as JSON."""
    with exchange() as opened:
        found = opened.obligations.notice(notice)
        opened.notary.note_read("local", "notice", notice)
    print_json(found)


@command.command()
@_JSON
def overdue(as_json: bool) -> None:
    """List the notices whose deadline passed without the answer that it was done."""
    with exchange() as opened:
        steps.print_rows(opened.obligations.notices(overdue_at=opened.clock()), _COLUMNS, as_json)


@command.command()
@click.argument("notice")
@click.option("--org", required=True, help="The recipient that answers.")
@click.option("--by", "person", required=True, help="Who gave the answer.")
@click.option("--not-done", is_flag=True, help="The answer is that it was not done.")
@click.option("--statement", default="", help="What the recipient says.")
def acknowledge(notice: str, org: str, person: str, not_done: bool, statement: str) -> None:
    """Keep an answer that a recipient gave by another way."""
    with exchange() as opened:
        print_json(opened.obligations.acknowledge(notice, org=org, key=f"person:{person}", done=not not_done,
                                                  statement=statement, now=opened.clock()))


@contextmanager
def exchange() -> Iterator[Exchange]:
    """The exchange of CIBX_DATABASE_URL, its schema up to date. Raises SettingError where there is none."""
    from exchange.store.migrations import migrate
    from exchange.wiring import Exchange

    opened = Exchange(read_settings())
    migrate(opened.engine, may_make=False)
    try:
        yield opened
    finally:
        opened.engine.dispose()
        opened.ledger.close()


def print_json(value: Any) -> None:
    """Print a value for people and programs."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))
