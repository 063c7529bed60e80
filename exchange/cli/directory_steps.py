"""What the commands on members and collections share: open the store, change the directory, print.

Single steps are small descriptions: ``cibx org add`` and a file with one ``[[organisation]]`` go one way.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from exchange.errors import InputError
from exchange.settings import read_settings
from exchange.stix.timestamp import from_microseconds

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from exchange.model.party import Directory
    from exchange.store.directory_changes import Change

Document = Mapping[str, Any]


def open_store() -> Engine:
    """The store of CIBX_DATABASE_URL, its schema up to date. Raises SettingError where there is none."""
    from exchange.store.engine import open_engine
    from exchange.store.migrations import migrate

    engine = open_engine(read_settings().database_url)
    migrate(engine, may_make=False)
    return engine


def present_directory() -> Directory:
    """The directory as it is now."""
    from exchange.store.directory import load_directory
    from exchange.store.engine import read

    engine = open_store()
    try:
        with read(engine) as connection:
            return load_directory(connection)
    finally:
        engine.dispose()


def change_directory(
    document: Document | Callable[[Directory], Document],
    environment: Mapping[str, str],
    *,
    source: str,
    prune: bool = False,
    dry_run: bool = False,
    warn: bool = False,
    also: Callable[[Connection], None] | None = None,
    begins: bool = False,
) -> None:
    """Apply a description in one transaction and print what changed; a function gets the present directory.

    ``also`` is done in the same transaction. With ``warn`` the credentials that will see nothing of others are named
    too (``blind_credentials``). A description makes the database where there is none; a function speaks of what is
    there, and does so only where it ``begins``.
    Raises DescriptionError with all faults, SettingError where there is no database; nothing is then changed.
    """
    from exchange.store.engine import open_engine

    settings = read_settings()
    if dry_run and _is_new(settings.database_url):
        with TemporaryDirectory() as folder:
            engine = open_engine(f"sqlite:///{folder}/dry-run.db")
            changes, after = _changed(engine, document, environment, source, prune)
    else:
        engine = open_engine(settings.database_url)
        changes, after = _changed(engine, document, environment, source, prune, dry_run=dry_run, also=also,
                                  may_make=begins or not callable(document))
    _print_changes(changes, blind_credentials(after, from_microseconds(time.time_ns() // 1_000)) if warn else (),
                   dry_run)


def foreseen_directory(
    document: Document, environment: Mapping[str, str], *, source: str, prune: bool = False
) -> Directory:
    """The directory as a description would make it; nothing is changed. Raises DescriptionError with all faults."""
    from exchange.store.engine import open_engine

    return _changed(open_engine(read_settings().database_url), document, environment, source, prune, dry_run=True)[1]


def blind_credentials(directory: Directory, at: str) -> Iterator[str]:
    """A sentence for each credential that may read at a time but for a purpose that no agreement in force gives.

    Policy grants such a credential its organisation's own objects and nothing of others (P13).
    """
    from exchange.model.access import holds
    from exchange.policy.label import actor_facts

    for _, credential in sorted(directory.credentials.items()):
        organisation = directory.organisations[credential.org]
        reads = "read" in credential.scopes and credential.purpose is not None
        active = organisation.active and not credential.revoked and holds(credential.since, credential.until, at)
        if reads and active and credential.purpose not in actor_facts(organisation, at)["purposes"]:
            yield (f"{organisation.id} has a credential ({credential.id}) for {credential.purpose} but no agreement in"
                   " force that gives it: it will see only its own objects and nothing of others.")


def _is_new(url: str) -> bool:
    """Whether the database has no schema yet, found out without making its file.

    Raises InputError for the schema of another release: a dry run doesn't migrate.
    """
    from exchange.store.engine import open_engine, read
    from exchange.store.migrations import HEAD, current_revision

    engine = open_engine(url)
    if engine.url.drivername == "sqlite" and not Path(str(engine.url.database)).exists():
        return True
    try:
        with read(engine) as connection:
            revision = current_revision(connection)
    finally:
        engine.dispose()
    if revision not in (None, HEAD):
        raise InputError(f"The database has schema {revision}, this release works with {HEAD}.",
                         why="A dry run changes nothing, so it doesn't migrate either.",
                         fix="Run it after the release was installed and started once.")
    return revision is None


class _TakenBackError(Exception):
    """Ends a dry run's transaction."""


def _changed(
    engine: Engine,
    document: Document | Callable[[Directory], Document],
    environment: Mapping[str, str],
    source: str,
    prune: bool,
    *,
    dry_run: bool = False,
    also: Callable[[Connection], None] | None = None,
    may_make: bool = True,
) -> tuple[list[Change], Directory]:
    """The changes, and the directory with them."""
    from exchange.governance.in_force import PolicyInForce
    from exchange.model.description import DescriptionError, read_description
    from exchange.obligations.erasure_list import ErasureList, erasures_path
    from exchange.obligations.taken_back import rights
    from exchange.policy.packtext import texts_of
    from exchange.policy.vocabulary import faults_of_description
    from exchange.store.directory import load_directory
    from exchange.store.directory_changes import apply, lock_directory
    from exchange.store.engine import write
    from exchange.store.migrations import migrate

    changes: list[Change] = []
    settings = read_settings()
    policy = PolicyInForce(engine, texts_of(Path(settings.policies) if settings.policies else None))
    noted = ErasureList(erasures_path(settings))
    migrate(engine, may_make=may_make)
    try:
        with write(engine) as connection:
            lock_directory(connection)
            known = load_directory(connection)
            tables = document(known) if callable(document) else document
            wanted = read_description(tables, known, environment, source=source, alone=prune)
            policy.refresh(connection)
            unknown = faults_of_description(wanted, policy.active)
            if unknown:
                raise DescriptionError(source, unknown)
            changes = apply(connection, wanted, prune=prune)
            after = load_directory(connection)
            if also is not None:
                also(connection)
            if not dry_run:
                noted.note(connection, *rights(time.time_ns() // 1_000, known, after))
            if dry_run:
                raise _TakenBackError
    except _TakenBackError:
        pass
    finally:
        engine.dispose()
    return changes, after


def _print_changes(changes: Sequence[Change], warnings: Iterable[str], dry_run: bool) -> None:
    for change in changes:
        click.echo(str(change))
        if change.issued is None:
            continue
        if dry_run:
            click.echo("    (a secret will be made and shown once)")
        else:
            click.echo(f"    Shown once, keep it safe. Bearer token: {change.issued.token}\n"
                       f"    or HTTP Basic user: {change.issued.id}  password: {change.issued.secret}")
    for warning in warnings:
        click.echo(f"! {warning}")
    if not changes:
        click.echo("Nothing to change.")
    elif dry_run:
        click.echo("Dry run: nothing was changed.")


def print_rows(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], as_json: bool) -> None:
    """Print a list: as JSON with everything, or as a table of the named columns."""
    listed = list(rows)
    if as_json:
        click.echo(json.dumps(listed, indent=2, ensure_ascii=False))
        return
    cells = [columns, *([_cell(row[column]) for column in columns] for row in listed)]
    widths = [max(len(row[place]) for row in cells) for place in range(len(columns))]
    for row in cells:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ",".join(map(str, value)) or "-"
    return str(value)


def plain(value: Any) -> dict[str, Any]:
    """A directory value as JSON values; a credential's digest stays inside."""
    row: dict[str, Any] = json.loads(json.dumps(asdict(value)))
    row.pop("digest", None)
    return row


def stated(**values: Any) -> dict[str, Any]:
    """The options that were given, as keys of a description's row."""
    return {key: list(value) if isinstance(value, tuple) else value
            for key, value in values.items() if value is not None and value != ()}


def known_id(things: Mapping[str, Any], noun: str, given: str) -> str:
    """``given`` when there is such a thing. Raises InputError."""
    from exchange.model.description_values import like

    if given not in things:
        raise InputError(f"There is no {noun} {given!r}.{like(given, tuple(things))}",
                         fix=f"cibx {_COMMANDS[noun]} list shows those there are.")
    return given


_COMMANDS = {"organisation": "org", "credential": "credential", "agreement": "agreement"}
