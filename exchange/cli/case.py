"""``cibx case``: contests, held contributors and emergencies, on the server's machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from exchange.cli import directory_steps as steps
from exchange.cli.notice import exchange, print_json
from exchange.errors import InputError
from exchange.words import counted

if TYPE_CHECKING:
    from exchange.cases.contest import Actor
    from exchange.wiring import Exchange

_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON with everything.")
_AS = click.option("--as", "key", required=True, metavar="KEY",
                   help="The credential that acts: its organisation, person and scopes count as over HTTP.")
_BY = click.option("--by", "person", required=True, help="Who decides: a named person.")
_SAYING = click.option("--statement", required=True, help="What is said; the parties of the case read it.")


@click.group()
def command() -> None:
    """Contests, held contributors and emergencies; works on the server's machine."""


@command.command("list")
@click.option("--unfinished", is_flag=True, help="Only those that nobody has reviewed.")
@_AS
@_JSON
def list_cases(unfinished: bool, key: str, as_json: bool) -> None:
    """List the cases that a credential is a party of."""
    with exchange() as opened:
        found = opened.cases.contests.list(_actor(opened, key), opened.clock(), unfinished=unfinished)
        opened.notary.note_read(key, "cases")
    steps.print_rows(found, ("id", "stage", "objects", "answer_due", "review_due", "restricted"), as_json)


@command.command()
@click.argument("case")
@_AS
def show(case: str, key: str) -> None:
    """Show one case with its steps, and what recipients say they undid, as JSON."""
    with exchange() as opened:
        found = opened.cases.contests.show(_actor(opened, key), case, opened.clock())
        opened.notary.note_read(key, "case", case)
    print_json(found)


@command.command("open")
@click.argument("objects", nargs=-1, required=True)
@click.option("--collection", required=True, help="Id of the collection.")
@click.option("--grounds", required=True, help="Why, in a sentence or more; the parties read it.")
@click.option("--evidence", multiple=True, help="SHA-256 of a piece of evidence (repeatable).")
@click.option("--for-person", is_flag=True, help="On behalf of an affected person; the credential has scope operate.")
@_AS
def open_case(objects: tuple[str, ...], collection: str, grounds: str, evidence: tuple[str, ...], for_person: bool,
              key: str) -> None:
    """Contest objects of one contributor."""
    from exchange.cases.contests import Opening

    with exchange() as opened:
        actor, now, directory = _actor(opened, key), opened.clock(), opened.directory()
        credential = directory.credentials[key]
        reader = opened.reader(directory, directory.organisations[credential.org], credential, None, now)
        made = opened.cases.open_contest(
            actor, Opening(collection, objects, grounds, evidence, for_person), reader, now)
    click.echo(made)


def _step(name: str, step: str, help_text: str) -> None:
    """Add the command that takes one step of a contest."""

    @command.command(name, help=help_text)
    @click.argument("case")
    @_SAYING
    @_AS
    def take(case: str, statement: str, key: str) -> None:
        """Take the step of a contest with a person's key."""
        _take(case, step, statement, key)


_step("restrict", "restrict", "Restrict the contested objects until the review.")
_step("answer", "answer", "Answer for the producer.")


@command.command()
@click.argument("case")
@click.argument("outcome", type=click.Choice(["upheld", "corrected", "reversed"]))
@click.option("--erase", is_flag=True, help="Wipe what is reversed, instead of revoking it.")
@_SAYING
@_AS
def review(case: str, outcome: str, erase: bool, statement: str, key: str) -> None:
    """Review a contest as somebody who belongs with neither side; its outcome travels to every recipient."""
    steps_of = {"upheld": "uphold", "corrected": "correct", "reversed": "reverse"}
    _take(case, steps_of[outcome], statement, key, erase=erase)


@command.command()
@_JSON
def held(as_json: bool) -> None:
    """List contributors whose new objects wait for a person."""
    with exchange() as opened:
        steps.print_rows(opened.cases.quarantine.list(), ("number", "org", "since", "outcome", "reason"), as_json)


@command.command()
@click.argument("number", type=int)
@_BY
def release(number: int, person: str) -> None:
    """Release what a hold holds back; who follows the collections gets it now."""
    _end(number, person, release=True)


@command.command()
@click.argument("number", type=int)
@_BY
def reject(number: int, person: str) -> None:
    """Retract what a hold holds back."""
    _end(number, person, release=False)


@command.command()
@click.argument("org")
@click.option("--since", required=True, help="Everything pushed from this moment on, such as 2026-01-31T12:00:00Z.")
@_BY
def rollback(org: str, since: str, person: str) -> None:
    """Retract all that an organisation pushed since a time, and recall it from everyone who received it."""
    with exchange() as opened:
        versions, told = opened.cases.quarantine.roll_back(
            org, _moment("--since", since), person=_named(person), now=opened.clock())
    click.echo(f"{counted(versions, 'version')} of {org} retracted, {counted(told, 'recipient')} told."
               " Revoke the stolen key: cibx credential revoke KEY.")


@command.command("read-values")
def read_values() -> None:
    """Look through what was pushed for the values it reports, so that questions on standing are complete at once."""
    with exchange() as opened:
        while not opened.cases.records.read_values(20_000):
            click.echo(".", nl=False)
    click.echo("Every object was looked at.")


@command.group()
def emergency() -> None:
    """Declared emergencies: shorter checks for a time, the same log, a review that can't be skipped."""


@emergency.command("list")
@_AS
@_JSON
def list_emergencies(key: str, as_json: bool) -> None:
    """List emergencies; those that wait for their review too long are overdue."""
    with exchange() as opened:
        found = opened.cases.emergencies.list(_actor(opened, key), opened.clock())
    steps.print_rows(found, ("id", "status", "since", "until", "people", "collections", "review_due"), as_json)


@emergency.command()
@click.option("--until", required=True, help="Its end (that moment is outside).")
@click.option("--since", help="Its start; default: now.")
@click.option("--reason", required=True, help="Why.")
@click.option("--person", "people", multiple=True, help="Who else works in it (repeatable).")
@click.option("--collection", "collections", multiple=True, required=True,
              help="Id of a collection, or * (repeatable).")
@_AS
def declare(until: str, since: str | None, reason: str, people: tuple[str, ...], collections: tuple[str, ...],
            key: str) -> None:
    """Declare an emergency, as a named person with the scope emergency."""
    with exchange() as opened:
        now = opened.clock()
        print_json(opened.cases.emergencies.declare(
            _actor(opened, key), people=people, since=now if since is None else _moment("--since", since),
            until=_moment("--until", until), reason=reason, collections=collections, now=now))


@emergency.command("end")
@click.argument("number", metavar="EMERGENCY")
@_AS
def end_emergency(number: str, key: str) -> None:
    """End an emergency before its time."""
    with exchange() as opened:
        print_json(opened.cases.emergencies.end(_actor(opened, key), number, opened.clock()))


@emergency.command("review")
@click.argument("number", metavar="EMERGENCY")
@click.option("--findings", required=True, help="What the review found.")
@_AS
def review_emergency(number: str, findings: str, key: str) -> None:
    """Review an emergency that is over, as somebody who took no part in it."""
    with exchange() as opened:
        print_json(opened.cases.emergencies.review(_actor(opened, key), number, findings, opened.clock()))


def _take(case: str, step: str, statement: str, key: str, *, erase: bool = False) -> None:
    from exchange.cases.contest import Step

    with exchange() as opened:
        actor, now, contests = _actor(opened, key), opened.clock(), opened.cases.contests
        contests.take(actor, case, Step(step), statement, now, erase=erase)
        opened.publish_records()
        click.echo(f"{case}: {contests.show(actor, case, now)['stage']}")


def _end(number: int, person: str, *, release: bool) -> None:
    with exchange() as opened:
        count = opened.end_hold(number, release=release, person=_named(person))
    click.echo(f"{counted(count, 'object')} {'released' if release else 'retracted'}.")


def _actor(opened: Exchange, key: str) -> Actor:
    """Who a credential stands for; its secret isn't asked on the server's machine, that it is in force is."""
    from exchange.model.access import holds
    from exchange.stix.timestamp import from_microseconds

    credential: Any = opened.directory().credentials.get(key)
    at = from_microseconds(opened.clock())
    if credential is None or credential.revoked or not holds(credential.since, credential.until, at):
        raise InputError(f"There is no credential {key!r} in force.", fix="cibx credential list shows those there are.")
    return opened.cases.members().actor(credential)


def _named(person: str) -> str:
    if not person.strip():
        raise InputError("--by is empty.", fix="Name the person who decides.")
    return person


def _moment(option: str, text: str) -> int:
    from exchange.stix.timestamp import microseconds

    try:
        return microseconds(text)
    except ValueError:
        raise InputError(f"{option} {text!r} is no time.", fix="It looks like 2026-01-31T12:00:00Z.") from None
