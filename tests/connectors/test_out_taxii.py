"""Pushing to somebody else's TAXII server: what it takes, what it refuses, and what is tried again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from connectors.out.taxii import TaxiiPush
from exchange.connect.outward import Sent, Target
from exchange.errors import InputError, UnauthorizedError
from exchange.outbound.patience import Patience
from exchange.outbound.web import Web
from exchange.stix.ids import derived_id
from tests.fakes.taxii_receiver import COLLECTION, Receiver, receiving

STAMP = "2026-01-01T00:00:00.000Z"


def note(number: int, size: int = 10) -> dict[str, Any]:
    return {"type": "note", "spec_version": "2.1", "id": derived_id("note", "test", str(number)), "created": STAMP,
            "modified": STAMP, "content": "x" * size, "object_refs": [derived_id("report", "test", "1")]}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(Receiver()) as one:
        yield one


def push(receiver: Receiver, objects: list[dict[str, Any]], place: str = "", **options: str) -> list[Sent]:
    with Web(allow=("127.0.0.0/8",), patience=Patience(tries=1)) as web:
        target = Target(place or receiver.url, options, {"token": receiver.token}, web)
        return list(TaxiiPush(sleep=lambda seconds: None).publish(objects, target))


def states(sents: list[Sent]) -> dict[str, str]:
    return {sent.id: sent.state for sent in sents}


@pytest.mark.parametrize("path", ["", "/collections/" + COLLECTION])
def test_a_collection_is_found_from_its_root_and_by_its_url(receiver: Receiver, path: str) -> None:
    assert states(push(receiver, [note(1)], receiver.url + path)) == {note(1)["id"]: "sent"}


def test_a_collection_is_found_from_discovery_by_its_title(receiver: Receiver) -> None:
    place = receiver.url.replace("/root", "/taxii2")
    assert states(push(receiver, [note(1)], place, collection="Drop")) == {note(1)["id"]: "sent"}
    with pytest.raises(InputError, match="exactly one collection 'Other'"):
        push(receiver, [note(1)], place, collection="Other")


def test_envelopes_stay_below_the_servers_length(receiver: Receiver) -> None:
    objects = [note(number, 3_000) for number in range(100)]
    assert set(states(push(receiver, objects)).values()) == {"sent"}
    assert len(receiver.envelopes) > 3
    assert max(receiver.envelopes) <= receiver.max_content_length
    assert receiver.got == objects


def test_an_object_that_alone_is_too_large_is_refused_and_the_rest_goes_in(receiver: Receiver) -> None:
    objects = [note(1), note(2, 200_000), note(3)]
    sents = push(receiver, objects)
    assert states(sents) == {note(1)["id"]: "sent", note(2)["id"]: "refused", note(3)["id"]: "sent"}
    assert [sent.reason for sent in sents if sent.state == "refused"] == ["too large"]


def test_what_the_server_fails_is_told_with_its_message(receiver: Receiver) -> None:
    receiver.refuse = {note(2)["id"]: "no marking"}
    sents = push(receiver, [note(1), note(2)])
    assert [(sent.state, sent.reason) for sent in sents] == [("sent", ""), ("refused", "no marking")]


def test_one_object_that_spoils_an_envelope_is_found(receiver: Receiver) -> None:
    receiver.choke_on = {note(37)["id"]}
    found = states(push(receiver, [note(number) for number in range(64)]))
    assert [key for key, state in found.items() if state != "sent"] == [note(37)["id"]]
    assert len(receiver.got) == 63


def test_a_pending_status_is_asked_for_until_it_is_decided(receiver: Receiver) -> None:
    receiver.pending_for = 4
    assert states(push(receiver, [note(1)])) == {note(1)["id"]: "sent"}


def test_what_stays_pending_is_tried_again_later(receiver: Receiver) -> None:
    receiver.pending_for = 1_000
    assert states(push(receiver, [note(1)])) == {note(1)["id"]: "failed"}


def test_counts_without_names_are_believed_only_where_nothing_failed(receiver: Receiver) -> None:
    receiver.counts_only = True
    assert states(push(receiver, [note(1)])) == {note(1)["id"]: "sent"}
    receiver.refuse = {note(3)["id"]: "no"}
    assert states(push(receiver, [note(2), note(3)])) == {note(2)["id"]: "failed", note(3)["id"]: "failed"}


def test_markings_go_first(receiver: Receiver) -> None:
    marking = {"type": "marking-definition", "spec_version": "2.1", "id": derived_id("marking-definition", "test"),
               "created": STAMP, "definition_type": "statement", "definition": {"statement": "lorem"}}
    push(receiver, [note(1), marking])
    assert [one["type"] for one in receiver.got] == ["marking-definition", "note"]


def test_a_wrong_token_is_told_without_it(receiver: Receiver) -> None:
    with Web(allow=("127.0.0.0/8",), patience=Patience(tries=1)) as web, pytest.raises(UnauthorizedError) as told:
        list(TaxiiPush().publish([note(1)], Target(receiver.url, {}, {"token": "wrong secret"}, web)))
    assert "wrong secret" not in str(told.value)


def test_opencti_gets_channels_of_accounts_and_no_marking_that_it_has(receiver: Receiver) -> None:
    from exchange.connect.asset import read_asset

    account = read_asset("t.me/lorem_ipsum").observable
    clear = {"type": "marking-definition", "spec_version": "2.1", "created": STAMP, "name": "TLP:CLEAR",
             "id": "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"}
    found = states(push(receiver, [account, clear], profile="opencti"))
    assert found == {account["id"]: "sent", clear["id"]: "left-out"}
    assert sorted(one["type"] for one in receiver.got) == ["channel", "relationship", "user-account"]
