"""What a recipient may be told of an explanation: what it received, by the id it knows, and nothing that was withheld.

The producer and the auditor are told everything. A recipient knows an object by one id, its own or that of the
derived form in which it left (P21); of what was left out of it, hidden references among it, it is told no more
than the form itself says (P16, P20).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from exchange.stix.redact import PROVIDER, REFERENCES
from exchange.store.states import orgs_granted_whole

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from exchange.governance.explanation import Answer

_HIDDEN_CODE = "references-withheld"
_RED = "tlp-red"
_SOME_HIDDEN = "not every reference is visible to the reader"


def known_under(connection: Connection, answer: Answer, asked: str, *, shown: bool, received: bool) -> bool:
    """Whether the recipient that the answer is for knows the object by the id that it asked with.

    ``shown``: a pull at this moment would give it to the caller; ``received``: one gave it to its organisation.
    """
    if not (shown or received) or any(r.finding.code == _RED for r in answer.explanation.decision.explain):
        return False  # what a named person received is nothing to the rest of the organisation (P3)
    if answer.released_as is not None:
        return asked == answer.released_as
    obj = {} if not answer.row.body else json.loads(answer.row.body)
    if asked != answer.row.stix_id:
        return False
    if shown:
        return True
    in_part = "object_refs" in obj and any(not seen for _, seen in answer.standing.refs)
    return not in_part and answer.org in orgs_granted_whole(connection, [answer.row.label_number])


def for_recipient(answer: Answer, asked: str) -> dict[str, Any]:
    """The answer as plain values without what the recipient's form of the object leaves out."""
    told = answer.as_json()
    withheld = set(told["withheld"])
    words = {ref: REFERENCES for ref, seen in answer.standing.refs if not seen}
    if PROVIDER in withheld:
        words[answer.row.contributor] = PROVIDER
    told["references"] = [ref for ref in told["references"] if ref["visible"]]
    for reason in told["reasons"]:
        if reason["code"] == _HIDDEN_CODE:
            reason["found"] = _SOME_HIDDEN
    if answer.standing.state.name != "ERASED":
        words[answer.row.stix_id] = asked
    masked: dict[str, Any] = _masked(told, words)
    return masked


def _masked(value: Any, words: Mapping[str, str]) -> Any:
    """Every text that contains one of the words, with the other in its place; lists name it once."""
    if isinstance(value, str):
        for secret, word in words.items():
            value = value.replace(secret, word)
        return value
    if isinstance(value, Mapping):
        return {name: _masked(item, words) for name, item in value.items()}
    if isinstance(value, list | tuple | frozenset | set):
        return _once([_masked(item, words) for item in value])
    return value


def _once(items: Collection[Any]) -> list[Any]:
    found: list[Any] = []
    for item in items:
        if item not in found:
            found.append(item)
    return found
