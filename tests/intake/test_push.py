"""What becomes of pushed objects: stored as sent, or refused with a code; who then sees them. On both engines."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from exchange.feed.page import objects_page
from exchange.feed.query import read_query
from exchange.intake.published import COLLECTION
from exchange.model.description import read_description
from exchange.settings import Settings
from exchange.stix.extensions import HANDLING, NAMES
from exchange.stix.ids import sco_id
from exchange.store.directory import load_directory
from exchange.store.directory_changes import apply
from exchange.store.engine import read, write
from exchange.wiring import Exchange
from tests.fakes.club import collection

MEMBERS = """
[[group]]
id = "club"
title = "Club"
[[community]]
id = "c"
title = "C"
group = "club"
[[community.collection]]
id = "aaaaaaaa-0000-4000-8000-000000000001"
alias = "bare"
title = "Without defaults"
readers = ["club"]
writers = ["club"]
"""
MEMBERS += collection("aaaaaaaa-0000-4000-8000-000000000002", "plain")
for _org in ("alpha", "beta", "gamma"):
    MEMBERS += f"""
[[organisation]]
id = "org-{_org}"
name = "{_org}"
kind = "platform"
jurisdiction = "IE"
controller_arrangement = "art26"
identity = "identity--{'abcdef'[('alpha', 'beta', 'gamma').index(_org)] * 8}-0000-4000-8000-000000000001"
groups = ["club"]
[[organisation.agreement]]
id = "base"
version = 1
purposes = ["cib-detection"]
[[organisation.credential]]
id = "{_org}"
purpose = "cib-detection"
"""
NOW = 1_795_000_000_000_000  # 18 November 2026
GREEN = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"
AMBER = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"
RED = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"


@dataclass
class Desk:
    exchange: Exchange

    def push(self, org: str, alias: str, *objects: Any, now: int = NOW) -> list[tuple[str, str]]:
        """(state, code) of each object; an object is a dict or raw bytes."""
        directory = self.exchange.directory()
        collection = next(c for c in directory.collections.values() if c.alias == alias)
        raws = [o if isinstance(o, bytes) else json.dumps(o).encode() for o in objects]
        told = self.exchange.add(directory.organisations[f"org-{org}"], directory.credentials[org], collection,
                                 raws, now)
        self.told = told
        return [(t.outcome.state, t.outcome.code) for t in told]

    def pull(self, org: str, alias: str = "plain", *, now: int = NOW, **query: str) -> list[dict[str, Any]]:
        directory = self.exchange.directory()
        collection = next(c for c in directory.collections.values() if c.alias == alias)
        reader = self.exchange.reader(directory, directory.organisations[f"org-{org}"], directory.credentials[org],
                                      None, now)
        asked = read_query([(f"match[{k}]", v) for k, v in query.items()], page_size=100,
                           allowed=frozenset(f"match[{k}]" for k in query))
        page = self.exchange.page(objects_page, collection, reader, "test", asked)
        return list(json.loads(page.body).get("objects", []))


@pytest.fixture
def desk(migrated_url: str) -> Iterator[Desk]:
    exchange = Exchange(Settings(database_url=migrated_url), clock=lambda: NOW)
    with read(exchange.engine) as connection:
        known = load_directory(connection)
    wanted = read_description(tomllib.loads(MEMBERS), known, {}, source="members")
    with write(exchange.engine) as connection:
        apply(connection, wanted)
    yield Desk(exchange)
    exchange.engine.dispose()


def indicator(**change: Any) -> dict[str, Any]:
    return {
        "type": "indicator", "spec_version": "2.1", "id": f"indicator--{uuid4()}",
        "created": "2026-11-01T00:00:00.000Z", "modified": "2026-11-01T00:00:00.000Z",
        "pattern": "[domain-name:value = 'a.example']", "pattern_type": "stix",
        "valid_from": "2026-11-01T00:00:00Z",
    } | change


def handling(marking_id: str | None = None, **terms: Any) -> dict[str, Any]:
    return {
        "type": "marking-definition", "spec_version": "2.1", "id": marking_id or f"marking-definition--{uuid4()}",
        "created": "2026-11-01T00:00:00.000Z", "name": "handling", "object_marking_refs": [GREEN],
        "extensions": {HANDLING: {"extension_type": "property-extension", **terms}},
    }


FULL = {"regime": "EU-GDPR", "legal_basis": ["A6-1-f"], "special_basis": ["A9-2-e"],
        "refs": {"lia": "LIA-7", "special_law": "x"}, "purposes": ["cib-detection"], "notice": "public-notice",
        "retention_days": 30}


def test_plain_stix_goes_in_where_the_collection_publishes_terms(desk: Desk) -> None:
    assert desk.push("alpha", "plain", indicator()) == [("added", "")]


def test_without_a_tlp_of_its_own_or_a_default_it_is_refused(desk: Desk) -> None:
    assert desk.push("alpha", "bare", indicator()) == [("refused", "marking-missing")]


def test_personal_data_without_a_lawful_basis_is_refused(desk: Desk) -> None:
    account = {"type": "user-account", "spec_version": "2.1", "id": f"user-account--{uuid4()}", "user_id": "1",
               "account_login": "somebody", "object_marking_refs": [GREEN]}
    state, code = desk.push("alpha", "bare", account)[0]
    assert (state, code) == ("refused", "basis-missing")


def test_terms_that_travel_in_the_envelope_are_found(desk: Desk) -> None:
    marking = handling(**FULL)
    account = indicator(pattern="[user-account:account_login = 'somebody']", object_marking_refs=[GREEN, marking["id"]])
    assert desk.push("alpha", "bare", account, marking)[0] == ("added", "")


def test_terms_pushed_earlier_are_found(desk: Desk) -> None:
    marking = handling(**FULL)
    desk.push("alpha", "plain", marking)
    later = indicator(pattern="[user-account:account_login = 'x']", object_marking_refs=[GREEN, marking["id"]])
    assert desk.push("alpha", "bare", later) == [("added", "")]


def test_a_marking_keeps_the_meaning_that_it_had_first(desk: Desk) -> None:
    narrow = handling(**FULL, audience={"named_orgs": ["org-beta"]})
    wide = handling(narrow["id"], **FULL, audience={"named_orgs": ["org-beta", "org-gamma"]})
    marked = [indicator(object_marking_refs=[AMBER, narrow["id"]]) for _ in range(3)]
    assert desk.push("alpha", "plain", narrow, marked[0], wide) == [
        ("added", ""), ("added", ""), ("refused", "marking-invalid")]
    later = wide | {"created": "2026-11-02T00:00:00.000Z"}
    assert desk.push("alpha", "plain", marked[1], later) == [("added", ""), ("refused", "marking-invalid")]
    renamed = narrow | {"name": "another name"}
    assert desk.push("alpha", "plain", renamed, marked[2]) == [("unchanged", ""), ("added", "")]
    assert [len(desk.pull(org, type="indicator")) for org in ("beta", "gamma")] == [3, 0]


def test_a_marking_that_nobody_knows_counts_as_missing(desk: Desk) -> None:
    unknown = indicator(object_marking_refs=[f"marking-definition--{uuid4()}"])
    assert desk.push("alpha", "plain", unknown) == [("refused", "marking-missing")]


@pytest.mark.parametrize("labels", [["cib"], ["Influence-Operation"], ["coordinated-inauthentic-behaviour"]])
def test_what_is_called_cib_names_a_behaviour(desk: Desk, labels: list[str]) -> None:
    assert desk.push("alpha", "plain", indicator(labels=labels)) == [("refused", "behaviour-missing")]
    named = indicator(labels=labels, kill_chain_phases=[{"kill_chain_name": "disarm", "phase_name": "x"}])
    assert desk.push("alpha", "plain", named) == [("added", "")]


HOSTILE = [
    b"1", b'"text"', b"null", b"[]", b"{}", b'{"type":"bundle","id":"bundle--x","objects":[]}',
    b'{"type":"indicator","id":"indicator--1"}', b'{"type":"indicator","type":"malware"}', b'{"a":NaN}',
    b'{"a":1e999}', b'{"a":"\\ud800"}', b'{"a":"\\u0000"}', b'{"a":' + b"9" * 5000 + b"}",
    b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}", b'{"type":7,"id":{}}',
    json.dumps(indicator(pattern="[domain-name:value = ")).encode(),
    json.dumps(indicator(modified="2026-02-30T00:00:00Z")).encode(),
    json.dumps(indicator(id="malware--0d3a4c0e-7ad0-4b8b-9b1f-8a4d0f8a9c11")).encode(),
]


@pytest.mark.parametrize("raw", HOSTILE, ids=range(len(HOSTILE)))
def test_a_bad_object_is_refused_and_the_good_one_beside_it_goes_in(desk: Desk, raw: bytes) -> None:
    good = indicator()
    fates = desk.push("alpha", "plain", raw, good)
    assert fates[0][0] == "refused"
    assert fates[0][1]
    assert fates[1] == ("added", "")
    assert [o["id"] for o in desk.pull("beta")] == [good["id"]]


def test_bytes_come_back_as_they_were_sent(desk: Desk) -> None:
    given = indicator(x_big=123456789012345678901234567890, x_text="joão \u2603", x_list=[1.10, None, {"a": {}}])
    raw = json.dumps(given, ensure_ascii=False, indent=1).encode()
    desk.push("alpha", "plain", raw)
    directory = desk.exchange.directory()
    collection = next(c for c in directory.collections.values() if c.alias == "plain")
    reader = desk.exchange.reader(directory, directory.organisations["org-beta"], directory.credentials["beta"], None, NOW)
    page = desk.exchange.page(objects_page, collection, reader, "t", read_query([], allowed=frozenset(), page_size=5))
    assert raw in page.body


def test_tlp_red_reaches_only_its_producer(desk: Desk) -> None:
    desk.push("alpha", "plain", indicator(object_marking_refs=[RED]))
    assert [len(desk.pull(org)) for org in ("alpha", "beta", "gamma")] == [1, 0, 0]


@pytest.mark.parametrize("label", ["tlp:red", "TLP-RED", "tlp red", "TLP：RED"])
def test_a_colour_is_understood_however_it_is_spelt(desk: Desk, label: str) -> None:
    assert desk.push("alpha", "plain", indicator(labels=["x"]), indicator(labels=[label])) == [("added", "")] * 2
    assert len(desk.pull("beta")) == 1


def test_a_named_audience_reaches_the_named(desk: Desk) -> None:
    marking = handling(**FULL, audience={"named_orgs": ["org-beta"]})
    secret = indicator(object_marking_refs=[AMBER, marking["id"]])
    fates = desk.push("alpha", "bare", secret, marking)
    assert fates == [("added", ""), ("added", "")], desk.told
    assert [len(desk.pull(org, "bare", type="indicator")) for org in ("alpha", "beta", "gamma")] == [1, 1, 0]


def test_retention_ends_by_itself_at_the_moment(desk: Desk) -> None:
    desk.push("alpha", "plain", indicator())
    end = NOW + 90 * 86_400_000_000
    assert [len(desk.pull("beta", now=t)) for t in (NOW, end - 1, end)] == [1, 1, 0]


def test_nobody_creates_in_the_name_of_another_member(desk: Desk) -> None:
    forged = indicator(created_by_ref="identity--bbbbbbbb-0000-4000-8000-000000000001")
    assert desk.push("alpha", "plain", forged) == [("refused", "not-object-creator")]
    assert desk.push("beta", "plain", forged) == [("added", "")]


def test_nobody_pushes_the_identity_of_another_member(desk: Desk) -> None:
    forged = {"type": "identity", "spec_version": "2.1", "id": "identity--bbbbbbbb-0000-4000-8000-000000000001",
              "created": indicator()["created"], "modified": indicator()["modified"], "name": "Not Beta"}
    assert desk.push("alpha", "plain", forged) == [("refused", "not-object-creator")]
    assert desk.push("beta", "plain", forged) == [("added", "")]


def test_one_who_sees_an_object_does_not_revise_it(desk: Desk) -> None:
    given = indicator()
    desk.push("alpha", "plain", given)
    newer = given | {"modified": "2026-11-02T00:00:00.000Z"}
    assert desk.push("beta", "plain", newer) == [("refused", "not-object-creator")]
    assert desk.push("alpha", "plain", newer) == [("added", "")]
    assert [o["modified"] for o in desk.pull("gamma")] == ["2026-11-02T00:00:00.000Z"]


def domain(value: str, named: str | None = None) -> dict[str, Any]:
    return {"type": "domain-name", "spec_version": "2.1", "value": value,
            "id": sco_id("domain-name", {"value": named or value})}


@pytest.mark.parametrize("first", [0, 1])
def test_nobody_sits_on_the_id_of_what_another_will_report(desk: Desk, first: int) -> None:
    pushes = [("alpha", domain("harmless.example", named="covert.example")), ("beta", domain("covert.example"))]
    for org, given in (pushes[first], pushes[1 - first]):
        assert desk.push(org, "plain", given) == [("added", "")]
    for org in ("alpha", "beta", "gamma"):
        assert [o["value"] for o in desk.pull(org)] == ["covert.example"]


def test_pushing_again_changes_nothing(desk: Desk) -> None:
    given = indicator()
    assert desk.push("alpha", "plain", given, given) == [("added", ""), ("unchanged", "")]
    assert desk.push("alpha", "plain", given, now=NOW + 5) == [("unchanged", "")]


def test_the_extensions_are_published_once_and_seen_by_every_member(desk: Desk) -> None:
    desk.exchange.publish()
    desk.exchange.publish()
    found = desk.pull("gamma", "extensions")
    assert sum(o["type"] == "extension-definition" for o in found) == len(NAMES)
    assert COLLECTION.writers == ()


@pytest.mark.parametrize("label", ["tlp:red", "TLP：RED", "tlp red", "Tlp-Red"])
def test_a_label_that_restricts_is_not_decided_as_its_unlabelled_neighbour(desk: Desk, label: str) -> None:
    plain, secret = indicator(labels=["a:1"]), indicator(labels=["a:1", label])
    assert desk.push("alpha", "plain", plain, secret) == [("added", ""), ("added", "")]
    assert [o["id"] for o in desk.pull("beta")] == [plain["id"]]


@pytest.mark.parametrize(("count", "size", "at_least", "at_most"), [(60, 10, 12, 16), (6, 100_000, 12, 20), (1, 10, 0, 0)])
def test_others_have_their_turn_after_so_many_objects_and_after_each_large_one(
    desk: Desk, count: int, size: int, at_least: int, at_most: int
) -> None:
    turns: list[None] = []
    paced = Exchange(desk.exchange.settings, clock=lambda: NOW, pause=lambda: turns.append(None))
    assert Desk(paced).push("alpha", "plain", *(indicator(description="x" * size) for _ in range(count)))
    assert at_least <= len(turns) <= at_most
    paced.engine.dispose()
