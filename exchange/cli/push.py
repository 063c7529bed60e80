"""``cibx push``: send a file of STIX objects to an exchange, or see first who would get them, and why.

Exit codes: 0 everything is in, 3 something was refused, 2 the arguments or the file are wrong, 1 something failed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from exchange.errors import InputError
from exchange.secret_files import environment
from exchange.words import counted

if TYPE_CHECKING:
    from exchange.client.push import Pushing

EXIT_SOME_REFUSED = 3
_SHOWN = 50


@click.command(name="push")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--server", required=True, metavar="URL", help="TAXII 2.1 server, API root or collection.")
@click.option("--collection", metavar="C", help="Collection (id, alias or title), where you may write to several.")
@click.option("--token-env", default="CIBX_SECRET_OF_PUSH", show_default=True, metavar="VARIABLE",
              help="Environment variable with the bearer token (or, with --user, the password).")
@click.option("--user", metavar="NAME", help="User for HTTP Basic.")
@click.option("--preview", is_flag=True, help="Send nothing to the collection; show who would get what, and why.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(file: Path, server: str, collection: str | None, token_env: str, user: str | None,
            preview: bool, as_json: bool) -> int:
    """Push the STIX objects of FILE (a bundle or a list), in parts that the server takes.

    Each refused object is told with its reason. Pushing again adds nothing twice.
    """
    from exchange.client.push import Pushing, read_objects
    from exchange.client.taxii import Client

    objects = read_objects(file)
    secret = environment().get(token_env, "")
    if not secret:
        raise InputError(f"The environment variable {token_env} is empty.",
                         fix="Put the token (or with --user the password) there, or name another with --token-env.")
    client = Client(server, user, secret) if user else Client(server, token=secret)
    pushing = Pushing(client, collection)
    return _preview(pushing, objects, as_json) if preview else _push(pushing, objects, as_json)


def _push(pushing: Pushing, objects: Sequence[bytes], as_json: bool) -> int:
    fates = list(pushing.push(objects))
    refused = [fate for fate in fates if fate.refused]
    if as_json:
        click.echo(json.dumps([{"id": f.id, "refused": f.refused, "message": f.message} for f in fates], indent=2))
    else:
        for fate in refused[:_SHOWN]:
            click.echo(f"  {fate.id}: {fate.message}", err=True)
        if len(refused) > _SHOWN:
            click.echo(f"  and {len(refused) - _SHOWN:,} more; --json shows all", err=True)
        click.echo(f"{counted(len(objects), 'object')} sent to {pushing.url}:"
                   f" {counted(len(fates) - len(refused), 'is in', 'are in')},"
                   f" {len(refused):,} refused.")
    return EXIT_SOME_REFUSED if refused else 0


def _preview(pushing: Pushing, objects: Sequence[bytes], as_json: bool) -> int:
    said = list(pushing.preview(objects))
    refused = sum(row["outcome"] == "refused" for part in said for row in part["objects"])
    if as_json:
        click.echo(json.dumps(said, indent=2, ensure_ascii=False))
    else:
        for part in said:
            click.echo("\n".join(preview_lines(part)))
        click.echo(f"Nothing was stored: {counted(len(objects), 'object')} looked at, {refused:,} would be refused.")
    return EXIT_SOME_REFUSED if refused else 0


def preview_lines(part: Mapping[str, Any]) -> Iterator[str]:
    """Objects with the same audience together; then what would be refused."""
    for number, audience in enumerate(part["audiences"]):
        bound = [row for row in part["objects"] if row.get("audience") == number]
        if not bound:
            continue
        more = f" and {len(bound) - 3} more" if len(bound) > 3 else ""
        yield f"{', '.join(row['id'] for row in bound[:3])}{more}:"
        for row in audience["recipients"]:
            why = f" ({', '.join(row['reasons'])})" if row.get("reasons") else ""
            without = f" without {', '.join(row['withheld'])}" if row.get("withheld") else ""
            yield f"  {row['org']}: {row['outcome']}{without}{why}"
        for row in audience["others"]:
            yield f"  {counted(row['organisations'], 'other')} of kind {row['kind']}: {row['outcome']}"
        if not audience["recipients"] and not audience["others"]:
            yield "  nobody else reads this collection"
    for row in part["objects"]:
        if row.get("denied_whole"):
            yield (f"{row['id']}: nothing of it goes to {', '.join(row['denied_whole'])}, because what is withheld"
                   " can't be left out")
        if row["outcome"] == "refused":
            yield f"{row['id'] or 'an object without an id'} would be refused: {row['code']}: {row['sentence']}"
