"""``cibx policy diff``: what other packs, members or agreements would show and hide, without changing anything."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from exchange.cli.policy_explain import opened_exchange
from exchange.errors import InputError
from exchange.secret_files import environment
from exchange.words import counted

if TYPE_CHECKING:
    from exchange.governance.difference import Changed
    from exchange.model.party import Directory
    from exchange.policy.packs import Packs
    from exchange.wiring import Exchange

EXIT_DIFFERENT = 1


@click.command()
@click.argument("candidate", required=False)
@click.option("--directory", "file", metavar="FILE", help="Members and agreements, as for cibx apply (TOML).")
@click.option("--prune", is_flag=True, help="With --directory: what FILE doesn't describe goes.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def diff(candidate: str | None, file: str | None, prune: bool, as_json: bool) -> int:
    """Show for each recipient which objects it would gain and lose, by reason, with samples.

    CANDIDATE is a folder of policy packs or a proposed version (the first digits of its digest). Nothing is
    changed. Exit codes: 0 nothing would change, 1 something would, 2 something given is wrong.
    """
    from exchange.governance.difference import World, difference
    from exchange.policy.diff import widened_cases
    from exchange.store.engine import read

    if candidate is None and file is None:
        raise InputError("Nothing to compare was named.", fix="Give a folder of packs, a version, or --directory FILE.")
    exchange = opened_exchange()
    now, directory = exchange.clock(), exchange.directory()
    packs = None if candidate is None else _packs(exchange, candidate)
    other = directory if file is None else _directory(directory, file, prune)
    decides = exchange.policy.of if packs is None else (lambda org: packs)
    with read(exchange.engine) as connection:
        changes = difference(connection, World(directory, exchange.policy.of), World(other, decides), now)
    cases = [] if packs is None else widened_cases(exchange.policy.active, packs)
    if as_json:
        click.echo(json.dumps({"organisations": [one.as_json() for one in changes], "cases_widened": cases},
                              indent=2, ensure_ascii=False))
    else:
        print_changes(changes, cases)
    return EXIT_DIFFERENT if changes or cases else 0


def print_changes(changes: Sequence[Changed], cases: Sequence[str] = ()) -> None:
    """One line for each organisation, its reasons and samples below it."""
    for one in changes:
        click.echo(f"{one.org}: {one.gained:,} gained, {one.lost:,} lost"
                   + (f", {one.otherwise:,} with other parts left out" if one.otherwise else ""))
        click.echo("    by " + ", ".join(f"{code} {count:,}" for code, count in one.reasons.most_common()))
        for word, ids in one.samples.items():
            if ids:
                click.echo(f"    {word}, such as {', '.join(ids)}")
    if cases:
        click.echo(f"{counted(len(cases), 'case')} of the packs no longer denied, such as {cases[0]}.")
    if not changes:
        click.echo("No recipient would gain or lose anything that is stored now.")


def _packs(exchange: Exchange, candidate: str) -> Packs:
    """The packs of a folder, or of a version that was proposed."""
    from exchange.policy.packtext import packs_of, texts_of

    if Path(candidate).exists():
        return packs_of(texts_of(Path(candidate)))
    found = exchange.policy.version(exchange.policy_changes().find(candidate))
    if found is None:
        raise InputError(f"There is no policy version {candidate!r}.", fix="cibx policy versions shows them.")
    return found


def _directory(present: Directory, file: str, prune: bool) -> Directory:
    """The directory with what the file describes, found out by making it and taking it back."""
    from exchange.cli.apply import read_document
    from exchange.cli.directory_steps import foreseen_directory

    document: Mapping[str, Any] = read_document(file)
    made = foreseen_directory(document, environment(), source=file, prune=prune)
    built_in = {name: one for name, one in present.collections.items() if name not in made.collections}
    from dataclasses import replace

    return replace(made, collections={**made.collections, **{
        name: one for name, one in built_in.items() if one.community not in made.communities}})
