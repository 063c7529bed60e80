"""How a contest goes: from opening over the producer's answer to somebody else's review (R27). Pure.

opened -> answered, or overdue once the time to answer is over -> reviewed, which ends it: upheld (the object
stands), corrected (its producer pushed a new version) or reversed (revoked or erased for all). The object may be
restricted meanwhile. Which step is possible when, and who takes it, stands in ``STEPS``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from exchange.errors import ForbiddenError, UnprocessableError


class Stage(StrEnum):
    """Where a contest stands; ``overdue`` follows from the clock and is never stored."""

    OPENED = "opened"
    OVERDUE = "overdue"
    ANSWERED = "answered"
    UPHELD = "upheld"
    CORRECTED = "corrected"
    REVERSED = "reversed"


class Step(StrEnum):
    """What somebody does to a contest."""

    RESTRICT = "restrict"
    ANSWER = "answer"
    UPHOLD = "uphold"
    CORRECT = "correct"
    REVERSE = "reverse"


class Role(StrEnum):
    """What somebody is to a contest."""

    CONTESTER = "contester"
    PRODUCER = "producer"
    REVIEWER = "reviewer"
    OPERATOR = "operator"
    AUDITOR = "auditor"


ENDS = frozenset({Stage.UPHELD, Stage.CORRECTED, Stage.REVERSED})
REVIEWS = frozenset({Step.UPHOLD, Step.CORRECT, Step.REVERSE})
STEPS: Mapping[tuple[Stage, Step], Stage] = {
    (Stage.OPENED, Step.RESTRICT): Stage.OPENED,
    (Stage.OPENED, Step.ANSWER): Stage.ANSWERED,
    (Stage.OVERDUE, Step.RESTRICT): Stage.OPENED,
    (Stage.OVERDUE, Step.ANSWER): Stage.ANSWERED,
    (Stage.OVERDUE, Step.UPHOLD): Stage.UPHELD,
    (Stage.OVERDUE, Step.CORRECT): Stage.CORRECTED,
    (Stage.OVERDUE, Step.REVERSE): Stage.REVERSED,
    (Stage.ANSWERED, Step.RESTRICT): Stage.ANSWERED,
    (Stage.ANSWERED, Step.UPHOLD): Stage.UPHELD,
    (Stage.ANSWERED, Step.CORRECT): Stage.CORRECTED,
    (Stage.ANSWERED, Step.REVERSE): Stage.REVERSED,
}
"""(stage, step) -> the next stage; every other pair is refused."""
WHO: Mapping[Step, frozenset[Role]] = {
    Step.RESTRICT: frozenset({Role.PRODUCER, Role.REVIEWER, Role.OPERATOR}),
    Step.ANSWER: frozenset({Role.PRODUCER}),
    Step.UPHOLD: frozenset({Role.REVIEWER}),
    Step.CORRECT: frozenset({Role.REVIEWER}),
    Step.REVERSE: frozenset({Role.REVIEWER}),
}
_DONE = {Step.RESTRICT: "restricted", Step.ANSWER: "answered"}


@dataclass(frozen=True)
class Actor:
    """Who takes a step."""

    org: str
    group: str
    """The ownership group that the organisation counts for."""
    person: str | None
    scopes: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Contest:
    """One contested object set and how far its contest is; times in microseconds."""

    contester: Actor
    producer_org: str
    producer_group: str
    opened_at: int
    answer_due: int
    stage: Stage = Stage.OPENED
    restricted: bool = False
    answered_at: int | None = None
    answerer: str | None = None
    """The person who answered for the producer."""
    reviewer: Actor | None = None
    ended_at: int | None = None

    def stage_at(self, now: int) -> Stage:
        """The stage as it is shown: overdue once the producer's time, [opened_at, answer_due), is over."""
        return Stage.OVERDUE if self.stage is Stage.OPENED and now >= self.answer_due else self.stage


@dataclass(frozen=True)
class Facts:
    """What a step needs to know of the contested objects."""

    corrected: bool = False
    """The producer has pushed a new version of every contested object since the opening."""


def roles(contest: Contest, actor: Actor) -> frozenset[Role]:
    """What somebody is to this contest; empty: it may not know of it (P16).

    Nobody judges what it gave or contests: a reviewer's organisation belongs with neither side, and its person
    is on neither.
    """
    found = set()
    if actor.org == contest.contester.org:
        found.add(Role.CONTESTER)
    if actor.org == contest.producer_org:
        found.add(Role.PRODUCER)
    if "operate" in actor.scopes:
        found.add(Role.OPERATOR)
    if "audit" in actor.scopes:
        found.add(Role.AUDITOR)
    if "review" in actor.scopes and actor.person and not _takes_part(contest, actor):
        found.add(Role.REVIEWER)
    return frozenset(found)


def _takes_part(contest: Contest, actor: Actor) -> bool:
    return (
        actor.group in {contest.contester.group, contest.producer_group}
        or actor.org in {contest.contester.org, contest.producer_org}
        or actor.person in {contest.contester.person, contest.answerer}
    )


def open_contest(contester: Actor, producer_org: str, producer_group: str, now: int, answer_hours: int) -> Contest:
    """A new contest. Raises UnprocessableError for one against oneself."""
    if contester.org == producer_org:
        raise UnprocessableError("An organisation doesn't contest what it gave itself.", code="own-object",
                                 fix="Push a new version, or delete the object.")
    return Contest(contester, producer_org, producer_group, now, now + answer_hours * 3_600_000_000)


def take(contest: Contest, step: Step, actor: Actor, now: int, facts: Facts = Facts()) -> Contest:
    """The contest after a step.

    Raises ForbiddenError where the actor isn't who takes it, UnprocessableError (``illegal-step``) where the
    contest isn't there yet or any more.
    """
    held = roles(contest, actor)
    if WHO[step].isdisjoint(held):
        raise ForbiddenError(_not_yours(step), code="not-your-step")
    stage = contest.stage_at(now)
    after = STEPS.get((stage, step))
    if after is None:
        raise UnprocessableError(_not_now(stage, step), code="illegal-step")
    if step is Step.RESTRICT:
        if contest.restricted:
            raise UnprocessableError("The contested objects are restricted already.", code="illegal-step")
        return replace(contest, restricted=True)
    if step is Step.ANSWER:
        return replace(contest, stage=after, answered_at=now, answerer=actor.person)
    if step is Step.CORRECT and not facts.corrected:
        raise UnprocessableError(
            "A contest ends as corrected once its producer has pushed a new version of every contested object; it "
            "hasn't.", code="illegal-step", fix="Wait for the new version, or uphold or reverse.")
    return replace(contest, stage=after, reviewer=actor, ended_at=now)


def _not_yours(step: Step) -> str:
    if step in REVIEWS:
        return ("A contest is reviewed by a named person with the scope 'review' whose organisation belongs with "
                "neither its producer nor its contester.")
    people = " or ".join(sorted(WHO[step]))
    return f"Only the {people} of a contest may {step} it."


def _not_now(stage: Stage, step: Step) -> str:
    if stage in ENDS:
        return f"The contest has ended: it was {stage}, and nothing more is done to it."
    if stage is Stage.OPENED and step in REVIEWS:
        return "The contest is reviewed once the producer has answered or its time to answer is over."
    return f"The contest was {_DONE.get(step, step)} already; it waits for its review."
