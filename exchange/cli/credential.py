"""``cibx credential``: list, issue and revoke the keys of organisations and their people."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from exchange.cli import directory_steps as steps
from exchange.errors import InputError
from exchange.model.party import Directory
from exchange.secret_files import environment
from exchange.words import counted

if TYPE_CHECKING:
    from sqlalchemy import Connection


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
        """The new key. Raises InputError for an unknown organisation, or an id that is taken."""
        steps.known_id(directory.organisations, "organisation", org)
        if key_id in directory.credentials:
            raise InputError(f"There is a credential {key_id!r} already.", fix="Choose another id or none.")
        return {"credential": [steps.stated(id=key_id or _free_id(directory, org), org=org, **options)]}

    steps.change_directory(describe, environment(), source="cibx credential issue")


@command.command()
@click.argument("key_id")
@click.option("--id", "new_id", help="Id of the new key; default: the organisation's id and a number.")
@click.option("--overlap", "days", default=7, show_default=True, type=click.IntRange(0, 366), metavar="DAYS",
              help="How long the old key holds beside the new one.")
def rotate(key_id: str, new_id: str | None, days: int) -> None:
    """Issue a key with the rights of another, which then ends by itself; webhooks go over to the new one.

    The new secret is shown once. Where the old key was stolen: cibx credential revoke.
    """
    from exchange.store.webhooks import hand_webhooks

    ends, made, handed = datetime.now(UTC).replace(microsecond=0) + timedelta(days=days), "", 0
    until = ends

    def describe(directory: Directory) -> steps.Document:
        """The new key, and the old one with its end. Raises InputError for what can't be rotated."""
        nonlocal made, until
        old = directory.credentials[steps.known_id(directory.credentials, "credential", key_id)]
        made = new_id or _free_id(directory, old.org)
        if not old.digest or old.revoked or made in directory.credentials:
            raise InputError(f"{key_id!r} can't be rotated to {made!r}.",
                             why="It is revoked, or has no secret, or there is a key of that id already.",
                             fix="Certificates and issuers change in the description (cibx apply); ids are used once.")
        until = min(ends, datetime.fromisoformat(old.until)) if old.until else ends
        new = steps.stated(id=made, org=old.org, purpose=old.purpose, person=old.person, scopes=old.scopes)
        return {"credential": [new, steps.stated(id=key_id, org=old.org, until=until.isoformat())]}

    def hand(connection: Connection) -> None:
        """Let the webhooks go over, in the transaction of the keys."""
        nonlocal handed
        handed = hand_webhooks(connection, key_id, made)

    steps.change_directory(describe, {}, source="cibx credential rotate", also=hand)
    click.echo(f"{key_id} holds until {until.isoformat()};"
               f" {counted(handed, 'webhook goes', 'webhooks go')} on with {made}.")


@command.command()
@click.argument("key_id")
def revoke(key_id: str) -> None:
    """Revoke a credential at once and for ever."""

    def describe(directory: Directory) -> steps.Document:
        """The key, revoked. Raises InputError where there is no such one."""
        credential = directory.credentials[steps.known_id(directory.credentials, "credential", key_id)]
        row = steps.stated(id=key_id, org=credential.org, revoked=True)
        return {"credential": [row]}

    steps.change_directory(describe, {}, source="cibx credential revoke")


def _free_id(directory: Directory, org: str) -> str:
    number = 1
    while f"{org[:56]}-{number}" in directory.credentials:
        number += 1
    return f"{org[:56]}-{number}"
