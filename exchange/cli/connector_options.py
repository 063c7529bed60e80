"""Options that several commands of ``cibx connector`` share: for whom, which way, which source."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from exchange.errors import InputError
from exchange.secret_files import environment

if TYPE_CHECKING:
    from exchange.connect.job import Job
    from exchange.connect.sources_file import Sources
    from exchange.connect.way import Way

Command = TypeVar("Command", bound=Callable[..., Any])
TOKEN = "CIBX_TOKEN"  # noqa: S105 - the variable's name

_WAY = (
    click.option("--as", "org", metavar="ORG", help="Organisation that contributes, in this machine's database."),
    click.option("--server", metavar="URL", help=f"Exchange on another machine; its token is in {TOKEN} or a file."),
    click.option("--token-file", type=click.Path(path_type=Path), metavar="FILE", help="File with the server's token."),
    click.option("--collection", metavar="C", help="Collection (id or alias), where several may be written to."),
    click.option("--state", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
                 help="Folder for checkpoints, runs and quarantine; usually beside the database, or cibx-connectors."),
    click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="TOML file that names sources."),
)
_SOURCE = (
    click.option("--policy", "pack", metavar="PACK", help="Policy pack whose terms the objects get that carry none."),
    click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="A setting of the connector."),
    click.option("--secret", "secrets", multiple=True, metavar="NAME=@FILE",
                 help="A secret from a file; else CIBX_SECRET_OF_NAME in the environment."),
    click.option("--name", metavar="NAME", help="What the source is called here; default: connector and place."),
    click.option("--rate", type=click.FloatRange(min=0, min_open=True), metavar="N",
                 help="At most N requests (of a server) or rows (of a file) in a second."),
    click.option("--allow-network", "allow", multiple=True, metavar="NETWORK",
                 help="A private network that may be asked, such as 10.1.0.0/16."),
    click.option("--plain-http", is_flag=True, help="Permit http without encryption."),
    click.option("--ca-file", type=click.Path(path_type=Path), metavar="FILE",
                 help="Certificate authorities to trust as well, in PEM."),
)


def way_options(command: Command) -> Command:
    """Add the options that say for whom and which way."""
    return _with(command, _WAY)


def source_options(command: Command) -> Command:
    """Add the options of one source."""
    return _with(command, _SOURCE)


def target_options(command: Command) -> Command:
    """Add the options of one target: a source's, but no policy, which each object has."""
    return _with(command, _SOURCE[1:])


def _with(command: Command, options: Sequence[Callable[[Any], Any]]) -> Command:
    for option in reversed(options):
        command = option(command)
    return command


def read_config(config: Path | None) -> Sources | None:
    """The file of sources, where one is named."""
    from exchange.connect.sources_file import read_sources

    return read_sources(config, environment()) if config else None


def way_of(*, org: str | None, server: str | None, token_file: Path | None, collection: str | None, state: Path | None,
           sources: Sources | None = None, dry_run: bool = False) -> Way:
    """The way that a command line (before a file) names; raises UsageError where it names none, or two."""
    from exchange.connect.way import Way
    from exchange.settings import read_settings

    if sources is not None and not (org or server):
        org, server = sources.org, sources.server
    if bool(org) == bool(server) and not (dry_run and not org):
        raise click.UsageError("Say which way: --as ORG for this machine's database, or --server URL.")
    token = ""
    if server:
        token = _token(token_file) or (sources.token if sources else "") or environment().get(TOKEN, "")
        if not token and not dry_run:
            raise InputError("There is no token for the server.", fix=f"Give --token-file FILE, or set {TOKEN}.")
    return Way(read_settings(), org or "", server or "", token,
               collection or (sources.collection if sources else None), state or (sources.state if sources else None))


def _token(path: Path | None) -> str:
    from exchange.connect.sources_file import secret_from

    return secret_from("token", f"@{path}", Path()) if path else ""


def job_of(connector: str, place: str, *, known: Any = None, pack: str | None = None, options: Sequence[str] = (),
           secrets: Sequence[str] = (), name: str | None = None, rate: float | None = None, allow: Sequence[str] = (),
           plain_http: bool = False, ca_file: Path | None = None, every: str | None = None,
           stale_after: str | None = None) -> Job:
    """One source (or target, of the publisher ``known``) as a command line orders it.

    Raises InputError or UsageError for what is wrong in it.
    """
    from exchange.connect import registry
    from exchange.connect.job import Job
    from exchange.connect.sources_file import seconds, secret_from, secrets_in

    known = known or registry.connector(connector)
    given = secrets_in(environment(), known.secrets)
    for key, value in _pairs(secrets, "--secret"):
        given[key] = secret_from(key, value, Path())
    return Job(
        name or f"{connector} {place}", connector, place, dict(_pairs(options, "--option")), given, pack or "",
        every=seconds(every) if every else None, stale=seconds(stale_after) if stale_after else None,
        per_second=rate, allow=tuple(allow), plain_http=plain_http, ca_file=ca_file)


def _pairs(given: Sequence[str], option: str) -> list[tuple[str, str]]:
    pairs = [(name.strip(), value) for name, _, value in (text.partition("=") for text in given)]
    if any(not name or "=" not in text for (name, _), text in zip(pairs, given, strict=True)):
        raise click.UsageError(f"{option} is written NAME=VALUE.")
    return pairs
