"""``cibx policy propose`` and the steps after it: draft, shadow, canary, active, retired, and back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from exchange.cli.policy_diff import print_changes
from exchange.cli.policy_explain import opened_exchange
from exchange.errors import InputError
from exchange.words import counted

if TYPE_CHECKING:
    from exchange.governance.change import Outcome
    from exchange.model.policy_version import Step

_BY = click.option("--by", required=True, metavar="PERSON", help="Who does this; a widening needs two people.")
_WHY = click.option("--why", required=True, metavar="REASON", help="Why; kept with the step.")


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@_BY
@_WHY
def propose(folder: Path | None, by: str, why: str) -> None:
    """Keep the packs of FOLDER (default: CIBX_POLICIES, else the shipped ones) as a draft of the next policy."""
    from exchange.policy.packtext import texts_of
    from exchange.settings import read_settings

    stated = read_settings().policies
    texts = texts_of(folder or (Path(stated) if stated else None))
    outcome = opened_exchange().policy_changes().propose(texts, by, why)
    click.echo(f"Version {outcome.digest[:12]} is a draft. See what it changes: cibx policy diff {outcome.digest[:12]}")


def _step(name: str, text: str) -> click.Command:
    """A command that takes VERSION to one stage."""
    @click.command(name=name, help=text)
    @click.argument("version")
    @_BY
    @_WHY
    def step(version: str, by: str, why: str) -> None:
        """Take the step of a policy version in a person's name."""
        _go(version, name, by, why)

    return step


shadow = _step("shadow", "Count what VERSION would change from now on, without effect (the shadow period begins).")
activate = _step("activate", "Make VERSION decide for everybody; the former version retires.\n\n"
                 "What can only narrow may be activated at once. What shows somebody more, or changes duties or "
                 "limits, needs another person than the one who proposed it, and the end of the shadow period.")
retire = _step("retire", "End the way of VERSION before it was active.")


@click.command()
@click.argument("version")
@click.option("--org", "organisations", multiple=True, required=True, metavar="ORG",
              help="For whom it decides (repeatable).")
@_BY
@_WHY
def canary(version: str, organisations: tuple[str, ...], by: str, why: str) -> None:
    """Make VERSION decide for some organisations."""
    _go(version, "canary", by, why, organisations)


@click.command()
@_BY
@_WHY
def rollback(by: str, why: str) -> None:
    """Bring the former version back; who pulled in between what it doesn't show is sent a recall."""
    outcome = opened_exchange().policy_changes().roll_back(by, why)
    _tell(outcome)
    click.echo(f"Version {outcome.digest[:12]} is active again; {outcome.recalled} organisations were sent a recall.")


@click.command()
@click.argument("version", required=False)
def count(version: str | None) -> None:
    """Count, and record, what VERSION would change now.

    Without VERSION: each that is in shadow, or decides for some, and wasn't counted for a day. A server does that by
    itself; cibx policy show VERSION lists what was counted.
    """
    changes = opened_exchange().policy_changes()
    if version is not None:
        _tell(changes.count(version))
        return
    due = changes.due()
    for digest in due:
        click.echo(f"Version {digest[:12]}:")
        _tell(changes.count(digest))
    if not due:
        click.echo("No version is in shadow that wasn't counted for a day.")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def versions(as_json: bool) -> None:
    """List the versions of the policy, the newest step of each."""
    steps = _steps()
    latest = [step for step in map(steps.latest, steps.digests()) if step is not None]
    if as_json:
        click.echo(json.dumps([_plain(step) for step in latest], indent=2, ensure_ascii=False))
        return
    for step in latest:
        click.echo(_line(step))


@click.command()
@click.argument("version")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
              help="Write its packs there; the folder must be empty or new.")
def show(version: str, out: Path | None) -> None:
    """Show the steps of VERSION, what was counted of it, and write its packs to a folder."""
    from exchange.store.engine import read
    from exchange.store.versions import load_counts, policy_texts

    exchange = opened_exchange()
    digest = exchange.policy_changes().find(version)
    with read(exchange.engine) as connection:
        counts, texts = load_counts(connection, digest), policy_texts(connection, digest) or {}
    click.echo(digest)
    for step in _steps().steps:
        if step.digest == digest:
            click.echo(f"  {_line(step)}")
    for at, one in counts:
        reasons = ", ".join(f"{code} {number:,}" for code, number in one.reasons.items())
        click.echo(f"  counted {_time(at)} {one.org or 'all together'}: {one.gained:,} gained, {one.lost:,} lost"
                   + (f" ({reasons})" if reasons else ""))
    if out is not None:
        _write(texts, out)


COMMANDS = (propose, shadow, canary, activate, rollback, retire, count, versions, show)


def _go(version: str, stage: str, by: str, why: str, organisations: tuple[str, ...] = ()) -> None:
    from exchange.model.policy_version import Stage

    wanted = {"activate": Stage.ACTIVE, "retire": Stage.RETIRED}.get(stage) or Stage(stage)
    outcome = opened_exchange().policy_changes().advance(version, wanted, by, why, organisations)
    _tell(outcome)
    click.echo(f"Version {outcome.digest[:12]} is {outcome.steps[-1].stage} now.")


def _tell(outcome: Outcome) -> None:
    print_changes(outcome.changes, outcome.cases)


def _steps() -> Any:
    exchange = opened_exchange()
    exchange.directory()
    return exchange.policy.steps


def _time(at: int) -> str:
    from exchange.stix.timestamp import from_microseconds

    return from_microseconds(at)[:19] + "Z"


def _line(step: Step) -> str:
    orgs = f" for {', '.join(step.organisations)}" if step.organisations else ""
    return f"{step.digest[:12]}  {step.stage.value:7} {_time(step.at)}  {step.by}: {step.why}{orgs}"


def _plain(step: Step) -> dict[str, Any]:
    return {"digest": step.digest, "stage": step.stage.value, "at": _time(step.at), "by": step.by, "why": step.why,
            "organisations": list(step.organisations)}


def _write(texts: dict[str, str], out: Path) -> None:
    """Write packs; a name in them can't lead out of the folder."""
    if out.exists() and any(out.iterdir()):
        raise InputError(f"--out {out} isn't empty.", fix="Name a new folder.")
    for name, text in texts.items():
        place = (out / name).resolve()
        if not place.is_relative_to(out.resolve()):
            raise InputError(f"The version has a file named {name[:60]!r}, which would lie outside of {out}.")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    click.echo(f"{counted(len(texts), 'pack')} written to {out}.")
