"""The crisis lane: who declares, how long it holds, and the review that can't be skipped."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exchange.cases.emergency import Emergency, declare, end, in_force, review
from exchange.errors import ForbiddenError, UnprocessableError

HOUR = 3_600_000_000
T = 1_790_000_000_000_000
ONE = Emergency(id="e1", declared_at=T, org="org-x", declared_by="eva", people=frozenset({"eva", "max"}), since=T,
                until=T + 10 * HOUR, reason="election night", collections=frozenset({"c1"}))


def test_an_emergency_holds_from_its_start_until_its_end_and_ends_by_itself() -> None:
    assert [in_force([ONE], "c1", at) is ONE for at in (T - 1, T, T + 10 * HOUR - 1, T + 10 * HOUR)] == [
        False, True, True, False]


@pytest.mark.parametrize(("collections", "collection", "holds"), [
    ({"c1"}, "c1", True), ({"c1"}, "c2", False), ({"*"}, "c2", True),
])
def test_an_emergency_holds_in_its_scope_only(collections: set[str], collection: str, holds: bool) -> None:
    assert replace(ONE, collections=frozenset(collections)).holds(T, collection) is holds


@pytest.mark.parametrize(("change", "sentence"), [
    ({"until": T}, "ends after it begins"),
    ({"since": T - 9 * HOUR, "until": T - HOUR}, "in the future"),
    ({"until": T + 169 * HOUR}, "at most 168 hours"),
    ({"reason": "  "}, "needs a reason"),
    ({"collections": frozenset()}, "needs a scope"),
])
def test_what_is_no_emergency(change: dict[str, object], sentence: str) -> None:
    with pytest.raises(UnprocessableError, match=sentence):
        declare(replace(ONE, **change), [], 168)  # type: ignore[arg-type]


@pytest.mark.parametrize(("people", "reviewed", "refused"), [
    ({"eva"}, False, True), ({"max", "zoe"}, False, True), ({"zoe"}, False, False), ({"eva"}, True, False),
])
def test_the_same_people_declare_none_before_the_review(people: set[str], reviewed: bool, refused: bool) -> None:
    former = review(end(ONE, T + 1), "zoe", "well done", T + 2) if reviewed else end(ONE, T + 1)
    new = replace(ONE, id="e2", declared_at=T + 3, people=frozenset(people))
    if refused:
        with pytest.raises(ForbiddenError, match="nobody has reviewed yet"):
            declare(new, [former], 168)
    else:
        assert declare(new, [former], 168) == new


@pytest.mark.parametrize("person", [None, "eva", "max"])
def test_who_took_part_does_not_review(person: str | None) -> None:
    with pytest.raises(ForbiddenError, match="took no part"):
        review(end(ONE, T + 1), person, "fine", T + 2)


def test_a_review_comes_after_the_end_once_and_says_something() -> None:
    with pytest.raises(UnprocessableError, match="after its end"):
        review(ONE, "zoe", "fine", T + 1)
    with pytest.raises(UnprocessableError, match="what it found"):
        review(ONE, "zoe", " ", T + 11 * HOUR)
    done = review(ONE, "zoe", "fine", T + 11 * HOUR)
    with pytest.raises(UnprocessableError, match="reviewed already"):
        review(done, "zoe", "fine", T + 12 * HOUR)


@pytest.mark.parametrize(("at", "status"), [
    (T - 1, "planned"), (T, "in-force"), (T + 10 * HOUR, "awaiting-review"), (T + 13 * HOUR - 1, "awaiting-review"),
    (T + 13 * HOUR, "overdue"),
])
def test_a_review_that_was_not_done_is_overdue(at: int, status: str) -> None:
    assert ONE.status(at, 3) == status


def test_ending_early_ends_at_once_and_only_once() -> None:
    ended = end(ONE, T + HOUR)
    assert not ended.holds(T + HOUR, "c1")
    with pytest.raises(UnprocessableError, match="ended already"):
        end(ended, T + 2 * HOUR)
