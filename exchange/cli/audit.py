"""``cibx audit``: keep the log's keys, sign, copy, and verify: the log, a receipt, what happened to an object.

Exit codes: 0 it is as it was signed, 1 it was altered (or a claim isn't so), 2 what was given can't be read.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from exchange.words import counted

if TYPE_CHECKING:
    from exchange.wiring import Exchange

_FOLDER = click.Path(path_type=Path, file_okay=False)
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group()
def command() -> None:
    """Verify the log, receipts and erasures; keep its keys."""


@command.group()
def keys() -> None:
    """Keys that sign the log, and of members that cosign it."""


@keys.command("list")
def list_keys() -> None:
    """List the verifier keys: the log's own, the one in use last, then those of members."""
    found = opened().notary.keys()
    for key in found.own:
        click.echo(f"log  {key}")
    for verifier, org in found.members.items():
        click.echo(f"{org}  {verifier}")


@keys.command("make")
@click.option("--name", metavar="NAME",
              help="The log's name, such as exchange.example/log; default: from CIBX_PUBLIC_URL.")
def make_key(name: str | None) -> None:
    """Make the log's first key in the file of CIBX_LOG_KEY; prints the verifier key to publish."""
    click.echo(str(opened().notary.make_key(name)))


@keys.command("rotate")
def rotate_key() -> None:
    """Replace the log's key; the old one signs the next checkpoint too, and goes on verifying what it signed."""
    click.echo(str(opened().notary.rotate_key()))


@keys.command("register")
@click.argument("org")
@click.argument("verifier")
def register_key(org: str, verifier: str) -> None:
    """Register the verifier key that a member cosigns checkpoints with."""
    from exchange.cli.directory_steps import known_id

    exchange = opened()
    known_id(exchange.directory().organisations, "organisation", org)
    click.echo(str(exchange.notary.register_member_key(org, verifier)))


@command.command()
@click.option("--by", "person", required=True, help="Who decides: a named person.")
@click.option("--reason", required=True, help="Why, in a sentence without personal data; it stands in the log.")
@click.option("--name", required=True, help="The new log's name, such as exchange.example/log-2.")
@click.option("--although-sound", is_flag=True, help="Also where the log is as it was signed and could go on.")
def restart(person: str, reason: str, name: str, although_sound: bool) -> None:
    """Begin a log of another name after a restored backup; it names the former one's last checkpoint.

    Members' clients tell that the log is another one, and go on only when their people decide so. A log that could go
    on is verified and left as it is, with exit code 2, unless --although-sound says that another is wanted.
    """
    from exchange.errors import InputError
    from exchange.notary.check import is_known_sound
    from exchange.notary.deliveries import LedgerDeliveries

    exchange = opened()
    notary = exchange.notary
    if not although_sound and is_known_sound(exchange.engine, notary.key_file, LedgerDeliveries(exchange.ledger)):
        raise InputError("The log is as it was signed and goes on: no other was begun.",
                         why="Every member would have to decide whether to believe another one.",
                         fix="Where another is wanted all the same, add --although-sound.")
    click.echo(str(notary.restart(person, reason, name)))


@command.command()
def sequence() -> None:
    """Give pending events their places in the log and sign a checkpoint, now."""
    outcome = opened().notary.run()
    signed = "no checkpoint was needed" if outcome.signed is None else (
        f"checkpoint of {counted(outcome.signed, 'leaf', 'leaves')} signed")
    click.echo(f"{counted(outcome.placed, 'event')} placed, {signed}.")


@command.command()
def checkpoint() -> None:
    """Print the newest checkpoint: a signed note."""
    click.echo(opened().notary.checkpoint(), nl=False)


@command.command()
@click.argument("event_id", metavar="ID")
def receipt(event_id: str) -> None:
    """Print the receipt of an event as JSON; ID is what CIBX-Receipt said, or the id of a push's status."""
    import json

    notary = opened().notary
    found = notary.receipt(event_id, None)
    notary.note_read("local", "receipt", event_id)
    click.echo(json.dumps(found, ensure_ascii=False))


@command.command()
@click.argument("stix_id", metavar="ID")
def salt(stix_id: str) -> None:
    """Print the salt that opens an object's name in the log, for who may know what the log says of the object."""
    from exchange.cli import audit_steps as steps
    from exchange.errors import NotFoundError

    found = steps.local_salts(stix_id)
    if not found:
        raise NotFoundError(f"There is no salt for {stix_id[:200]}.",
                            why="The log doesn't name it, or it was erased and the salt destroyed since.")
    opened().notary.note_read("local", "salt", stix_id)
    for one in found:
        click.echo(one.hex())


@command.command()
@click.argument("folder", metavar="DIR", type=_FOLDER)
@click.option("--org", metavar="ORG", help="Write the receipts of this organisation too.")
def export(folder: Path, org: str | None) -> None:
    """Copy the log into a folder: tiles, entries, checkpoints, keys (C2SP tlog-tiles)."""
    from exchange.notary.check import export_log, export_receipts

    exchange = opened()
    exchange.notary.note_read("local", "export", org or "")
    exchange.notary.run()
    size = export_log(exchange.engine, folder)
    receipts = export_receipts(exchange.notary, folder, org) if org is not None else 0
    of_org = f" and {counted(receipts, 'receipt')}" if org else ""
    click.echo(f"{counted(size, 'leaf', 'leaves')}{of_org} in {folder}.")


@command.command()
@click.option("--receipt", "receipt_file", type=_FILE, metavar="FILE", help="Verify this receipt.")
@click.option("--objects", type=_FILE, metavar="FILE", help="With --receipt of a push: the envelope as it was sent.")
@click.option("--log", "source", metavar="DIR|URL",
              help="Verify a copy of the log, or a server's; default: the local database.")
@click.option("--key", "verifiers", multiple=True, metavar="VERIFIER", help="Verifier key to trust (repeatable).")
@click.option("--earlier", type=_FILE, metavar="FILE",
              help="A checkpoint or receipt of before, which the log must continue.")
@click.option("--object", "stix_id", metavar="ID", help="Then tell what the log says of an object.")
@click.option("--salt", "salts", multiple=True, metavar="HEX",
              help="With --object and --log: the salt of the object's name in the log (repeatable).")
@click.option("--pulls", "org", metavar="ORG", help="Then tell what an organisation pulled, and under which basis.")
@click.option("--policy", metavar="FOLDER|DIGEST", help="Then tell whether this policy text was in force.")
@click.option("--at", metavar="TIME", help="The moment that --policy asks about; default: now.")
@click.option("--user", metavar="NAME", help="User at the server of --log URL.")
@click.option("--password-env", default="CIBX_SECRET_OF_LOG", show_default=True, metavar="VARIABLE",
              help="Environment variable with its password (or, without --user, the bearer token).")
def verify(receipt_file: Path | None, objects: Path | None, source: str | None, verifiers: tuple[str, ...],
           earlier: Path | None, stix_id: str | None, salts: tuple[str, ...], org: str | None, policy: str | None,
           at: str | None, user: str | None, password_env: str) -> None:
    """Verify the log, or with --receipt one receipt, offline with public keys alone.

    Exit codes: 0 it is as it was signed; 1 it was altered, or what was asked isn't so; 2 what was given can't be read.
    """
    from exchange.cli import audit_steps as steps

    trusted = steps.read_keys(verifiers, source)
    if receipt_file is not None:
        steps.verify_receipt(receipt_file, objects, trusted or steps.local_keys())
        if source is None and earlier is None:
            return
    names = steps.names_in_log(stix_id, salts, source)
    wanted = steps.Wanted(names, org, policy is not None)
    log = steps.verified(source, trusted, earlier or receipt_file, user, password_env, wanted)
    if stix_id is not None:
        steps.tell_object(log.leaves, stix_id, names)
    if org is not None:
        steps.tell_pulls(log.leaves, org)
    if policy is not None:
        steps.tell_policy(log.leaves, policy, at)


def opened() -> Exchange:
    """The exchange of CIBX_DATABASE_URL, its schema up to date. Raises SettingError where there is none."""
    from exchange.settings import read_settings
    from exchange.store.migrations import migrate
    from exchange.wiring import Exchange

    exchange = Exchange(read_settings())
    migrate(exchange.engine, may_make=False)
    return exchange
