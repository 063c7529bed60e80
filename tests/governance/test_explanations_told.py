"""An explanation says what a pull does, at its time; a recipient is told of what it was given, by the id it knows, and no more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from exchange.errors import InputError, NotFoundError
from exchange.governance.explanation import Question
from exchange.model.state import State
from exchange.obligations.transitions import By
from exchange.policy.packtext import texts_of
from exchange.stix.handling import IEP_EXTENSION
from tests.governance.governed import DAY, NOW, PLAIN, Governed, governed
from tests.governance.test_preview_audience import OTHERS, SHARED, members
from tests.intake.test_push import AMBER, FULL, GREEN, RED, handling, indicator

LATER = 1_000_000
"""Microseconds: objects that are pushed at once are dated one after the other."""
UNKNOWN = "indicator--00000000-0000-4000-8000-00000000000f"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Governed]:
    """An exchange with every object of the table; tests add objects of their own, and change nothing."""
    made = governed(tmp_path_factory.mktemp("explained"))
    made.describe(members())
    for objects in SHARED.values():
        made.push(*objects)
    yield made
    made.exchange.engine.dispose()


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Governed]:
    made = governed(tmp_path)
    made.describe(members())
    yield made
    made.exchange.engine.dispose()


def ask(here: Governed, stix_id: str, org: str, at: int | None = None, **more: Any) -> list[dict[str, Any]]:
    """What an auditor is told of an organisation."""
    question = Question(stix_id, f"org-{org}", here.now + LATER if at is None else at, **more)
    return here.exchange.explanations(here.now + LATER).ask(question)["explanations"]


def own(here: Governed, stix_id: str, org: str, *, pulls: bool = True, recipient: bool = True) -> list[dict[str, Any]]:
    """What a recipient is told of itself; empty where that is what it is told of an unknown object."""
    question = Question(stix_id, f"org-{org}", here.now + LATER)
    try:
        return here.exchange.explanations(here.now + LATER).told(
            question, org=f"org-{org}", audit=False, recipient=recipient, pulls=pulls)["explanations"]
    except NotFoundError:
        return []


@pytest.mark.parametrize("org", ["beta", "gamma", "delta"])
@pytest.mark.parametrize("name", ["green", "amber to nobody", "amber to one", "a part for nobody", "a required part for nobody"])
def test_what_is_explained_is_what_is_delivered_and_told_to_its_recipient(shared: Governed, name: str, org: str) -> None:
    stix_id = SHARED[name][-1]["id"]
    (told,) = ask(shared, stix_id, org)
    seen = {one["id"] for one in shared.sees(org)}
    known = told["released_as"] or stix_id
    assert (told["outcome"] != "denied") == told["shown"] == (known in seen)
    assert bool([reason for reason in told["reasons"] if reason["effect"] == "deny"]) != told["shown"]
    assert (told["object"], told["collection"], told["producer"], told["for"]) == (stix_id, PLAIN, "org-alpha", f"org-{org}")
    assert told["purpose"] == "cib-detection"
    mine = own(shared, known, org)
    assert bool(mine) == told["shown"]
    assert own(shared, known, org, recipient=False) == []
    if told["released_as"]:
        assert (told["outcome"], stix_id in seen) == ("redacted", False)
        assert own(shared, stix_id, org) == []
        assert stix_id not in json.dumps(mine)
        assert (mine[0]["object"], mine[0]["outcome"]) == (known, "redacted")


def test_the_producer_is_told_all_of_its_own_object_whoever_asks_in_its_name(shared: Governed) -> None:
    stix_id = SHARED["amber to one"][-1]["id"]
    explanations = shared.exchange.explanations(shared.now + LATER)
    question = Question(stix_id, "org-beta", shared.now + LATER)
    (told,) = explanations.told(question, org="org-alpha", audit=False, recipient=False, pulls=False)["explanations"]
    assert told == ask(shared, stix_id, "beta")[0]
    with pytest.raises(NotFoundError):
        explanations.told(question, org="org-gamma", audit=False, recipient=False, pulls=False)


@pytest.mark.parametrize(("question", "kind", "sentence"), [
    (Question(UNKNOWN, "org-beta", NOW), NotFoundError, "There is no such object"),
    (Question(SHARED["green"][-1]["id"], "org-none", NOW), InputError, "no organisation 'org-none' in the directory of that time"),
    (Question(SHARED["green"][-1]["id"], "org-beta", NOW - 10 * DAY), InputError, "history doesn't go back to that time"),
    (Question(SHARED["green"][-1]["id"], "org-beta", NOW + DAY, collection="none"), NotFoundError, "There is no such object"),
], ids=["object", "organisation", "time", "collection"])
def test_what_cannot_be_explained_is_told(shared: Governed, question: Question, kind: type[Exception], sentence: str) -> None:
    with pytest.raises(kind, match=sentence):
        shared.exchange.explanations(shared.now).ask(question)


def test_before_the_first_version_nothing_was_decided(tmp_path: Path) -> None:
    from exchange.store.directory_history import keep_directory
    from exchange.store.engine import write

    here = governed(tmp_path)
    with write(here.exchange.engine) as connection:
        keep_directory(connection, NOW - 20 * DAY)
    here.push(*SHARED["green"])
    with pytest.raises(InputError, match="No policy version was in force at that time yet"):
        ask(here, SHARED["green"][-1]["id"], "beta", NOW - 19 * DAY)
    here.exchange.engine.dispose()


def test_it_is_explained_with_the_members_and_the_policy_of_its_time(here: Governed) -> None:
    objects = [handling(**FULL, audience={"sharing_groups": ["inner"]})]
    objects.append(indicator(object_marking_refs=[AMBER, objects[0]["id"]]))
    here.push(*objects)
    stix_id, before = objects[-1]["id"], here.now + LATER
    here.now += DAY
    here.describe('[[membership]]\norg = "org-delta"\ngroup = "inner"\nstatus = "ended"\n')
    assert [one["outcome"] for one in ask(here, stix_id, "delta")] == ["denied"]
    assert [one["outcome"] for one in ask(here, stix_id, "delta", before)] == ["granted"]
    here.describe('[[membership]]\norg = "org-delta"\ngroup = "inner"\nstatus = "active"\n')
    digest = here.exchange.policy.active.digest
    tight = here.changes().propose({**texts_of(), "programme.toml": texts_of()["programme.toml"].replace('title = "Programme"', 'title = "Other"')}, "Ana", "x").digest
    from exchange.model.policy_version import Stage
    here.now += DAY
    here.changes().advance(tight, Stage.ACTIVE, "Ana", "x")
    here.exchange.directory()
    assert ask(here, stix_id, "delta")[0]["policy_version"] == tight
    assert ask(here, stix_id, "delta", before)[0]["policy_version"] == digest


def test_who_received_it_whole_is_told_why_it_sees_it_no_more(here: Governed) -> None:
    objects = [handling(**FULL, audience={"sharing_groups": ["inner"]})]
    objects.append(indicator(object_marking_refs=[AMBER, objects[0]["id"]]))
    here.push(*objects)
    stix_id = objects[-1]["id"]
    assert stix_id in {one["id"] for one in here.sees("delta")}
    here.receive("delta", stix_id)
    here.describe('[[membership]]\norg = "org-delta"\ngroup = "inner"\nstatus = "ended"\n')
    (told,) = own(here, stix_id, "delta")
    assert (told["outcome"], told["shown"]) == ("denied", False)
    assert "tlp-amber" in {reason["code"] for reason in told["reasons"]}
    assert own(here, stix_id, "beta") == []


def test_what_could_be_pulled_is_told_to_who_would_be_given_it_now(shared: Governed) -> None:
    one = indicator(object_marking_refs=[GREEN])
    shared.push(one)
    assert own(shared, one["id"], "beta", pulls=False) == []
    assert [told["outcome"] for told in own(shared, one["id"], "beta")] == ["granted"]
    assert one["id"] in {seen["id"] for seen in shared.sees("beta")}
    assert [told["outcome"] for told in own(shared, one["id"], "beta", pulls=False)] == ["granted"]


def test_what_a_named_person_received_is_nothing_to_the_rest_of_its_organisation(shared: Governed) -> None:
    one = indicator(object_marking_refs=[RED])
    shared.push(one)
    shared.receive("beta", one["id"])
    assert own(shared, one["id"], "beta") == []


def note(*refs: str, **more: Any) -> dict[str, Any]:
    return {"type": "note", "spec_version": "2.1", "id": "note--00000000-0000-4000-8000-000000000001",
            "created": "2026-11-01T00:00:00.000Z", "modified": "2026-11-01T00:00:00.000Z", "content": "Both.",
            "object_refs": list(refs), **more}


def test_of_a_form_with_hidden_references_no_more_is_told_than_it_says(shared: Governed) -> None:
    hidden, plain = indicator(object_marking_refs=[AMBER]), indicator()
    both = note(hidden["id"], plain["id"])
    shared.push(hidden, plain, both)
    shared.sees("gamma")
    (whole,) = ask(shared, both["id"], "gamma")
    assert {ref["id"]: ref["visible"] for ref in whole["references"]} == {hidden["id"]: False, plain["id"]: True}
    (told,) = own(shared, whole["released_as"], "gamma")
    assert told["references"] == [{"id": plain["id"], "visible": True}]
    text = json.dumps(told)
    assert hidden["id"] not in text
    assert both["id"] not in text
    assert [reason["found"] for reason in told["reasons"] if reason["code"] == "references-withheld"] == [
        "not every reference is visible to the reader"]
    shared.receive("gamma", both["id"])
    assert own(shared, both["id"], "gamma") == []


def test_a_reference_is_visible_as_far_as_it_leads_to_what_is_seen(shared: Governed) -> None:
    plain = indicator()
    one = note(plain["id"], id="note--00000000-0000-4000-8000-000000000002")
    shared.push(plain, one)
    (told,) = ask(shared, one["id"], "gamma")
    assert (told["references"], told["outcome"]) == ([{"id": plain["id"], "visible": True}], "granted")


def test_of_two_versions_the_newer_is_shown_and_before_it_came_the_older(here: Governed) -> None:
    first = indicator(name="first")
    here.push(first)
    before = here.now + LATER
    here.now += DAY
    here.push({**first, "modified": "2026-11-02T00:00:00.000Z", "name": "second"})
    told = [(one["version"], one["outcome"], one["shown"]) for one in ask(here, first["id"], "beta")]
    assert told == [("2026-11-02T00:00:00.000Z", "granted", True), ("2026-11-01T00:00:00.000Z", "granted", False)]
    assert [(one["version"], one["shown"]) for one in ask(here, first["id"], "beta", before)] == [("2026-11-01T00:00:00.000Z", True)]


def test_who_is_no_reader_of_the_collection_is_denied_for_that(shared: Governed) -> None:
    (told,) = ask(shared, SHARED["clear"][-1]["id"], "absent")
    assert "collection-not-readable" in {reason["code"] for reason in told["reasons"]}
    (told,) = ask(shared, SHARED["clear"][-1]["id"], "beta")
    assert "collection-not-readable" not in {reason["code"] for reason in told["reasons"]}
    assert "absent" in OTHERS


@pytest.mark.parametrize(("keys", "purpose"), [
    ([], "cib-detection"), (["account-integrity"], "cib-detection"), (["account-integrity", "-cib"], "account-integrity"),
])
def test_the_purpose_is_that_of_its_keys_or_else_the_first_that_it_agreed_to(
    here: Governed, keys: list[str], purpose: str
) -> None:
    for key in keys:
        if key == "-cib":
            here.describe('[[organisation]]\nid = "org-beta"\nname = "beta"\nkind = "platform"\njurisdiction = "IE"\n'
                          '[[organisation.credential]]\nid = "beta"\npurpose = "cib-detection"\nrevoked = true\n')
        else:
            here.describe('[[organisation]]\nid = "org-beta"\nname = "beta"\nkind = "platform"\njurisdiction = "IE"\n'
                          f'[[organisation.credential]]\nid = "beta-2"\npurpose = "{key}"\n')
    here.push(indicator(id=UNKNOWN, object_marking_refs=[GREEN]))
    assert {one["purpose"] for one in ask(here, UNKNOWN, "beta")} == {purpose}
    assert {one["purpose"] for one in ask(here, UNKNOWN, "beta", purpose="research")} == {"research"}


def test_an_embargo_a_state_and_an_end_are_told_with_their_times(shared: Governed) -> None:
    one = indicator(object_marking_refs=[GREEN])
    shared.push(one)
    (told,) = ask(shared, one["id"], "beta")
    assert told["state"]["state"] == "active"
    assert told["state"]["legal_hold"] is False
    assert told["state"]["received_before"] is False
    assert told["state"]["not_before"] is None
    assert told["state"]["until"] is not None


def restrict(shared: Governed, stix_id: str) -> None:
    """Taken off the feed by its producer, so that a pull gives nobody anything of it."""
    by = By("org-alpha", "producer", "a key")
    shared.exchange.obligations.change(stix_id, "org-alpha", State.RESTRICTED, reason="Checked again.", by=by, now=shared.now + LATER)


@pytest.mark.parametrize(("second", "told"), [(GREEN, True), (AMBER, False)])
def test_who_received_a_form_of_it_is_told_nothing_of_the_whole_afterwards(shared: Governed, second: str, told: bool) -> None:
    first, other = indicator(), indicator(object_marking_refs=[second])
    both = note(first["id"], other["id"], id=first["id"].replace("indicator", "note"))
    shared.push(first, other, both)
    assert len([one for one in shared.sees("gamma") if one.get("content") == "Both."]) > 0
    shared.receive("gamma", both["id"])
    restrict(shared, both["id"])
    assert [one["shown"] for one in ask(shared, both["id"], "gamma")] == [False]
    assert bool(own(shared, both["id"], "gamma")) is told


def test_who_received_it_without_a_part_is_told_nothing_of_the_whole_afterwards(shared: Governed) -> None:
    one = indicator(object_marking_refs=[GREEN], description="lorem ipsum",
                    granular_markings=[{"marking_ref": AMBER, "selectors": ["description"]}])
    shared.push(one)
    shared.sees("gamma")
    shared.receive("gamma", one["id"])
    restrict(shared, one["id"])
    assert [told["shown"] for told in ask(shared, one["id"], "gamma")] == [False]
    assert own(shared, one["id"], "gamma") == []


@pytest.mark.parametrize("names", [{}, {"created_by_ref": "identity--aaaaaaaa-0000-4000-8000-000000000001"}])
def test_a_provider_who_is_not_named_is_not_named_in_an_explanation(shared: Governed, names: dict[str, str]) -> None:
    marking = handling(**FULL)
    marking["extensions"][IEP_EXTENSION] = {"extension_type": "property-extension", "iep_version": "2.0", "name": "lorem",
                                            "provider_attribution": "must-not"}
    one = indicator(object_marking_refs=[GREEN, marking["id"]], **names)
    shared.push(marking, one)
    seen = {made["id"] for made in shared.sees("gamma")}
    (whole,) = ask(shared, one["id"], "gamma")
    assert (whole["producer"], whole["outcome"]) == ("org-alpha", "redacted")
    assert whole["released_as"] in seen
    assert one["id"] not in seen
    (told,) = own(shared, whole["released_as"], "gamma")
    assert "org-alpha" not in json.dumps(told)
    assert own(shared, one["id"], "gamma") == []
    assert [told["outcome"] for told in ask(shared, one["id"], "alpha")] == ["granted"]
