"""Whose contests are listed to whom, and which of them are still open."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from exchange.cases.contest import Step
from tests.cases.circle import Circle, indicator, make_circle
from tests.fakes.empty_store import lay_empty


@pytest.fixture(scope="module")
def circle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Circle]:
    """Two contests: of gamma about alpha's object, which is reviewed; of beta about delta's."""
    made = make_circle(lay_empty(tmp_path_factory.mktemp("contests") / "cibx.db"))
    yield made
    made.exchange.engine.dispose()


@pytest.fixture(scope="module")
def cases(circle: Circle) -> dict[str, str]:
    """The open one and the ended one."""
    first, second = indicator("a.example"), indicator("b.example")
    circle.push("alpha", first)
    circle.push("delta", second)
    ended = circle.contest("gamma", first["id"], evidence=("a" * 64,))
    circle.tick()
    opened = circle.contest("beta", second["id"], grounds="It is a choir.")
    circle.take("alpha", ended, Step.ANSWER)
    circle.take("court-rita", ended, Step.REVERSE)
    return {"ended": ended, "open": opened}


@pytest.mark.parametrize(("key", "listed"), [
    ("alpha", ["ended"]), ("gamma", ["ended"]), ("beta", ["open"]), ("delta", ["open"]), ("puppet", []),
    ("court-rita", ["open", "ended"]), ("court-ada", ["open", "ended"]), ("runner-eva", ["open", "ended"]),
])
def test_a_party_is_listed_its_own_and_who_reviews_or_runs_it_all_the_newest_first(
    circle: Circle, cases: dict[str, str], key: str, listed: list[str]
) -> None:
    actor, contests = circle.actor(key), circle.exchange.cases.contests
    assert [one["id"] for one in contests.list(actor, circle.now)] == [cases[name] for name in listed]
    assert [one["id"] for one in contests.list(actor, circle.now, unfinished=True)] == [cases[name] for name in listed if name == "open"]


@pytest.mark.parametrize("key", ["alpha", "gamma", "court-rita"])
def test_a_list_says_less_than_the_case_itself_and_names_parties_to_reviewers_alone(circle: Circle, cases: dict[str, str], key: str) -> None:
    (row,) = [one for one in circle.exchange.cases.contests.list(circle.actor(key), circle.now) if one["id"] == cases["ended"]]
    whole = circle.show(key, cases["ended"])
    assert row == {name: value for name, value in whole.items() if name not in {"grounds", "evidence", "steps", "undone"}}
    assert (whole["grounds"], whole["evidence"]) == ("It is a fan club.", ["a" * 64])
    assert [step["step"] for step in whole["steps"]] == ["open", "answer", "reverse"]
    assert ("contester" in row, "undone" in whole) == ((True, True) if key == "court-rita" else (False, False))
