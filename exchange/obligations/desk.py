"""The room joined for one exchange: what the web, the command line and pushes ask of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from exchange.errors import ExchangeError, InputError, NotFoundError
from exchange.model.party import Directory
from exchange.model.state import State
from exchange.obligations import holds, news, put_aside, sweep, taken_back, told_by_reports
from exchange.obligations.answers import AWAITED, acknowledge, as_json
from exchange.obligations.duties import duties_of
from exchange.obligations.means import Means, Recipients
from exchange.obligations.seal import Seal
from exchange.obligations.states import Changed, change_state
from exchange.obligations.transitions import By, state_word
from exchange.policy.packs import Packs
from exchange.stix.timestamp import from_microseconds
from exchange.store import holds as stored_holds
from exchange.store import notices as stored_notices
from exchange.store import states as stored
from exchange.store.engine import gives_way, read, write
from exchange.store.erasures import settle

_LOG = logging.getLogger("exchange.obligations")
_LONGEST_REASON = 2_000


@dataclass(frozen=True)
class Desk:
    """Obligations of one exchange; ``engine`` is its store."""

    engine: Any
    packs: Callable[[], Packs]
    directory: Callable[[], Directory]
    recipients: Recipients
    forms: Callable[[Sequence[int]], Mapping[int, Sequence[str]]]
    seal: Callable[[], Seal]
    follow_change: Callable[[Any, Changed, int], None] = lambda connection, changed, now: None
    """What else a change of state means, in its transaction (microseconds)."""
    note: Callable[..., None] = lambda connection, *noted: None
    """As ``Means`` has it."""

    @property
    def means(self) -> Means:
        """What the packs in force ask now."""
        return Means(duties_of(self.packs()), self.recipients, self.forms, self.seal, self.note)

    def operators(self) -> list[str]:
        """Organisations that run the exchange."""
        return sorted(o.id for o in self.directory().organisations.values() if o.kind == "operator" and o.active)

    # -- states

    def change(
        self, stix_id: str, org: str, to: State, *, reason: str, by: By, now: int, collection: str | None = None,
        citation: str = "",
    ) -> Changed:
        """``change_state`` in a transaction of its own; after an erasure the files are cleaned too."""
        _check_reason(reason)
        means = self.means

        @gives_way
        def changed_in_store() -> Changed:
            """The change and what follows it, in one transaction."""
            with write(self.engine) as connection:
                changed = change_state(connection, means, stix_id, org, to, reason=reason, by=by, now=now,
                                       collection=collection, citation=citation)
                self.follow_change(connection, changed, now)
                return changed

        changed = changed_in_store()
        sweep.rescan(self.engine, means, now, first=changed.number)
        if to == State.ERASED:
            settle(self.engine, dead_rows=False)
            put_aside.wipe_everywhere(self.engine, [(org, stix_id)])
        return changed

    def erase_again(self, objects: Iterable[tuple[str, str, str]], *, reason: str, by: By, now: int) -> None:
        """Erase objects (contributor, collection, id) that a restored backup brought back, then clean the files.

        No server runs meanwhile, so nobody is looked for who pulled one at that moment.
        """
        means = self.means
        for org, collection, stix_id in objects:
            with write(self.engine) as connection:
                changed = change_state(connection, means, stix_id, org, State.ERASED, reason=reason, by=by, now=now,
                                       collection=collection)
                self.follow_change(connection, changed, now)
        settle(self.engine)

    def contributor(self, stix_id: str, org: str | None = None) -> str:
        """Whose object an id is: ``org`` if it shared it, else the only one who did.

        Raises NotFoundError where nobody did, InputError where several did.
        """
        with read(self.engine) as connection:
            found = sorted({owned.org for owned in stored.find_owned(connection, stix_id, org=org)})
            if not found and org is not None and stored.withdrawn_of(connection, stix_id, org):
                found = [org]
        if not found:
            raise NotFoundError(f"There is no object {stix_id[:200]!r}" + (f" of {org}." if org else "."))
        if len(found) > 1:
            raise InputError(f"Several organisations shared {stix_id[:200]}: {', '.join(found)}.",
                             fix="Name the one that is meant as contributor.")
        return found[0]

    def show(self, stix_id: str, org: str | None, now: int) -> list[dict[str, Any]]:
        """How an id's objects stand: collections, versions, states through time, holds."""
        with read(self.engine) as connection:
            held = {row["org"] for row in stored_holds.holds_on(connection, stix_id=stix_id, now=now)}
            return [
                {
                    "id": stix_id, "contributor": owned.org, "collection": owned.collection,
                    "state": state_word(owned.state), "legal_hold": owned.org in held,
                    "versions": [version.version for version in owned.versions],
                    "changes": [
                        {"at": from_microseconds(row["at"]), "from": state_word(State(row["before"])),
                         "to": state_word(State(row["after"])), "by": row["by_org"], "role": row["by_role"],
                         "key": row["by_key"], "reason": row["reason"], "citation": row["citation"],
                         "reference": f"state-change:{row['number']}"}
                        for row in stored.changes_of(connection, owned)
                    ],
                }
                for owned in stored.find_owned(connection, stix_id, org=org)
            ]

    # -- holds

    def hold(self, stix_id: str, org: str, *, reason: str, by: By, now: int, until: int | None = None) -> int:
        """Begin a legal hold; gives its number."""
        _check_reason(reason)
        with write(self.engine) as connection:
            self.note(connection, taken_back.hold(now, org, stix_id, until))
            return holds.hold(connection, self.means, stix_id, org, reason=reason, by=by, now=now, until=until)

    def release(self, stix_id: str, org: str, *, by: By, now: int) -> int:
        """End the legal holds on an object; gives how many."""
        with write(self.engine) as connection:
            count = holds.release(connection, stix_id, org, by=by, now=now)
            self.note(connection, taken_back.released(now, org, stix_id))
        settle(self.engine, dead_rows=False)
        return count

    # -- notices

    def notices(self, org: str | None = None, *, awaited: bool = False, overdue_at: int | None = None
                ) -> list[dict[str, Any]]:
        """Notices of one organisation or of all; those to which an answer is awaited, or overdue, alone."""
        states = AWAITED if awaited or overdue_at is not None else None
        with read(self.engine) as connection:
            rows = stored_notices.list_notices(connection, org=org, states=states, due_before=overdue_at)
        return [as_json(row) for row in rows]

    def notice(self, notice_id: str, org: str | None = None) -> dict[str, Any]:
        """One notice with its answers. Raises NotFoundError."""
        with read(self.engine) as connection:
            row = stored_notices.find_notice(connection, notice_id, org=org)
            if row is None:
                raise NotFoundError("There is no such notice.")
            answers = stored_notices.acknowledgements(connection, notice_id)
        return {**as_json(row), "answers": [
            {"at": from_microseconds(a["at"]), "done": bool(a["done"]), "statement": a["statement"], "by": a["by_key"]}
            for a in answers
        ]}

    def acknowledge(
        self, notice_id: str, *, org: str, key: str, done: bool, statement: str, now: int
    ) -> dict[str, Any]:
        """Keep an organisation's answer to its notice; gives the notice."""
        with write(self.engine) as connection:
            return acknowledge(connection, notice_id, org=org, key=key, done=done, statement=statement, now=now)

    # -- what pushes and deletes owe

    def pushed(
        self, connection: Any, org: str, key: str, collection: str, added: Sequence[news.Added], now: int
    ) -> None:
        """Tell recipients of what a push changed, in the push's transaction."""
        concerned = [one for one in added if news.concerns(one)]
        if concerned:
            news.tell(connection, self.means, org, key, collection, concerned, now)
        reports = [one for one in added if told_by_reports.concerns(one)]
        if reports:
            told_by_reports.settle(connection, self.means, org, key, collection, reports, now, self.follow_change)

    def newest_body(self, stix_id: str, org: str, collection: str) -> tuple[str, bytes] | None:
        """State (for people) and bytes of the newest version that an organisation gave of an object, if it did."""
        with read(self.engine) as connection:
            found = stored.find_owned(connection, stix_id, org=org, collection=collection)
            if not found:
                return None
            return state_word(found[0].state), stored.body_of(connection, found[0].versions[-1])

    def refuse_held(self, connection: Any, stix_id: str, org: str, now: int) -> None:
        """Raise ForbiddenError (legal-hold) where an object may not be deleted now."""
        holds.refuse_held(connection, stix_id, org, now)

    # -- time

    def sweep(self, now: int) -> list[str]:
        """Everything that is due; gives a line for each thing done."""
        return sweep.sweep(self.engine, self.means, self.operators, now)

    def follow(self, pause: Callable[[float], None], clock: Callable[[], int]) -> None:
        """Sweep each minute, in one of the processes that serve; ``pause`` takes seconds. Never returns."""
        while True:
            pause(sweep.EVERY_SECONDS)
            try:
                if sweep.take_turn(self.engine, clock()):
                    for line in self.sweep(clock()):
                        _LOG.info("swept: %s", line)
            except ExchangeError as fault:  # a full disk, a store that is away: the next minute tries again
                _LOG.warning("not swept: %s", fault)


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise InputError("The reason is missing.", fix="Say in a sentence why; recipients read it.")
    if len(reason) > _LONGEST_REASON:
        raise InputError(f"The reason has {len(reason)} characters; the most is {_LONGEST_REASON}.")
