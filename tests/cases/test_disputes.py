"""Opinions and sightings of false positives: when they mark an object, who sees the mark, and when it goes."""

from __future__ import annotations

import pytest

from exchange.cases.contest import Step
from exchange.cases.shelf import COLLECTION
from exchange.model.state import State
from exchange.obligations.transitions import By
from tests.cases.circle import AWAY, STRICT, Circle, indicator, opinion, sighting


def shared(circle: Circle, **change: object) -> str:
    obj = indicator(**change)
    circle.push("alpha", obj)
    circle.ids("delta")
    return str(obj["id"])


def kinds(circle: Circle, org: str) -> list[tuple[str, str]]:
    return [(kind, obligation) for kind, obligation, _ in circle.notices(org)]


def is_marked(circle: Circle, stix_id: str) -> bool:
    return any(stix_id in flag["object_refs"] for flag in circle.flags("delta"))


def test_two_independent_disputes_mark_an_object_and_it_stays_visible(circle: Circle) -> None:
    stix_id = shared(circle)
    circle.push("beta", opinion(stix_id))
    assert not is_marked(circle, stix_id)
    circle.push("gamma", sighting(stix_id, labels=["false-positive"], count=4))
    assert is_marked(circle, stix_id)
    assert stix_id in circle.ids("delta")
    assert circle.standing("delta", stix_id)["stage"] == "disputed"
    assert ("dispute", "no-automated-action") in kinds(circle, "delta")


def test_an_object_that_the_officer_disputes_is_marked_for_all_until_that_is_lifted(circle: Circle) -> None:
    stix_id, officer = shared(circle), By("org-runner", "officer", "dana")
    desk = circle.exchange.obligations
    desk.change(stix_id, "org-alpha", State.DISPUTED, reason="A person objects.", by=officer, now=circle.tick())
    assert is_marked(circle, stix_id)
    circle.push("beta", opinion(stix_id, "agree"))
    assert is_marked(circle, stix_id)  # members don't undo what the officer decided
    desk.change(stix_id, "org-alpha", State.ACTIVE, reason="It was looked at.", by=officer, now=circle.tick())
    assert not is_marked(circle, stix_id)


def test_a_reviewer_lifts_what_the_officer_disputed(circle: Circle) -> None:
    stix_id = shared(circle)
    circle.exchange.obligations.change(stix_id, "org-alpha", State.DISPUTED, reason="A person objects.",
                                       by=By("org-runner", "officer", "dana"), now=circle.tick())
    case = circle.contest("gamma", stix_id)
    circle.take("alpha", case, Step.ANSWER)
    assert is_marked(circle, stix_id)
    circle.take("court-rita", case, Step.UPHOLD)
    assert not is_marked(circle, stix_id)


def test_the_officer_lifts_a_mark_of_members(circle: Circle) -> None:
    stix_id = shared(circle)
    circle.push("beta", opinion(stix_id))
    circle.push("gamma", opinion(stix_id))
    assert is_marked(circle, stix_id)
    circle.exchange.obligations.change(stix_id, "org-alpha", State.ACTIVE, reason="It was looked at.",
                                       by=By("org-runner", "officer", "dana"), now=circle.tick())
    assert not is_marked(circle, stix_id)


@pytest.mark.parametrize("second", ["beta", "alpha"])
def test_the_same_or_the_contributors_own_word_adds_nothing(circle: Circle, second: str) -> None:
    stix_id = shared(circle)
    circle.push("beta", opinion(stix_id))
    circle.push(second, opinion(stix_id, "strongly-disagree"))
    assert not is_marked(circle, stix_id)


def test_organisations_of_one_ownership_group_are_one_voice(circle: Circle) -> None:
    stix_id = shared(circle)
    circle.push("puppet", opinion(stix_id))
    circle.push("puppet2", opinion(stix_id))
    assert not is_marked(circle, stix_id)
    circle.push("gamma", opinion(stix_id))
    assert is_marked(circle, stix_id)


def test_a_public_authority_is_no_part_of_the_quorum(circle: Circle) -> None:
    stix_id = shared(circle)
    circle.push("agency", opinion(stix_id))
    circle.push("beta", opinion(stix_id))
    assert not is_marked(circle, stix_id)


@pytest.mark.parametrize(("account_type", "marked"), [("twitter", True), ("x", True), ("facebook", False)])
def test_the_affected_platforms_word_is_enough(circle: Circle, account_type: str, marked: bool) -> None:
    stix_id = shared(circle, pattern=f"[user-account:account_type = '{account_type}' AND "
                                     "user-account:account_login = 'someone']")
    circle.push("beta", opinion(stix_id))
    assert is_marked(circle, stix_id) is marked


def test_who_does_not_see_the_object_says_nothing_of_it(circle: Circle) -> None:
    hidden = indicator(object_marking_refs=[STRICT])
    circle.push("alpha", hidden)
    assert circle.push("beta", opinion(hidden["id"])) == ["added"]
    circle.push("gamma", opinion(hidden["id"]))
    assert circle.flags("alpha") == []


def test_a_word_counts_from_another_collection_too(circle: Circle) -> None:
    stix_id = shared(circle)
    circle.push("beta", opinion(stix_id), alias="away")
    circle.push("gamma", opinion(stix_id), alias="away")
    assert is_marked(circle, stix_id)
    assert all("disputed" not in obj.get("labels", ()) for obj in circle.pull("delta", AWAY))


@pytest.mark.parametrize("how", ["revoked", "changed", "deleted"])
def test_a_dispute_that_is_taken_back_lifts_the_mark(circle: Circle, how: str) -> None:
    stix_id = shared(circle)
    said = opinion(stix_id)
    circle.push("beta", said)
    circle.push("gamma", opinion(stix_id))
    assert is_marked(circle, stix_id)
    circle.ids("delta")
    if how == "deleted":
        directory, exchange = circle.exchange.directory(), circle.exchange
        from exchange.store.objects import Filter, Versions

        exchange.withdraw(directory.organisations["org-beta"], directory.credentials["beta"],
                          next(c for c in directory.collections.values() if c.alias == "home"), said["id"],
                          Filter(versions=Versions(frozenset({"all"}))), circle.tick())
    else:
        change = {"revoked": True} if how == "revoked" else {"opinion": "neutral"}
        circle.push("beta", {**said, "modified": "2026-11-20T00:00:00.000Z", **change})
    assert not is_marked(circle, stix_id)
    assert circle.standing("delta", stix_id)["stage"] == "observe"
    assert ("dispute", "use-again") in kinds(circle, "delta")


def test_a_review_settles_the_disputes(circle: Circle) -> None:
    stix_id = shared(circle)
    circle.push("beta", opinion(stix_id))
    circle.push("gamma", opinion(stix_id))
    case = circle.contest("gamma", stix_id)
    circle.take("alpha", case, Step.ANSWER)
    circle.take("court-rita", case, Step.UPHOLD)
    assert not is_marked(circle, stix_id)
    circle.push("delta", opinion(stix_id))
    assert not is_marked(circle, stix_id)


def test_independent_backing_confirms_and_the_contributors_record_is_published(circle: Circle) -> None:
    stix_id = shared(circle, labels=["spam"])
    circle.push("beta", sighting(stix_id, count=2))
    assert circle.exchange.cases.records.own("org-alpha", circle.now)["confirmed"] == 0
    circle.push("gamma", opinion(stix_id, "agree"))
    own = circle.exchange.cases.records.own("org-alpha", circle.now)
    assert (own["confirmed"], own["classes"]) == (1, {"spam": {"confirmed": 1, "overturned": 0}})
    assert [o["content"] for o in circle.pull("delta", COLLECTION.id) if o["type"] == "note"] == [
        "1 of its objects were confirmed, 0 overturned."]


def test_the_mark_is_seen_by_exactly_those_who_see_the_object(circle: Circle) -> None:
    stix_id = shared(circle)
    circle.push("beta", opinion(stix_id))
    circle.push("gamma", opinion(stix_id))
    assert {org for org in ("alpha", "beta", "gamma", "delta", "outside") if circle.flags(org)} == {
        org for org in ("alpha", "beta", "gamma", "delta", "outside") if stix_id in circle.ids(org)}


def test_the_mark_of_a_restricted_object_is_not_seen(circle: Circle) -> None:
    stix_id = shared(circle)
    circle.push("beta", opinion(stix_id))
    circle.push("gamma", opinion(stix_id))
    case = circle.contest("gamma", stix_id)
    circle.take("court-rita", case, Step.RESTRICT)
    assert circle.flags("delta") == []
