"""A contributor whose volume or overturn rate jumps is held for a person's review; a stolen key is rolled back (R29).

On the way of a push this costs one statement in its transaction: the day's sum. What is usual for a contributor is
read once a day by each process.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from exchange.cases import effects
from exchange.cases.anomaly import OverturnLimits, VolumeLimits, limit_of_day, overturns_jumped
from exchange.cases.office import Office
from exchange.cases.posterior import Verdict
from exchange.errors import InputError, NotFoundError, UnprocessableError
from exchange.obligations.notice import Affected
from exchange.stix.statement import TYPES
from exchange.stix.timestamp import from_microseconds
from exchange.store import records as rows
from exchange.store.contests import organisation_of
from exchange.store.engine import gives_way, read, write
from exchange.store.events import record
from exchange.words import counted

_MOST_NAMED = 100
"""Objects that a notice of a hold names."""


class Quarantine:
    """Who is held, in one exchange."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._usual: dict[int, tuple[int, int | None]] = {}
        """Contributor to the day and how many objects that day may hold."""

    def count(self, connection: Any, org: str, contributor: int, feed: int, added: Sequence[tuple[int, str]], now: int
              ) -> bool:
        """Count a push's new objects ((date, id) each), inside its transaction; whether they are held for review."""
        total, state = rows.count_given(connection, contributor, now, len(added))
        if state is rows.DayState.HELD:
            rows.hold_rows(connection, feed, [seq for seq, _ in added])
            return True
        limit = self._limit(connection, contributor, now)
        if state is not rows.DayState.USUAL or limit is None or total <= limit:
            return False
        self._hold(connection, org, contributor, [stix_id for _, stix_id in added], now,
                   f"It gave {counted(total, 'object')} today; more than {limit} are unusual for it.")
        rows.hold_rows(connection, feed, [seq for seq, _ in added])
        return True

    def after_overturn(self, connection: Any, contributor: int, stix_id: str, now: int) -> None:
        """Hold a contributor whose overturn rate has jumped with the verdict that was just noted."""
        parameters = self._office.parameters
        limits = OverturnLimits(*(parameters[f"overturn-{name}", now]
                                  for name in ("days", "fewest", "times-usual", "percent")))
        verdicts = [Verdict(one.word == "confirmed", one.at) for one in rows.verdicts_on(connection, contributor)]
        if overturns_jumped(verdicts, now, limits):
            self._hold(connection, organisation_of(connection, contributor), contributor, [stix_id], now,
                       "The share of its objects that are overturned has jumped.")

    def list(self) -> list[dict[str, Any]]:
        """Every hold, open ones first."""
        with read(self._office.engine) as connection:
            return [{
                "number": one["number"], "org": one["org"], "since": from_microseconds(one["since"]),
                "reason": one["reason"], "outcome": one["outcome"] or "open", "by": one["by_person"],
            } for one in rows.holds(connection)]

    @gives_way
    def end(self, number: int, *, release: bool, person: str, now: int,
            hear: Callable[[Any, Sequence[bytes]], object] | None = None) -> int:
        """Release or reject what a hold holds back; gives the number of objects.

        Released objects get a new date, so that who follows the collection gets them; ``hear`` takes in, in the same
        transaction, what the opinions, sightings and notes among them say. Raises NotFoundError,
        UnprocessableError where it has ended.
        """
        outcome = "released" if release else "rejected"
        with write(self._office.engine) as connection:
            found = rows.holds(connection, number=number)
            if not found:
                raise NotFoundError(f"There is no hold {number}.", fix="cibx case held lists them.")
            hold = found[0]
            if hold["ended_at"] is not None:
                raise UnprocessableError(f"The hold {number} was ended already: {hold['outcome']}.")
            said = rows.held_bodies(connection, hold["contributor"], TYPES) if release and hear else []
            count = (rows.release_rows(connection, hold["contributor"], now) if release
                     else rows.reject_rows(connection, hold["contributor"]))
            rows.close_hold(connection, hold, now, outcome, person)
            record(connection, at=now, kind="volume-hold", org=hold["org"],
                   detail={"hold": number, "step": outcome, "objects": count})
            if said and hear:
                hear(connection, said)
        return count

    @gives_way
    def roll_back(self, org: str, since: int, *, person: str, now: int) -> tuple[int, int]:
        """Retract everything that an organisation pushed from a time on, and recall it from everyone who received it.

        Gives the numbers of versions and of organisations told. Raises InputError for an unknown contributor.
        """
        told: set[str] = set()
        retracted = 0
        with write(self._office.engine) as connection:
            contributor = rows.contributor_number(connection, org)
            if contributor is None:
                raise InputError(f"{org!r} has contributed nothing.", fix="cibx org list shows the members.")
            reference = f"rollback:{org}:{since}:{now}"
            for feed, pushed in rows.pushed_since(connection, contributor, since).items():
                retracted += len(pushed)
                told |= effects.recall_versions(connection, self._office, feed, contributor, pushed, now,
                                                reference=reference, person=person)
            record(connection, at=now, kind="rollback", org=org, detail={
                "since": from_microseconds(since), "versions": retracted, "told": len(told)})
        return retracted, len(told)

    def _limit(self, connection: Any, contributor: int, now: int) -> int | None:
        day = now // rows.DAY
        known = self._usual.get(contributor)
        if known is None or known[0] != day:
            parameters = self._office.parameters
            limits = VolumeLimits(parameters["history-days", now], parameters["times-usual", now],
                                  parameters["objects-per-day", now])
            known = day, limit_of_day(rows.usual_days(connection, contributor, now), limits)
            self._usual[contributor] = known
        return known[1]

    def _hold(self, connection: Any, org: str, contributor: int, ids: Sequence[str], now: int, reason: str) -> None:
        """Hold the contributor, and say so to it and to who runs the exchange: never a silent drop."""
        number = rows.open_hold(connection, contributor, now, reason)
        record(connection, at=now, kind="volume-hold", org=org, detail={"hold": number, "step": "held"})
        told = dict.fromkeys([org, *self._office.members().operators()])
        effects.tell(connection, self._office, list(told), [Affected(i) for i in ids[:_MOST_NAMED]], now,
                     kind="restriction", reference=f"hold:{number}", obligation="wait",
                     reason=f"New objects of {org} wait for a person's review (hold {number}). {reason}")
