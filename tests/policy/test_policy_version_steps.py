"""From which stage a version may go where, who may take it there, and when: the table, and what follows from it."""

from __future__ import annotations

import itertools

import pytest

from exchange.errors import InputError
from exchange.model.policy_version import Stage, Step, Steps
from exchange.policy.version import DAY, Wanted, advance, former_version, propose, roll_back, same_person

OLD, NEW, THIRD = "0" * 64, "1" * 64, "2" * 64
NOW = 1_795_000_000_000_000
WEEK = 7 * DAY


def step(digest: str, stage: Stage, at: int = NOW - 30 * DAY, by: str = "Ana", orgs: tuple[str, ...] = ()) -> Step:
    return Step(digest, stage, at, by, "why", orgs)


START = (step(OLD, Stage.ACTIVE, by="cibx"),)
DRAFT = (*START, step(NEW, Stage.DRAFT))
SHADOW = (*DRAFT, step(NEW, Stage.SHADOW))
CANARY = (*SHADOW, step(NEW, Stage.CANARY, orgs=("org-a",)))
ACTIVE = (*CANARY, step(OLD, Stage.RETIRED), step(NEW, Stage.ACTIVE))
RETIRED = (*SHADOW, step(NEW, Stage.RETIRED))
AT = {"draft": DRAFT, "shadow": SHADOW, "canary": CANARY, "active": ACTIVE, "retired": RETIRED}
MAY = {
    ("draft", "shadow"), ("draft", "canary"), ("draft", "active"), ("draft", "retired"),
    ("shadow", "canary"), ("shadow", "active"), ("shadow", "retired"),
    ("canary", "canary"), ("canary", "active"), ("canary", "retired"),
}


def go(steps: tuple[Step, ...], stage: Stage, *, by: str = "Ben", widens: str = "", shadow: int = WEEK,
       at: int = NOW, digest: str = NEW) -> list[Step]:
    orgs = ("org-a",) if stage is Stage.CANARY else ()
    return advance(Steps(steps), Wanted(digest, stage, by, "why", at, orgs), widens=widens, shadow=shadow)


@pytest.mark.parametrize(("present", "wanted"), list(itertools.product(AT, [s.value for s in Stage])))
def test_which_stage_follows_which(present: str, wanted: str) -> None:
    if (present, wanted) in MAY:
        assert go(AT[present], Stage(wanted))[-1].stage == wanted
    else:
        with pytest.raises(InputError, match="can't become"):
            go(AT[present], Stage(wanted))


@pytest.mark.parametrize(("present", "may"), [("draft", False), ("shadow", False), ("canary", False),
                                              ("active", False), ("retired", True)])
def test_what_is_on_its_way_or_in_force_is_not_proposed_again(present: str, may: bool) -> None:
    wanted = Wanted(NEW, Stage.DRAFT, "Ana", "why", NOW)
    if may:
        assert [one.stage for one in propose(Steps(AT[present]), wanted)] == [Stage.DRAFT]
    else:
        with pytest.raises(InputError, match="already"):
            propose(Steps(AT[present]), wanted)


def test_a_new_active_version_retires_the_former_one() -> None:
    made = go(SHADOW, Stage.ACTIVE)
    assert [(one.digest, one.stage) for one in made] == [(OLD, Stage.RETIRED), (NEW, Stage.ACTIVE)]
    after = Steps((*SHADOW, *made))
    assert after.for_organisation("org-a") == NEW
    assert former_version(after) == OLD


WIDENING = [
    # steps, by, days since the shadow began, allowed
    (DRAFT, "Ben", 0, "not in shadow"),
    ("shadow", "Ana", 8, "another person"),
    ("shadow", "  aNA ", 8, "another person"),
    ("shadow", "Ben", 6, "to go"),
    ("shadow", "Ben", 7, ""),
    ("shadow", "Ben", 8, ""),
]


@pytest.mark.parametrize("stage", [Stage.CANARY, Stage.ACTIVE])
@pytest.mark.parametrize(("present", "by", "days", "refusal"), WIDENING)
def test_a_widening_needs_two_people_and_time(
    stage: Stage, present: tuple[Step, ...] | str, by: str, days: int, refusal: str
) -> None:
    steps = (*DRAFT, step(NEW, Stage.SHADOW, NOW - days * DAY)) if isinstance(present, str) else present
    if refusal:
        with pytest.raises(InputError, match=refusal):
            go(steps, stage, by=by, widens="shows more")
    else:
        assert go(steps, stage, by=by, widens="shows more")[-1].stage is stage
    if stage is Stage.ACTIVE:
        assert go(steps, stage, by=by, widens="")[-1].stage is stage, "what nobody gains by is free"


def test_time_in_shadow_counts_from_the_present_proposal_only() -> None:
    again = (*RETIRED, step(NEW, Stage.DRAFT, NOW - DAY, by="Carl"), step(NEW, Stage.SHADOW, NOW - DAY))
    with pytest.raises(InputError, match="6 days"):
        go(again, Stage.ACTIVE, by="Ana", widens="shows more")
    with pytest.raises(InputError, match="another person"):
        go(again, Stage.ACTIVE, by="Carl", widens="shows more")


def test_an_emergency_shortens_the_shadow_and_not_the_two_people() -> None:
    steps = (*DRAFT, step(NEW, Stage.SHADOW, NOW - 2 * DAY))
    assert go(steps, Stage.ACTIVE, widens="shows more", shadow=DAY)
    with pytest.raises(InputError, match="another person"):
        go(steps, Stage.ACTIVE, by="Ana", widens="shows more", shadow=DAY)


def test_one_at_a_time_in_shadow_and_as_canary() -> None:
    for present, stage in ((SHADOW, Stage.SHADOW), (CANARY, Stage.CANARY)):
        with pytest.raises(InputError, match="already"):
            go((*present, step(THIRD, Stage.DRAFT)), stage, digest=THIRD)


def test_a_canary_decides_for_its_organisations_only() -> None:
    assert Steps(CANARY).for_organisation("org-a") == NEW
    assert Steps(CANARY).for_organisation("org-b") == OLD
    assert Steps(ACTIVE).for_organisation("org-b") == NEW
    assert Steps(SHADOW).for_organisation("org-a") == OLD
    with pytest.raises(InputError, match="organisations"):
        advance(Steps(DRAFT), Wanted(NEW, Stage.CANARY, "Ben", "why", NOW), widens="", shadow=0)


def test_what_decided_at_a_time() -> None:
    steps = (step(OLD, Stage.ACTIVE, 10), step(NEW, Stage.DRAFT, 20), step(OLD, Stage.RETIRED, 30),
             step(NEW, Stage.ACTIVE, 30))
    decided = [Steps(steps).until(at).for_organisation("org-a") for at in (9, 10, 29, 30)]
    assert decided == [None, OLD, OLD, NEW]


def test_rolling_back() -> None:
    made = roll_back(Steps(ACTIVE), by="Ana", why="wrong", at=NOW, widens="")
    assert [(one.digest, one.stage) for one in made] == [(NEW, Stage.RETIRED), (OLD, Stage.ACTIVE)]
    with pytest.raises(InputError, match="widening"):
        roll_back(Steps(ACTIVE), by="Ana", why="wrong", at=NOW, widens="shows more")
    with pytest.raises(InputError, match="no policy version before"):
        roll_back(Steps(START), by="Ana", why="wrong", at=NOW, widens="")


@pytest.mark.parametrize(("by", "why"), [("", "why"), ("Ana", " "), ("A" * 501, "why"), ("Ana", "a\x07b")])
def test_a_step_says_who_and_why(by: str, why: str) -> None:
    with pytest.raises(InputError, match=r"--(by|why) must be"):
        advance(Steps(DRAFT), Wanted(NEW, Stage.SHADOW, by, why, NOW), widens="", shadow=0)


@pytest.mark.parametrize(("one", "other", "same"), [
    ("Ana", "ana", True), ("Ana Ruiz", " ana  ruiz", True), ("José", "José", True), ("Ana", "Ann", False),
])
def test_one_person_is_told_from_another(one: str, other: str, same: bool) -> None:
    assert same_person(one, other) is same
