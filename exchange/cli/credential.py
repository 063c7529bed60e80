"""``cibx credential``: list, issue and revoke the keys of organisations and their people."""

from __future__ import annotations

import os

import click

from exchange.cli import directory_steps as steps
from exchange.errors import InputError
from exchange.model.party import Directory


@click.group()
def command() -> None:
    """Keys of organisations and of their people."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON with everything but the secrets' digests.")
def list_credentials(as_json: bool) -> None:
    """List the credentials; secrets are not kept and can't be shown."""
    credentials = steps.present_directory().credentials.values()
    steps.print_rows(map(steps.plain, credentials),
                     ("id", "org", "person", "purpose", "scopes", "since", "until", "revoked"), as_json)


@command.command()
@click.argument("org")
@click.option("--id", "key_id", help="Key id; default: the organisation's id and a number.")
@click.option("--purpose", help="What it may pull for: one of the agreement's purposes.")
@click.option("--person", help="The one person who holds it; default: a service credential.")
@click.option("--scope", "scopes", multiple=True,
              help="read, write, operate, audit, protect, review or emergency (repeatable); default: read and write.")
@click.option("--since", help="First moment of validity; default: now.")
@click.option("--until", help="End of validity (that moment is outside); default: open.")
@click.option("--secret-env", help="Environment variable with the secret; default: one is made.")
def issue(org: str, key_id: str | None, **options: str | tuple[str, ...] | None) -> None:
    """Issue a new credential to an organisation; its secret is shown once."""

    def describe(directory: Directory) -> steps.Document:
        steps.known_id(directory.organisations, "organisation", org)
        if key_id in directory.credentials:
            raise InputError(f"There is a credential {key_id!r} already.", fix="Choose another id or none.")
        return {"credential": [steps.stated(id=key_id or _free_id(directory, org), org=org, **options)]}

    steps.change_directory(describe, os.environ, source="cibx credential issue")


@command.command()
@click.argument("key_id")
def revoke(key_id: str) -> None:
    """Revoke a credential at once and for ever."""

    def describe(directory: Directory) -> steps.Document:
        credential = directory.credentials[steps.known_id(directory.credentials, "credential", key_id)]
        row = steps.stated(id=key_id, org=credential.org, revoked=True)
        return {"credential": [row]}

    steps.change_directory(describe, {}, source="cibx credential revoke")


def _free_id(directory: Directory, org: str) -> str:
    number = 1
    while f"{org[:56]}-{number}" in directory.credentials:
        number += 1
    return f"{org[:56]}-{number}"
