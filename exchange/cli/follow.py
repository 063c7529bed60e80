"""``cibx follow``: keep a local copy of a collection current, or feed a program, without a miss.

Exit codes: 0 ended (``--once``, or Ctrl-C after the batch under way), 1 the credential or the server says no, 2 the
arguments are wrong, 3 ``--verify`` found the copy incomplete.
"""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from exchange.errors import InputError, UnavailableError
from exchange.secret_files import environment
from exchange.words import counted

if TYPE_CHECKING:
    from exchange.client.change import Change
    from exchange.client.taker import Taker
    from exchange.client.taxii import Client

_LONGEST_PAUSE = 60.0
EXIT_INCOMPLETE = 3


@click.command(name="follow")
@click.argument("server")
@click.option("--collection", metavar="C", help="Collection (id, alias or title), where the URL isn't a collection's.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Keep the objects as files, as stix2's FileSystemStore reads them.")
@click.option("--exec", "program", metavar="CMD",
              help="Run CMD for each batch, JSON lines on its standard input; exit code 0 takes the batch.")
@click.option("--jsonl", is_flag=True, help="Write JSON lines to the standard output (the default).")
@click.option("--checkpoint", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Where this follower stands; default: follow.json (in DIR with --out).")
@click.option("--token-file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="File with the bearer token (or, with --user, the password); read anew when it isn't accepted.")
@click.option("--token-env", default="CIBX_TOKEN", show_default=True, metavar="VARIABLE",
              help="Environment variable with it, where no file is named.")
@click.option("--user", metavar="NAME", help="User for HTTP Basic.")
@click.option("--certificate", nargs=2, type=click.Path(path_type=Path, dir_okay=False), metavar="FILE KEYFILE",
              help="Client certificate and its key (PEM): the credential, where no token is given.")
@click.option("--poll", default=10.0, show_default=True, type=click.FloatRange(min=0.1), metavar="SECONDS",
              help="Between two looks where nothing is new.")
@click.option("--once", is_flag=True, help="Catch up and end.")
@click.option("--no-notices", is_flag=True, help="Leave the notices (erasures, recalls…) to others.")
@click.option("--verify", is_flag=True,
              help="Catch up, then prove by count and root that DIR holds all (exit code 3: it doesn't).")
@click.option("--from-snapshot", "snapshot", type=click.Path(path_type=Path), metavar="FILE",
              help="Begin behind a snapshot (its snapshot.json), where the checkpoint isn't there yet.")
@click.option("--log-view", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Check at each look that the exchange's log continues what this file remembers.")
def command(
    server: str, collection: str | None, out: Path | None, program: str | None, jsonl: bool, checkpoint: Path | None,
    token_file: Path | None, token_env: str, user: str | None, certificate: tuple[Path, Path] | None, poll: float,
    once: bool, no_notices: bool, verify: bool, snapshot: Path | None, log_view: Path | None,
) -> int:
    """Follow a collection of SERVER (URL of the collection, of its API root, or of discovery).

    What is taken is remembered: the same command goes on where the last one ended. Revoked objects come as
    ``revoked``; notices (erasure, recall…) are handed over too and acknowledged once they are taken.
    """
    from exchange.client.follow import Follower, Pace
    from exchange.client.taxii import Client

    def tell(sentence: str) -> None:
        """Say it where it isn't taken for an object."""
        click.echo(sentence, err=True)

    def reconnect() -> Client:
        """A client with the credential as it stands now: its file may have been renewed. Raises InputError."""
        if certificate and not (user or token_file or environment().get(token_env)):
            return Client(server, log_view=log_view, certificate=certificate)
        secret = read_secret(token_file, token_env)
        return Client(server, user, secret, log_view=log_view, certificate=certificate) if user else Client(
            server, token=secret, log_view=log_view, certificate=certificate)

    if verify and out is None:
        raise click.UsageError("--verify looks at a folder: name it with --out.")
    if verify and snapshot is not None:
        raise click.UsageError("--verify looks for everything in the folder; --from-snapshot leaves out what you have.")
    once = once or verify
    taker = _taker(out, program, jsonl, tell)
    place = checkpoint or (out / "follow.json" if out else Path("follow.json"))
    if snapshot is not None:
        _begin(reconnect(), collection, snapshot, place)
    follower = Follower(reconnect, collection, place, Pace(poll, once), not no_notices, tell)
    taken = 0
    for batch in follower.batches():
        _take(taker, batch, once, tell)
        taken += len(batch)
    tell(f"{counted(taken, 'change')} taken; {place} remembers.")
    return _verified(reconnect(), collection, out, place) if verify and out is not None else 0


def _begin(client: Client, collection: str | None, snapshot: Path, place: Path) -> None:
    """Let a new follower begin behind a snapshot."""
    from exchange.client.snapshot import begin_follower, read_snapshot

    read_snapshot(snapshot)  # what is wrong with it is told without the server
    begin_follower(snapshot, client.collection_url(collection), place)


def _verified(client: Client, collection: str | None, out: Path, place: Path) -> int:
    """Compare the folder with what the member may have up to where it stands; gives the exit code."""
    from exchange.client.completeness import compare, held_in
    from exchange.client.follow_place import PlaceFile

    url = client.collection_url(collection)
    with PlaceFile(place, url) as file:
        until = file.load().last
    found = compare(client, url, held_in(out), until or "1970-01-01T00:00:00.000000Z")
    if found.complete:
        click.echo(f"Complete: {counted(found.count, 'object')} up to {until or 'now'}, root and count agree.")
        return 0
    click.echo(f"Not complete: {len(found.missing):,} missing, {len(found.left_over):,} left over, of {found.count:,}.")
    for name, ids in (("missing", found.missing), ("left over", found.left_over)):
        for one in ids[:20]:
            click.echo(f"  {name}: {one}")
    click.echo(f"To mend it, remove {place} and run the same command: all is fetched again.", err=True)
    return EXIT_INCOMPLETE


def read_secret(file: Path | None, variable: str) -> str:
    """The token or password in a file, else in an environment variable. Raises InputError where there is none."""
    if file is None:
        found = environment().get(variable, "")
        remedy = f"Put the token into the environment variable {variable}, or name a file with --token-file."
    else:
        try:
            found = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeError) as error:
            raise InputError(f"{file} can't be read: {error}.", fix="Check --token-file.") from None
        remedy = f"Write the token into {file}."
    if not found:
        raise InputError("There is no credential.", fix=remedy)
    return found


def _taker(out: Path | None, program: str | None, jsonl: bool, tell: Callable[[str], None]) -> Taker:
    from exchange.client.taker import Folder, Lines, Program

    if (out is not None) + (program is not None) + jsonl > 1:
        raise click.UsageError("--out, --exec and --jsonl exclude each other.")
    if out is not None:
        return Folder(out, tell)
    if program is not None:
        try:
            return Program(shlex.split(program))
        except ValueError as error:
            raise InputError(f"--exec can't be read: {error}.", fix="Close the quotes.") from None
    try:
        return Lines(click.echo, sys.stdout.fileno())
    except OSError:  # no file at all, as where another program runs this command within itself
        return Lines(click.echo)


def _take(taker: Taker, batch: Sequence[Change], once: bool, tell: Callable[[str], None]) -> None:
    """Hand a batch over until it is taken; with ``once`` a failure ends the run."""
    failed = 0
    while True:
        try:
            taker.take(batch)
            return
        except UnavailableError as refused:
            if once:
                raise
            failed += 1
            if failed == 1:
                tell(f"{refused} Trying again until it works.")
            time.sleep(min(2.0 ** min(failed - 1, 10), _LONGEST_PAUSE))
