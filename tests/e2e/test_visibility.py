"""Who sees what: the outsider of the other tests misses something, and the right ones see it; parts, persons, time."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.e2e.exchange_process import ExchangeProcess
from tests.e2e.http_caller import HttpCaller, assert_taxii_error
from tests.e2e.outsider import (
    MARKING,
    SECRET,
    SECRETS,
    SHARED,
    VISIBLE,
    Watcher,
    bring,
    exact,
    first_difference,
    local,
    script,
    under,
)
from tests.e2e.stix_objects import TLP, domain, fixed_id, handling, indicator

MEMBERS = ("alpha", "beta", "gamma", "delta")
VIEWERS = {
    # secret: keys that see it; alpha is its contributor
    "amber without an audience": {"alpha"},
    "amber+strict without an audience": {"alpha"},
    "amber for another organisation": {"alpha", "beta"},
    "amber+strict for another organisation": {"alpha", "beta"},
    "amber for another group": {"alpha", "beta"},
    "amber for nobody": {"alpha"},
    "green, this organisation excluded": {"alpha", "beta", "delta"},
    "amber for all, this organisation excluded": {"alpha", "beta", "delta"},
    "this kind of organisation excluded": {"alpha", "beta", "delta"},
    "green for another purpose": {"alpha"},
    "of two contributors": {"alpha", "beta"},
    "thirty of them": {"alpha"},
    "several versions": {"alpha"},
}


@pytest.mark.parametrize("name", VIEWERS)
def test_a_secret_is_seen_by_those_whom_its_terms_admit(exchange: ExchangeProcess, lane: str, name: str) -> None:
    bring(exchange, lane, [*VISIBLE, *SECRETS[name]])
    seen = set()
    for key in MEMBERS:
        caller = exchange.caller(key)
        listed = SECRET["id"] in caller.get(lane + "objects/", {"limit": "1000"}).ids
        assert (SECRET["id"] in caller.get(lane + "manifest/").ids) == listed
        assert (caller.get(f"{lane}objects/{SECRET['id']}/").status == 200) == listed
        assert (caller.get(f"{lane}objects/{SECRET['id']}/versions/").status == 200) == listed
        if listed:
            seen.add(key)
    assert seen == VIEWERS[name]


@pytest.mark.parametrize("name", ["embargoed", "IEP that has not begun", "IEP that has ended", "red"])
def test_what_is_released_to_nobody_is_seen_by_no_other_member(exchange: ExchangeProcess, lane: str, name: str) -> None:
    bring(exchange, lane, [*VISIBLE, *SECRETS[name]])
    for key in ("beta", "gamma", "delta", "gamma-ana"):
        assert SECRET["id"] not in exchange.caller(key).get(lane + "objects/").ids


def test_red_reaches_the_named_person_and_no_service_of_the_same_organisation(
    exchange: ExchangeProcess, lane: str
) -> None:
    audience = {"named_orgs": ["org-gamma"], "named_persons": ["ana@gamma.example"]}
    bring(exchange, lane, VISIBLE)
    service = exchange.caller("gamma")
    before, after = Watcher(service, lane), Watcher(service, lane)
    before.look()
    ((_, (marking, *marked)),) = under("RED", audience=audience)
    bring(exchange, lane, [("alpha", [marking | {"object_marking_refs": [TLP["RED"]]}, *marked])])
    after.look()
    found, expected = [exact(a) for _, a in after.noted], [exact(a) for _, a in before.noted]
    assert found == expected, first_difference(found, expected)
    assert SECRET["id"] in exchange.caller("gamma-ana").get(lane + "objects/").ids
    assert SECRET["id"] not in exchange.caller("beta").get(lane + "objects/").ids


def test_a_part_that_is_marked_amber_never_leaves(exchange: ExchangeProcess, lane: str) -> None:
    partly = indicator(
        "partly secret", description="words of the secret part",
        granular_markings=[{"marking_ref": TLP["AMBER"], "selectors": ["description"]}],
    )  # fmt: skip
    bring(exchange, lane, [("alpha", [partly]), *VISIBLE])
    watcher = Watcher(exchange.caller("gamma"), lane)
    watcher.look()
    watcher.note("by id", watcher.caller.get(f"{lane}objects/{partly['id']}/", {"match[version]": "all"}))
    assert all(b"words of the secret part" not in answer.body for _, answer in watcher.noted)
    assert partly in exchange.caller("alpha").get(lane + "objects/").objects


def test_a_marking_that_one_may_not_see_can_not_be_used(exchange: ExchangeProcess, lane: str) -> None:
    bring(exchange, lane, SECRETS["amber for another group"])
    hidden, absent = local(lane, MARKING), fixed_id("marking-definition", "absent")
    gamma = exchange.caller("gamma")
    messages = []
    for ref in (hidden, absent):
        one = indicator(f"uses {ref}", object_marking_refs=[TLP["GREEN"], ref])
        status = gamma.push(lane + "objects/", [one]).json
        assert status["failure_count"] == 1
        messages.append(status["failures"][0]["message"].replace(ref, "REF"))
    assert messages[0] == messages[1]
    assert messages[0].startswith("marking-missing")


@pytest.mark.parametrize("change", ["another organisation's audience", "no audience", "wider TLP"])
def test_nobody_changes_the_terms_of_anothers_objects(exchange: ExchangeProcess, lane: str, change: str) -> None:
    """The marking's id stands for one fixed policy: another member's marking of that id changes nothing."""
    bring(exchange, lane, SECRETS["amber for another group"])
    terms: dict[str, Any] = {
        "another organisation's audience": {"audience": {"named_orgs": ["org-gamma"]}},
        "no audience": {"purposes": ["cib-detection"]},
        "wider TLP": {"audience": {"sharing_groups": ["circle"]}},
    }[change]
    gamma = exchange.caller("gamma")
    mine = handling("x", **terms) | {"id": local(lane, MARKING)}
    gamma.push(lane + "objects/", [mine])
    assert SECRET["id"] not in gamma.get(lane + "objects/").ids
    later = indicator("pushed after", object_marking_refs=[TLP["AMBER"], local(lane, MARKING)])
    exchange.caller("alpha").push(lane + "objects/", [later])
    assert later["id"] not in gamma.get(lane + "objects/").ids


def soon(seconds: float) -> str:
    """A time in the near future, as STIX writes it."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def wait_until(caller: HttpCaller, path: str, status: int) -> None:
    """Ask until a path answers so; a minute is for ever."""
    end = time.monotonic() + 60
    while caller.get(path).status != status:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_when_retention_ends_an_object_is_as_if_it_never_was(exchange: ExchangeProcess, lane: str) -> None:
    gamma = exchange.caller("gamma")
    bring(exchange, lane, VISIBLE)
    before, after = Watcher(gamma, lane), Watcher(gamma, lane)
    before.look()
    bring(exchange, lane, under("GREEN", retention_until=soon(3)))
    path = f"{lane}objects/{SECRET['id']}/"
    assert gamma.get(path).status == 200
    wait_until(gamma, path, 404)
    wait_until(gamma, f"{lane}objects/{SHARED['id']}/", 404)
    wait_until(gamma, f"{lane}objects/{local(lane, MARKING)}/", 404)
    after.look()
    found, expected = [exact(a) for _, a in after.noted], [exact(a) for _, a in before.noted]
    assert found == expected, first_difference(found, expected)


def test_when_an_embargo_ends_an_object_is_there(exchange: ExchangeProcess, lane: str) -> None:
    gamma = exchange.caller("gamma")
    bring(exchange, lane, [*VISIBLE, *under("GREEN", not_before=soon(2))])
    assert gamma.get(f"{lane}objects/{SECRET['id']}/").status == 404
    wait_until(gamma, f"{lane}objects/{SECRET['id']}/", 200)
    assert SECRET["id"] in gamma.get(lane + "manifest/").ids


def test_a_follower_meets_an_object_whose_embargo_ended(exchange: ExchangeProcess, lane: str) -> None:
    gamma = exchange.caller("gamma")
    bring(exchange, lane, under("GREEN", not_before=soon(2)))
    bring(exchange, lane, VISIBLE)
    last = gamma.get(lane + "objects/").last
    wait_until(gamma, f"{lane}objects/{SECRET['id']}/", 200)
    assert SECRET["id"] in gamma.get(lane + "objects/", {"added_after": str(last)}).ids


def test_what_became_visible_later_does_not_disturb_cursors(exchange: ExchangeProcess, lane: str) -> None:
    gamma = exchange.caller("gamma")
    bring(exchange, lane, [*VISIBLE, *under("GREEN", not_before=soon(2)), ("beta", [domain("z.example")])])
    first = gamma.get(lane + "objects/", {"limit": "3"})
    wait_until(gamma, f"{lane}objects/{SECRET['id']}/", 200)
    rest = gamma.get(lane + "objects/", {"limit": "100", "next": first.json["next"]})
    assert not set(first.ids) & set(rest.ids)
    assert domain("z.example")["id"] in rest.ids


# -- purpose ----------------------------------------------------------------------------------------------------------
OBJECTS = "/taxii2/main/collections/indicators/objects/"


def test_a_header_may_name_the_purpose_of_the_credential(alpha: HttpCaller) -> None:
    alpha.push(OBJECTS, [indicator("purpose")])
    plain = alpha.get(OBJECTS)
    assert exact(alpha.get(OBJECTS, headers={"CIBX-Purpose": "cib-detection"})) == exact(plain)


@pytest.mark.parametrize("purpose", [
    "advertising", "model-training", "account-integrity", "nonsense", "", "*", "cib-detection,advertising",
    "CIB-DETECTION", "a" * 5_000, "cib-detection\tx", "ü",
])  # fmt: skip
def test_a_header_never_widens_the_purpose(alpha: HttpCaller, purpose: str) -> None:
    answer = alpha.get(OBJECTS, headers={"CIBX-Purpose": purpose})
    if purpose:
        assert_taxii_error(answer, 400, 403)
    else:
        assert answer.status in {200, 400, 403}


def test_two_scripts_without_a_secret_are_told_the_same(exchange: ExchangeProcess) -> None:
    """The comparison of twins itself: it would see a difference."""
    one, other = script(exchange, VISIBLE), script(exchange, VISIBLE)
    assert one == other
    assert script(exchange, [*VISIBLE, ("alpha", [indicator("plain")])]) != one
