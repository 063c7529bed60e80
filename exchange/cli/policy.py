"""``cibx policy``: decide on facts as the server would, and check the policy packs."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from exchange.cli import policy_versions
from exchange.cli.policy_diff import diff
from exchange.cli.policy_explain import explain
from exchange.words import counted

if TYPE_CHECKING:
    from exchange.policy.packs import Packs


@click.group(name="policy")
def command() -> None:
    """Try and explain sharing decisions, check policy packs, change the policy in stages."""


for _command in (explain, diff, *policy_versions.COMMANDS):
    command.add_command(_command)

_POLICIES = click.option(
    "--policies",
    type=click.Path(path_type=Path),
    default=None,
    help="Folder of policy packs; without it CIBX_POLICIES, else the shipped packs.",
)


@command.command()
@click.option(
    "--facts",
    "source",
    metavar="FILE|-",
    help="JSON: one facts object or a list of them; - reads standard input.",
)
@click.option("--example", is_flag=True, help="Print facts to begin with, and stop.")
@_POLICIES
def decide(source: str | None, example: bool, policies: Path | None) -> int:
    """Decide on facts, by the code that the server runs, and print every reason as JSON.

    Of a list each entry is decided. What isn't facts is denied, named on standard error, and makes the exit
    code 2.
    """
    from exchange.errors import InputError
    from exchange.policy.decide import decide as decide_facts
    from exchange.policy.shape import check_facts

    packs = _packs(policies)
    if example:
        from exchange.policy.check import case_facts

        click.echo(json.dumps(case_facts(packs.base_case, {}, "base_case.toml"), indent=2, ensure_ascii=False))
        return 0
    if source is None:
        raise InputError("No facts were given.", fix="Name a file with --facts, or print one with --example.")
    facts = _read(source)
    faults = []
    entries = facts if isinstance(facts, list) else [facts]
    for index, entry in enumerate(entries):
        try:
            check_facts(entry)
        except InputError as error:
            faults.append(f"Entry {index + 1} of {len(entries)}: {error}" if isinstance(facts, list) else str(error))
    decisions = [decide_facts(entry, packs).as_json() for entry in entries]
    click.echo(json.dumps(decisions if isinstance(facts, list) else decisions[0], indent=2, ensure_ascii=False))
    for fault in faults:
        click.echo(f"cibx: {fault}", err=True)
    return 2 if faults else 0


@command.command()
@_POLICIES
def check(policies: Path | None) -> int:
    """Read every policy pack and run the cases that stand in it."""
    from exchange.matcher.action import check as actions
    from exchange.matcher.action.pack import ROOM, read_actions
    from exchange.policy.check import run_cases

    packs = _packs(policies)
    results = list(run_cases(packs))
    own = packs.rooms.get(ROOM)
    if own is not None:
        results += actions.run_cases(read_actions(own))
    faults = [result for result in results if result.fault]
    for result in faults:
        click.echo(f"cibx: {result.file}: case {result.name!r}: {result.fault}.", err=True)
    click.echo(f"{counted(len(packs.files), 'pack')}, {counted(len(results), 'case')}, {len(faults)} wrong;"
               f" policy version {packs.digest}.")
    return 1 if faults else 0


def _packs(folder: Path | None) -> Packs:
    from exchange.policy.packs import load
    from exchange.settings import read_settings

    if folder is None:
        stated = read_settings().policies
        folder = Path(stated) if stated else None
    return load(folder)


def _read(source: str) -> Any:
    """The JSON of a file or of standard input. Raises InputError in one sentence."""
    from exchange.errors import InputError

    place = "Standard input" if source == "-" else source
    try:
        raw = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        raise InputError(f"{place} can't be read: {error.strerror or error}.") from error
    try:
        return json.loads(raw, object_pairs_hook=_no_duplicates)
    except (ValueError, RecursionError) as error:
        why = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise InputError(f"{place} is not JSON of facts: {why}.") from error


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} is given twice in one object")
    return table
