"""The steps of a contest as a decision table, and that nothing ends without somebody else's review."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.cases.contest import (
    ENDS,
    REVIEWS,
    STEPS,
    WHO,
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
from exchange.errors import ExchangeError, ForbiddenError, UnprocessableError

HOUR = 3_600_000_000
T = 1_790_000_000_000_000
CONTESTER = Actor("org-c", "group-c", "cleo")
PRODUCER = Actor("org-p", "group-p", "paul")
REVIEWER = Actor("org-r", "group-r", "rita", frozenset({"review"}))
OPERATOR = Actor("org-x", "group-x", None, frozenset({"operate"}))
AUDITOR = Actor("org-a", "group-a", "ada", frozenset({"audit"}))
STRANGER = Actor("org-s", "group-s", "sam", frozenset({"read", "write"}))
OPENED = open_contest(CONTESTER, "org-p", "group-p", T, 24)
ANSWERED = take(OPENED, Step.ANSWER, PRODUCER, T + 1)
LATE = T + 24 * HOUR
DONE = Facts(corrected=True)


@pytest.mark.parametrize(("contest", "step", "actor", "now", "stage"), [
    (OPENED, Step.RESTRICT, PRODUCER, T, Stage.OPENED),
    (OPENED, Step.RESTRICT, REVIEWER, T, Stage.OPENED),
    (OPENED, Step.RESTRICT, OPERATOR, T, Stage.OPENED),
    (OPENED, Step.RESTRICT, OPERATOR, LATE, Stage.OPENED),
    (OPENED, Step.ANSWER, PRODUCER, T, Stage.ANSWERED),
    (OPENED, Step.ANSWER, PRODUCER, LATE, Stage.ANSWERED),
    (OPENED, Step.UPHOLD, REVIEWER, LATE, Stage.UPHELD),
    (OPENED, Step.CORRECT, REVIEWER, LATE, Stage.CORRECTED),
    (OPENED, Step.REVERSE, REVIEWER, LATE, Stage.REVERSED),
    (ANSWERED, Step.RESTRICT, OPERATOR, T + 2, Stage.ANSWERED),
    (ANSWERED, Step.UPHOLD, REVIEWER, T + 2, Stage.UPHELD),
    (ANSWERED, Step.CORRECT, REVIEWER, T + 2, Stage.CORRECTED),
    (ANSWERED, Step.REVERSE, REVIEWER, T + 2, Stage.REVERSED),
])
def test_a_step_in_its_time_leads_on(contest: Contest, step: Step, actor: Actor, now: int, stage: Stage) -> None:
    after = take(contest, step, actor, now, DONE)
    assert after.stage is stage
    assert after.restricted is (step is Step.RESTRICT)
    assert (after.reviewer, after.ended_at) == ((actor, now) if stage in ENDS else (None, None))


def test_the_producers_time_is_half_open() -> None:
    assert OPENED.stage_at(LATE - 1) is Stage.OPENED
    assert OPENED.stage_at(LATE) is Stage.OVERDUE
    with pytest.raises(UnprocessableError, match="has answered or its time to answer is over"):
        take(OPENED, Step.UPHOLD, REVIEWER, LATE - 1)


@pytest.mark.parametrize("step", list(Step))
@pytest.mark.parametrize("stage", sorted(ENDS))
def test_nothing_follows_an_end(stage: Stage, step: Step) -> None:
    ended = take(ANSWERED, {Stage.UPHELD: Step.UPHOLD, Stage.CORRECTED: Step.CORRECT,
                            Stage.REVERSED: Step.REVERSE}[stage], REVIEWER, T + 2, DONE)
    actor = PRODUCER if step in {Step.ANSWER, Step.RESTRICT} else REVIEWER
    with pytest.raises(UnprocessableError, match=f"it was {stage}"):
        take(ended, step, actor, T + 3, DONE)


def test_a_producer_answers_once_and_objects_are_restricted_once() -> None:
    with pytest.raises(UnprocessableError, match="answered already"):
        take(ANSWERED, Step.ANSWER, PRODUCER, T + 2)
    with pytest.raises(UnprocessableError, match="restricted already"):
        take(take(OPENED, Step.RESTRICT, OPERATOR, T), Step.RESTRICT, PRODUCER, T)


def test_corrected_needs_a_new_version() -> None:
    with pytest.raises(UnprocessableError, match="has pushed a new version"):
        take(ANSWERED, Step.CORRECT, REVIEWER, T + 2)


def test_nobody_contests_its_own_object() -> None:
    with pytest.raises(UnprocessableError, match="what it gave itself"):
        open_contest(PRODUCER, "org-p", "group-p", T, 24)


REVIEW = frozenset({"review"})


@pytest.mark.parametrize(("actor", "held"), [
    (CONTESTER, {Role.CONTESTER}),
    (PRODUCER, {Role.PRODUCER}),
    (REVIEWER, {Role.REVIEWER}),
    (OPERATOR, {Role.OPERATOR}),
    (AUDITOR, {Role.AUDITOR}),
    (STRANGER, set()),
    (Actor("org-r", "group-r", None, REVIEW), set()),              # no named person
    (Actor("org-c", "group-c", "rita", REVIEW), {Role.CONTESTER}),
    (Actor("org-p", "group-p", "rita", REVIEW), {Role.PRODUCER}),
    (Actor("org-c2", "group-c", "rita", REVIEW), set()),           # one ownership group with a side
    (Actor("org-p2", "group-p", "rita", REVIEW), set()),
    (Actor("org-r", "group-r", "cleo", REVIEW), set()),            # the same person elsewhere
    (Actor("org-r", "group-r", "paul", REVIEW), set()),            # who answered for the producer
])
def test_what_somebody_is_to_a_contest(actor: Actor, held: set[Role]) -> None:
    assert roles(ANSWERED, actor) == held


@pytest.mark.parametrize("step", list(Step))
def test_a_step_is_refused_to_whoever_it_is_not_for(step: Step) -> None:
    for actor in (CONTESTER, PRODUCER, REVIEWER, OPERATOR, AUDITOR, STRANGER):
        if WHO[step].isdisjoint(roles(ANSWERED, actor)):
            with pytest.raises(ForbiddenError):
                take(ANSWERED, step, actor, T + 2, DONE)


people = st.sampled_from([None, "cleo", "paul", "rita", "ada", "sam"])
scopes = st.frozensets(st.sampled_from(["read", "write", "review", "operate", "audit"]))
actors = st.builds(Actor, org=st.sampled_from(["org-c", "org-p", "org-r", "org-x"]),
                   group=st.sampled_from(["group-c", "group-p", "group-r"]), person=people, scopes=scopes)


@given(walk=st.lists(st.tuples(st.sampled_from(list(Step)), actors, st.integers(0, 48 * HOUR), st.booleans()),
                     max_size=12))
@settings(max_examples=400, deadline=None)
def test_no_path_reaches_an_end_without_a_different_reviewer(
    walk: list[tuple[Step, Actor, int, bool]]
) -> None:
    contest, now = OPENED, T
    for step, actor, later, corrected in walk:
        now += later
        stage = contest.stage_at(now)
        try:
            after = take(contest, step, actor, now, Facts(corrected=corrected))
        except ExchangeError:
            continue
        assert STEPS[stage, step] is after.stage or step is Step.RESTRICT
        assert contest.stage not in ENDS
        if after.stage in ENDS:
            assert step in REVIEWS
            assert after.reviewer == actor
            assert actor.person is not None
            assert "review" in actor.scopes
            assert actor.group not in {"group-c", "group-p"}
            assert actor.person not in {contest.contester.person, contest.answerer}
        contest = after
    assert (contest.reviewer is not None) == (contest.stage in ENDS)
