"""The room joined for one exchange: contests, disputes, records, held contributors, emergencies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from exchange.cases.contest import Actor
from exchange.cases.contests import Contests, Opening
from exchange.cases.disputes import Disputes
from exchange.cases.emergencies import Emergencies
from exchange.cases.office import Known, Members, Office
from exchange.cases.quarantine import Quarantine
from exchange.cases.records import Records
from exchange.model.party import Directory, Organisation
from exchange.obligations.means import Means
from exchange.policy.packs import Packs
from exchange.stix.statement import TYPES
from exchange.store.objects import ObjectQueries, Reader


class Pushed(NamedTuple):
    """One object that a push has just added."""

    stix_id: str
    type: str
    seq: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Taken:
    """What a push's new objects meant here."""

    held: bool = False
    """They wait for a person's review."""
    records_changed: bool = False


class Docket:
    """Everything of this room, made once for each process."""

    def __init__(self, engine: Any, queries: ObjectQueries, policy: Callable[[], Packs],
                 directory: Callable[[], Directory], means: Callable[[], Means], feed_of: Callable[[str], int],
                 made_of: Callable[[int, Reader, Sequence[str]], Mapping[str, Known]]) -> None:
        """``feed_of`` gives the number of a collection, 0 where nothing was pushed to it yet."""
        self._office = Office(engine, queries, policy, directory, means, made_of)
        self._feed_of = feed_of
        self.disputes = Disputes(self._office)
        self.quarantine = Quarantine(self._office)
        self.records = Records(self._office)
        self.contests = Contests(self._office, self.disputes, self.quarantine, self.records.read_values)
        self.emergencies = Emergencies(self._office)

    def members(self) -> Members:
        """Who takes part now."""
        return self._office.members()

    def open_contest(self, actor: Actor, opening: Opening, reader: Reader, now: int) -> str:
        """Open a contest; gives its id (``Contests.open``)."""
        return self.contests.open(actor, opening, self._feed_of(opening.collection), reader, now)

    def standing(self, stix_id: str, collections: Sequence[str], reader: Reader, now: int) -> dict[str, Any]:
        """How far an object may be relied on (``Records.standing``)."""
        return self.records.standing(stix_id, collections, self._feed_of, reader, now)

    def pushed(self, connection: Any, organisation: Organisation, contributor: int, feed: int, added: Sequence[Pushed],
               reader: Reader) -> Taken:
        """Take in what a push added, in its transaction: its volume, and what it says of others' objects.

        One statement for each push, and nothing for objects that say nothing of others.
        """
        if not added:
            return Taken()
        if self.quarantine.count(connection, organisation.id, contributor, feed,
                                 [(one.seq, one.stix_id) for one in added], reader.now):
            return Taken(held=True)
        said = [one.body for one in added if one.type in TYPES]
        if not said:
            return Taken()
        return Taken(records_changed=self.disputes.hear(
            connection, organisation, said, reader, self._feed_of, reader.now))

    def end_hold(self, number: int, reader_of: Callable[[Organisation], Reader | None], *, release: bool, person: str,
                 now: int) -> int:
        """End the hold of a contributor (``Quarantine.end``); what it said of others' objects is heard on release.

        ``reader_of`` gives what an organisation sees: of what it can't see it says nothing.
        """
        org = next((one["org"] for one in self.quarantine.list() if one["number"] == number), "")
        organisation = self.members().organisation(org)
        reader = reader_of(organisation) if organisation is not None and organisation.active else None

        def hear(connection: Any, said: Sequence[bytes]) -> None:
            """What the released statements say is taken in, in the release's transaction."""
            if organisation is not None and reader is not None:
                self.disputes.hear(connection, organisation, said, reader, self._feed_of, now)

        return self.quarantine.end(number, release=release, person=person, now=now, hear=hear)

    def withdrawn(self, connection: Any, org: str, stix_id: str, now: int) -> None:
        """An organisation withdrew an object: what it said by it is taken back, in the same transaction."""
        self.disputes.take_back(connection, org, stix_id, now)
