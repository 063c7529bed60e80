"""``cibx agreement``: list, add and end what organisations signed."""

from __future__ import annotations

import click

from exchange.cli import directory_steps as steps
from exchange.model.party import Directory


@click.group()
def command() -> None:
    """Agreements of organisations with the exchange."""


@command.command("list")
@click.option("--org", help="Of this organisation only.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON with everything.")
def list_agreements(org: str | None, as_json: bool) -> None:
    """List the agreements."""
    organisations = steps.present_directory().organisations
    if org is not None:
        steps.known_id(organisations, "organisation", org)
    rows = [{"org": organisation.id, **steps.plain(agreement)}
            for organisation in organisations.values() if org in (None, organisation.id)
            for agreement in organisation.agreements]
    steps.print_rows(rows, ("org", "id", "version", "status", "since", "until", "purposes"), as_json)


@command.command()
@click.argument("org")
@click.argument("agreement")
@click.option("--version", type=int, help="Version that was signed; default: 1.")
@click.option("--purpose", "purposes", multiple=True, help="A purpose that it allows (repeatable).")
@click.option("--since", help="First moment; default: always.")
@click.option("--until", help="End (that moment is outside); default: open.")
def add(org: str, agreement: str, **options: str | int | tuple[str, ...] | None) -> None:
    """Record an agreement, or a new version of it."""
    row = steps.stated(org=org, id=agreement, status="active", **options)
    steps.change_directory({"agreement": [row]}, {}, source="cibx agreement add")


@command.command()
@click.argument("org")
@click.argument("agreement")
@click.option("--until", help="When it ends; default: at once.")
def end(org: str, agreement: str, until: str | None) -> None:
    """End an agreement."""

    def describe(directory: Directory) -> steps.Document:
        """The agreement with its end. Raises InputError where there is no such one."""
        organisation = directory.organisations[steps.known_id(directory.organisations, "organisation", org)]
        steps.known_id({one.id: one for one in organisation.agreements}, "agreement", agreement)
        ending = {"until": until} if until else {"status": "ended"}
        return {"agreement": [{"org": org, "id": agreement, **ending}]}

    steps.change_directory(describe, {}, source="cibx agreement end")
