"""What was there at a time and is deleted, erased or wiped since is told to who may know of it, without content."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import text

from exchange.errors import NotFoundError
from exchange.governance.explanation import Question
from exchange.model.state import State
from exchange.stix.timestamp import from_microseconds
from exchange.store.engine import write
from exchange.store.objects import Filter, Versions
from tests.e2e.stix_objects import handling
from tests.obligations.five_members import DAY, PLAIN, Members, indicator, opened

SECRET = "lorem-person"
TLP = {"RED": "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
       "GREEN": "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
       "AMBER": "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"}


@pytest.fixture
def members(database_url: str) -> Members:
    """Five members, with a policy in force and a day gone since."""
    found = opened(database_url)
    found.now += 30 * DAY
    found.exchange.policy.begin(found.now)
    found.now += DAY
    return found


def delete(members: Members, stix_id: str) -> None:
    directory = members.exchange.directory()
    members.exchange.withdraw(
        directory.organisations["org-alpha"], directory.credentials["alpha"], directory.collections[PLAIN], stix_id,
        Filter(versions=Versions(frozenset({"all"}))), members.now)


def asked(members: Members, stix_id: str, by: str, *, of: str = "beta", at: int | None = None, audit: bool = False
          ) -> list[dict[str, Any]]:
    """What ``by`` is told of an object as ``of`` saw it; empty where it is told of an unknown object."""
    question = Question(stix_id, f"org-{of}", members.now if at is None else at, "cib-detection")
    try:
        told = members.exchange.explanations(members.now).told(
            question, org=f"org-{by}", audit=audit, recipient=by == of, pulls=by == of)
    except NotFoundError:
        return []
    assert SECRET not in json.dumps(told)
    return told["gone"]


def gone(members: Members, how: str) -> tuple[dict[str, Any], int]:
    """An object that beta received, a day before it went in some way; and when it was pushed."""
    one = indicator(description=SECRET, object_marking_refs=[TLP["GREEN"]])
    assert members.push("alpha", one) == [("added", "")]
    pushed = members.now
    assert one["id"] in {seen["id"] for seen in members.sees("beta")}
    members.now += DAY
    if how == "deleted":
        delete(members, one["id"])
    else:
        members.change(one["id"], State.ERASED)
    return one, pushed


@pytest.mark.parametrize("how", ["deleted", "erased"])
def test_the_past_knows_what_is_gone_when_it_was_there_and_why(members: Members, how: str) -> None:
    one, pushed = gone(members, how)
    until = members.now
    members.now += DAY
    for by, audit in (("alpha", False), ("beta", False), ("office", True)):
        (row,) = asked(members, one["id"], by, at=pushed + 1, audit=audit)
        assert (row["object"], row["why"], row["was_there"]) == (one["id"], how, True)
        assert (row["until"], row["received"]) == (from_microseconds(until), [from_microseconds(pushed)])
        assert row.get("producer") == (None if by == "beta" else "org-alpha")
        (later,) = asked(members, one["id"], by, audit=audit)
        assert (later["was_there"], later["added"]) == (False, row["added"])
    assert asked(members, one["id"], "alpha", at=pushed - 1) == []
    assert asked(members, one["id"], "alpha", of="delta")[0]["received"] == []


@pytest.mark.parametrize("how", ["deleted", "erased"])
def test_who_never_received_it_hears_of_an_unknown_object(members: Members, how: str) -> None:
    one, pushed = gone(members, how)
    for by, of in (("gamma", "gamma"), ("gamma", "beta"), ("delta", "alpha"), ("beta", "alpha")):
        assert asked(members, one["id"], by, of=of, at=pushed + 1) == []


def test_what_only_a_named_person_received_is_not_told_to_its_organisation(members: Members) -> None:
    audience = handling("to one person", audience={"named_orgs": ["org-beta"], "named_persons": ["anne"]})
    one = indicator(object_marking_refs=[TLP["RED"], audience["id"]])
    assert members.push("alpha", audience, one) == [("added", "")] * 2
    with write(members.exchange.engine) as connection:
        connection.execute(text("UPDATE credential SET person = 'anne' WHERE id = 'beta'"))
        connection.execute(text("UPDATE meta SET value = value || '1' WHERE key = 'directory.version'"))
    assert one["id"] in {seen["id"] for seen in members.sees("beta")}
    members.now += DAY
    delete(members, one["id"])
    assert asked(members, one["id"], "beta") == []
    assert asked(members, one["id"], "alpha")[0]["received"]


@pytest.mark.parametrize("how", [delete, lambda members, one: members.change(one, State.ERASED)])
def test_who_received_a_form_without_some_parts_is_told_under_its_id_alone(members: Members, how: Any) -> None:
    one = indicator(description=SECRET, object_marking_refs=[TLP["GREEN"]],
                    granular_markings=[{"marking_ref": TLP["AMBER"], "selectors": ["description"]}])
    members.push("alpha", one)
    (form,) = (seen["id"] for seen in members.sees("beta") if seen["type"] == "indicator")
    assert form != one["id"]
    how(members, one["id"])
    assert asked(members, one["id"], "beta") == []
    (row,) = asked(members, form, "beta")
    assert row["object"] == form
    assert one["id"] not in json.dumps(row)


def test_of_what_an_earlier_release_deleted_its_producer_is_told_that_it_was(members: Members) -> None:
    one, pushed = gone(members, "deleted")
    with write(members.exchange.engine) as connection:
        connection.execute(text("UPDATE withdrawn SET at = NULL, label = NULL, object = NULL"))
    assert asked(members, one["id"], "beta", at=pushed + 1) == []
    (row,) = asked(members, one["id"], "alpha", at=pushed + 1)
    assert (row["until"], row["was_there"], row["why"]) == (None, None, "deleted")


def test_an_erasure_after_the_deletion_names_no_more_to_a_recipient_than_the_form_that_it_got(members: Members) -> None:
    one = indicator(description=SECRET, object_marking_refs=[TLP["GREEN"]],
                    granular_markings=[{"marking_ref": TLP["AMBER"], "selectors": ["description"]}])
    members.push("alpha", one)
    (form,) = (seen["id"] for seen in members.sees("beta") if seen["type"] == "indicator")
    delete(members, one["id"])
    members.change(one["id"], State.ERASED)
    (note,) = members.mailbox("beta")
    assert note["object_refs"] == [form]
