"""``cibx identifier``: identifiers in their one form, keyed hashes of them, and the keys; nothing leaves the machine.

Exit codes: 0 done, 1 the text is no identifier, 2 an argument, the ring or a file is wrong, 3 some lines were
no identifiers.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from exchange.errors import InputError
from exchange.secret_files import environment

if TYPE_CHECKING:
    from datetime import date

    from exchange.model.identifiers.keyring import Ring

_DONE, _NONE, _IN_PART = 0, 1, 3


def _kind_name(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    """The name itself; the kinds are imported when one is named."""
    from exchange.model.identifiers.kinds import KINDS

    if value is not None and value not in KINDS:
        raise click.BadParameter(f"There is no kind of identifier {value!r}. There are: {', '.join(KINDS)}.")
    return value


@click.group(name="identifier")
def command() -> None:
    """Normalise identifiers, and hash those that mustn't travel in the clear."""


@command.command()
def kinds() -> None:
    """List the kinds: where each stands in STIX, what personal data it is, what a hash of it is called."""
    from exchange.model.identifiers.kinds import KINDS

    click.echo(f"{'kind':22}{'in STIX':32}{'personal data':28}{'hashed as':22}{'nats':>5}{'half-life':>11}")
    for kind in KINDS.values():
        personal = "/".join(kind.personal) or "-"
        click.echo(f"{kind.name:22}{kind.path or '-':32}{personal:28}{kind.hashed_as or '-':22}"
                   f"{kind.weight:5.1f}{kind.half_life:6} days")


@command.command()
@click.option("--kind", "name", callback=_kind_name, metavar="KIND",
              help="What the text is; default: try every kind that may travel in the clear.")
@click.argument("text")
def read(name: str | None, text: str) -> int:
    """Say what a text is: a JSON line per kind that takes it, with canonical form, pattern and warnings."""
    import msgspec

    from exchange.model.identifiers.fault import IdentifierError
    from exchange.model.identifiers.kinds import KINDS
    from exchange.model.identifiers.refang import defang

    found = False
    clear = [kind for kind in KINDS.values() if kind.path or not kind.tokenisable]
    for kind in [KINDS[name]] if name else clear:
        try:
            value = kind.normalise(text)
        except IdentifierError as error:
            if name:
                click.echo(f"cibx: {error}.", err=True)
            continue
        found = True
        shown = {"kind": kind.name, "canonical": value, "defanged": defang(value),
                 "pattern": kind.pattern(value) if kind.path else None, "nobody": kind.nobody(value) or None}
        click.echo(msgspec.json.encode(shown))
    return _DONE if found else _NONE


@command.command(name="hash")
@click.argument("name", callback=_kind_name, metavar="KIND")
@click.argument("source", type=click.File(encoding="utf-8"), metavar="FILE", default="-")
@click.option("--keys", type=click.Path(path_type=Path), required=True, metavar="RING.toml", help="The group's keys.")
@click.option("--fold", default="", metavar="NORM", help="A further named normalisation, such as gmail-fold-1.")
@click.option("--all-keys", is_flag=True, help="Under every valid key, to look up; default: the newest, to share.")
def hash_command(name: str, source: TextIO, keys: Path, fold: str, all_keys: bool) -> int:
    """Hash one identifier a line (of FILE or the standard input): a JSON line each, which never holds the value.

    What a line's token says is the entry of hashed_identifiers in the account extension.
    """
    import msgspec

    from exchange.model.identifiers.fault import IdentifierError
    from exchange.model.identifiers.keyed import hash_input, token
    from exchange.model.identifiers.kinds import KINDS

    kind, ring, today = KINDS[name], read_ring_file(keys), _today()
    current = ring.current(today)
    under = ring.accepted(today) if all_keys else (current,)
    if not kind.tokenisable or (fold and fold not in kind.norms):
        try:
            hash_input(kind, next(iter(kind.examples)), fold)
        except IdentifierError as error:
            raise InputError(f"{kind.title.capitalize()}: {error}.") from None
    encoder, faults = msgspec.json.Encoder(), 0
    for number, line in enumerate(source, 1):
        text = line.strip("\r\n")
        try:
            tokens = [token(kind, text, key, fold) for key in under] if text.strip() else []
        except IdentifierError:  # its message quotes the value
            faults += 1
            click.echo(encoder.encode({"line": number, "fault": f"no {kind.title}"}))
            continue
        for one in tokens:
            click.echo(encoder.encode({"line": number, **one.stated()}))
    return _IN_PART if faults else _DONE


@command.command()
def vectors() -> None:
    """Print the published test vectors of keyed hashes, for whoever computes them in another program."""
    from importlib.resources import files

    click.echo(files("exchange.model.identifiers").joinpath("test_vectors.json").read_text("utf-8"), nl=False)


@command.command(name="new-key")
@click.argument("key_id", metavar="ID")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="First day; default: today.")
@click.option("--days", type=click.IntRange(1), default=122, show_default=True, help="For how many days it is valid.")
def new_key(key_id: str, since: datetime | None, days: int) -> None:
    """Print a new key as an entry of a ring. Let it overlap with the last one, and keep it from others."""
    import secrets
    from datetime import timedelta

    from exchange.model.identifiers.keyed import SHORTEST_SECRET, Key

    secret = secrets.token_bytes(SHORTEST_SECRET)
    try:
        Key(key_id, secret)
    except ValueError as error:
        raise InputError(f"The id can't be used: {error}.") from error
    begin = since.date() if since else _today()
    click.echo(f'[[key]]\nid = "{key_id}"\nsecret = "{secret.hex()}"\nsince = {begin}')
    click.echo(f"until = {begin + timedelta(days)}")


def _today() -> date:
    return datetime.now(UTC).date()


def read_ring_file(path: Path) -> Ring:
    """The ring in a file. Raises InputError that names the file or the entry, never a secret."""
    from exchange.model.identifiers.keyring import read_ring

    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The ring of keys in {path} can't be read.", why=f"{type(error).__name__}.") from error
    return read_ring(text, environment())
