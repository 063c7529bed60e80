"""``cibx policy explain``: why an organisation may, or may not, see an object, now or at an earlier time."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from exchange.errors import InputError

if TYPE_CHECKING:
    from exchange.wiring import Exchange


@click.command()
@click.option("--object", "stix_id", required=True, metavar="ID", help="STIX id of the object.")
@click.option("--for", "org", required=True, metavar="ORG", help="The organisation that would see it.")
@click.option("--purpose", metavar="P", help="Purpose of its request; default: that of its credentials.")
@click.option("--person", metavar="NAME", help="The person who asks, on a credential of their own; default: a service.")
@click.option("--at", metavar="TIME", help="When, such as 2026-06-01T00:00:00Z; default: now.")
@click.option("--collection", metavar="C", help="Only in this collection (id or alias).")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def explain(stix_id: str, org: str, purpose: str | None, person: str | None, at: str | None,
            collection: str | None, as_json: bool) -> None:
    """Show every rule that decides whether ORG may see an object, what it found and what it needs.

    Also what would have to change, the object's state and dates, and the policy version. With --at the
    members, agreements, policy version and state of that time decide. Of a version that was deleted or erased since is
    told when it was there, who received it and why it is gone.
    """
    from exchange.governance.explanation import Question

    exchange = opened_exchange()
    now = exchange.clock()
    question = Question(object=stix_id, org=org, at=_moment(at, now), purpose=purpose, person=person,
                        collection=_collection(exchange, collection))
    answers = exchange.explanations(now).ask(question)
    exchange.notary.note_read("local", "explanation", stix_id)
    if as_json:
        click.echo(json.dumps(answers, indent=2, ensure_ascii=False))
        return
    parts = [*map(_lines, answers["explanations"]), *map(_gone_lines, answers["gone"])]
    click.echo("\n\n".join("\n".join(part) for part in parts))


def opened_exchange() -> Exchange:
    """The exchange of CIBX_DATABASE_URL, its schema up to date. Raises SettingError where there is none."""
    from exchange.settings import read_settings
    from exchange.store.migrations import migrate
    from exchange.wiring import Exchange

    exchange = Exchange(read_settings())
    migrate(exchange.engine, may_make=False)
    return exchange


def _collection(exchange: Exchange, name: str | None) -> str | None:
    if name is None:
        return None
    found = [c.id for c in exchange.directory().collections.values() if name in {c.id, c.alias}]
    if len(found) != 1:
        raise InputError(f"There is {'no' if not found else 'more than one'} collection {name!r}.",
                         fix="cibx collection list shows them with their ids.")
    return found[0]


def _moment(text: str | None, now: int) -> int:
    from exchange.stix.timestamp import microseconds

    if text is None:
        return now
    try:
        return min(microseconds(text), now)
    except ValueError:
        raise InputError(f"--at {text!r} is no time.", fix="Write such as 2026-06-01T00:00:00Z.") from None


def _gone_lines(gone: Mapping[str, Any]) -> Iterator[str]:
    """One version that isn't there any more, for people."""
    yield f"{gone['object']}  {gone['version']}: {gone['sentence']}"
    until = f"until {gone['until']}" if gone["until"] else "until nobody knows when"
    at = {True: "it was there at the time asked about", False: "it wasn't there any more at the time asked about"}
    yield (f"  of {gone['producer']}, in collection {gone['collection']}, from {gone['added']} {until}"
           + (f" ({gone['reference']})" if gone["reference"] else "")
           + (f"; {at[gone['was_there']]}" if gone["was_there"] is not None else ""))
    if gone["received"]:
        yield f"  the organisation asked about received it at {', '.join(gone['received'])}"
    else:
        yield "  the organisation asked about never received it"


def _lines(answer: Mapping[str, Any]) -> Iterator[str]:
    """One version of the object, for people."""
    state = answer["state"]
    yield f"{answer['object'] or 'erased object'}  {answer['version'] or ''}".rstrip()
    yield (f"  of {answer['producer']}, in collection {answer['collection']}, added {answer['added']},"
           f" {state['state']}{', under legal hold' if state['legal_hold'] else ''}")
    if state["not_before"] or state["until"]:
        yield f"  may be read from {state['not_before'] or 'its push'} until {state['until'] or 'no date'}"
    withheld = f", without {', '.join(answer['withheld'])}" if answer["withheld"] else ""
    yield f"{answer['for']}, for {answer['purpose'] or 'no purpose'}, at {answer['at']}: {answer['outcome']}{withheld}"
    if answer["outcome"] != "denied" and not answer["shown"]:
        yield "  (a pull shows another version, or another contributor's object of this id, instead)"
    for reason in answer["reasons"]:
        yield (f"  {reason['effect']:6} {reason['rule']:4} {reason['code']} ({reason['citation']})\n"
               f"         found: {reason['found']}\n         needed: {reason['needed']}")
    if not answer["reasons"]:
        rules = list(dict.fromkeys(row["rule"] for row in answer["passed"]))
        yield f"  nothing stands against it; asked were {', '.join(rules)}"
    for number, changes in enumerate(answer["would_have_to_change"]):
        head = "  what would have to change:" if number == 0 else "  or:"
        yield " ".join([head, *(f"({change['who']}) {change['sentence']}" for change in changes)])
    if answer["outcome"] == "denied" and not answer["would_have_to_change"]:
        yield "  no single set of changes is known that would release it"
    hidden = [ref["id"] for ref in answer["references"] if not ref["visible"]]
    if hidden:
        yield f"  refers to what the recipient doesn't see: {', '.join(hidden[:5])}"
    yield f"  policy version {answer['policy_version']}"
