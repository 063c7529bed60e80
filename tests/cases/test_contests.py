"""Contests against the real store: what their outcomes do to objects, recipients and records."""

from __future__ import annotations

import pytest

from exchange.cases.contest import Step
from exchange.cases.shelf import COLLECTION
from exchange.errors import ForbiddenError, NotFoundError, UnprocessableError
from exchange.model.state import State
from exchange.obligations.transitions import By
from tests.cases.circle import DAY, HOME, STRICT, Circle, indicator, opinion


def shared(circle: Circle) -> str:
    """An object of alpha that beta and gamma have pulled."""
    obj = indicator()
    circle.push("alpha", obj)
    assert obj["id"] in circle.ids("beta")
    assert obj["id"] in circle.ids("gamma")
    return str(obj["id"])


def kinds(circle: Circle, org: str) -> list[tuple[str, str]]:
    return [(kind, obligation) for kind, obligation, _ in circle.notices(org)]


def test_a_reversal_takes_the_object_from_all_and_asks_what_it_undid(circle: Circle) -> None:
    stix_id = shared(circle)
    case = circle.contest("gamma", stix_id, evidence=("a" * 64,))
    assert kinds(circle, "alpha") == [("dispute", "answer")]
    circle.take("alpha", case, Step.ANSWER)
    assert circle.take("court-rita", case, Step.REVERSE)["stage"] == "reversed"
    assert stix_id not in circle.ids("delta")
    assert kinds(circle, "beta") == kinds(circle, "gamma") == [("recall", "confirm"), ("revocation", "stop-using")]
    assert kinds(circle, "delta") == []
    assert kinds(circle, "alpha") == [("dispute", "answer"), ("revocation", "know")]
    own = circle.exchange.cases.records.own("org-alpha", circle.now)
    assert (own["confirmed"], own["overturned"], own["given"]) == (0, 1, 1)
    notes = [o for o in circle.pull("delta", COLLECTION.id) if o["type"] == "note"]
    assert [o["content"] for o in notes] == ["0 of its objects were confirmed, 1 overturned."]


def test_the_log_has_every_step_and_nothing_that_people_wrote(circle: Circle) -> None:
    case = circle.contest("gamma", shared(circle), grounds="Ana Muster was here.")
    circle.take("alpha", case, Step.ANSWER)
    circle.take("court-rita", case, Step.UPHOLD)
    with circle.exchange.engine.connect() as connection:
        from sqlalchemy import text

        found = connection.execute(text("SELECT kind, detail FROM event WHERE kind = 'case' ORDER BY number")).all()
    assert [word for _, detail in found for word in ("open", "answer", "uphold") if f'"step":"{word}"' in detail] == [
        "open", "answer", "uphold"]
    assert all("Ana Muster" not in detail and "Because" not in detail for _, detail in found)


def test_an_erasing_reversal_wipes_the_object(circle: Circle) -> None:
    stix_id = shared(circle)
    case = circle.contest("gamma", stix_id)
    circle.take("alpha", case, Step.ANSWER)
    circle.take("court-rita", case, Step.REVERSE, erase=True)
    assert all(stix_id not in circle.ids(org) for org in ("alpha", "beta", "gamma", "delta"))
    assert kinds(circle, "beta") == [("recall", "confirm"), ("erasure", "delete")]


def test_a_restricted_object_comes_back_when_it_is_upheld(circle: Circle) -> None:
    stix_id = shared(circle)
    case = circle.contest("gamma", stix_id)
    circle.take("court-rita", case, Step.RESTRICT)
    assert stix_id not in circle.ids("beta")
    assert stix_id in circle.ids("alpha")
    circle.take("alpha", case, Step.ANSWER)
    circle.take("court-rita", case, Step.UPHOLD)
    assert stix_id in circle.ids("beta")
    assert kinds(circle, "beta")[-1] == ("dispute", "use-again")
    assert kinds(circle, "alpha")[-1] == ("dispute", "know")
    assert circle.exchange.cases.records.own("org-alpha", circle.now)["confirmed"] == 1


def test_corrected_follows_the_producers_new_version(circle: Circle) -> None:
    obj = indicator()
    circle.push("alpha", obj)
    circle.ids("beta")
    circle.ids("gamma")
    case = circle.contest("gamma", obj["id"])
    circle.take("alpha", case, Step.ANSWER)
    with pytest.raises(UnprocessableError, match="pushed a new version"):
        circle.take("court-rita", case, Step.CORRECT)
    circle.push("alpha", {**obj, "modified": "2026-11-19T00:00:00.000Z", "pattern": "[domain-name:value = 'b.example']"})
    assert circle.take("court-rita", case, Step.CORRECT)["stage"] == "corrected"
    assert ("rectification", "correct") in kinds(circle, "beta")
    own = circle.exchange.cases.records.own("org-alpha", circle.now)
    assert (own["confirmed"], own["overturned"]) == (0, 0)


def test_a_silent_producer_does_not_stop_the_review(circle: Circle) -> None:
    case = circle.contest("gamma", shared(circle))
    with pytest.raises(UnprocessableError, match="time to answer is over"):
        circle.take("court-rita", case, Step.REVERSE)
    circle.tick(14 * DAY)
    assert circle.show("gamma", case)["stage"] == "overdue"
    assert circle.take("court-rita", case, Step.REVERSE)["stage"] == "reversed"


@pytest.mark.parametrize("key", ["beta", "delta", "puppet"])
def test_who_is_no_party_learns_nothing_of_a_case(circle: Circle, key: str) -> None:
    case = circle.contest("gamma", shared(circle))
    with pytest.raises(NotFoundError) as hidden:
        circle.show(key, case)
    with pytest.raises(NotFoundError) as unknown:
        circle.show(key, "case--none")
    assert str(hidden.value) == str(unknown.value)
    with pytest.raises(NotFoundError):
        circle.take(key, case, Step.ANSWER)
    assert circle.exchange.cases.contests.list(circle.actor(key), circle.now) == []


def test_the_parties_know_each_other_by_role_and_the_reviewer_knows_both(circle: Circle) -> None:
    case = circle.contest("gamma", shared(circle))
    for key in ("gamma", "alpha"):
        shown = circle.show(key, case)
        assert {"producer", "contester"}.isdisjoint(shown)
        assert all("org" not in step for step in shown["steps"])
    for key in ("court-rita", "court-ada", "runner-eva"):
        assert (circle.show(key, case)["contester"], circle.show(key, case)["producer"]) == ("org-gamma", "org-alpha")


def test_an_object_that_one_may_not_see_can_not_be_contested(circle: Circle) -> None:
    hidden = indicator(object_marking_refs=[STRICT])
    circle.push("alpha", hidden)
    with pytest.raises(NotFoundError) as secret:
        circle.contest("gamma", hidden["id"])
    with pytest.raises(NotFoundError) as unknown:
        circle.contest("gamma", indicator()["id"])
    assert str(secret.value) == str(unknown.value)


def test_the_operator_contests_for_a_person_what_nobody_sees(circle: Circle) -> None:
    hidden = indicator(object_marking_refs=[STRICT])
    circle.push("alpha", hidden)
    case = circle.contest("runner-eva", hidden["id"], for_person=True)
    assert circle.show("alpha", case)["for_person"] is True
    with pytest.raises(ForbiddenError, match="on behalf of a person"):
        circle.contest("gamma", hidden["id"], for_person=True)


@pytest.mark.parametrize(("more", "sentence"), [
    ({"evidence": ("the letter of Ana",)}, "never in clear"),
    ({"evidence": ("A" * 64,)}, "never in clear"),
    ({"grounds": "  "}, "states its grounds"),
    ({"grounds": "x" * 10_001}, "states its grounds"),
])
def test_what_is_no_contest(circle: Circle, more: dict[str, object], sentence: str) -> None:
    with pytest.raises(UnprocessableError, match=sentence):
        circle.contest("gamma", shared(circle), **more)


def test_an_emergency_shortens_the_time_to_answer(circle: Circle) -> None:
    stix_id = shared(circle)
    circle.exchange.cases.emergencies.declare(
        circle.actor("runner-eva"), people=["max"], since=circle.now, until=circle.now + DAY, reason="election",
        collections=[HOME], now=circle.now)
    case = circle.contest("gamma", stix_id)
    shown = circle.show("gamma", case)
    circle.tick(DAY)
    assert circle.show("gamma", case)["stage"] == "overdue"
    assert shown["stage"] == "opened"


def test_a_disputed_object_is_wiped_by_a_reversal(circle: Circle) -> None:
    stix_id = disputed(circle)[0]
    case = circle.contest("gamma", stix_id)
    circle.take("alpha", case, Step.ANSWER)
    assert circle.take("court-rita", case, Step.REVERSE, erase=True)["stage"] == "reversed"
    assert circle.ids("delta") == set()
    assert circle.flags("delta") == []


def test_a_dispute_is_taken_back_after_its_object_was_wiped(circle: Circle) -> None:
    stix_id, said = disputed(circle)
    circle.exchange.obligations.change(stix_id, "org-alpha", State.ERASED, reason="A demand.", now=circle.tick(),
                                       by=By("org-alpha", "producer", "alpha"))
    with circle.exchange.engine.begin() as connection:
        circle.exchange.cases.withdrawn(connection, "org-beta", said, circle.tick())
    assert circle.flags("delta") == []


def disputed(circle: Circle) -> tuple[str, str]:
    """An object of alpha's that beta and gamma dispute, and beta's opinion."""
    stix_id = shared(circle)
    said = opinion(stix_id)
    circle.push("beta", said)
    circle.push("gamma", opinion(stix_id))
    assert len(circle.flags("delta")) == 1
    return stix_id, str(said["id"])
