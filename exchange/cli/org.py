"""``cibx org``: list, show, add, suspend and reinstate member organisations; they join and leave groups."""

from __future__ import annotations

import json
from typing import Any

import click

from exchange.cli import directory_steps as steps
from exchange.model.party import Directory


@click.group()
def command() -> None:
    """Member organisations and their groups."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON with everything.")
def list_organisations(as_json: bool) -> None:
    """List the organisations."""
    organisations = steps.present_directory().organisations.values()
    steps.print_rows(map(steps.plain, organisations),
                     ("id", "name", "kind", "jurisdiction", "clearance", "active"), as_json)


@command.command()
@click.argument("org")
def show(org: str) -> None:
    """Show one organisation with its memberships, agreements and credentials as JSON."""
    directory = steps.present_directory()
    organisation = directory.organisations[steps.known_id(directory.organisations, "organisation", org)]
    shown = steps.plain(organisation)
    shown["credentials"] = [steps.plain(c) for c in directory.credentials.values() if c.org == org]
    click.echo(json.dumps(shown, indent=2, ensure_ascii=False))


@command.command()
@click.argument("org")
@click.option("--name", required=True, help="Full name.")
@click.option("--kind", required=True, help="platform, ai-lab, researcher, civil-society, regulator, ...")
@click.option("--jurisdiction", required=True, help="Country code such as IE.")
@click.option("--jurisdiction-class", help="EEA, UK, adequate or third; default: from the country.")
@click.option("--clearance", help="TLP ceiling such as TLP:AMBER.")
@click.option("--identity", help="Id of the STIX identity that stands for it.")
@click.option("--regime", help="Law it processes under: EU-GDPR, UK-GDPR, EU-LED or US.")
@click.option("--group", "groups", multiple=True, help="A sharing group that it is a member of (repeatable).")
def add(org: str, groups: tuple[str, ...], **options: str | None) -> None:
    """Add an organisation, or change the one with this id."""
    _change({"organisation": [steps.stated(id=org, groups=groups, **options)]}, "cibx org add")


@command.command()
@click.argument("org")
def suspend(org: str) -> None:
    """Suspend an organisation: none of its credentials is valid from now on."""
    _change_active(org, False, "cibx org suspend")


@command.command()
@click.argument("org")
def reinstate(org: str) -> None:
    """End an organisation's suspension."""
    _change_active(org, True, "cibx org reinstate")


@command.command()
@click.argument("org")
@click.argument("group")
@click.option("--since", help="First moment of the membership; default: always.")
@click.option("--until", help="End of the membership (that moment is outside); default: open.")
@click.option("--title", help="Title of the group, which is made when there is none.")
def join(org: str, group: str, since: str | None, until: str | None, title: str | None) -> None:
    """Make an organisation a member of a group."""

    def describe(directory: Directory) -> steps.Document:
        """The membership, with its group where that isn't there or gets a title."""
        membership = steps.stated(org=org, group=group, since=since, until=until, status="active")
        new = title is not None or group not in directory.groups
        return {"membership": [membership], "group": [steps.stated(id=group, title=title)] if new else []}

    steps.change_directory(describe, {}, source="cibx org join")


@command.command()
@click.argument("org")
@click.argument("group")
@click.option("--until", help="When it ends; default: at once.")
def leave(org: str, group: str, until: str | None) -> None:
    """End an organisation's membership of a group."""
    row: dict[str, Any] = {"org": org, "group": group}
    row |= {"until": until} if until else {"status": "ended"}
    _change({"membership": [row]}, "cibx org leave")


def _change(document: steps.Document, source: str) -> None:
    steps.change_directory(document, {}, source=source)


def _change_active(org: str, active: bool, source: str) -> None:
    def describe(directory: Directory) -> steps.Document:
        """The organisation as it is, active or suspended. Raises InputError where there is no such one."""
        organisation = directory.organisations[steps.known_id(directory.organisations, "organisation", org)]
        row = {"id": org, "name": organisation.name, "kind": organisation.kind,
               "jurisdiction": organisation.jurisdiction, "facts": dict(organisation.facts),
               "jurisdiction_class": organisation.jurisdiction_class, "active": active}
        return {"organisation": [row]}

    steps.change_directory(describe, {}, source=source)
