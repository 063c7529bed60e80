"""What the outcome of a case does: states, verdicts, and notices that carry it to every recipient (R27)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from exchange.cases.contest import Actor
from exchange.cases.office import Office
from exchange.model.state import State
from exchange.obligations import taken_back
from exchange.obligations.notice import Affected, Kind, Notice, Obligation
from exchange.obligations.send import send
from exchange.obligations.states import affected_of, change_state
from exchange.obligations.transitions import By
from exchange.stix.timestamp import from_microseconds
from exchange.store import states as stored
from exchange.store.contests import Given, collection_of, given_objects, organisation_of
from exchange.store.events import record
from exchange.store.notices import acknowledgements, list_notices
from exchange.store.records import PushedRow

_HOUR = 3_600_000_000
_AWAITED: frozenset[Obligation] = frozenset({"delete", "stop-using", "correct", "confirm"})
"""What a recipient confirms."""
_CITATION = "R27; GDPR Art. 19"
_RULES = "exchange"
"""Who acts where a rule does, and no person."""


def tell(connection: Any, office: Office, orgs: Sequence[str], objects: Sequence[Affected], now: int, *, kind: Kind,
         obligation: Obligation, reference: str, reason: str) -> None:
    """Send one notice to each organisation; what asks to undo something has a deadline."""
    deadline = now + office.parameters["undo-hours", now] * _HOUR if obligation in _AWAITED else None
    send(connection, [
        Notice(kind=kind, org=org, objects=tuple(objects), reason=reason, obligation=obligation, deadline=deadline,
               citation=_CITATION, reference=reference)
        for org in orgs
    ], now)


def recipients(connection: Any, office: Office, feed: int, seqs: Sequence[int], but: str) -> dict[str, set[int]]:
    """Who received which of a collection's versions, the contributor itself apart."""
    found: dict[str, set[int]] = {}
    for receipt in office.means().recipients(connection, feed, seqs):
        if receipt.org != but:
            found.setdefault(receipt.org, set()).add(receipt.seq)
    return found


def change(connection: Any, office: Office, given: Given, to: State, now: int, *, reason: str, by: By | None = None
           ) -> None:
    """Change the state of an object in its collection, where it isn't in that state already."""
    if given.state == to:
        return
    org, collection = organisation_of(connection, given.producer), collection_of(connection, given.feed)
    change_state(connection, office.means(), given.stix_id, org, to, reason=reason,
                 by=by or By(_RULES, "case", _RULES), now=now, collection=collection, citation=_CITATION)


@dataclass(frozen=True)
class Outcome:
    """One step of one contest as it takes effect on an object."""

    case: str
    feed: int
    producer: int
    actor: Actor
    now: int

    def restrict(self, connection: Any, office: Office, stix_id: str) -> None:
        """Meanwhile its producer alone sees the object (GDPR Art. 18)."""
        given = self._given(connection, stix_id)
        if given is not None:
            self._change(connection, office, given, State.RESTRICTED, "It is contested.")

    def stand(self, connection: Any, office: Office, stix_id: str, *, corrected: bool, restricted: bool) -> None:
        """The object stands, as it was or in its new version; who received it is told.

        ``restricted``: the contest had restricted it; a restriction of somebody else's stays.
        """
        given = self._given(connection, stix_id)
        if given is None:
            return
        words = "Contested and corrected" if corrected else "Contested and upheld"
        if given.state == State.DISPUTED or (restricted and given.state == State.RESTRICTED):
            self._change(connection, office, given, State.ACTIVE, words + ".")
        self._tell(connection, office, given, "rectification" if corrected else "dispute",
                   "correct" if corrected else "use-again",
                   f"{words}: " + ("use the new version." if corrected else "the object stands."))
        tell(connection, office, [organisation_of(connection, given.producer)], [Affected(stix_id)], self.now,
             kind="dispute", obligation="know", reference=self.case, reason=f"{words}: the contest has ended.")

    def reverse(self, connection: Any, office: Office, stix_id: str, *, erase: bool) -> None:
        """The object goes for all; every recipient confirms what it had led to."""
        given = self._given(connection, stix_id)
        if given is None:
            return
        self._tell(connection, office, given, "recall", "confirm",
                   "Contested and reversed: undo what you did on the ground of it, and say what that was.")
        self._change(connection, office, given, State.ERASED if erase else State.REVOKED, "Contested and reversed.")

    def _given(self, connection: Any, stix_id: str) -> Given | None:
        found = given_objects(connection, stix_id, feed=self.feed, producer=self.producer)
        return found[0] if found and found[0].state not in (State.REVOKED, State.ERASED) else None

    def _change(self, connection: Any, office: Office, given: Given, to: State, reason: str) -> None:
        by = By(self.actor.org, "case", self.case)
        change(connection, office, given, to, self.now, reason=f"{reason} ({self.case})", by=by)

    def _tell(self, connection: Any, office: Office, given: Given, kind: Kind, obligation: Obligation, reason: str
              ) -> None:
        """Tell everyone who received any version, by the ids under which they know it."""
        org = organisation_of(connection, given.producer)
        owned = stored.find_owned(connection, given.stix_id, org=org, collection=collection_of(connection, given.feed))
        for receiver, things in affected_of(connection, office.means(), owned).items():
            tell(connection, office, [receiver], things, self.now, kind=kind, obligation=obligation,
                 reference=self.case, reason=reason)


def recall_versions(connection: Any, office: Office, feed: int, contributor: int, pushed: Sequence[PushedRow], now: int,
                    *, reference: str, person: str) -> frozenset[str]:
    """Revoke versions of a contributor and recall them from everyone who received them; gives those organisations."""
    org, collection = organisation_of(connection, contributor), collection_of(connection, feed)
    seqs = {row.seq for row in pushed if row.state not in (State.REVOKED, State.ERASED)}
    revoked: dict[int, stored.Version] = {}
    for stix_id in dict.fromkeys(row.stix_id for row in pushed):
        for owned in stored.find_owned(connection, stix_id, org=org, collection=collection):
            hit = [version for version in owned.versions if version.seq in seqs]
            if not hit:
                continue
            stored.add_change(connection, owned, at=now, before=owned.state, after=State.REVOKED,
                              by=(_RULES, "officer", person), reason="Rolled back.", citation=_CITATION)
            stored.set_state(connection, hit, State.REVOKED)
            office.means().note(connection, taken_back.recalled(
                now, org, collection, stix_id, [version.version for version in hit]))
            revoked |= {version.seq: version for version in hit}
    told = recipients(connection, office, feed, sorted(revoked), org)
    for receiver, received in sorted(told.items()):
        affected: dict[str, list[str]] = {}
        for row in pushed:
            if row.seq in received:
                affected.setdefault(row.stix_id, []).append(revoked[row.seq].version)
                stored.add_recipients(connection, revoked[row.seq], [receiver])
        tell(connection, office, [receiver], [Affected(i, tuple(v)) for i, v in affected.items()], now,
             kind="recall", obligation="stop-using", reference=reference,
             reason="All that its contributor pushed in this time is retracted.")
    record(connection, at=now, kind="state", org=org, detail={
        "collection": collection, "to": "revoked", "versions": len(revoked), "reference": reference})
    return frozenset(told)


def acknowledged(connection: Any, reference: str) -> list[dict[str, Any]]:
    """Which recipients of an outcome answered, and what they say they undid."""
    return [{
        "org": notice["org"], "kind": notice["kind"], "obligation": notice["obligation"], "state": notice["state"],
        "answers": [_answer(one) for one in acknowledgements(connection, notice["id"])],
    } for notice in list_notices(connection, reference=reference)]


def _answer(row: Any) -> dict[str, Any]:
    return {"at": from_microseconds(row["at"]), "done": bool(row["done"]), "statement": row["statement"]}
