"""``cibx state``: restrict, dispute, revoke, erase and hold what was shared, on the server's machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from exchange.cli.notice import exchange, print_json
from exchange.errors import InputError
from exchange.words import counted

if TYPE_CHECKING:
    from exchange.model.state import State
    from exchange.wiring import Exchange

_OF = click.option("--of", "org", help="The contributor, where several shared the id.")
_BY = click.option("--by", "person", required=True, help="Who decides: a named person.")
_REASON = click.option("--reason", required=True, help="Why, in a sentence that recipients read: no personal data.")


@click.group()
def command() -> None:
    """States of shared objects, and legal holds; works on the server's machine."""


@command.command()
@click.argument("object_id")
@_OF
def show(object_id: str, org: str | None) -> None:
    """Show an object's state with its history as JSON."""
    with exchange() as opened:
        found = opened.obligations.show(object_id, org, opened.clock())
        opened.notary.note_read("local", "state", object_id[:200])
    if not found:
        raise InputError(f"There is no object {object_id[:200]!r}.", fix="Check the id, and --of.")
    print_json(found)


def _changing(name: str, help_text: str) -> None:
    """Add the command that brings an object into one state."""

    @command.command(name, help=help_text)
    @click.argument("object_id")
    @_OF
    @_BY
    @_REASON
    @click.option("--citation", default="", help="The ground in law; default: what the packs say.")
    def change(object_id: str, org: str | None, person: str, reason: str, citation: str) -> None:
        """Give the object the state in a person's name."""
        with exchange() as opened:
            _change(opened, object_id, org, _states()[name], person=person, reason=reason, citation=citation)


_changing("restrict", "Let nobody but its contributor see an object (GDPR Art. 18).")
_changing("dispute", "Mark an object as disputed: no automated action.")
_changing("revoke", "Revoke an object for ever: who received it stops using it.")
_changing("erase", "Erase an object (GDPR Art. 17): its content goes, who received it is told to delete.")
_changing("lift", "End a restriction, a dispute or a review.")


@command.command()
@click.argument("object_id")
@_OF
@_BY
@_REASON
@click.option("--until", help="End of the hold; default: until it is released.")
def hold(object_id: str, org: str | None, person: str, reason: str, until: str | None) -> None:
    """Put a legal hold on an object: a sealed copy is kept, and it can't be deleted."""
    from exchange.stix.timestamp import microseconds

    try:
        end = None if until is None else microseconds(until)
    except ValueError:
        raise InputError(f"--until {until!r} is no time.", fix="It looks like 2026-01-31T12:00:00Z.") from None
    with exchange() as opened:
        desk, now = opened.obligations, opened.clock()
        number = desk.hold(object_id, desk.contributor(object_id, org), reason=reason, by=_officer(person), now=now,
                           until=end)
    click.echo(f"Legal hold {number} on {object_id}.")


@command.command()
@click.argument("object_id")
@_OF
@_BY
def release(object_id: str, org: str | None, person: str) -> None:
    """End the legal holds on an object; its sealed copies are overwritten."""
    with exchange() as opened:
        desk = opened.obligations
        count = desk.release(object_id, desk.contributor(object_id, org), by=_officer(person), now=opened.clock())
    click.echo(f"Released {count}.")


@command.command()
def sweep() -> None:
    """Do what is due: wipe what is past its retention, end holds, escalate overdue notices."""
    with exchange() as opened:
        for line in opened.obligations.sweep(opened.clock()) or ["Nothing was due."]:
            click.echo(line)


def _change(
    opened: Exchange, object_id: str, org: str | None, to: State, *, person: str, reason: str, citation: str
) -> None:
    from exchange.obligations.transitions import state_word

    desk = opened.obligations
    changed = desk.change(object_id, desk.contributor(object_id, org), to, reason=reason, by=_officer(person),
                          now=opened.clock(), citation=citation)
    click.echo(f"{object_id} of {changed.org}: {state_word(changed.before)} -> {state_word(changed.after)}"
               f" ({changed.reference}); {counted(len(changed.notices), 'recipient')} told.")
    if changed.sealed:
        click.echo("legal-hold: a sealed copy is kept until the hold ends.")


def _officer(person: str) -> Any:
    """Who acts on the server's machine: the operator or data-protection officer, by name."""
    from exchange.obligations.transitions import By

    if not person.strip():
        raise InputError("--by is empty.", fix="Name the person who decides.")
    return By("cib-exchange", "officer", f"person:{person}")


def _states() -> dict[str, State]:
    from exchange.model.state import State

    return {"restrict": State.RESTRICTED, "dispute": State.DISPUTED, "revoke": State.REVOKED, "erase": State.ERASED,
            "lift": State.ACTIVE}
