"""What a new version tells earlier recipients, and what a report no longer says is taken back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from exchange.model.state import State
from exchange.obligations.transitions import By
from exchange.stix.extensions import CAMPAIGN
from exchange.stix.ids import sco_id
from exchange.store.engine import read
from exchange.store.states import find_owned
from tests.fakes.empty_store import lay_empty
from tests.obligations.five_members import DAY, PLAIN, SECOND, Members, indicator, opened

GREEN = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
AMBER = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"
V2, V3 = ({"modified": f"2026-11-0{n}T00:00:00.000Z"} for n in (2, 3))


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Members]:
    """Each test has objects of its own."""
    found = opened(lay_empty(tmp_path_factory.mktemp("told") / "cibx.db"))
    yield found
    found.exchange.engine.dispose()


def push(members: Members, *objects: dict[str, Any], org: str = "alpha", collection: str = PLAIN) -> None:
    members.now += 1_000_000
    assert {state for state, _ in members.push(org, *objects, collection=collection)} <= {"added", "unchanged"}


def told(members: Members, org: str, stix_id: str) -> list[str]:
    """Kinds of the notices to an organisation that are about an object."""
    said = [extension for note in members.mailbox(org) for extension in note["extensions"].values()]
    return [one["kind"] for one in said if stix_id in {about["id"] for about in one["objects"]}]


def state(members: Members, stix_id: str, org: str = "alpha", collection: str = PLAIN) -> State | None:
    with read(members.exchange.engine) as connection:
        found = find_owned(connection, stix_id, org=f"org-{org}", collection=collection)
    return found[0].state if found else None


@pytest.mark.parametrize(("change", "kinds"), [
    ({"name": "lorem"}, []),
    ({"labels": ["rectified"]}, ["rectification"]),
    ({"labels": ["lorem"]}, []),
    ({"object_marking_refs": [AMBER]}, ["relabel"]),
    ({"object_marking_refs": [AMBER], "labels": ["rectified"]}, ["rectification", "relabel"]),
    ({"revoked": True}, ["revocation"]),
])
def test_who_received_an_earlier_version_is_told_what_the_new_one_asks(members: Members, change: dict[str, Any], kinds: list[str]) -> None:
    one = indicator(object_marking_refs=[GREEN])
    push(members, one)
    members.receive("beta", one["id"])
    push(members, one | V2 | change)
    assert sorted(told(members, "beta", one["id"])) == kinds
    assert told(members, "gamma", one["id"]) == []
    assert state(members, one["id"]) is (State.REVOKED if "revoked" in change else State.ACTIVE)


def test_looser_markings_and_a_first_version_tell_nobody(members: Members) -> None:
    first, loose = indicator(labels=["rectified"]), indicator(object_marking_refs=[AMBER])
    push(members, first, loose)
    members.receive("beta", loose["id"])
    push(members, loose | V2 | {"object_marking_refs": [GREEN]})
    assert told(members, "beta", loose["id"]) == told(members, "beta", first["id"]) == []


def report(*refs: str, source: str = "ai-lab-report", **more: Any) -> dict[str, Any]:
    return {"type": "report", "spec_version": "2.1", "id": f"report--{uuid4()}", "created": "2026-11-01T00:00:00.000Z",
            "modified": "2026-11-01T00:00:00.000Z", "name": "lorem", "published": "2026-11-01T00:00:00.000Z", "object_refs": list(refs),
            "extensions": {CAMPAIGN: {"extension_type": "property-extension", "source_type": source}}, **more}


def domain(name: str) -> dict[str, Any]:
    return {"type": "domain-name", "spec_version": "2.1", "id": sco_id("domain-name", {"value": name}), "value": name}


def test_what_the_newest_version_of_a_report_no_longer_says_is_taken_back(members: Members) -> None:
    kept, left = indicator(), indicator()
    said = report(kept["id"], left["id"])
    push(members, kept, left, said)
    members.receive("beta", left["id"])
    push(members, said | V2 | {"object_refs": [kept["id"]]})
    assert (state(members, kept["id"]), state(members, left["id"])) == (State.ACTIVE, State.REVOKED)
    assert told(members, "beta", left["id"]) == ["revocation"]
    assert told(members, "beta", kept["id"]) == []
    push(members, said | V3 | {"object_refs": [kept["id"]]})
    assert told(members, "beta", left["id"]) == ["revocation"]


def test_a_revoked_report_says_nothing_any_more(members: Members) -> None:
    one = indicator()
    said = report(one["id"])
    push(members, one, said)
    push(members, said | V2 | {"revoked": True})
    assert state(members, one["id"]) is State.REVOKED


@pytest.mark.parametrize("other", ["stands", "revoked", "taken back", "of another kind"])
def test_what_another_report_that_stands_says_is_kept(members: Members, other: str) -> None:
    one, more = indicator(), indicator()
    first, second = report(one["id"], more["id"]), report(one["id"], source="ai-lab-report" if other != "of another kind" else "platform-takedown")
    push(members, one, more, first, second)
    if other == "revoked":
        push(members, second | V2 | {"revoked": True})
    if other == "taken back":
        members.change(second["id"], State.REVOKED)
    push(members, first | V2 | {"object_refs": [more["id"]]})
    assert state(members, one["id"]) is (State.REVOKED if other in {"revoked", "taken back"} else State.ACTIVE)


def test_a_report_of_another_kind_takes_nothing_back(members: Members) -> None:
    one, more = indicator(), indicator()
    said = report(one["id"], more["id"], source="platform-takedown")
    push(members, one, more, said)
    push(members, said | V2 | {"object_refs": [more["id"]], "description": "not an \"ai-lab-report\""})
    assert state(members, one["id"]) is State.ACTIVE


def test_only_its_own_producers_objects_in_its_collection_are_taken_back(members: Members) -> None:
    theirs, mine, elsewhere = indicator(), indicator(), indicator()
    said = report(theirs["id"], mine["id"], elsewhere["id"])
    push(members, theirs, org="beta")
    push(members, elsewhere, collection=SECOND)
    push(members, mine, said)
    push(members, said | V2 | {"object_refs": [mine["id"]]})
    assert state(members, theirs["id"], "beta") is State.ACTIVE
    assert state(members, elsewhere["id"], collection=SECOND) is State.ACTIVE


def test_a_value_that_is_no_longer_said_goes_unless_it_is_held(members: Members) -> None:
    gone, held, more = domain("gone.example"), domain("held.example"), indicator()
    said = report(gone["id"], held["id"], more["id"])
    push(members, gone, held, more, said)
    officer = By("org-office", "officer", "a key")
    members.desk.hold(held["id"], "org-alpha", reason="Order 12/26.", by=officer, now=members.now, until=members.now + DAY)
    push(members, said | V2 | {"object_refs": [more["id"]]})
    assert (state(members, gone["id"]), state(members, held["id"])) == (None, State.REVOKED)
