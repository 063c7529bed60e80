'''``cibx apply FILE``: make the members, groups, agreements, communities, collections and credentials be so.

The file is TOML. Every table may stand any number of times, in any order; `cibx apply --example` prints one.

    [[group]]          id, title
    [[community]]      id, title, group, description        one TAXII API root; its members are the group
    [[organisation]]   id, name, kind, jurisdiction, jurisdiction_class, clearance, identity, regime, active,
                       controller_arrangement, client_of, groups, [facts]
    [[membership]]     org, group, since, until, status      dated membership (`groups` above: undated ones)
    [[agreement]]      org, id, version, status, since, until, purposes, [default_terms]
    [[collection]]     community, title, alias, id, description, readers, writers, strictness, [default_terms]
    [[credential]]     id, org, purpose, person, scopes, since, until, revoked, secret_env, [oidc], certificates

`[[organisation.membership]]`, `[[organisation.agreement]]`, `[[organisation.credential]]` and
`[[community.collection]]` may stand inside their parent and then don't name it.

- Times are TOML dates or RFC 3339 texts with a zone; intervals are half-open, [since, until).
- `readers` and `writers` list organisations and groups; `"*"` is every member; an empty list is nobody.
- A collection without `id` has the UUIDv5 of community/alias.
- `jurisdiction_class` follows from the country (EEA, UK, else third; `adequate` must be stated); the kinds
  regulator and government are public authorities unless `facts` says otherwise.
- `secret_env` names the environment variable that holds the secret (16 characters or more). Without it a new
  credential gets a secret of 256 random bits, printed once.
- Instead of a secret a credential may be proven by tokens of the member's own identity provider:
  `oidc = { issuer, audience, keys, subject }`. `keys` is the https address of its JWKS (or `keys_file`, a file);
  besides `subject`, or instead of it, `claims = { client_id = "x" }` must hold; `typ = "JWT"` takes tokens of an
  issuer that doesn't write RFC 9068's `at+jwt`.
- Or by a TLS client certificate that the server or its proxy verified: `certificates = ["sha256:…", "dns:…", "uri:…"]`,
  any of them; an old and a new one stand side by side while they are changed.
- What the file doesn't mention stays as it is: with `--prune` it goes, and keys that aren't given take their
  defaults. A suspension (`active`, `status`) is lifted only by stating so; a revocation never.
'''

from __future__ import annotations

import sys
from importlib.resources import files
from typing import Any

import click

from exchange.errors import InputError
from exchange.secret_files import environment
from exchange.toml_text import TomlError, read_toml


@click.command(short_help="Make members, agreements, collections and credentials as a TOML file says.")
@click.argument("file", required=False)
@click.option("--dry-run", is_flag=True, help="Print what would change; change nothing.")
@click.option("--prune", is_flag=True, help="Remove what the file doesn't describe.")
@click.option("--example", is_flag=True, help="Print an example file and stop.")
def command(file: str | None, dry_run: bool, prune: bool, example: bool) -> None:
    """Make members, agreements, collections and credentials as FILE (TOML; - for standard input) says.

    Prints a line for each difference: + added, ~ changed, - removed; and one that begins with ! for each
    credential that will see nothing of others, because no agreement in force gives its purpose. Run again
    it changes nothing. All faults of the file are told at once, and then nothing is changed.
    """
    if example:
        click.echo(example_text(), nl=False)
        return
    if file is None:
        raise InputError("No file was named.", fix="Give a TOML file or - (standard input); see --example.")
    from exchange.cli.directory_steps import change_directory

    source = "standard input" if file == "-" else file
    document = read_document(file)
    if prune and not any(document.values()):  # as a template that wasn't filled in leaves it
        raise InputError(f"{source} describes nothing, and --prune would remove everything.",
                         fix="Write into it what is to stay.")
    change_directory(document, environment(), source=source, prune=prune, dry_run=dry_run, warn=True)


def example_text() -> str:
    """The example file."""
    return files("exchange.cli").joinpath("example.toml").read_text(encoding="utf-8")


def read_document(file: str) -> dict[str, Any]:
    """The tables of a TOML file. Raises InputError with the place of what can't be read."""
    try:
        if file == "-":
            raw = sys.stdin.buffer.read()
        else:
            with open(file, "rb") as stream:
                raw = stream.read()
    except OSError as error:
        raise InputError(f"{file} can't be read: {error.strerror}.", fix="Name a TOML file.") from None
    try:
        return read_toml(raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InputError(f"{file} is not UTF-8 (line {line}).", fix="Save it as UTF-8.") from None
    except TomlError as error:
        raise InputError(f"{file} is not TOML: {error}.",
                         fix="Correct it; cibx apply --example shows the form.") from None
