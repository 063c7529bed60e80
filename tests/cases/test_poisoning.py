"""Poisoning: what one source, its sock puppets, a flood or a stolen key can reach."""

from __future__ import annotations

import pytest

from exchange.cases.contest import Step
from exchange.errors import NotFoundError, UnprocessableError
from exchange.store import records as rows
from exchange.store.engine import write
from tests.cases.circle import DAY, HOME, NOW, STRICT, Circle, indicator, opinion, sighting


def established(circle: Circle, *orgs: str) -> None:
    """Give members a long and good record."""
    numbers = [circle.exchange._numbers.contributor(f"org-{org}") for org in orgs]
    with write(circle.exchange.engine) as connection:
        for number in numbers:
            rows.count_given(connection, number, NOW - 200 * DAY, 20)
            for each in range(20):
                rows.add_verdict(connection, about=(1, number, f"x--{each}"), campaign_class="spam", word="confirmed",
                                 cause="test", at=NOW - DAY)


def test_one_source_gets_nothing_beyond_observe(circle: Circle) -> None:
    circle.push("alpha", indicator("first.example"))
    established(circle, "alpha")
    objects = [indicator("bad.example") for _ in range(5)]
    circle.push("alpha", *objects)
    circle.push("alpha", *[sighting(o["id"]) for o in objects], *[opinion(o["id"], "strongly-agree") for o in objects])
    for obj in objects:
        found = circle.standing("delta", obj["id"])
        assert (found["stage"], found["single_source"], found["independent_reports"]) == ("observe", True, 1)


def test_sock_puppets_of_one_ownership_group_count_once(circle: Circle) -> None:
    circle.push("puppet", one := indicator("bad.example"))
    circle.push("puppet2", indicator("BAD.example"))
    established(circle, "puppet", "puppet2")
    found = circle.standing("delta", one["id"])
    assert (found["stage"], found["single_source"], found["independent_reports"]) == ("observe", True, 1)
    assert {shown["org"] for shown in found["contributors"]} == {"org-puppet", "org-puppet2"}


def test_independent_reports_of_one_value_lift_it(circle: Circle) -> None:
    circle.push("alpha", one := indicator("bad.example"))
    circle.push("beta", indicator("bad.example", pattern="[domain-name:value = 'Bad.Example'] OR "
                                                        "[domain-name:value = 'other.example']"))
    assert circle.standing("delta", one["id"])["stage"] == "observe"  # new members are capped
    established(circle, "alpha", "beta", "gamma")
    assert circle.standing("delta", one["id"])["stage"] == "review"
    circle.push("gamma", indicator("bad.example"))
    assert circle.standing("delta", one["id"])["stage"] == "friction"


def test_who_had_pulled_it_before_adds_none(circle: Circle) -> None:
    circle.push("alpha", one := indicator("bad.example"))
    assert one["id"] in circle.ids("beta")
    circle.push("beta", indicator("bad.example"))
    established(circle, "alpha", "beta")
    found = circle.standing("delta", one["id"])
    assert (found["stage"], found["independent_reports"]) == ("observe", 1)
    assert [shown["independent"] for shown in found["contributors"]] == [True, False]


@pytest.mark.parametrize("erase", [False, True])
@pytest.mark.parametrize("verdict", [Step.UPHOLD, Step.REVERSE])
def test_who_repeats_others_neither_earns_nor_loses_by_what_they_found(circle: Circle, verdict: Step, erase: bool) -> None:
    circle.push("alpha", original := indicator("bad.example"))
    assert original["id"] in circle.ids("beta")
    circle.push("beta", repeated := indicator("bad.example"))
    circle.push("beta", more := indicator("bad.example", pattern="[domain-name:value = 'bad.example'] OR [domain-name:value = 'own.example']"))
    circle.push("gamma", independent := indicator("bad.example"))
    counted = {}
    for org, one in (("beta", repeated), ("beta", more), ("gamma", independent), ("alpha", original)):
        case = circle.contest("delta", one["id"])
        circle.take(org, case, Step.ANSWER)
        circle.take("court-rita", case, verdict, **({"erase": True} if erase and verdict is Step.REVERSE else {}))
        own = circle.exchange.cases.records.own(f"org-{org}", circle.now)
        counted[one["id"]] = own["confirmed"] + own["overturned"]
    assert [counted[one["id"]] for one in (original, repeated, independent, more)] == [1, 0, 1, 1]
    assert {one.org for one in circle.exchange.cases.records.published(circle.now)} == {"org-alpha", "org-beta", "org-gamma"}


def test_an_upheld_repetition_stands_though_its_contributor_earns_nothing(circle: Circle) -> None:
    circle.push("alpha", original := indicator("bad.example"))
    assert original["id"] in circle.ids("beta")
    circle.push("beta", repeated := indicator("bad.example"))
    case = circle.contest("delta", repeated["id"])
    circle.take("beta", case, Step.ANSWER)
    circle.take("court-rita", case, Step.UPHOLD)
    home, beta = (circle.exchange._numbers.feed(HOME), circle.exchange._numbers.contributor("org-beta"))
    with write(circle.exchange.engine) as connection:
        assert rows.was_upheld(connection, (home, beta, repeated["id"]))
    assert [one.org for one in circle.exchange.cases.records.published(circle.now)] == []


def test_a_public_authority_is_shown_and_never_counted(circle: Circle) -> None:
    circle.push("agency", one := indicator("bad.example"))
    circle.push("alpha", indicator("bad.example"))
    established(circle, "agency", "alpha")
    found = circle.standing("delta", one["id"])
    assert (found["stage"], found["independent_reports"], found["public_authority_tips"]) == ("observe", 1, 1)


def test_a_report_that_one_may_not_see_is_not_counted_for_one(circle: Circle) -> None:
    circle.push("alpha", one := indicator("bad.example"))
    before = circle.standing("delta", one["id"])
    circle.push("beta", hidden := indicator("bad.example", object_marking_refs=[STRICT]))
    assert circle.standing("delta", one["id"]) == before
    assert circle.standing("beta", one["id"])["independent_reports"] == 2
    with pytest.raises(NotFoundError) as secret:
        circle.standing("delta", hidden["id"])
    with pytest.raises(NotFoundError) as unknown:
        circle.standing("delta", indicator()["id"])
    assert str(secret.value) == str(unknown.value)


def usual_life(circle: Circle, org: str, days: int = 14, given: int = 1) -> None:
    number = circle.exchange._numbers.contributor(f"org-{org}")
    with write(circle.exchange.engine) as connection:
        for day in range(1, days + 1):
            rows.count_given(connection, number, NOW - day * DAY, given)
        rows.count_given(connection, number, NOW, 9_999)  # today, so that tests needn't push ten thousand


def test_a_flood_is_held_told_and_released_under_new_dates(circle: Circle) -> None:
    usual_life(circle, "alpha")
    circle.push("alpha", quiet := indicator())
    assert quiet["id"] in circle.ids("delta")
    circle.push("alpha", loud := indicator())
    circle.push("alpha", after := indicator())
    assert circle.ids("delta") == {quiet["id"]}
    assert circle.ids("alpha") == {quiet["id"], loud["id"], after["id"]}
    assert circle.standing("alpha", loud["id"])["stage"] == "quarantined"
    assert [n[:2] for n in circle.notices("alpha")] == [("restriction", "wait")]
    assert [n[:2] for n in circle.notices("runner")] == [("restriction", "wait")]
    (hold,) = circle.exchange.cases.quarantine.list()
    last = [obj["id"] for obj in circle.pull("delta")]
    assert circle.exchange.cases.quarantine.end(hold["number"], release=True, person="eva", now=circle.tick()) == 2
    assert [obj["id"] for obj in circle.pull("delta")] == [*last, loud["id"], after["id"]]
    circle.push("alpha", more := indicator())
    assert more["id"] in circle.ids("delta")  # a day that a person has looked at isn't held again
    with pytest.raises(UnprocessableError, match="ended already"):
        circle.exchange.cases.quarantine.end(hold["number"], release=False, person="eva", now=circle.tick())


@pytest.mark.parametrize("release", [True, False])
def test_what_a_held_opinion_says_is_heard_when_it_is_released(circle: Circle, release: bool) -> None:
    circle.push("alpha", one := indicator())
    circle.push("gamma", opinion(one["id"]))
    usual_life(circle, "beta")
    circle.push("beta", indicator(), opinion(one["id"]))
    assert circle.flags("delta") == []
    (hold,) = circle.exchange.cases.quarantine.list()
    circle.exchange.cases.end_hold(hold["number"], lambda _: circle.reader("beta"), release=release, person="eva",
                                   now=circle.tick())
    assert [one["id"] in flag["object_refs"] for flag in circle.flags("delta")] == ([True] if release else [])


def test_what_is_rejected_is_seen_by_nobody_else(circle: Circle) -> None:
    usual_life(circle, "alpha")
    circle.push("alpha", indicator(), loud := indicator())
    (hold,) = circle.exchange.cases.quarantine.list()
    assert circle.exchange.cases.quarantine.end(hold["number"], release=False, person="eva", now=circle.tick()) == 2
    assert circle.ids("delta") == set()
    assert circle.standing("alpha", loud["id"])["stage"] == "retracted"


def test_a_hold_goes_on_the_next_day(circle: Circle) -> None:
    usual_life(circle, "alpha")
    circle.push("alpha", indicator(), indicator())
    circle.tick(DAY)
    circle.push("alpha", late := indicator())
    assert late["id"] not in circle.ids("delta")


@pytest.mark.parametrize(("days", "given"), [(13, 1), (14, 2_000)])
def test_without_history_or_within_the_usual_nothing_is_held(circle: Circle, days: int, given: int) -> None:
    usual_life(circle, "alpha", days, given)
    circle.push("alpha", indicator(), loud := indicator())
    assert loud["id"] in circle.ids("delta")


def test_a_contributor_whose_overturns_jump_is_held(circle: Circle) -> None:
    for _ in range(3):
        circle.push("alpha", obj := indicator())
        assert obj["id"] in circle.ids("delta")
        case = circle.contest("gamma", obj["id"])
        circle.take("alpha", case, Step.ANSWER)
        circle.take("court-rita", case, Step.REVERSE)
    circle.push("alpha", late := indicator())
    assert late["id"] not in circle.ids("delta")
    assert ("restriction", "wait", (obj["id"],)) in circle.notices("alpha")
    assert [one["org"] for one in circle.exchange.cases.quarantine.list()] == ["org-alpha"]


def test_a_stolen_key_is_rolled_back_and_recalled(circle: Circle) -> None:
    obj = indicator()
    circle.push("alpha", obj)
    circle.ids("beta")
    since = circle.tick()
    circle.push("alpha", {**obj, "modified": "2026-11-20T00:00:00.000Z", "name": "poisoned"}, bad := indicator())
    circle.ids("gamma")
    versions, told = circle.exchange.cases.quarantine.roll_back("org-alpha", since, person="eva", now=circle.tick())
    assert (versions, told) == (2, 1)
    assert [o.get("name") for o in circle.pull("delta") if o["id"] == obj["id"]] == [None]
    assert bad["id"] not in circle.ids("delta")
    assert [n for n in circle.notices("gamma") if n[0] == "recall"] == [
        ("recall", "stop-using", (obj["id"], bad["id"]))]
    assert [n for n in circle.notices("beta") if n[0] == "recall"] == []


def test_values_are_read_once_and_released_ones_again(circle: Circle) -> None:
    circle.push("alpha", indicator("bad.example"))
    assert circle.exchange.cases.records.read_values() is True
    assert circle.exchange.cases.records.read_values() is True
    circle.push("alpha", *[indicator(f"b{n}.example") for n in range(5)])
    assert [circle.exchange.cases.records.read_values(2) for _ in range(4)][-1] is True
    assert circle.standing("delta", next(iter(circle.ids("delta"))), (HOME,))["complete"] is True
