"""Contests from opening to outcome: who may do what is ``contest.py``; here it is written and takes effect (R27)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import orjson

from exchange.cases import effects
from exchange.cases.about import campaign_class
from exchange.cases.contest import (
    ENDS,
    REVIEWS,
    Actor,
    Contest,
    Facts,
    Role,
    Stage,
    Step,
    open_contest,
    roles,
    take,
)
from exchange.cases.disputes import Disputes
from exchange.cases.emergencies import emergency_in
from exchange.cases.office import Known, Members, Office
from exchange.cases.parameters import HOUR
from exchange.cases.quarantine import Quarantine
from exchange.cases.repeated import is_repeated
from exchange.errors import ForbiddenError, NotFoundError, UnprocessableError
from exchange.model.state import State
from exchange.obligations.notice import Affected
from exchange.obligations.sweep import rescan
from exchange.stix.timestamp import from_microseconds
from exchange.store import contests as rows
from exchange.store.engine import gives_way, read, write
from exchange.store.erasures import settle
from exchange.store.events import record
from exchange.store.objects import Reader
from exchange.store.records import add_verdict

_MOST_OBJECTS = 100
_MOST_TEXT = 10_000
_DIGEST = re.compile(r"[0-9a-f]{64}")
_GONE = "There is no such object."
_SEES_OTHERS = frozenset({"operate", "audit", "review"})
_FULL_VIEW = frozenset({Role.REVIEWER, Role.OPERATOR, Role.AUDITOR})


@dataclass(frozen=True)
class Opening:
    """What somebody contests and why."""

    collection: str
    """Id of the collection."""
    objects: tuple[str, ...]
    """STIX ids."""
    grounds: str
    evidence: tuple[str, ...] = ()
    """Hex SHA-256 of each piece: commitments, never the evidence itself."""
    for_person: bool = False
    """The operator speaks for an affected person."""


class Contests:
    """Every contest of one exchange."""

    def __init__(self, office: Office, disputes: Disputes, quarantine: Quarantine,
                 read_values: Callable[[], object] = lambda: None) -> None:
        """``read_values`` brings the table of values nearer to what was pushed, before a verdict asks it."""
        self._read_values = read_values
        self._office = office
        self._disputes = disputes
        self._quarantine = quarantine

    @gives_way
    def open(self, actor: Actor, opening: Opening, feed: int, reader: Reader, now: int) -> str:
        """Open a contest of objects that the contester sees; the operator may for a person on any object.

        Raises UnprocessableError for what is no contest, NotFoundError for objects that the contester may not know
        of (P16), ForbiddenError where somebody but the operator speaks for a person.
        """
        _check_opening(opening)
        if opening.for_person and "operate" not in actor.scopes:
            raise ForbiddenError("Only the operator of the exchange contests on behalf of a person.")
        members = self._office.members()
        seen = None if opening.for_person else self._office.known(feed, reader, opening.objects)
        with write(self._office.engine) as connection:
            named = {(one := self._given(connection, feed, stix_id, seen)).stix_id: (one, stix_id)
                     for stix_id in opening.objects}
            given = [one for one, _ in named.values()]
            producers = {one.producer for one in given}
            if len(producers) > 1:
                raise UnprocessableError("The objects are of several contributors.", fix="Open a contest for each.")
            producer = rows.organisation_of(connection, producers.pop())
            hours = self._hours(connection, "answer-hours", opening.collection, now)
            contest = open_contest(actor, producer, members.group(producer), now, hours)
            made = f"case--{uuid4()}"
            rows.add_contest(connection, {
                "id": made, "opened_at": now, "feed": feed, "producer": given[0].producer, "contester": actor.org,
                "contester_person": actor.person, "for_person": opening.for_person, "grounds": opening.grounds,
                "evidence": orjson.dumps(opening.evidence).decode(), "stage": contest.stage, "restricted": False,
                "answer_due": contest.answer_due,
            }, [{"stix_id": one.stix_id, "campaign_class": campaign_class(orjson.loads(one.body)),
                 "known_as": "" if known_as == one.stix_id else known_as} for one, known_as in named.values()])
            self._note(connection, made, "open", Role.CONTESTER, actor, opening.grounds, now,
                       {"objects": list(opening.objects), "evidence": list(opening.evidence),
                        "collection": opening.collection, "for_person": opening.for_person})
            effects.tell(connection, self._office, [producer], [Affected(i) for i in named], now,
                         kind="dispute", obligation="answer", reference=made,
                         reason=f"These objects are contested; answer by {from_microseconds(contest.answer_due)}.")
        return made

    def take(self, actor: Actor, contest: str, step: Step, statement: str, now: int, *, erase: bool = False) -> None:
        """Take one step of a contest; what it decides takes effect in the same transaction.

        ``erase``: a reversal wipes the objects instead of revoking them. Raises NotFoundError for who isn't a party,
        ForbiddenError and UnprocessableError as ``contest.take``.
        """
        if len(statement) > _MOST_TEXT or not statement.strip():
            raise UnprocessableError(f"A step needs a statement of 1 to {_MOST_TEXT} characters.")
        if step in REVIEWS:
            self._read_values()
        self._take(actor, contest, step, statement, now, erase=erase)
        if step in REVIEWS or step is Step.RESTRICT:
            rescan(self._office.engine, self._office.means(), now)  # pages that were under way meanwhile
        if erase:
            settle(self._office.engine)

    @gives_way
    def _take(self, actor: Actor, contest: str, step: Step, statement: str, now: int, *, erase: bool) -> None:
        members = self._office.members()
        with write(self._office.engine) as connection:
            row, before = self._known(connection, members, actor, contest, lock=True)
            corrected = step is Step.CORRECT and self._corrected(connection, row)
            after = take(before, step, actor, now, Facts(corrected=corrected))
            values: dict[str, Any] = {
                "stage": after.stage, "restricted": after.restricted, "answered_at": after.answered_at,
                "answerer": after.answerer, "ended_at": after.ended_at,
            }
            if after.stage is Stage.ANSWERED and row["review_due"] is None:
                hours = self._hours(connection, "review-hours", rows.collection_of(connection, row["feed"]), now)
                values["review_due"] = now + hours * HOUR
            if after.reviewer is not None:
                values |= {"reviewer": actor.org, "reviewer_person": actor.person}
            rows.change_contest(connection, contest, values)
            self._note(connection, contest, step, _role_of(step, roles(before, actor)), actor, statement, now,
                       {"stage": after.stage, "erase": erase})
            self._take_effect(connection, row, step, actor, now, erase=erase)

    def show(self, actor: Actor, contest: str, now: int) -> dict[str, Any]:
        """A contest as a party sees it. Raises NotFoundError for everybody else (P16)."""
        members = self._office.members()
        with read(self._office.engine) as connection:
            row, known = self._known(connection, members, actor, contest)
            return self._shown(connection, row, known, actor, now, whole=True)

    def list(self, actor: Actor, now: int, *, unfinished: bool = False) -> list[dict[str, Any]]:
        """The contests that the caller is a party of, newest first."""
        members = self._office.members()
        party = actor.org if _SEES_OTHERS.isdisjoint(actor.scopes) else None
        with read(self._office.engine) as connection:
            found = []
            for row in rows.list_contests(connection, party=party, unfinished=unfinished):
                known = _contest(members, row)
                if roles(known, actor):
                    found.append(self._shown(connection, row, known, actor, now, whole=False))
            return found

    # -- what is known

    def _given(
        self, connection: Any, feed: int, stix_id: str, seen: Mapping[str, Sequence[Known]] | None
    ) -> rows.Given:
        if seen is not None and stix_id not in seen:
            raise NotFoundError(_GONE)
        known = None if seen is None else seen[stix_id][-1]
        found = rows.given_objects(connection, stix_id if known is None else known.stix_id, feed=feed,
                                   producer=None if known is None else known.contributor)
        if not found:
            raise NotFoundError(_GONE)
        if found[0].state in (State.REVOKED, State.ERASED) or not found[0].body:
            raise UnprocessableError(f"{stix_id} was revoked or erased already.")
        return found[0]

    def _known(self, connection: Any, members: Members, actor: Actor, contest: str, *, lock: bool = False
               ) -> tuple[dict[str, Any], Contest]:
        row = rows.find_contest(connection, contest, lock=lock)
        known = None if row is None else _contest(members, row)
        if row is None or known is None or not roles(known, actor):
            raise NotFoundError("There is no such case.")
        return row, known

    def _corrected(self, connection: Any, row: Mapping[str, Any]) -> bool:
        for one in rows.contest_objects(connection, row["id"]):
            given = rows.given_objects(connection, one["stix_id"], feed=row["feed"], producer=row["producer"])
            if not given or given[0].seq <= row["opened_at"]:
                return False
        return True

    def _hours(self, connection: Any, name: str, collection: str, now: int) -> int:
        """The time limit; shorter in a declared emergency (R28)."""
        crisis = emergency_in(connection, collection, now) is not None
        return self._office.parameters["crisis-" + name if crisis else name, now]

    # -- what is written

    def _note(self, connection: Any, contest: str, step: str, role: Role, actor: Actor, statement: str, now: int,
              detail: Mapping[str, Any]) -> None:
        """One step in the case and in the log; what people wrote stays in the case."""
        rows.add_step(connection, {"contest": contest, "at": now, "step": step, "role": role, "org": actor.org,
                                   "person": actor.person, "statement": statement})
        record(connection, at=now, kind="case", org=actor.org,
               detail={"case": contest, "step": str(step), "role": str(role), **detail})

    def _take_effect(self, connection: Any, row: Mapping[str, Any], step: Step, actor: Actor, now: int, *, erase: bool
                     ) -> None:
        """What a step does to the contested objects; a review settles what members said of them."""
        outcome = effects.Outcome(row["id"], row["feed"], row["producer"], actor, now)
        for one in rows.contest_objects(connection, row["id"]):
            about, stix_id = (row["feed"], row["producer"], one["stix_id"]), one["stix_id"]
            if step is Step.RESTRICT:
                outcome.restrict(connection, self._office, stix_id)
            elif step is Step.REVERSE:
                repeated = is_repeated(self._office, connection, about)  # before its content may go
                outcome.reverse(connection, self._office, stix_id, erase=erase)
                self._judge(connection, about, one["campaign_class"], "overturned", row["id"], now, repeated)
                self._quarantine.after_overturn(connection, row["producer"], stix_id, now)
            elif step in REVIEWS:
                outcome.stand(connection, self._office, stix_id, corrected=step is Step.CORRECT,
                              restricted=bool(row["restricted"]))
                if step is Step.UPHOLD:
                    self._judge(connection, about, one["campaign_class"], "confirmed", row["id"], now,
                                is_repeated(self._office, connection, about))
            if step in REVIEWS:
                self._disputes.settled(connection, about, now)

    def _judge(self, connection: Any, about: tuple[int, int, str], campaign_class: str, word: str, cause: str, now: int,
               repeated: bool) -> None:
        add_verdict(connection, about=about, campaign_class=campaign_class, word=word, cause=cause, at=now,
                    repeated=repeated)

    # -- what is shown

    def _shown(self, connection: Any, row: Mapping[str, Any], known: Contest, actor: Actor, now: int, *, whole: bool
               ) -> dict[str, Any]:
        """Contester and producer know each other by their roles; who judges, runs or audits knows both."""
        mine = roles(known, actor)
        named = not mine.isdisjoint(_FULL_VIEW)
        own = named or Role.PRODUCER in mine
        shown: dict[str, Any] = {
            "id": row["id"], "stage": known.stage_at(now), "roles": sorted(mine),
            "collection": rows.collection_of(connection, row["feed"]),
            "objects": [_name(one, own) for one in rows.contest_objects(connection, row["id"])],
            "opened_at": from_microseconds(row["opened_at"]), "answer_due": from_microseconds(row["answer_due"]),
            "restricted": bool(row["restricted"]), "for_person": bool(row["for_person"]),
            "review_due": _time(row["review_due"]), "ended_at": _time(row["ended_at"]),
            "review_overdue": known.stage not in ENDS and row["review_due"] is not None and now >= row["review_due"],
        }
        if named:
            shown |= {"contester": row["contester"], "producer": known.producer_org, "reviewer": row["reviewer"]}
        if whole:
            shown |= {"grounds": row["grounds"], "evidence": row["evidence"],
                      "steps": [_shown_step(s, named) for s in rows.contest_steps(connection, row["id"])]}
        if whole and named:
            shown["undone"] = effects.acknowledged(connection, row["id"])
        return shown


def _contest(members: Members, row: Mapping[str, Any]) -> Contest:
    """The contest that a row of the database tells."""
    producer = row["producer_org"]
    contester = Actor(row["contester"], members.group(row["contester"]), row["contester_person"])
    return Contest(
        contester=contester, producer_org=producer, producer_group=members.group(producer),
        opened_at=row["opened_at"], answer_due=row["answer_due"], stage=Stage(row["stage"]),
        restricted=bool(row["restricted"]), answered_at=row["answered_at"], answerer=row["answerer"],
        ended_at=row["ended_at"],
    )


def _name(one: Mapping[str, Any], own: bool) -> str:
    """The object's own id; for a contester to whom it came as a derived form, the id of that (P16)."""
    return str(one["stix_id"] if own else one["known_as"] or one["stix_id"])


def _shown_step(step: Mapping[str, Any], named: bool) -> dict[str, Any]:
    shown = {"at": from_microseconds(step["at"]), "step": step["step"], "role": step["role"],
             "statement": step["statement"]}
    return {**shown, "org": step["org"], "person": step["person"]} if named else shown


def _role_of(step: Step, held: frozenset[Role]) -> Role:
    """The role in which a step is taken: the one that the step asks for."""
    wanted = {Step.ANSWER: (Role.PRODUCER,), Step.RESTRICT: (Role.OPERATOR, Role.REVIEWER, Role.PRODUCER)}
    return next(role for role in wanted.get(step, (Role.REVIEWER,)) if role in held)


def _time(moment: int | None) -> str | None:
    return None if moment is None else from_microseconds(moment)


def _check_opening(opening: Opening) -> None:
    if not 1 <= len(set(opening.objects)) == len(opening.objects) <= _MOST_OBJECTS:
        raise UnprocessableError(f"A contest names 1 to {_MOST_OBJECTS} different objects.")
    if not opening.grounds.strip() or len(opening.grounds) > _MOST_TEXT:
        raise UnprocessableError(f"A contest states its grounds in 1 to {_MOST_TEXT} characters.")
    if len(opening.evidence) > _MOST_OBJECTS or not all(map(_DIGEST.fullmatch, opening.evidence)):
        raise UnprocessableError("Evidence is given as SHA-256 hashes (64 hexadecimal digits), never in clear.",
                                 fix="Keep the evidence, and send the hash of each piece.")
