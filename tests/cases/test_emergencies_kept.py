"""Emergencies as they are kept: declared, ended and reviewed by people with the scopes for it, and told to who may see them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from exchange.cases.contest import Actor
from exchange.errors import ForbiddenError, NotFoundError, UnprocessableError
from exchange.model.policy_version import Stage, Step
from exchange.store.engine import write
from exchange.store.versions import add_steps, add_version
from tests.cases.circle import HOME, HOUR, Circle, make_circle
from tests.fakes.empty_store import lay_empty


@pytest.fixture(scope="module")
def circle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Circle]:
    """One exchange; each test declares with people of its own."""
    made = make_circle(lay_empty(tmp_path_factory.mktemp("emergencies") / "cibx.db"))
    yield made
    made.exchange.engine.dispose()


def eva(circle: Circle, person: str) -> Actor:
    return replace(circle.actor("runner-eva"), person=person)


def declared(circle: Circle, person: str, hours: float = 10, **more: Any) -> dict[str, Any]:
    wanted = {"people": ["max-" + person], "since": circle.now, "until": circle.now + round(hours * HOUR), "reason": "election night",
              "collections": [HOME], **more}
    return circle.exchange.cases.emergencies.declare(eva(circle, person), **wanted, now=circle.now)


def listed(circle: Circle, emergency: str) -> dict[str, Any]:
    (found,) = [one for one in circle.exchange.cases.emergencies.list(circle.actor("court-ada"), circle.now) if one["id"] == emergency]
    return found


def test_it_is_declared_ended_reviewed_and_shown_at_each_step(circle: Circle) -> None:
    emergencies = circle.exchange.cases.emergencies
    made = declared(circle, "one")
    assert (made["status"], made["people"], made["declared_by"], made["org"]) == ("in-force", ["max-one", "one"], "one", "org-runner")
    assert listed(circle, made["id"]) == made
    circle.now += HOUR
    ended = emergencies.end(eva(circle, "two"), made["id"], circle.now)
    assert (ended["status"], ended["until"] < made["until"]) == ("awaiting-review", True)
    assert listed(circle, made["id"]) == ended
    with pytest.raises(UnprocessableError, match="has ended already"):
        emergencies.end(eva(circle, "two"), made["id"], circle.now)
    reviewed = emergencies.review(circle.actor("court-rita"), made["id"], "It was needed.", circle.now)
    assert (reviewed["status"], reviewed["reviewer"], reviewed["findings"]) == ("reviewed", "rita", "It was needed.")
    assert listed(circle, made["id"]) == reviewed


def test_until_it_is_reviewed_its_people_declare_no_other(circle: Circle) -> None:
    made = declared(circle, "three", hours=1)
    circle.now += 2 * HOUR
    for person in ("three", "max-three"):
        with pytest.raises(ForbiddenError, match="nobody has reviewed yet"):
            declared(circle, person)
    circle.exchange.cases.emergencies.review(circle.actor("court-ada"), made["id"], "Fine.", circle.now)
    assert declared(circle, "three")["status"] == "in-force"


def test_it_lasts_at_most_as_long_as_the_policy_says(circle: Circle) -> None:
    assert declared(circle, "four", hours=168)["status"] == "in-force"
    with pytest.raises(UnprocessableError, match="at most 168 hours"):
        declared(circle, "five", hours=168.001)


@pytest.mark.parametrize(("collections", "known"), [([HOME], True), (["*"], True), ([HOME, "none"], False)])
def test_its_collections_are_there(circle: Circle, collections: list[str], known: bool) -> None:
    person = "six" + "".join(collections)
    if known:
        assert declared(circle, person, collections=collections)["collections"] == sorted(collections)
    else:
        with pytest.raises(NotFoundError, match="There is no collection 'none'"):
            declared(circle, person, collections=collections)


@pytest.mark.parametrize("actor", ["nobody", "no scope"])
def test_only_named_people_with_the_scope_declare_and_end(circle: Circle, actor: str) -> None:
    made = declared(circle, "seven " + actor)
    who = replace(eva(circle, "eight"), person=None) if actor == "nobody" else circle.actor("court-rita")
    emergencies = circle.exchange.cases.emergencies
    with pytest.raises(ForbiddenError, match="named people with the scope 'emergency'"):
        emergencies.end(who, made["id"], circle.now)
    with pytest.raises(ForbiddenError, match="named people with the scope 'emergency'"):
        emergencies.declare(who, people=["x"], since=circle.now, until=circle.now + HOUR, reason="x", collections=[HOME], now=circle.now)
    assert listed(circle, made["id"])["status"] == "in-force"


@pytest.mark.parametrize(("key", "reviews", "sees"), [
    ("court-rita", True, True), ("court-ada", True, True), ("runner-eva", True, True), ("alpha", False, False), ("delta", False, False),
])
def test_who_reviews_and_who_sees(circle: Circle, key: str, reviews: bool, sees: bool) -> None:
    emergencies, made = circle.exchange.cases.emergencies, declared(circle, "nine " + key, hours=1)
    circle.now += HOUR
    if reviews:
        assert emergencies.review(circle.actor(key), made["id"], "Fine.", circle.now)["status"] == "reviewed"
    else:
        with pytest.raises(ForbiddenError, match="is reviewed with the scope"):
            emergencies.review(circle.actor(key), made["id"], "Fine.", circle.now)
    if sees:
        assert made["id"] in {one["id"] for one in emergencies.list(circle.actor(key), circle.now)}
    else:
        with pytest.raises(ForbiddenError, match="Emergencies are shown to"):
            emergencies.list(circle.actor(key), circle.now)


def test_what_is_not_there_is_told(circle: Circle) -> None:
    for act in (lambda: circle.exchange.cases.emergencies.end(eva(circle, "ten"), "emergency--x", circle.now),
                lambda: circle.exchange.cases.emergencies.review(circle.actor("court-ada"), "emergency--x", "Fine.", circle.now)):
        with pytest.raises(NotFoundError, match="There is no such emergency"):
            act()


def test_the_review_is_shown_policy_steps_of_that_time_and_is_not_done_by_who_took_one(circle: Circle) -> None:
    def step(at: int, by: str) -> None:
        with write(circle.exchange.engine) as connection:
            add_version(connection, "ab" * 32, {"lorem.toml": ""})
            add_steps(connection, [Step("ab" * 32, Stage.SHADOW, at, by, "lorem")])

    emergencies = circle.exchange.cases.emergencies
    circle.now += 100 * HOUR
    step(circle.now - 1, "before")
    everywhere, here = declared(circle, "seven", hours=1, collections=["*"]), declared(circle, "eight", hours=1)
    step(circle.now, " RITA ")
    step(circle.now + HOUR, "after")
    circle.now += 2 * HOUR
    (taken,) = listed(circle, everywhere["id"])["policy_steps"]
    assert (taken["version"], taken["stage"], taken["by"], taken["why"]) == ("ab" * 32, "shadow", " RITA ", "lorem")
    assert listed(circle, here["id"])["policy_steps"] == []
    with pytest.raises(ForbiddenError, match="You took a step of the sharing policy"):
        emergencies.review(circle.actor("court-rita"), everywhere["id"], "It was needed.", circle.now)
    assert listed(circle, everywhere["id"])["status"] == "awaiting-review"
    assert emergencies.review(circle.actor("court-ada"), everywhere["id"], "Fine.", circle.now)["policy_steps"] == [taken]
    assert emergencies.review(circle.actor("court-rita"), here["id"], "Fine.", circle.now)["status"] == "reviewed"
