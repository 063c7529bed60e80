"""Why an organisation may, or may not, see an object at a time: from the same facts as the server decides on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from exchange.errors import InputError, NotFoundError
from exchange.governance.disclosure import for_recipient, known_under
from exchange.governance.gone import Asker, Records, Then
from exchange.governance.in_force import PolicyInForce
from exchange.model.access import may_read
from exchange.model.party import Collection, Credential, Directory, Organisation
from exchange.model.state import State
from exchange.policy.decide import Reason
from exchange.policy.explain import Explanation, Standing, explain
from exchange.policy.label import profile_facts
from exchange.policy.packs import Packs
from exchange.policy.rule import Finding
from exchange.stix.redact import PROVIDER, Original, derive
from exchange.stix.timestamp import from_microseconds
from exchange.store.directory import meta_value
from exchange.store.directory_history import directory_at
from exchange.store.engine import read
from exchange.store.ledger import Ledger
from exchange.store.standing import Row, has_given, ids_of, is_held, rows_of, was_told

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_DEEPEST = 3
_UNKNOWN = "There is no such object."


@dataclass(frozen=True)
class Question:
    """Why may ``org`` see the object, for a purpose, as a person or a service, at a time (microseconds)?"""

    object: str
    org: str
    at: int
    purpose: str | None = None
    """None: that of its credentials, where they all have one and the same."""
    person: str | None = None
    collection: str | None = None
    """Id of the one collection that is asked about."""
    encrypted: bool = True


@dataclass(frozen=True)
class Answer:
    """One version of the object, explained."""

    row: Row
    org: str
    purpose: str | None
    at: int
    standing: Standing
    explanation: Explanation
    shown: bool
    """Whether it is what a pull at that moment gives: released, and no other version or claim goes before it."""
    released_as: str | None = None
    """Id of the derived object that leaves in its place, where parts are withheld."""

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        row, standing = self.row, self.standing
        return {
            "object": row.stix_id if standing.state is not State.ERASED else None,
            "collection": row.collection, "producer": row.contributor, "added": from_microseconds(row.seq),
            "version": row.version_text or (row.version + "Z" if row.version else None),
            "for": self.org, "purpose": self.purpose, "at": from_microseconds(self.at),
            **self.explanation.as_json(), "shown": self.shown, "released_as": self.released_as,
            "state": {
                "state": standing.state.name.lower(), "legal_hold": standing.legal_hold,
                "not_before": standing.visible_from and from_microseconds(standing.visible_from),
                "until": standing.visible_until and from_microseconds(standing.visible_until),
                "received_before": standing.received_before,
            },
            "references": [{"id": ref, "visible": seen} for ref, seen in standing.refs],
        }


@dataclass
class Explanations:
    """Answers from the store; ``directory`` is the present one, ``now`` the present time (microseconds)."""

    engine: Engine
    policy: PolicyInForce
    directory: Directory
    now: int
    _seen: dict[tuple[str, int], bool] = field(default_factory=dict)

    def ask(self, question: Question) -> dict[str, list[dict[str, Any]]]:
        """Everything, as an auditor is told it: ``explanations`` and ``gone``, as ``told`` has them."""
        return self.told(question, org=question.org, audit=True, recipient=False, pulls=False)

    def told(
        self, question: Question, *, org: str, audit: bool, recipient: bool, pulls: bool
    ) -> dict[str, list[dict[str, Any]]]:
        """What organisation ``org`` may be told, as plain values: all for an auditor, of its own objects, and about
        itself of what it received. ``explanations``: every version that was there, newest first in each collection;
        ``gone``: those without content now, when they were there and why they went.

        ``recipient``: the caller's credential reads, and the question is of its own organisation and person.
        ``pulls``: it is besides what that credential would be given now, so that it may be told of what it could
        pull as well. Raises NotFoundError, as for an unknown id, where nothing is left (P16), InputError for an unknown
        organisation or a time before the history.
        """
        told = [
            answer.as_json() if whole else for_recipient(answer, question.object)
            for answer in self._asked_of(question, None if audit or recipient else org)
            if (whole := audit or (answer.row.contributor == org and answer.row.stix_id == question.object))
            or (recipient and self._may_know(answer, question, pulls))
        ]
        gone = self._gone(question, Asker(org, audit, recipient))
        if not told and not gone:
            raise NotFoundError(_UNKNOWN)
        return {"explanations": told, "gone": gone}

    def _gone(self, question: Question, asker: Asker) -> list[dict[str, Any]]:
        with read(self.engine) as connection:
            then = _Then(connection, self, question).decides
            return Records(connection, Ledger(self.engine), question.object, question.org, then).told(
                asker, question.collection)

    def _asked_of(self, question: Question, producer: str | None) -> list[Answer]:
        """The answers on the object of that id, or on those of which the derived object of that id was made.

        ``producer``: only where this organisation gave a version; of others' objects nothing is looked up (P16).
        """
        with read(self.engine) as connection:
            then = _Then(connection, self, question)
            ids = ids_of(connection, Ledger(self.engine).made_of([question.object])) or [question.object]
            return [answer for stix_id in ids for answer in then.answers(stix_id, 0, producer)]

    def _may_know(self, answer: Answer, question: Question, pulls: bool) -> bool:
        with read(self.engine) as connection:
            receipts = Ledger(self.engine).recipients(connection, answer.row.feed, [answer.row.seq])
            return known_under(connection, answer, question.object, shown=pulls and answer.shown,
                               received=any(receipt.org == question.org for receipt in receipts))


class _Then:
    """The exchange as it was at the moment of one question."""

    def __init__(self, connection: Connection, asked: Explanations, question: Question) -> None:
        self._connection, self._question, self._policy = connection, question, asked.policy
        self._directory = self._directory_then(asked)
        organisation = self._directory.organisations.get(question.org)
        if organisation is None:
            raise InputError(f"There is no organisation {question.org!r} in the directory of that time.",
                             fix="cibx org list shows those of now.")
        self._organisation: Organisation = organisation
        self._packs = self._packs_then(asked)
        purpose = question.purpose or _purpose(self._directory, organisation)
        self.purpose = purpose
        credential = Credential(id="-", org=organisation.id, digest="", purpose=purpose, person=question.person)
        self._at = from_microseconds(question.at)
        self._profile = profile_facts(organisation, credential, purpose=purpose, at=self._at, packs=self._packs,
                                      encrypted=question.encrypted).text

    def _directory_then(self, asked: Explanations) -> Directory:
        if self._question.at >= asked.now:
            return asked.directory
        kept = directory_at(self._connection, self._question.at)
        if kept is None:
            raise InputError("The directory's history doesn't go back to that time.",
                             fix="Ask for a later time; the history begins with the first start.")
        built_in = {name: c for name, c in asked.directory.collections.items() if name not in kept.collections}
        return replace(kept, collections={**built_in, **kept.collections})

    def _packs_then(self, asked: Explanations) -> Packs:
        org = self._question.org
        if self._question.at >= asked.now:
            return self._policy.of(org)
        packs = self._policy.at(org, self._question.at)
        if packs is None:
            raise InputError("No policy version was in force at that time yet.",
                             fix="Ask for a later time; versions begin with the first start.")
        return packs

    @property
    def decides(self) -> Then:
        """Time, profile and packs."""
        return Then(self._question.at, self._profile, self._packs)

    def answers(self, stix_id: str, depth: int, producer: str | None = None) -> Iterator[Answer]:
        """The versions of an object, each with whether a pull shows it; none where ``producer`` gave none of them."""
        if producer is not None and not has_given(self._connection, stix_id, producer):
            return
        rows = [row for row in rows_of(self._connection, stix_id, self._question.at)
                if row.body or row.state is State.ERASED]  # of what else has no content nothing could be decided
        if depth == 0 and self._question.collection is not None:
            rows = [row for row in rows if row.collection == self._question.collection]
        found = [self._answer(row, depth) for row in rows]
        for answer in found:
            yield replace(answer, shown=answer.shown and not any(_goes_before(o.row, answer.row) for o in found
                                                                  if o.shown))

    def _answer(self, row: Row, depth: int) -> Answer:
        obj = json.loads(row.body) if row.state is not State.ERASED and row.body else {}
        standing = Standing(
            state=row.state, visible_from=row.visible_from, visible_until=row.visible_until,
            # Of an erased object not even a stub is left: its notice is what tells an earlier recipient.
            received_before=row.state is State.REVOKED and was_told(self._connection, row.number, self._question.org),
            legal_hold=is_held(self._connection, str(obj.get("id", "")), row.contributor, self._question.at),
            refs=tuple((ref, self._sees(ref, depth)) for ref in row.refs), type=obj.get("type"),
            fields=(*obj, PROVIDER) if obj else (),  # a pull leaves the provider out of whatever bears it
        )
        collection = self._directory.collections.get(row.collection)
        further = () if collection is not None and self._reads(collection) else (_NOT_READABLE,)
        explained = explain(row.label, self._profile, self._packs, self._question.at, standing, further)
        form = None
        if explained.outcome == "redacted" and explained.decision.redact != _STUB:
            form = self._form(row, standing, explained.decision.redact)
            if form is None:
                explained = explain(row.label, self._profile, self._packs, self._question.at, standing, (_NO_FORM,))
        return Answer(row, self._question.org, self.purpose, self._question.at, standing, explained,
                      shown=explained.decision.decision != "deny", released_as=form)

    def _form(self, row: Row, standing: Standing, parts: tuple[str, ...]) -> str | None:
        """The id of the derived object that would leave (P21); None: what is left wouldn't be a valid object."""
        original = Original(row.body, row.feed, row.contributor_number, row.claim)
        hidden = [ref for ref, seen in standing.refs if not seen]
        own = [part for part in parts if part not in hidden]
        derived = derive(original, own, hidden, meta_value(self._connection, "redaction.secret"))
        return None if derived is None else derived.id

    def _sees(self, stix_id: str, depth: int) -> bool:
        """Whether the recipient sees any version of an object that is referred to."""
        return depth < _DEEPEST and any(answer.shown for answer in self.answers(stix_id, depth + 1))

    def _reads(self, collection: Collection) -> bool:
        return may_read(collection, self._organisation, self._at)


_NOT_READABLE = Reason("P4", "A collection is for its readers", "Rules of the exchange, P4", Finding(
    "collection-not-readable", "the organisation isn't among the readers of the collection",
    "to be named there, or to be an active member of a group that is"))

_NO_FORM = Reason("P21", "What is left is a valid object", "Rules of the exchange, P21; STIX 2.1, 3.5", Finding(
    "required-field-withheld", "what would be withheld can't be left out of a valid object",
    "parts that the object can be without"))
_STUB = ("*content",)


def _goes_before(other: Row, row: Row) -> bool:
    """Whether a pull shows the other row instead: a newer version of the same claim, or an older claim."""
    if other.number == row.number or other.feed != row.feed:
        return False
    if other.claim == row.claim:
        return other.version > row.version
    return other.claim < row.claim


def _purpose(directory: Directory, organisation: Organisation) -> str | None:
    """The one purpose of its credentials that read; the first of its agreements' where there are several."""
    purposes = {c.purpose for c in directory.credentials.values()
                if c.org == organisation.id and "read" in c.scopes and not c.revoked}
    if len(purposes) == 1:
        return purposes.pop()
    return next((purpose for row in organisation.agreements for purpose in row.purposes), None)
