"""Answers to notices: kept with their time; silence escalates, and can suspend the recipient's agreement."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from exchange.errors import InputError, NotFoundError
from exchange.obligations.duties import DAY, Duties
from exchange.obligations.notice import Affected, Notice
from exchange.obligations.send import send
from exchange.stix.timestamp import from_microseconds
from exchange.store import notices as stored
from exchange.store.agreements import suspend_agreements
from exchange.store.events import record

AWAITED = ("open", "escalated", "not-done")
"""States in which an answer that says done is still awaited."""
_LONGEST = 10_000


def acknowledge(
    connection: Any, notice_id: str, *, org: str, key: str, done: bool, statement: str, now: int
) -> dict[str, Any]:
    """Keep an organisation's answer to a notice of its own; gives the notice as it is then.

    ``key`` is the credential's id, or the person's name on the server's machine. Raises NotFoundError for a
    notice that wasn't sent to it, InputError for a statement that is empty where nothing was done, or too long.
    """
    row = stored.find_notice(connection, notice_id, org=org)
    if row is None:
        raise NotFoundError("There is no such notice.")
    if not done and not statement.strip():
        raise InputError("An answer that it was not done needs a statement.", fix="Say why, and until when.")
    if len(statement) > _LONGEST:
        raise InputError(f"The statement has {len(statement)} characters; the most is {_LONGEST}.")
    stored.add_acknowledgement(connection, notice=notice_id, at=now, done=done, statement=statement, by_key=key)
    state = "done" if done else row["state"] if row["state"] in {"escalated", "suspended"} else "not-done"
    stored.set_notice_state(connection, notice_id, state)
    record(connection, at=now, kind="acknowledgement", org=org, detail={
        "notice": notice_id, "done": done, "key": key, "state": state,
    })
    return as_json({**row, "state": state})


def escalate(connection: Any, duties: Duties, operators: Iterable[str], now: int) -> list[str]:
    """Escalate notices whose deadline passed without "done", and suspend where the second period passed too.

    Operators get a notice of each; every step is an event. Gives a line for each step. Doing it again does nothing.
    """
    steps: list[str] = []
    told = tuple(operators)
    for row in stored.list_notices(connection, states=("open", "not-done"), due_before=now, limit=10_000):
        stored.set_notice_state(connection, row["id"], "escalated", escalated=now)
        record(connection, at=now, kind="notice-overdue", org=row["org"], detail={
            "notice": row["id"], "deadline": from_microseconds(row["deadline"]), "step": "escalated",
        })
        send(connection, [_to_operator(row, operator) for operator in told if operator != row["org"]], now)
        steps.append(f"escalated: {row['id']} to {row['org']}")
    period = duties.number("escalation-days", now) * DAY
    for row in stored.list_notices(connection, states=("escalated",), due_before=now - period, limit=10_000):
        if not duties.duty(row["kind"], now).suspend or row["obligation"] == "follow-up":
            continue
        suspended = suspend_agreements(connection, row["org"], now)
        stored.set_notice_state(connection, row["id"], "suspended")
        record(connection, at=now, kind="notice-overdue", org=row["org"], detail={
            "notice": row["id"], "step": "suspended", "agreements": suspended,
        })
        steps.append(f"suspended: {row['org']} ({', '.join(suspended) or 'no agreement was active'})")
    return steps


def as_json(row: Mapping[str, Any]) -> dict[str, Any]:
    """A notice for people and programs."""
    return {
        "id": row["id"], "org": row["org"], "kind": row["kind"], "obligation": row["obligation"],
        "objects": json.loads(row["objects"]), "reason": row["reason"], "citation": row["citation"],
        "reference": row["reference"], "sent": from_microseconds(row["at"]),
        "deadline": None if row["deadline"] is None else from_microseconds(row["deadline"]),
        "state": row["state"],
        "escalated": None if row["escalated"] is None else from_microseconds(row["escalated"]),
    }


def _to_operator(row: Mapping[str, Any], operator: str) -> Notice:
    """What the operator is told of a recipient's silence; nothing is awaited but its own step."""
    objects = tuple(Affected(one["id"], tuple(one.get("versions", ()))) for one in json.loads(row["objects"]))
    return Notice(
        kind=row["kind"], org=operator, objects=objects, obligation="follow-up", deadline=None,
        reason=f"{row['org']} didn't say by {from_microseconds(row['deadline'])} that it did what its notice"
               f" {row['id']} asks.",
        citation=row["citation"], reference=f"overdue:{row['id']}",
    )
