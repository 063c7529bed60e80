"""``cibx match share``: tell the exchange what was found of its objects, without local data, or see what would leave.

Exit codes: 0 done, 3 the exchange refused something, 2 the arguments or results are wrong, 1 something failed.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from exchange.errors import InputError
from exchange.secret_files import environment
from exchange.words import counted

if TYPE_CHECKING:
    from exchange.client.push import Fate, Pushing
    from exchange.matcher.results.share import Outgoing
    from exchange.matcher.results.told import Former

    Ledger = dict[tuple[str, str], Former]

_SHOWN = 50
_DEFAULT_LEAST = 10


@click.command("share")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, metavar="DIR",
              help="Results of a run.")
@click.option("--identity", required=True, metavar="ID", help="Your STIX identity, as in your objects' created_by_ref.")
@click.option("--reviews", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Folder of the reviews, which become opinions: agreement and disputes. Default: reviews in --out.")
@click.option("--min-count", "least", type=int, default=_DEFAULT_LEAST, show_default=True, metavar="N",
              help="Fewest distinct accounts of which anything is said.")
@click.option("--policy", "pack", default="match-results", show_default=True, metavar="PACK",
              help="Sharing pack whose terms the objects bear.")
@click.option("--audience", multiple=True, metavar="ORG",
              help="Organisation that the objects are for (repeatable); AMBER ones reach nobody else.")
@click.option("--ledger", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="What was told before; default: shared.json in the results' folder. Keep one for all your runs.")
@click.option("--preview", is_flag=True, help="Tell nothing; show what would leave, to whom, and why the rest stays.")
@click.option("--bundle", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Write what leaves as a STIX bundle.")
@click.option("--to", "server", metavar="URL", help="Push it to this TAXII 2.1 server, API root or collection.")
@click.option("--collection", metavar="C", help="Collection (id, alias or title), where you may write to several.")
@click.option("--token-env", default="CIBX_SECRET_OF_PUSH", show_default=True, metavar="VARIABLE",
              help="Environment variable with the bearer token (or, with --user, the password).")
@click.option("--user", metavar="NAME", help="User for HTTP Basic.")
def share_command(out: Path, ledger: Path | None, server: str | None, bundle: Path | None, preview: bool,
                  **given: Any) -> int:
    """Tell the exchange which of its objects were seen here, and what people who reviewed them found.

    Only rounded counts of ten accounts or more leave, and words; no account, value, cluster or score. What was told is
    kept in the ledger: later runs tell changes of as many accounts, never of one.
    """
    from exchange.matcher.results.ledger import NAME, read_ledger

    if not (preview or bundle or server):
        raise click.UsageError("Say where to: --to URL, --bundle FILE, or --preview to only look.")
    place = ledger or out / NAME
    former = read_ledger(place)
    outgoing = _prepare(out, former, given)
    _show(outgoing, preview)
    pushing = _pushing(server, given) if server else None
    if preview:
        return _preview(pushing, outgoing.bundle()) if pushing and outgoing.objects else 0
    if bundle:
        _write_bundle(bundle, outgoing.bundle())
        if not server:
            _remember(place, former, outgoing, ())
    if pushing is None or not outgoing.objects:
        return 0
    fates = list(pushing.push(outgoing.bundle()))
    _remember(place, former, outgoing, [fate.id for fate in fates if fate.refused])
    return _tell_fates(fates, pushing.url)


def _prepare(out: Path, former: Mapping[tuple[str, str], Former], given: Mapping[str, Any]) -> Outgoing:
    from exchange.cli.match_review import folder_of
    from exchange.matcher.learning.reviews import read_book
    from exchange.matcher.results.share import Rules, prepare
    from exchange.policy.packs import load
    from exchange.settings import read_settings

    folder = read_settings().policies
    terms = load(Path(folder) if folder else None).terms(given["pack"])
    book = read_book(folder_of({**given, "out": out}))
    verdicts = {account: standing.verdict for account, standing in book.standing().items()}
    rules = Rules(given["identity"], terms, given["least"], tuple(given["audience"]))
    return prepare(out, former, verdicts, rules)


def _show(outgoing: Outgoing, preview: bool) -> None:
    word = "would leave" if preview else "to tell"
    click.echo(f"{counted(len(outgoing.objects), 'object')} {word}, marked {outgoing.marking['id']}:")
    for line in outgoing.lines[:_SHOWN]:
        click.echo(f"  {line}")
    if len(outgoing.lines) > _SHOWN:
        click.echo(f"  and {len(outgoing.lines) - _SHOWN:,} more")
    for (what, why), number in sorted(outgoing.kept.items()):
        click.echo(f"  {what}s that stay here: {number:,} × {why}")


def _pushing(server: str, given: Mapping[str, Any]) -> Pushing:
    from exchange.client.push import Pushing
    from exchange.client.taxii import Client

    secret = environment().get(given["token_env"], "")
    if not secret:
        raise InputError(f"The environment variable {given['token_env']} is empty.",
                         fix="Put the token (or with --user the password) there, or name another with --token-env.")
    user = given["user"]
    return Pushing(Client(server, user, secret) if user else Client(server, token=secret), given["collection"])


def _preview(pushing: Pushing, objects: Sequence[bytes]) -> int:
    from exchange.cli.push import EXIT_SOME_REFUSED, preview_lines

    refused = 0
    for part in pushing.preview(objects):
        click.echo("\n".join(preview_lines(part)))
        refused += sum(row["outcome"] == "refused" for row in part["objects"])
    return EXIT_SOME_REFUSED if refused else 0


def _write_bundle(path: Path, objects: Sequence[bytes]) -> None:
    head = f'{{"type":"bundle","id":"bundle--{uuid.uuid4()}"'.encode()
    inside = b',"objects":[\n' + b",\n".join(objects) + b"\n]" if objects else b""
    try:
        path.write_bytes(head + inside + b"}\n")
    except OSError as error:
        raise InputError(f"{path} can't be written.", why=f"{error.strerror}.", fix="Name another file.") from error
    click.echo(f"Bundle: {path}")


def _remember(place: Path, former: Ledger, outgoing: Outgoing, refused: Sequence[str]) -> None:
    """Bring the ledger up to date with what was told; what was refused wasn't."""
    from exchange.matcher.results.ledger import write_ledger

    told = dict(row for name, row in outgoing.remembered.items() if name not in refused)
    if told:
        write_ledger(place, {**former, **told})


def _tell_fates(fates: Sequence[Fate], url: str) -> int:
    from exchange.cli.push import EXIT_SOME_REFUSED

    refused = [fate for fate in fates if fate.refused]
    for fate in refused[:_SHOWN]:
        click.echo(f"  {fate.id}: {fate.message}", err=True)
    click.echo(f"{counted(len(fates), 'object')} sent to {url}:"
               f" {counted(len(fates) - len(refused), 'is in', 'are in')}, {len(refused):,} refused.")
    return EXIT_SOME_REFUSED if refused else 0
