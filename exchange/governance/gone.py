"""What is told of an object that isn't there any more: that it was, from when until when, and why it went; no content.

The producer and the auditor are told of every version. A recipient is told of what it received, by the id under which
it knows it (P16, P21), and of nothing that only a named person of it received (P3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exchange.policy.explain import Standing, explain
from exchange.stix.timestamp import from_microseconds
from exchange.store.gone import Gone, gone_ids, gone_of
from exchange.store.standing import ids_of
from exchange.store.states import label_facts_of, orgs_granted_whole

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from exchange.policy.packs import Packs
    from exchange.store.ledger import Ledger

_RED = "tlp-red"
_MOST_TOLD = 100
"""Deliveries of one version that an answer names."""
_WHY: Mapping[str, str] = {
    "deleted": "Its contributor deleted it.",
    "erased": "It was erased: its content is gone for good, and who received it was told to delete it.",
    "retention-ended": "The time for which it might be kept ended, and its content was wiped.",
}


@dataclass(frozen=True)
class Asker:
    """Who asks of whom: ``recipient`` where a credential that reads asks of its own organisation and person."""

    org: str
    audit: bool
    recipient: bool


@dataclass(frozen=True)
class Then:
    """What decides at the moment of the question: ``at`` in microseconds, the profile's canonical facts, the packs."""

    at: int
    profile: str
    packs: Packs


@dataclass(frozen=True)
class Records:
    """Where is looked, for one question on ``asked`` (an id) of organisation ``of``."""

    connection: Connection
    ledger: Ledger
    asked: str
    of: str
    then: Then

    def told(self, asker: Asker, collection: str | None) -> list[dict[str, Any]]:
        """One plain value for each version that the asker may know of, newest first."""
        numbers = self.ledger.made_of([self.asked])
        ids = {self.asked, *gone_ids(self.connection, numbers), *ids_of(self.connection, numbers)}
        told = []
        giver = None if asker.audit or asker.recipient else asker.org  # of others' objects nothing is looked up
        for gone in (one for stix_id in sorted(ids) for one in gone_of(self.connection, stix_id, self.then.at, giver)):
            if collection not in (None, gone.collection):
                continue
            whole = asker.audit or (gone.contributor == asker.org and gone.stix_id == self.asked)
            receipts = self._receipts(gone)
            if whole or (receipts and self._knows(gone)):
                told.append(self._as_json(gone, receipts, whole=whole))
        return told

    def _receipts(self, gone: Gone) -> Sequence[int]:
        """When the organisation that is asked about received the version, the first times."""
        found = self.ledger.recipients(self.connection, gone.feed, [gone.seq])
        return sorted({receipt.at for receipt in found if receipt.org == self.of})[:_MOST_TOLD]

    def _knows(self, gone: Gone) -> bool:
        """Whether it knows the version by the id that was asked with."""
        if gone.label is None or gone.number is None:
            return False
        label = label_facts_of(self.connection, [gone.label])[gone.label]
        explained = explain(label, self.then.profile, self.then.packs, self.then.at, Standing())
        if any(reason.finding.code == _RED for reason in explained.decision.explain):
            return False
        forms = self.ledger.forms_of([gone.number]).get(gone.number, ())
        if forms:  # which of them this organisation got isn't kept: who knows the id of one got it
            return self.asked in forms
        return self.asked == gone.stix_id and self.of in orgs_granted_whole(self.connection, [gone.label])

    def _as_json(self, gone: Gone, receipts: Sequence[int], *, whole: bool) -> dict[str, Any]:
        there = gone.seq <= self.then.at and (gone.at is None or self.then.at < gone.at)
        return {
            "object": self.asked, "collection": gone.collection, "version": gone.version,
            **({"producer": gone.contributor, "reference": gone.reference} if whole else {}),
            "added": from_microseconds(gone.seq), "until": None if gone.at is None else from_microseconds(gone.at),
            "was_there": there if gone.at is not None else None,
            "received": [from_microseconds(at) for at in receipts], "why": gone.why, "sentence": _WHY[gone.why],
        }
