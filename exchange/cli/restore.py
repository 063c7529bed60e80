"""``cibx restore``: a backup comes back, and what was erased after it doesn't."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from exchange.words import counted

if TYPE_CHECKING:
    from exchange.backup.restore import Restored

_KINDS = {
    "withdrawn": "deletions by contributors", "recalled": "roll-backs of objects", "disputed": "objects disputed",
    "restricted": "objects restricted", "revoked": "objects revoked", "held": "objects held for review",
    "hold": "legal holds", "credential": "keys", "organisation": "members suspended", "agreement": "agreements ended",
    "membership": "memberships ended", "clearance": "clearances lowered",
    "scopes": "keys with fewer scopes or another purpose", "readers": "collections with fewer readers or writers",
    "purposes": "agreements with fewer purposes", "emergency": "emergencies ended", "policy": "policy version in force",
}
EXIT_BY_HAND = 3
_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.command(name="restore")
@click.argument("file", type=_FILE)
@click.option("--replace", is_flag=True, help="Lose what is in the database of CIBX_DATABASE_URL.")
@click.option("--erasures", type=_FILE, metavar="LIST", help="List of erasures; default: the one beside the database.")
@click.option("--without-erasures", is_flag=True,
              help="Go on where there is no list: what was erased after the backup comes back.")
def command(file: Path, replace: bool, erasures: Path | None, without_erasures: bool) -> int:
    """Restore a backup FILE into CIBX_DATABASE_URL; the server is stopped meanwhile.

    Objects that were pushed after the backup are gone: their contributors push them again, and get newer dates than
    were ever given out, so that nobody who follows misses them. What was erased, revoked, restricted, disputed, put
    under stricter markings or deleted since is so again, and so are holds, keys, agreements, members and emergencies
    that ended, rights that became fewer, and the policy in force; what was lifted or given anew since has to be done
    again.
    Exit code 3: something is left that only a person can do, which is told.
    """
    from exchange.backup.restore import Wanted, restore
    from exchange.settings import read_settings
    from exchange.wiring import system_clock

    done = restore(read_settings(), Wanted(file, replace, without_erasures, erasures), system_clock())
    had = done.manifest
    click.echo(f"Restored {counted(had.objects, 'version')} of objects of {_time(had.made_at)}; {_erased(done)}.")
    for what, count in sorted(done.narrowed.counts.items()):
        click.echo(f"Taken back again: {count} {_KINDS.get(what, what)}.")
    for sentence in done.narrowed.by_hand:
        click.echo(sentence, err=True)
    if done.cut:
        click.echo(f"{counted(done.cut, 'line')} of the list cut short by a crash;"
                   " their erasures were never acknowledged.")
    if done.listed is None:
        click.echo("WARNING: no list of erasures: what was erased after the backup is readable again. Erase it by hand"
                   " (cibx state erase) before the server is started.", err=True)
    if done.read_old is False:
        click.echo("The database that was replaced couldn't be read for erasures and dates.", err=True)
    for what in done.keys.put:
        click.echo(f"Put back: {what}.")
    for what, path in done.keys.missing:
        made = ", unless nothing was ever sealed: held copies and webhook secrets are" if "seal" in what else ""
        click.echo(f"Missing: {what} ({path}). Put it there before the server is started{made}.", err=True)
    _tell_log(done)
    return EXIT_BY_HAND if done.narrowed.by_hand else 0


def _erased(done: Restored) -> str:
    of = "no list" if done.listed is None else f"{done.listed} on the list"
    return f"{done.erased} erased again ({of})"


def _tell_log(done: Restored) -> None:
    if done.signed is not None and done.signed <= done.log_size:
        click.echo(f"The log goes on: {counted(done.log_size, 'leaf', 'leaves')}, as many as were signed.")
        return
    why = (f"{done.signed} leaves were signed and the backup has {done.log_size}" if done.signed is not None
           else f"the backup has {done.log_size} leaves and nothing here tells how many were signed since")
    click.echo(f"The log can't go on: {why}. Begin another that names it: cibx audit restart --by WHO --reason WHY"
               " --name NEW", err=True)


def _time(microseconds: int) -> str:
    from exchange.stix.timestamp import from_microseconds

    return from_microseconds(microseconds)
